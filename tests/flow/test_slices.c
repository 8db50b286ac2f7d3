#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "archive/chunk.h"
#include "base/mem.h"
#include "test_slices_world.h"

TestSuite(slices, .init = slices_set_up, .fini = slices_tear_down, .timeout = 60);

/* Give others a chance now and then, so that runs differ in who comes first. */
static enum bp_code yield_at_times(const struct fake_row *row, struct bp_err *e)
{
    (void)e;
    if (row->number % 7 == 0)
        (void)sched_yield();
    return BP_OK;
}

/* Read by one reader in one slice: what all others have to give. */
static char *files_of_one(int64_t rows)
{
    slices_open(rows, 1, NULL);
    slices_in_order();
    slices_read_with(1);
    cr_assert_eq(sw.threads[0].rc, BP_OK, "%s", sw.threads[0].err.msg);
    return slices_files();
}

static void expect_files(const char *wanted, size_t readers, const char *about)
{
    BP_AUTO(bp_freep) char *got = NULL;

    slices_read_with(readers);
    for (size_t i = 0; i < readers; i++)
        cr_assert_eq(sw.threads[i].rc, BP_OK, "%s", sw.threads[i].err.msg);
    got = slices_files();
    cr_expect_str_eq(got, wanted, "%zu readers, %zu slices, %s:\n%s\ninstead of\n%s", readers,
                     sw.order_count, about, got, wanted);
}

/* ---- the files are the same, whoever reads what ---- */

/* Of all numbers of slices, read in order and in any order. */
static void expect_same_files(int64_t rows)
{
    static const size_t counts[] = {1, 2, 5, MOST_SLICES};
    BP_AUTO(bp_freep) char *wanted = files_of_one(rows);

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t readers = 1; readers <= MOST_READERS; readers++) {
            slices_open(rows, counts[i], NULL);
            slices_in_order();
            expect_files(wanted, readers, "in order");
            slices_open(rows, counts[i], NULL);
            slices_in_any_order();
            expect_files(wanted, readers, "in any order");
        }
    }
}

Test(slices, the_rows_that_are_made_are_fences_where_they_shall_be)
{
    char row[ROW_LEN];

    sw.rows_per_fence = 9;
    for (int64_t i = 0; i < 2000; i++) {
        slices_make_row(&sw.shapes[0], i, row);
        cr_assert_eq(bp_chunk_is_fence(&(struct bp_chunk_row){row, ROW_LEN, 0}),
                     slices_has_fence(i), "row %lld", (long long)i);
    }
}

Test(slices, a_table_with_fences_gives_the_same_files)
{
    sw.source.on_row = yield_at_times;
    sw.rows_per_fence = 40;
    expect_same_files(2000);
}

Test(slices, a_table_with_fewer_fences_than_slices_gives_the_same_files)
{
    sw.source.on_row = yield_at_times;
    sw.rows_per_fence = 500;
    expect_same_files(2000);
}

Test(slices, a_table_without_any_fence_gives_the_same_files)
{
    sw.source.on_row = yield_at_times;
    expect_same_files(1000);
}

Test(slices, every_row_a_fence_gives_the_same_files)
{
    sw.source.on_row = yield_at_times;
    sw.rows_per_fence = 1;
    expect_same_files(300);
}

Test(slices, a_table_without_rows_is_one_file)
{
    BP_AUTO(bp_freep) char *wanted = files_of_one(0);

    cr_expect_not_null(strstr(wanted, "\n0 rows, 0 bytes\n"), "%s", wanted);
    cr_expect_eq(strchr(wanted, '\n'), strstr(wanted, "\n0 rows"), "%s", wanted);
    expect_same_files(0);
}

Test(slices, one_row_gives_the_same_files)
{
    expect_same_files(1);
    sw.rows_per_fence = 1;
    expect_same_files(1);
}

/* Such a row is a fence by itself, and fills a file. */
Test(slices, rows_longer_than_the_spread_give_the_same_files)
{
    BP_AUTO(bp_freep) char *wanted = NULL;

    sw.shapes[0].row_len = BP_CHUNK_FENCE_SPREAD + 5;
    sw.source.make_row = NULL;
    wanted = files_of_one(3);
    slices_open(3, 2, NULL);
    slices_in_order();
    expect_files(wanted, 2, "long rows");
    slices_open(3, 5, NULL);
    slices_in_any_order();
    expect_files(wanted, 3, "long rows");
}

/* The files end by their length as well as at fences. */
Test(slices, rows_of_many_files_give_the_same_files)
{
    static const size_t counts[] = {2, 5};
    BP_AUTO(bp_freep) char *wanted = NULL;

    sw.shapes[0].row_len = 100000;
    sw.source.make_row = NULL;
    wanted = files_of_one(400);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        slices_open(400, counts[i], NULL);
        slices_in_any_order();
        expect_files(wanted, 1 + counts[i] % MOST_READERS, "40 MB");
    }
}

/* Slices as a server cuts them: of any length, many of them empty. */
Test(slices, any_cuts_any_rows_and_any_readers_give_the_same_files)
{
    sw.source.on_row = yield_at_times;
    for (int round = 0; round < 200; round++) {
        int64_t rows = slices_choose(round % 3 == 0 ? 20 : 500);
        size_t count = 1 + slices_choose(MOST_SLICES);
        int64_t cuts[MOST_SLICES + 1] = {0};
        char about[60];

        sw.rows_per_fence = slices_choose(60);
        BP_AUTO(bp_freep) char *wanted = files_of_one(rows);

        for (size_t i = 1; i < count; i++) {
            int64_t left = rows - cuts[i - 1];

            cuts[i] = cuts[i - 1] + slices_choose(3) * slices_choose((unsigned)(left / 4) + 1);
            cuts[i] = cuts[i] > rows ? rows : cuts[i];
        }
        cuts[count] = rows;
        (void)snprintf(about, sizeof(about), "round %d of %lld rows", round, (long long)rows);
        slices_open(rows, count, cuts);
        slices_in_any_order();
        expect_files(wanted, 1 + slices_choose(MOST_READERS), about);
    }
}

Test(slices, progress_counts_every_row_once)
{
    sw.rows_per_fence = 40;
    slices_open(5000, 5, NULL);
    slices_in_order();
    slices_read_with(3);
    cr_expect_eq(atomic_load(&sw.progress.rows), 5000);
    cr_expect_eq(atomic_load(&sw.progress.bytes), 5000 * ROW_LEN);
}

/* ---- who reads what ---- */

static enum bp_code read_one(size_t i, size_t number)
{
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = NULL;

    cr_assert_eq(
        sw.source.base.ops->reader(&sw.source.base, number, &sw.clock_of_all, &reader, &sw.err),
        BP_OK);
    if (bp_slices_claim(sw.slices, i, reader, &sw.err) != BP_OK)
        return sw.err.code;
    return bp_slices_read(sw.slices, i, reader, &sw.clock_of_all, &sw.err);
}

static enum bp_code count_rows(const struct fake_row *row, struct bp_err *e)
{
    (void)e;
    ((int64_t *)row->source->ctx)[row->slice->number]++;
    return BP_OK;
}

Test(slices, a_slice_that_nobody_began_is_read_by_who_comes_from_the_one_before_it)
{
    int64_t rows[3] = {0};

    sw.source.on_row = count_rows;
    sw.source.ctx = rows;
    slices_open(30, 3, NULL);
    cr_assert_eq(read_one(0, 0), BP_OK, "%s", sw.err.msg);
    cr_expect_eq(rows[1], 10);
    cr_expect_eq(rows[2], 10);
    cr_assert_eq(read_one(1, 1), BP_OK, "%s", sw.err.msg);
    cr_assert_eq(read_one(2, 1), BP_OK, "%s", sw.err.msg);
    cr_expect_eq(rows[1], 10, "it is not read again");
    bp_free(slices_files());
}

Test(slices, of_a_slice_that_another_one_began_only_the_head_is_read_again)
{
    int64_t rows[3] = {0};
    const int64_t cuts[] = {0, 10, 1000, 2000};
    int64_t fence = 10;

    sw.rows_per_fence = 100;
    while (!slices_has_fence(fence))
        fence++;
    sw.source.on_row = count_rows;
    sw.source.ctx = rows;
    slices_open(2000, 3, cuts);
    cr_assert_eq(read_one(1, 1), BP_OK, "%s", sw.err.msg);
    cr_expect_eq(rows[1], 990);
    cr_expect_eq(rows[2], 1000, "nobody else had begun it");
    cr_assert_eq(read_one(0, 0), BP_OK, "%s", sw.err.msg);
    cr_expect_eq(rows[0], 10);
    cr_expect_eq(rows[1], 990 + fence - 10 + 1, "up to and with the first fence");
    cr_expect_eq(rows[2], 1000);
    cr_assert_eq(read_one(2, 0), BP_OK, "%s", sw.err.msg);
    bp_free(slices_files());
}

Test(slices, the_largest_table_comes_first_and_its_slices_stay_together)
{
    const struct fake_source_table three[] = {{"public", "small", 10, 24, 1, NULL, 0},
                                              {"public", "large", 1000, 24, 3, NULL, 0},
                                              {"public", "empty", 0, 24, 2, NULL, 0},
                                              {NULL, NULL, 0, 0, 0, NULL, 0}};
    static const char *const wanted[] = {"large", "large", "large", "small", "empty", "empty"};

    sw.source.tables = three;
    cr_assert_eq(sw.source.base.ops->snapshot(&sw.source.base, &sw.info, &sw.tables, &sw.err),
                 BP_OK);
    sw.slices = bp_slices_new(&sw.tables, &sw.store, NULL, &sw.progress);
    cr_assert_eq(bp_slices_count(sw.slices), 6);
    for (size_t i = 0; i < 6; i++)
        cr_expect_str_eq(bp_slices_table(sw.slices, i)->name, wanted[i]);
}

Test(slices, a_table_that_cannot_be_held_is_left_to_another_reader)
{
    BP_AUTO(bp_freep) char *wanted = files_of_one(30);
    BP_AUTO(bp_freep) char *got = NULL;

    sw.source.awaited = "t";
    slices_open(30, 3, NULL);
    cr_expect_eq(read_one(1, 1), BP_ELOCKED);
    cr_expect_eq(atomic_load(&sw.progress.rows), 30, "only those of the first time");
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(read_one(i, 0), BP_OK, "%s", sw.err.msg);
    got = slices_files();
    cr_expect_str_eq(got, wanted);
}

/* ---- what goes wrong ---- */

static enum bp_code take_fails(void)
{
    BP_AUTO(bp_stage_files_free) struct bp_stage_files files = {0};

    return bp_slices_take(sw.slices, &sw.tables.at[0], &files, &sw.err);
}

static void read_two_slices_with_a_lie(int64_t lie)
{
    const int64_t cuts[] = {0, 10, 2000};

    sw.rows_per_fence = 100;
    slices_open(2000, 2, cuts);
    sw.source.limit_lie = lie;
    cr_assert_eq(read_one(1, 1), BP_OK, "%s", sw.err.msg);
    cr_assert_eq(read_one(0, 0), BP_OK, "%s", sw.err.msg);
}

Test(slices, missing_rows_are_an_error)
{
    read_two_slices_with_a_lie(-1);
    cr_expect_eq(take_fails(), BP_EFAILED);
    cr_expect_str_eq(sw.err.msg, "table 'public.t' has 2000 rows and 1999 of them were written");
}

Test(slices, double_rows_are_an_error)
{
    read_two_slices_with_a_lie(1);
    cr_expect_eq(take_fails(), BP_EFAILED);
    cr_expect_str_eq(sw.err.msg, "table 'public.t' has 2000 rows and 2001 of them were written");
}

static atomic_int reading; /* slice 1 */

/* Slice 1 breaks off before its first fence, once the reader of slice 0 is at its last row. */
static enum bp_code break_off(const struct fake_row *row, struct bp_err *e)
{
    if (row->slice->number == 1) {
        atomic_store(&reading, 1);
        while (atomic_load(&reading) < 2)
            (void)sched_yield();
        return bp_fail(e, *(const enum bp_code *)row->source->ctx, "the connection was lost");
    }
    while (atomic_load(&reading) < 1)
        (void)sched_yield();
    if (row->number == 9)
        atomic_store(&reading, 2);
    return BP_OK;
}

static void expect_others_to_end(enum bp_code code, enum bp_code wanted)
{
    const int64_t cuts[] = {0, 10, 2000};
    size_t broken = 0;

    sw.source.on_row = break_off;
    sw.source.ctx = &code;
    slices_open(2000, 2, cuts);
    slices_in_order();
    slices_read_with(2);
    broken = sw.threads[0].rc == BP_ESTOPPED ? 1 : 0;
    cr_expect_eq(sw.threads[1 - broken].rc, BP_ESTOPPED, "it waits for a head that never comes");
    cr_expect_eq(sw.threads[broken].rc, wanted);
    cr_expect_str_eq(sw.threads[broken].err.msg, "table 'public.t': the connection was lost");
}

Test(slices, a_reader_that_fails_ends_the_wait_of_another_one)
{
    expect_others_to_end(BP_EUNAVAILABLE, BP_EUNAVAILABLE);
}

Test(slices, a_lock_in_the_middle_of_a_slice_is_a_failure_too)
{
    expect_others_to_end(BP_ELOCKED, BP_ELOCKED);
}
