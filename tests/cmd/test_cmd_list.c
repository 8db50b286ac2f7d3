#include <criterion/criterion.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_sealed.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {{"public", "users", 1200, 30},
                                                  {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;

/* Two archives of a workflow, a day apart. */
static void set_up(void)
{
    struct fake_source source = fake_source(tables);

    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake.env[0] = "GITHUB_REPOSITORY=myorg/myapp";
    fake.env[1] = "GITHUB_EVENT_NAME=schedule";
    fake.env[2] = "GITHUB_SHA=abcdef0123";
    fake.env[3] = "GITHUB_REF_NAME=main";
    for (int i = 0; i < 2; i++) {
        fake.app.source = &source.base;
        fake.app.store = &store.base;
        cr_assert_eq(fake_app_run(&fake, "backup --backup-repo /x"), 0, "%s", fake.err);
        fclock.now_ms += 86400000;
    }
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_list, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_list, prints_a_row_for_each_archive)
{
    cr_expect_eq(run("list --backup-repo /x"), 0);
    cr_expect(strstr(fake.out, "ID                    SOURCE       EVENT     COMMIT   TABLES  ROWS "
                               "  SIZE      VERIFIED  STATE\n"
                               "2024-01-16T14-30-45Z  myorg/myapp  schedule  abcdef0  1       "
                               "1,200") == fake.out,
              "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "-         latest\n2024-01-15T14-30-45Z"));
}

/* Let a verification have proved the archive of this path. */
static void verify(const char *folder)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/manifest.json", folder);
    BP_AUTO(bp_manifest_free) struct bp_manifest m = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};
    const char *old = fake_store_get(&store, path);

    cr_assert_not_null(old, "%s", path);
    cr_assert_eq(bp_manifest_parse(old, strlen(old), &m, &err), BP_OK, "%s", err.msg);
    m.verification = (struct bp_manifest_verification){
        .level = bp_strdup("L3"), .at_ms = INT64_C(1705401000000), .took_ms = 81234};
    bp_manifest_render(&m, &text);
    fake_store_put(&store, path, bp_buf_str(&text));
}

Test(cmd_list, shows_and_selects_what_was_verified)
{
    verify("backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--abcdef0");
    cr_expect_eq(run("list --backup-repo /x"), 0);
    cr_expect_not_null(strstr(fake.out, "-         latest\n2024-01-15T14-30-45Z"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "L3        ok\n"), "%s", fake.out);
    cr_expect_eq(run("list --backup-repo /x --format json --verified yes"), 0);
    cr_expect_null(strstr(fake.out, "2024-01-16T14-30-45Z"));
    cr_expect_not_null(strstr(fake.out, "\"verification\": {\"at\": \"2024-01-16T10:30:00Z\", "
                                        "\"level\": \"L3\", \"took_ms\": 81234}"),
                       "%s", fake.out);
    cr_expect_eq(run("list --backup-repo /x --format json --verified no"), 0);
    cr_expect_not_null(strstr(fake.out, "2024-01-16T14-30-45Z"));
    cr_expect_null(strstr(fake.out, "2024-01-15T14-30-45Z"));
    cr_expect_eq(run("list --backup-repo /x --verified perhaps"), 2);
}

Test(cmd_list, what_cannot_be_read_is_neither_verified_nor_not)
{
    fake_store_put(&store, "backups/latest/latest_2024-01-16T14-30-45Z/manifest.json", "{");
    cr_expect_eq(run("list --backup-repo /x --format json --verified no"), 0);
    cr_expect_null(strstr(fake.out, "2024-01-16T14-30-45Z"), "%s", fake.out);
    cr_expect_eq(run("list --backup-repo /x --format json"), 0);
    cr_expect_not_null(strstr(fake.out, "2024-01-16T14-30-45Z"), "%s", fake.out);
}

Test(cmd_list, selects_by_a_range_of_dates)
{
    static const struct {
        const char *range;
        bool first;
        bool second;
    } rows[] = {
        {"--since 2024-01-15", true, true},
        {"--since 2024-01-16", false, true},
        {"--since 2024-01-15T14:30:45Z", true, true},
        {"--since 2024-01-15T14:30:46Z", false, true},
        {"--since 2024-01-15T14-30-45Z --until 2024-01-15T14-30-45Z", true, false},
        {"--until 2024-01-14", false, false},
        {"--until 2024-01-16", true, true},
        {"--since 2024-01-16 --until 2024-01-16", false, true},
        {"--since 2024-01-15T16:30:45+02:00 --until 2024-01-15", true, false},
        {"--since 2024-01-17", false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep)
        char *line = bp_format("list --backup-repo /x --format json %s", rows[i].range);

        cr_expect_eq(run(line), 0, "%s", rows[i].range);
        cr_expect_eq(strstr(fake.out, "\"id\": \"2024-01-15T14-30-45Z\"") != NULL, rows[i].first,
                     "%s", rows[i].range);
        cr_expect_eq(strstr(fake.out, "\"id\": \"2024-01-16T14-30-45Z\"") != NULL, rows[i].second,
                     "%s", rows[i].range);
    }
}

Test(cmd_list, selects_by_commit_repository_and_event)
{
    static const struct {
        const char *filter;
        bool found;
    } rows[] = {
        {"--sha abcdef0123", true},
        {"--sha abc", true},
        {"--sha abd", false},
        {"--repo myorg/myapp", true},
        {"--repo myorg/other", false},
        {"--event schedule", true},
        {"--event push", false},
        {"--event schedule --sha abc --repo myorg/myapp --since 2024-01-15", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep)
        char *line = bp_format("list --backup-repo /x --format json %s", rows[i].filter);

        cr_expect_eq(run(line), 0, "%s", rows[i].filter);
        cr_expect_eq(strstr(fake.out, "2024-01-15T14-30-45Z") != NULL, rows[i].found, "%s: %s",
                     rows[i].filter, fake.out);
    }
}

Test(cmd_list, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;
    const struct bp_json *second = NULL;
    int64_t rows = 0;

    cr_expect_eq(run("list --backup-repo /x --format json"), 0);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    second = bp_json_next(bp_json_first(bp_json_get(json, "archives")));
    cr_expect_str_eq(bp_json_get_text(second, "id"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(second, "time"), "2024-01-15T14:30:45Z");
    cr_expect(bp_json_get_int(second, "rows", &rows) && rows == 1200);
}

Test(cmd_list, until_a_date_means_its_whole_day)
{
    cr_expect_eq(run("list --backup-repo /x --format json --until 2024-01-15"), 0);
    cr_expect_not_null(strstr(fake.out, "2024-01-15T14-30-45Z"));
    cr_expect_null(strstr(fake.out, "2024-01-16T14-30-45Z"));
    cr_expect_eq(run("list --backup-repo /x --format json --until 2024-01-15T00:00Z"), 0);
    cr_expect_null(strstr(fake.out, "2024-01-15T14-30-45Z"));
}

Test(cmd_list, the_surroundings_are_no_filter)
{
    fake.env[0] = "GITHUB_REPOSITORY=other/repo";
    cr_expect_eq(run("list --backup-repo /x --format json"), 0);
    cr_expect_not_null(strstr(fake.out, "myorg/myapp"));
}

Test(cmd_list, says_when_nothing_matches)
{
    cr_expect_eq(run("list --backup-repo /x --event push"), 0);
    cr_expect_str_eq(fake.out, "");
    cr_expect_str_eq(fake.err, "no archive on branch 'main' matches\n");
}

Test(cmd_list, names_a_branch_that_is_not_there)
{
    store.missing = true;
    cr_expect_eq(run("list --backup-repo /x"), 4);
    cr_expect_not_null(strstr(fake.err, "the backup repository has no branch 'main'"));
}

Test(cmd_list, a_sealed_archive_tells_neither_tables_nor_rows)
{
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    BP_AUTO(bp_identities_free) struct bp_identities mine = {0};

    bp_identities_make(&mine);
    bp_identity_recipient(&mine, 0, &recipients);
    fake_sealed(&store, &recipients, NULL);
    cr_expect_eq(run("list --backup-repo /x --since 2024-01-16"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "latest, sealed\n"), "%s", fake.out);
    cr_expect_eq(run("list --backup-repo /x --since 2024-01-16 --format json"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "\"sealed\": true"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "\"tables\": null"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "\"rows\": 0"), "%s", fake.out);
}
