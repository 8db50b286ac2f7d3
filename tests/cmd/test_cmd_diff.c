#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "support/fake_app.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"

#define BEFORE "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--abcdef0"
#define LATEST "backups/latest/latest_2024-01-16T14-30-45Z"
#define KEY    "CREATE TABLE users;\n\nALTER TABLE users ADD CONSTRAINT k PRIMARY KEY (id);\n"

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;

static void set_up(void)
{
    static const char *const one[] = {"1\ta\n2\t\\N\n", NULL};
    static const char *const two[] = {"1\tb\n3\tc\\td\n", NULL};
    struct fake_archive before;
    struct fake_archive latest;

    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake.env[0] = "GITHUB_REF_NAME=main";
    before = fake_archive(&store, BEFORE);
    fake_archive_table(&before, "users", "id, note", KEY, one);
    fake_archive_table(&before, "same", "id, note", KEY, one);
    fake_archive_file(&before, "roles.sql", "CREATE ROLE a;\n");
    fake_archive_end(&before);
    latest = fake_archive(&store, LATEST);
    fake_archive_table(&latest, "users", "id, note", KEY, two);
    fake_archive_table(&latest, "same", "id, note", KEY, one);
    fake_archive_file(&latest, "roles.sql", "CREATE ROLE\tb\x1b;\n");
    fake_archive_end(&latest);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_diff, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_diff, prints_tables_and_definitions_that_differ)
{
    cr_expect_eq(run("diff 2024-01-15 latest --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_eq(strncmp(fake.out,
                         "2024-01-15T14-30-45Z -> 2024-01-16T14-30-45Z\n\n"
                         "TABLE         ROWS BEFORE  ROWS  CHANGE\n"
                         "public.users  2            2     changed\n\n"
                         "1 other table is the same\n\n"
                         "diff --git a/roles.sql b/roles.sql\n",
                         100),
                 0, "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "\n-CREATE ROLE a;\n+CREATE ROLE\tb ;\n"), "%s", fake.out);
}

Test(cmd_diff, prints_the_rows_of_a_table)
{
    cr_expect_eq(run("diff 2024-01-15 latest --table users --table same --backup-repo /x"), 0, "%s",
                 fake.err);
    cr_expect_str_eq(fake.out, "2024-01-15T14-30-45Z -> 2024-01-16T14-30-45Z\n\n"
                               "public.users: 1 added, 1 removed, 1 changed; by id\n"
                               "+ id=3, note=\"c\\td\"\n"
                               "- id=2, note=NULL\n"
                               "~ id=1: note=a -> b\n\n"
                               "public.same: 0 added, 0 removed, 0 changed\n");
    cr_expect_eq(run("diff 2024-01-15 latest --table users --rows 0 --backup-repo /x"), 0);
    cr_expect_not_null(strstr(fake.out, "by id\n+ 1 row\n- 1 row\n~ 1 row\n"), "%s", fake.out);
}

Test(cmd_diff, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    const struct bp_json *table = NULL;
    const struct bp_json *row = NULL;
    struct bp_err err;
    int64_t count = 0;

    cr_expect_eq(run("diff 2024-01-15 latest --table users --backup-repo /x --format json"), 0,
                 "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "old"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(json, "new"), "2024-01-16T14-30-45Z");
    table = bp_json_first(bp_json_get(json, "tables"));
    cr_expect_str_eq(bp_json_text(bp_json_first(bp_json_get(table, "key"))), "id");
    cr_expect(bp_json_get_int(bp_json_get(table, "added"), "count", &count) && count == 1);
    row = bp_json_first(bp_json_get(bp_json_get(table, "added"), "rows"));
    cr_expect_str_eq(bp_json_get_text(bp_json_get(row, "values"), "note"), "c\td");
    row = bp_json_first(bp_json_get(bp_json_get(table, "changed"), "rows"));
    cr_expect_str_eq(bp_json_get_text(bp_json_get(row, "key"), "id"), "1");
    cr_expect_str_eq(bp_json_get_text(bp_json_get(row, "old"), "note"), "a");
    cr_expect_str_eq(bp_json_get_text(bp_json_get(row, "new"), "note"), "b");
    cr_expect_not_null(strstr(fake.out, "{\"id\": \"2\", \"note\": null}"), "%s", fake.out);
}

Test(cmd_diff, prints_definitions_as_json)
{
    cr_expect_eq(run("diff 2024-01-15 latest --backup-repo /x --format json"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "\"path\": \"roles.sql\""), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "\"same\""), "only what differs");
}

Test(cmd_diff, needs_two_archives)
{
    cr_expect_eq(run("diff latest --backup-repo /x"), 2);
    cr_expect_eq(run("diff latest 1999 --backup-repo /x"), 4);
    cr_expect_eq(run("diff latest latest --table no --backup-repo /x"), 4);
    cr_expect_eq(run("diff latest latest --rows -1 --backup-repo /x"), 2);
}
