#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "flow/diff.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"

#define BEFORE "backups/archive/2024-01-15T00-00-00Z--o-a--push--2222222"
#define LATEST "backups/latest/latest_2024-01-16T00-00-00Z"
#define KEY(columns) \
    "CREATE TABLE t;\n\nALTER TABLE ONLY t\n    ADD CONSTRAINT k PRIMARY KEY (" columns ");\n"

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_archive before;
static struct fake_archive latest;
static struct bp_diff diff;
static struct bp_out out;
static FILE *nowhere;
static char *dir;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    store = fake_store();
    nowhere = fopen("/dev/null", "w");
    out = (struct bp_out){.err = nowhere, .clock = &fclock.base};
    before = fake_archive(&store, BEFORE);
    latest = fake_archive(&store, LATEST);
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    DIR *open = opendir(dir);
    size_t left = 0;

    for (const struct dirent *e = readdir(open); e != NULL; e = readdir(open))
        left += e->d_name[0] != '.';
    (void)closedir(open);
    bp_diff_free(&diff);
    bp_manifest_free(&before.manifest);
    bp_manifest_free(&latest.manifest);
    fake_store_release(&store);
    (void)fclose(nowhere);
    bp_tempdir_removep(&dir);
    cr_expect_eq(left, 0, "temporary files were left behind");
}

TestSuite(diff, .init = set_up, .fini = tear_down);

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void put_before(const char *columns, const char *definition, const char *const *files)
{
    fake_archive_table(&before, "t", columns, definition, files);
}

static void put_latest(const char *columns, const char *definition, const char *const *files)
{
    fake_archive_table(&latest, "t", columns, definition, files);
}

static enum bp_code compare(const char *table, size_t rows)
{
    BP_AUTO(bp_list_free) struct bp_list tables = {0};
    const struct bp_diff_job job = {.store = &store.base,
                                    .clock = &fclock.base,
                                    .out = &out,
                                    .old = "2024-01-15",
                                    .now = "latest",
                                    .branch = "main",
                                    .tables = &tables,
                                    .rows = rows,
                                    .value_limit = 50,
                                    .temp_parent = dir};

    fake_archive_end(&before);
    fake_archive_end(&latest);
    if (table != NULL)
        bp_list_add(&tables, table);
    bp_diff_free(&diff);
    return bp_flow_diff(&job, &diff, &err);
}

static void expect_text(const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    const char *got = NULL;

    bp_diff_text(&diff, &text);
    got = strchr(bp_buf_str(&text), '\n');
    cr_assert_not_null(got);
    cr_expect_str_eq(got + 1, wanted);
}

Test(diff, tells_rows_apart_by_the_primary_key)
{
    put_before("id, email, note", KEY("id"), FILES("1\ta\t\\N\n2\tb\tx\n3\tc\ty\n"));
    put_latest("id, email, note", KEY("id"), FILES("1\ta\t\\N\n3\tnew\t\\N\n4\td\t\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 1 added, 1 removed, 1 changed; by id\n"
                "+ id=4, email=d, note=\"\"\n"
                "- id=2, email=b, note=x\n"
                "~ id=3: email=c -> new, note=y -> NULL\n");
}

Test(diff, a_key_may_have_several_columns_with_odd_names_and_values)
{
    put_before("\"a\tb\", n, v", KEY("\"a\tb\", n"), FILES("x\\ty\t1\told\nx\t1\tsame\n"));
    put_latest("\"a\tb\", n, v", KEY("\"a\tb\", n"), FILES("x\t1\tsame\nx\\ty\t1\tline\\nend\n"));
    cr_assert_eq(compare("public.t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 0 added, 0 removed, 1 changed; by a b, n\n"
                "~ a b=\"x\\ty\", n=1: v=old -> \"line\\nend\"\n");
}

Test(diff, without_a_key_rows_are_added_and_removed)
{
    put_before("a, b", "CREATE TABLE t;\n", FILES("1\tx\n1\tx\n2\ty\n"));
    put_latest("a, b", "CREATE TABLE t;\n", FILES("1\tx\n2\tz\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 1 added, 2 removed, 0 changed\n"
                "+ a=2, b=z\n"
                "- a=1, b=x\n"
                "- a=2, b=y\n");
}

Test(diff, another_key_tells_rows_apart_no_more)
{
    put_before("a, b", KEY("a"), FILES("1\tx\n"));
    put_latest("a, b", KEY("b"), FILES("1\ty\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 1 added, 1 removed, 0 changed\n+ a=1, b=y\n- a=1, b=x\n");
}

/* A generated column is not among the rows. */
Test(diff, a_key_that_the_rows_do_not_hold_tells_nothing)
{
    put_before("a", KEY("g"), FILES("1\n"));
    put_latest("a", KEY("g"), FILES("2\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 1 added, 1 removed, 0 changed\n+ a=2\n- a=1\n");
}

Test(diff, columns_that_only_one_archive_has_make_no_row_differ)
{
    put_before("id, a, b", KEY("id"), FILES("1\tx\tone\n2\ty\ttwo\n"));
    put_latest("b, id, c", KEY("id"), FILES("one\t1\t7\nTWO\t2\t7\nthree\t3\t7\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 1 added, 0 removed, 1 changed; by id; new columns: c; columns that "
                "are gone: a\n"
                "+ b=three, id=3, c=7\n"
                "~ id=2: b=two -> TWO\n");
}

Test(diff, all_rows_of_a_table_that_only_one_archive_has_differ)
{
    static const char *const one[] = {"1\n", NULL};

    put_before("id", KEY("id"), one);
    fake_archive_table(&latest, "u", "id", KEY("id"), one);
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 0 added, 1 removed, 0 changed\n- id=1\n");
    latest = fake_archive(&store, LATEST);
    before = fake_archive(&store, BEFORE);
    fake_archive_table(&latest, "u", "id", KEY("id"), one);
    cr_assert_eq(compare("u", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.u: 1 added, 0 removed, 0 changed\n+ id=1\n");
}

/* Numbers shift when a file is inserted. What both have is damaged here: it must not be read. */
Test(diff, files_that_both_archives_have_are_not_read)
{
    put_before("id", KEY("id"), FILES("1\n", "2\n", "3\n"));
    put_latest("id", KEY("id"), FILES("0\n", "1\n", "2\n", "4\n"));
    fake_store_put(&store, BEFORE "/public/tables/t/data/00001.sql", "damaged");
    fake_store_put(&store, LATEST "/public/tables/t/data/00003.sql", "damaged");
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 2 added, 1 removed, 0 changed; by id\n"
                "+ id=0\n"
                "+ id=4\n"
                "- id=3\n");
}

/* A row that moved from one file to another is the same row. */
Test(diff, rows_may_change_files)
{
    put_before("id", KEY("id"), FILES("1\n2\n", "3\n"));
    put_latest("id", KEY("id"), FILES("1\n", "2\n3\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 0 added, 0 removed, 0 changed; by id\n");
}

Test(diff, shows_so_many_rows_of_each_kind_as_are_asked_for)
{
    put_before("id", KEY("id"), FILES("1\n2\n"));
    put_latest("id", KEY("id"), FILES("5\n6\n7\n8\n"));
    cr_assert_eq(compare("t", 1), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 4 added, 2 removed, 0 changed; by id\n"
                "+ id=5\n+ 3 more\n- id=1\n- 1 more\n");
    before = fake_archive(&store, BEFORE);
    latest = fake_archive(&store, LATEST);
    put_before("id", KEY("id"), FILES("1\n2\n"));
    put_latest("id", KEY("id"), FILES("1\n"));
    cr_assert_eq(compare("t", 0), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 0 added, 1 removed, 0 changed; by id\n- 1 row\n");
}

Test(diff, long_values_are_shown_where_they_begin_to_differ)
{
    BP_AUTO(bp_buf_free) struct bp_buf same = {0};
    BP_AUTO(bp_freep) char *old = NULL;
    BP_AUTO(bp_freep) char *now = NULL;

    for (int i = 0; i < 200; i++)
        bp_buf_puts(&same, "\xC3\xA9");
    old = bp_format("1\t%sold\n", same.data);
    now = bp_format("1\t%snew%s\n", same.data, same.data);
    put_before("id, v", KEY("id"), FILES(old));
    put_latest("id, v", KEY("id"), FILES(now));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 0 added, 0 removed, 1 changed; by id\n"
                "~ id=1: v=...\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
                "\xC3\xA9\xC3\xA9old -> ...\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
                "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9new\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
                "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9...\n");
    cr_expect(diff.tables[0].rows[BP_ROW_CHANGED][0].cells[1].old.cut);
    cr_expect_not(diff.tables[0].rows[BP_ROW_CHANGED][0].cells[0].old.cut);
}

Test(diff, values_cannot_play_with_the_terminal)
{
    put_before("id, v", KEY("id"), FILES("1\t\\\\N\n"));
    put_latest("id, v", KEY("id"), FILES("1\t\x1b[2J\xC2\x9B\x7f\xFF\n2\tNULL\n3\t\\\\\"a, b\n"));
    cr_assert_eq(compare("t", 20), BP_OK, "%s", err.msg);
    expect_text("\npublic.t: 2 added, 0 removed, 1 changed; by id\n"
                "+ id=2, v=\"NULL\"\n"
                "+ id=3, v=\"\\\\\\\"a, b\"\n"
                "~ id=1: v=\"\\\\N\" -> \" [2J  ?\"\n");
}

Test(diff, refuses_what_is_damaged)
{
    put_before("id", KEY("id"), FILES("1\n"));
    put_latest("id", KEY("id"), FILES("2\n"));
    fake_store_put(&store, LATEST "/public/tables/t/data/00001.sql", "COPY");
    cr_expect_eq(compare("t", 20), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "table 'public.t': archive '2024-01-16T00-00-00Z': the "
                                       "checksum of 'public/tables/t/data/00001.sql' is wrong"),
                       "%s", err.msg);
}

Test(diff, refuses_a_row_with_other_values_than_columns)
{
    put_before("id", KEY("id"), FILES("1\t2\n"));
    put_latest("id", KEY("id"), FILES("2\n"));
    cr_expect_eq(compare("t", 20), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "has not as many values as columns"), "%s", err.msg);
}

Test(diff, names_what_is_not_there)
{
    put_before("id", KEY("id"), FILES("1\n"));
    cr_expect_eq(compare("app.t", 20), BP_ENOTFOUND);
    cr_expect_not_null(strstr(err.msg, "neither archive has a table 'app.t'"));
    before = fake_archive(&store, BEFORE);
    latest = fake_archive(&store, LATEST);
    store.missing = true;
    cr_expect_eq(compare(NULL, 20), BP_ENOTFOUND);
}

Test(diff, ends_when_it_is_asked_to)
{
    struct bp_stop stop = {0};

    put_before("id", KEY("id"), FILES("1\n"));
    put_latest("id", KEY("id"), FILES("2\n"));
    cr_assert_eq(bp_stop_open(&stop, &err), BP_OK);
    bp_stop_ask(&stop);
    fclock.base.stop = &stop;
    cr_expect_eq(compare("t", 20), BP_ESTOPPED);
    fclock.base.stop = NULL;
    bp_stop_close(&stop);
}

#define ENTRY(name, body) "--\n-- Name: " name "; Type: X; Schema: s; Owner: o\n--\n\n" body "\n"
#define DUMP(key, body)                                                  \
    "--\n-- PostgreSQL database dump\n--\n\n\\restrict " key "\n\n" body \
    "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict " key "\n\n"

Test(diff, shows_definitions_once_and_without_what_no_person_wrote)
{
    put_before("id", ENTRY("t", "CREATE TABLE t (a);"), FILES("1\n"));
    put_latest("id", ENTRY("t", "CREATE TABLE t (b);"), FILES("1\n"));
    fake_archive_file(&before, "database/pre-data.sql",
                      DUMP("one", ENTRY("t", "CREATE TABLE t (a);") "\n\n"));
    fake_archive_file(&latest, "database/pre-data.sql",
                      DUMP("two", ENTRY("t", "CREATE TABLE t (b);") "\n\n"));
    fake_archive_file(&before, "database/post-data.sql", DUMP("one", ""));
    fake_archive_file(&latest, "database/post-data.sql",
                      DUMP("two", ENTRY("f", "CREATE RULE f;") "\n"));
    fake_archive_file(&before, "roles.sql", "CREATE ROLE a;\n");
    fake_archive_file(&latest, "roles.sql", "CREATE ROLE a;\n");
    cr_assert_eq(compare(NULL, 20), BP_OK, "%s", err.msg);
    cr_assert_eq(diff.paths.count, 2);
    cr_expect_str_eq(diff.paths.at[0], "public/tables/t/schema.sql");
    cr_expect_str_eq(diff.paths.at[1], "database/post-data.sql");
    cr_expect_not_null(strstr(diff.patches.at[0], "\n-CREATE TABLE t (a);\n+CREATE TABLE t (b);\n"),
                       "%s", diff.patches.at[0]);
    cr_expect_not_null(strstr(diff.patches.at[1], "\n+CREATE RULE f;\n"));
    cr_expect_null(strstr(diff.patches.at[1], "restrict"), "%s", diff.patches.at[1]);
}

Test(diff, without_a_table_no_row_is_read)
{
    put_before("id", KEY("id"), FILES("1\n"));
    put_latest("id", KEY("id"), FILES("2\n3\n"));
    fake_store_put(&store, BEFORE "/public/tables/t/data/00001.sql", "damaged");
    fake_store_put(&store, LATEST "/public/tables/t/data/00001.sql", "damaged");
    cr_assert_eq(compare(NULL, 20), BP_OK, "%s", err.msg);
    expect_text("\nTABLE     ROWS BEFORE  ROWS  CHANGE\n"
                "public.t  1            2     +1 row\n");
}

Test(diff, the_same_archive_has_no_difference)
{
    put_before("id", KEY("id"), FILES("1\n"));
    put_latest("id", KEY("id"), FILES("1\n"));
    cr_assert_eq(compare(NULL, 20), BP_OK, "%s", err.msg);
    expect_text("\nno table differs\n");
}
