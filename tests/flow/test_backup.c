#include <criterion/criterion.h>
#include <string.h>

#include "flow/backup.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {
    {"public", "users", 3, 30}, {"app", "empty", 0, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_source source;
static struct fake_store store;
static struct bp_out out;
static struct bp_err err;
static struct bp_backup_result result;
static struct bp_backup_job job;

static void set_up(void)
{
    fclock = fake_clock_new();
    fclock.wall_start_ms = INT64_C(1705329045678); /* 2024-01-15T14:30:45.678Z */
    source = fake_source(tables);
    store = fake_store();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    job = (struct bp_backup_job){.source = &source.base,
                                 .store = &store.base,
                                 .clock = &fclock.base,
                                 .out = &out,
                                 .branch = "main",
                                 .repository = "myorg/myapp",
                                 .ref = "main",
                                 .sha = "def5678aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                 .event = "schedule",
                                 .run_url = "https://forge.test/1",
                                 .tool_version = "9.9"};
}

static void tear_down(void)
{
    fake_store_release(&store);
}

TestSuite(backup, .init = set_up, .fini = tear_down);

static enum bp_code run(void)
{
    return bp_flow_backup(&job, &result, &err);
}

Test(backup, makes_a_whole_archive_in_one_commit)
{
    const char *data = NULL;

    store.missing = true;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(store.commits, 1);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z");
    cr_expect_str_eq(result.path, "backups/latest/latest_2024-01-15T14-30-45Z");
    cr_expect_eq(result.rows, 3);
    data = fake_store_get(
        &store, "backups/latest/latest_2024-01-15T14-30-45Z/public/tables/users/data.sql");
    cr_assert_not_null(data);
    cr_expect_str_eq(data, "COPY \"public\".\"users\" (\"id\") FROM stdin;\n"
                           "0\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "1\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "2\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "\\.\n");
    cr_expect_str_eq(fake_store_get(&store, "backups/current/app/tables/empty/data.sql"),
                     "COPY \"app\".\"empty\" (\"id\") FROM stdin;\n\\.\n");
}

Test(backup, carries_everything_that_a_restore_needs)
{
    static const char *const paths[] = {"manifest.json",
                                        "RESTORE.md",
                                        "restore.sh",
                                        "roles.sql",
                                        "database/pre-data.sql",
                                        "database/sequences.sql",
                                        "database/post-data.sql",
                                        "public/tables/users/schema.sql"};

    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), "backups/current/%s", paths[i]);
        cr_expect_not_null(fake_store_get(&store, path), "%s", paths[i]);
    }
}

Test(backup, the_manifest_lists_every_file_but_itself)
{
    struct bp_manifest m = {0};
    const char *text = NULL;

    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    text = fake_store_get(&store, "backups/current/manifest.json");
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &m, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(m.file_count + 1, fake_store_count(&store, "backups/current/"));
    cr_expect_eq(m.table_count, 2u);
    cr_expect_eq(m.tables[0].rows, 3);
    cr_expect_str_eq(m.source.repository, "myorg/myapp");
    bp_manifest_free(&m);
}

Test(backup, moves_the_latest_to_the_archive_under_its_own_name)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    fclock.now_ms += 86400000;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_gt(fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                          "schedule--def5678/"),
                 5u);
    cr_expect_eq(fake_store_count(&store, "backups/latest/latest_2024-01-15"), 0u);
    cr_expect_gt(fake_store_count(&store, "backups/latest/latest_2024-01-16T14-30-45Z/"), 5u);
}

Test(backup, two_in_one_second_have_two_ids)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z--2");
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z--3");
    cr_expect_gt(fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                          "schedule--def5678--2/"),
                 5u);
}

Test(backup, tries_again_when_somebody_else_was_faster)
{
    store.lost_races = 2;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(store.refreshes, 2);
    cr_expect_eq(store.commits, 1);
}

Test(backup, gives_up_after_six_lost_races)
{
    store.lost_races = 100;
    cr_expect_eq(run(), BP_ELOCKED);
    cr_expect_eq(store.lost_races, 94);
    cr_expect_eq(store.commits, 0);
}

Test(backup, commits_nothing_when_reading_fails)
{
    source.copy_result = BP_EUNAVAILABLE;
    cr_expect_eq(run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(err.msg, "table 'public.users': the connection was lost");
    cr_expect_eq(store.commits, 0);
}

Test(backup, looks_at_the_store_before_it_reads_the_database)
{
    store.open_result = BP_EAUTH;
    source.snapshot_result = BP_EFAILED;
    cr_expect_eq(run(), BP_EAUTH);
}

Test(backup, a_damaged_latest_does_not_keep_a_new_backup_from_being_made)
{
    fake_store_put(&store, "backups/latest/latest_2024-01-01T00-00-00Z/manifest.json", "{");
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_not_null(fake_store_get(&store, "backups/archive/2024-01-01T00-00-00Z--standalone--"
                                              "standalone--standalone/manifest.json"));
}

Test(backup, the_commit_message_tells_what_is_in_it)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect(strstr(store.message, "backup: 2024-01-15T14-30-45Z main (2 tables, 3 rows)\n") ==
                  store.message,
              "%s", store.message);
    cr_expect_not_null(strstr(store.message, "\nBackup-Id: 2024-01-15T14-30-45Z\n"));
    cr_expect_not_null(strstr(store.message, "\nRun-Url: https://forge.test/1\n"));
}

static void expect_closed(void *ctx)
{
    (void)ctx;
    cr_expect_eq(source.closed, 1, "tables are still locked while the push runs");
}

Test(backup, gives_the_locks_back_before_it_pushes)
{
    store.on_commit = expect_closed;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(store.commits, 1);
}

Test(backup, an_outage_at_the_push_does_not_lose_what_was_read)
{
    store.push_outages = 2;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(store.commits, 1);
    cr_expect_eq(store.refreshes, 2);
}

Test(backup, an_outage_does_not_take_the_name_of_the_latest_archive)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    store.fetch_outages = 1;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--standalone"), 0u);
    cr_expect_gt(fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"),
                 5u);
}

Test(backup, an_archive_of_the_same_name_is_kept)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    fake_store_put(&store,
                   "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--def5678/odd", "x");
    fclock.now_ms += 1000;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_not_null(fake_store_get(
        &store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--def5678/odd"));
    cr_expect_gt(fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                          "schedule--def5678--2/"),
                 5u);
}
