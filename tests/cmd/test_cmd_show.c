#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"

#define BEFORE "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--abcdef0"
#define LATEST "backups/latest/latest_2024-01-16T14-30-45Z"

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;

static void describe(struct bp_manifest *m)
{
    m->tool_version = bp_strdup("0.1.0");
    m->pg_dump_version = bp_strdup("15.8");
    m->source.repository = bp_strdup("myorg/myapp");
    m->source.ref = bp_strdup("main");
    m->source.sha = bp_strdup("abcdef0123");
    m->source.event = bp_strdup("schedule");
    m->source.run_id = bp_strdup("42");
    m->source.run_url = bp_strdup("https://github.com/myorg/myapp/actions/runs/42");
    m->database.name = bp_strdup("shop");
    m->database.server_version = bp_strdup("15.8");
    m->database.version_num = 150008;
    m->database.encoding = bp_strdup("UTF8");
    m->database.size_bytes = 8 << 20;
    m->large_objects = 3;
}

/* Two archives: of the second everything is known. */
static void set_up(void)
{
    static const char *const one[] = {"1\tx\n", NULL};
    static const char *const two[] = {"1\tx\n2\ty\n", NULL};
    struct fake_archive before;
    struct fake_archive latest;

    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake.env[0] = "GITHUB_REF_NAME=main";
    before = fake_archive(&store, BEFORE);
    fake_archive_table(&before, "users", "id, note", "CREATE TABLE users;\n", one);
    fake_archive_table(&before, "gone", "id", "CREATE TABLE gone;\n", one);
    fake_archive_end(&before);
    latest = fake_archive(&store, LATEST);
    describe(&latest.manifest);
    fake_archive_table(&latest, "users", "id, note", "CREATE TABLE users ();\n", two);
    fake_archive_table(&latest, "new\x1b[2J", "id", "CREATE TABLE users;\n", one);
    bp_list_add(&latest.manifest.options.masks, "users.note=null");
    bp_list_add(&latest.manifest.options.exclude_table_data, "log_*");
    latest.manifest.options.schema_dumps = true;
    latest.manifest.verification = (struct bp_manifest_verification){
        .level = bp_strdup("L3"), .at_ms = INT64_C(1705410000000), .took_ms = 81234};
    fake_archive_end(&latest);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_show, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_show, prints_everything_about_the_latest)
{
    cr_expect_eq(run("show --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(
        fake.out,
        "archive    2024-01-16T14-30-45Z, the latest\n"
        "path       backups/latest/latest_2024-01-16T14-30-45Z\n"
        "made       2024-01-16T14:30:45Z, in 12.0 s, by backproof 0.1.0 and pg_dump 15.8\n"
        "source     myorg/myapp, main, commit abcdef0123, schedule\n"
        "run        https://github.com/myorg/myapp/actions/runs/42\n"
        "database   shop, PostgreSQL 15.8, UTF8, 8.0 MiB on the server\n"
        "option     --exclude-table-data log_*\n"
        "option     --mask users.note=null\n"
        "option     --schema-dumps\n"
        "verified   L3, 2024-01-16T13:00:00Z, in 1 m 21 s\n"
        "holds      2 tables, 3 rows, 3 large objects, 4 files, 139 B\n"
        "previous   2024-01-15T14-30-45Z; since then 3 new files, 119 B\n"
        "\n"
        "TABLE           ROWS  SIZE  FILES  CHANGE\n"
        "public.gone     -     -     -      gone\n"
        "public.new [2J  1     4 B   1      new\n"
        "public.users    2     8 B   1      +1 row, definition changed\n");
}

Test(cmd_show, prints_an_archive_that_nothing_precedes_without_changes)
{
    cr_expect_eq(run("show 2024-01-15 --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "verified   never\n"));
    cr_expect_not_null(strstr(fake.out, "previous   none\n\n"
                                        "TABLE         ROWS  SIZE  FILES\n"
                                        "public.gone   1     4 B   1\n"
                                        "public.users  1     4 B   1\n"),
                       "%s", fake.out);
    cr_expect_eq(run("show 2024-01-15 --backup-repo /x --format json"), 0);
    cr_expect_not_null(strstr(fake.out, "\"previous\": null"));
    cr_expect_not_null(strstr(fake.out, "\"change\": null"));
}

Test(cmd_show, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    const struct bp_json *table = NULL;
    struct bp_err err;
    int64_t number = 0;

    cr_expect_eq(run("show latest --backup-repo /x --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-16T14-30-45Z");
    cr_expect(bp_json_get_int(json, "took_ms", &number) && number == 12000);
    cr_expect_str_eq(bp_json_get_text(bp_json_get(json, "previous"), "id"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(bp_json_get(json, "verification"), "level"), "L3");
    cr_expect_str_eq(bp_json_get_text(bp_json_get(json, "database"), "name"), "shop");
    cr_expect(bp_json_get_int(bp_json_get(json, "totals"), "rows", &number) && number == 3);
    table = bp_json_first(bp_json_get(json, "tables"));
    cr_expect_str_eq(bp_json_get_text(table, "name"), "gone");
    cr_expect_str_eq(bp_json_get_text(table, "change"), "gone");
    cr_expect_not(bp_json_get_int(table, "rows", &number), "null");
    table = bp_json_next(bp_json_next(table));
    cr_expect_str_eq(bp_json_get_text(table, "change"), "rows");
    cr_expect(bp_json_get_bool(table, "definition_changed", false));
    cr_expect(bp_json_get_int(table, "rows_before", &number) && number == 1);
}

Test(cmd_show, says_what_is_not_there)
{
    cr_expect_eq(run("show 1999 --backup-repo /x"), 4);
    cr_expect_not_null(strstr(fake.err, "no archive '1999'"));
    cr_expect_eq(run("show one two --backup-repo /x"), 2);
    cr_expect_eq(run("show"), 2);
}
