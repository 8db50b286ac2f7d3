#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/compare.h"

static struct bp_manifest old;
static struct bp_manifest now;
static struct bp_comparison comparison;

static void tear_down(void)
{
    bp_comparison_free(&comparison);
    bp_manifest_free(&old);
    bp_manifest_free(&now);
}

TestSuite(compare, .fini = tear_down);

static void set_sum(char out[BP_SHA256_HEX_SIZE], char digit)
{
    memset(out, digit, BP_SHA256_HEX_SIZE - 1);
    out[BP_SHA256_HEX_SIZE - 1] = '\0';
}

static void add_file(struct bp_manifest *m, const char *path, char content, int64_t bytes)
{
    set_sum(bp_manifest_add_file(m, path, bytes)->sha256, content);
}

static void add_table(struct bp_manifest *m, const char *name, int64_t rows, char content)
{
    struct bp_manifest_table *t = bp_manifest_add_table(m);

    t->schema = bp_strdup("public");
    t->name = bp_strdup(name);
    t->rows = rows;
    set_sum(t->sha256, content);
}

static const struct bp_table_change *change_of(const char *name)
{
    for (size_t i = 0; i < comparison.count; i++) {
        if (strcmp(bp_table_change_table(&comparison.tables[i])->name, name) == 0)
            return &comparison.tables[i];
    }
    return NULL;
}

static void expect_change(const char *name, const char *word, const char *words)
{
    const struct bp_table_change *change = change_of(name);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    cr_assert_not_null(change, "%s", name);
    bp_table_change_put(change, &text);
    cr_expect_str_eq(bp_table_change_word(change), word, "%s", name);
    cr_expect_str_eq(bp_buf_str(&text), words, "%s", name);
}

Test(compare, tells_what_became_of_each_table)
{
    add_table(&old, "same", 5, 'a');
    add_table(&now, "same", 5, 'a');
    add_table(&old, "more", 5, 'a');
    add_table(&now, "more", 5005, 'b');
    add_table(&old, "fewer", 5, 'a');
    add_table(&now, "fewer", 4, 'b');
    add_table(&now, "other", 5, 'b');
    add_table(&old, "other", 5, 'a');
    add_table(&old, "gone", 1, 'a');
    add_table(&now, "new", 1, 'a');
    bp_compare(&old, &now, &comparison);
    cr_expect_eq(comparison.count, 6);
    expect_change("same", "none", "same");
    expect_change("more", "rows", "+5,000 rows");
    expect_change("fewer", "rows", "-1 row");
    expect_change("other", "content", "changed");
    expect_change("gone", "gone", "gone");
    expect_change("new", "new", "new");
    cr_expect_str_eq(bp_table_change_table(&comparison.tables[0])->name, "fewer", "sorted");
}

Test(compare, tells_which_definitions_changed)
{
    add_table(&old, "a b", 5, 'a');
    add_table(&now, "a b", 5, 'a');
    add_table(&old, "kept", 5, 'a');
    add_table(&now, "kept", 5, 'a');
    add_table(&old, "bare", 5, 'a');
    add_table(&now, "bare", 6, 'b');
    add_file(&old, "public/tables/a%20b/schema.sql", '1', 10);
    add_file(&now, "public/tables/a%20b/schema.sql", '2', 10);
    add_file(&now, "public/tables/bare/schema.sql", '4', 10);
    add_file(&old, "public/tables/kept/schema.sql", '3', 10);
    add_file(&now, "public/tables/kept/schema.sql", '3', 10);
    bp_compare(&old, &now, &comparison);
    expect_change("a b", "none", "same, definition changed");
    expect_change("kept", "none", "same");
    expect_change("bare", "rows", "+1 row, definition changed");
}

Test(compare, counts_contents_that_only_the_later_one_has_once)
{
    add_file(&old, "a", '1', 10);
    add_file(&old, "b", '2', 20);
    add_file(&now, "moved", '1', 10);
    add_file(&now, "x", '3', 30);
    add_file(&now, "y", '3', 30);
    add_file(&now, "z", '4', 40);
    bp_compare(&old, &now, &comparison);
    cr_expect_eq(comparison.new_files, 2);
    cr_expect_eq(comparison.new_bytes, 70);
}

Test(compare, nothing_compared_with_nothing_is_nothing)
{
    bp_compare(&old, &now, &comparison);
    cr_expect_eq(comparison.count, 0);
    cr_expect_eq(comparison.new_files, 0);
}

Test(compare, holds_many_tables_and_files)
{
    enum { MANY = 20000 };

    for (int i = 0; i < MANY; i++) {
        BP_AUTO(bp_freep) char *name = bp_format("t%05d", (i * 7919) % MANY);
        BP_AUTO(bp_freep) char *path = bp_format("public/tables/t%05d/data.sql", i);

        add_table(&old, name, 1, 'a');
        add_table(&now, name, 1 + (i % 2), i % 2 ? 'b' : 'a');
        add_file(&old, path, 'a', 1);
        add_file(&now, path, 'b', 1);
    }
    bp_compare(&old, &now, &comparison);
    cr_expect_eq(comparison.count, MANY);
    expect_change("t00000", "none", "same");
    expect_change("t07919", "rows", "+1 row");
    cr_expect_eq(comparison.new_files, 1);
}
