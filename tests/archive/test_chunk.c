#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "archive/chunk.h"
#include "base/mem.h"

enum { FILES_LIMIT = 400 };

static bool fences;

/* A table of rows that a number tells apart, each padded to row_len bytes. */
struct table {
    size_t rows;
    size_t row_len;
    size_t left_out;  /* a row that is not there; SIZE_MAX: none */
    size_t put_in_at; /* a row that only this table has; SIZE_MAX: none */
};

static const struct table plain = {.left_out = SIZE_MAX, .put_in_at = SIZE_MAX};

/* What is in a file: its bytes and the sum of its rows' numbers, mixed. Equal means the same. */
struct file {
    size_t len;
    uint64_t rows;
};

struct files {
    struct file at[FILES_LIMIT];
    size_t count;
    struct file open;
};

static void add_row(struct files *files, char *row, size_t row_len, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%020llu", (unsigned long long)number);

    memcpy(row, digits, (size_t)len);
    files->open.len += row_len;
    files->open.rows += (number + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ number << 40;
    if (!bp_chunk_ends(files->open.len, &(struct bp_chunk_row){row, row_len, 0}, fences))
        return;
    cr_assert_lt(files->count, FILES_LIMIT);
    files->at[files->count++] = files->open;
    files->open = (struct file){0};
}

static void cut(const struct table *table, struct files *files)
{
    BP_AUTO(bp_freep) char *row = bp_alloc(table->row_len, 1);

    *files = (struct files){0};
    memset(row, 'x', table->row_len);
    row[table->row_len - 1] = '\n';
    for (size_t i = 0; i < table->rows; i++) {
        if (i == table->put_in_at)
            add_row(files, row, table->row_len, 1000000000 + i);
        if (i != table->left_out)
            add_row(files, row, table->row_len, i);
    }
    if (files->open.len > 0) {
        cr_assert_lt(files->count, FILES_LIMIT);
        files->at[files->count++] = files->open;
    }
}

static size_t count_new(const struct files *before, const struct files *after)
{
    size_t count = 0;

    for (size_t i = 0; i < after->count; i++) {
        size_t j = 0;

        while (j < before->count &&
               (before->at[j].len != after->at[i].len || before->at[j].rows != after->at[i].rows))
            j++;
        count += j == before->count;
    }
    return count;
}

static struct files before;
static struct files after;

/* The last file is whatever was left. */
static double mean_of_full_files(const struct files *files)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < files->count; i++)
        sum += (double)files->at[i].len;
    return sum / (double)(files->count - 1);
}

Test(chunk, short_and_long_rows_give_files_of_about_4_mib)
{
    static const struct {
        size_t row_len;
        size_t rows;
    } shapes[] = {{30, 6000000}, {1000, 200000}, {65536, 3200}, {1 << 20, 200}};

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct table table = plain;
        double mean = 0;

        table.rows = shapes[i].rows;
        table.row_len = shapes[i].row_len;
        cut(&table, &before);
        mean = mean_of_full_files(&before) / (1 << 20);
        cr_expect(mean > 2.6 && mean < 4.8, "rows of %zu bytes: %zu files of %.2f MiB",
                  table.row_len, before.count, mean);
        for (size_t f = 0; f + 1 < before.count; f++) {
            cr_assert_geq(before.at[f].len, (size_t)BP_CHUNK_MIN);
            cr_assert_lt(before.at[f].len, BP_CHUNK_MAX + table.row_len);
        }
    }
}

Test(chunk, a_row_of_more_than_the_spread_fills_a_file_of_its_own)
{
    struct table table = plain;

    table.rows = 20;
    table.row_len = 3 << 20;
    cut(&table, &before);
    cr_expect_eq(before.count, 20);
    table.row_len = BP_CHUNK_SPREAD;
    cut(&table, &before);
    cr_expect_eq(before.count, 20);
}

Test(chunk, one_row_more_or_less_changes_at_most_two_files)
{
    struct table table = plain;

    table.rows = 600000;
    table.row_len = 100;
    cut(&table, &before);
    cr_assert_gt(before.count, 8);
    for (size_t i = 0; i < 12; i++) {
        struct table changed = table;

        changed.left_out = i * 54321 % table.rows;
        cut(&changed, &after);
        cr_expect_leq(count_new(&before, &after), 2, "without row %zu", changed.left_out);
        changed = table;
        changed.put_in_at = i * 49999 % table.rows;
        cut(&changed, &after);
        cr_expect_leq(count_new(&before, &after), 2, "with a row at %zu", changed.put_in_at);
    }
}

Test(chunk, rows_that_are_all_the_same_still_end_a_file)
{
    static const char row[] = "the same\n";
    size_t len = 0;
    size_t longest = 0;

    for (size_t i = 0; i < 5000000; i++) {
        len += sizeof(row) - 1;
        if (bp_chunk_ends(len, &(struct bp_chunk_row){row, sizeof(row) - 1, 0}, false)) {
            longest = len > longest ? len : longest;
            len = 0;
        }
    }
    cr_expect_gt(longest, 0);
    cr_expect_lt(longest, BP_CHUNK_MAX + sizeof(row));
}

Test(chunk, the_bounds_are_exact)
{
    static char row[BP_CHUNK_SPREAD];

    cr_expect_not(
        bp_chunk_ends(BP_CHUNK_MIN - 1, &(struct bp_chunk_row){row, sizeof(row), 0}, false),
        "below the least");
    cr_expect(bp_chunk_ends(BP_CHUNK_MIN, &(struct bp_chunk_row){row, sizeof(row), 0}, false));
    cr_expect(bp_chunk_ends(BP_CHUNK_MAX, &(struct bp_chunk_row){"x\n", 2, 0}, false));
    cr_expect_not(bp_chunk_ends(0, &(struct bp_chunk_row){"", 0, 0}, false));
}

/* An archive made today and one made in years share files only while these stay as they are. */
Test(chunk, the_cuts_are_the_same_for_ever)
{
    static const size_t lengths[] = {6983097, 3285521, 2841197, 4509303, 4212782, 2568100};
    struct table table = plain;

    table.rows = 400000;
    table.row_len = 61;
    cut(&table, &before);
    cr_assert_eq(before.count, sizeof(lengths) / sizeof(lengths[0]));
    for (size_t i = 0; i < before.count; i++)
        cr_expect_eq(before.at[i].len, lengths[i], "file %zu has %zu bytes", i, before.at[i].len);
}

/* ---- keys ---- */

static struct bp_chunk_row row_of(const char *text, uint64_t key)
{
    return (struct bp_chunk_row){.text = text, .len = strlen(text), .key = key};
}

/* Where files would end among many rows, which are a number between two texts. */
static void ends_of(const char *head, const char *tail, uint64_t key, bool *ends, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[200];
        struct bp_chunk_row row;

        (void)snprintf(text, sizeof(text), "%s%08zu%s\n", head, i, tail);
        row = row_of(text, key);
        ends[i] = bp_chunk_ends(BP_CHUNK_MIN, &row, false);
    }
}

enum { ROWS = 200000 };

Test(chunk, only_the_key_decides_where_a_file_ends)
{
    static const struct {
        const char *head[2]; /* before and after an update */
        const char *tail[2];
        uint64_t key;
    } rows[] = {
        {{"", ""}, {"\tone\ttwo", "\tONE\tTWO"}, 1},
        {{"one\t", "ONE\t"}, {"\ttwo", "\tTWO"}, 2},
        {{"one\ttwo\t", "ONE\tTWO\t"}, {"", ""}, 4},
        {{"a\t", "A\t"}, {"\tb\tkey", "\tB\tkey"}, 2 | 8},
    };
    BP_AUTO(bp_freep) bool *old = bp_alloc(ROWS, 1);
    BP_AUTO(bp_freep) bool *new = bp_alloc(ROWS, 1);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t count = 0;

        ends_of(rows[i].head[0], rows[i].tail[0], rows[i].key, old, ROWS);
        ends_of(rows[i].head[1], rows[i].tail[1], rows[i].key, new, ROWS);
        cr_expect_eq(memcmp(old, new, ROWS), 0, "row %zu", i);
        for (size_t j = 0; j < ROWS; j++)
            count += old[j];
        cr_expect_gt(count, 0u, "row %zu", i);
        cr_expect_lt(count, 30u, "row %zu", i);
        ends_of(rows[i].head[1], rows[i].tail[1], 0, new, ROWS);
        cr_expect_neq(memcmp(old, new, ROWS), 0, "the whole row decides without a key");
    }
}

Test(chunk, a_key_beyond_the_row_and_an_empty_row_do_no_harm)
{
    struct bp_chunk_row row = row_of("one\ttwo\n", UINT64_C(1) << 62);

    (void)bp_chunk_ends(BP_CHUNK_MIN, &row, true);
    row = row_of("\n", 1);
    (void)bp_chunk_is_fence(&row);
    row = row_of("", 1);
    cr_expect_not(bp_chunk_is_fence(&row));
}

/* ---- fences ---- */

/* The files of rows from `first` on, behind the fence that is there or comes. */
static void cut_behind_fence(const struct table *table, size_t first, struct files *files)
{
    BP_AUTO(bp_freep) char *row = bp_alloc(table->row_len, 1);
    bool behind = false;

    *files = (struct files){0};
    memset(row, 'x', table->row_len);
    row[table->row_len - 1] = '\n';
    for (size_t i = first; i < table->rows; i++) {
        if (behind) {
            add_row(files, row, table->row_len, i);
            continue;
        }
        (void)snprintf(row, 21, "%020llu", (unsigned long long)i);
        row[20] = 'x';
        behind = bp_chunk_is_fence(&(struct bp_chunk_row){row, table->row_len, 0});
    }
    if (files->open.len > 0)
        files->at[files->count++] = files->open;
}

Test(chunk, behind_a_fence_the_files_are_the_same_wherever_one_begins)
{
    struct table table = plain;

    fences = true;
    table.rows = 1500000;
    table.row_len = 100;
    cut(&table, &before);
    for (size_t first = 1; first < 1200000; first += 333333) {
        cut_behind_fence(&table, first, &after);
        cr_assert_gt(after.count, 0, "no fence behind row %zu", first);
        cr_expect_eq(count_new(&before, &after), 0, "from row %zu on", first);
    }
}

Test(chunk, with_fences_files_are_a_little_shorter)
{
    struct table table = plain;
    double mean = 0;

    fences = true;
    table.rows = 3000000;
    table.row_len = 100;
    cut(&table, &before);
    mean = mean_of_full_files(&before) / (1 << 20);
    cr_expect(mean > 2.6 && mean < 4.2, "%zu files of %.2f MiB", before.count, mean);
}

Test(chunk, one_row_more_or_less_changes_at_most_three_files_with_fences)
{
    struct table table = plain;

    fences = true;
    table.rows = 600000;
    table.row_len = 100;
    cut(&table, &before);
    for (size_t i = 0; i < 12; i++) {
        struct table changed = table;

        changed.left_out = i * 54321 % table.rows;
        cut(&changed, &after);
        cr_expect_leq(count_new(&before, &after), 2, "without row %zu", changed.left_out);
        changed = table;
        changed.put_in_at = i * 49999 % table.rows;
        cut(&changed, &after);
        cr_expect_leq(count_new(&before, &after), 3, "with a row at %zu", changed.put_in_at);
    }
}
