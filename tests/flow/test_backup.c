#include <criterion/criterion.h>
#include <string.h>

#include "test_backup_world.h"

TestSuite(backup, .init = backup_set_up, .fini = backup_tear_down, .timeout = 60);

Test(backup, makes_a_whole_archive_in_one_commit)
{
    const char *data = NULL;

    bw.store.missing = true;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 1);
    cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bw.result.path, "backups/latest/latest_2024-01-15T14-30-45Z");
    cr_expect_eq(bw.result.rows, 3);
    data = fake_store_get(
        &bw.store, "backups/latest/latest_2024-01-15T14-30-45Z/public/tables/users/data.sql");
    cr_assert_not_null(data);
    cr_expect_str_eq(data, "COPY \"public\".\"users\" (\"id\") FROM stdin;\n"
                           "0\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "1\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "2\tvalue xxxxxxxxxxxxxxxxxxxxx\n"
                           "\\.\n");
    cr_expect_str_eq(fake_store_get(&bw.store, "backups/current/app/tables/empty/data.sql"),
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

    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char path[256];

        (void)snprintf(path, sizeof(path), "backups/current/%s", paths[i]);
        cr_expect_not_null(fake_store_get(&bw.store, path), "%s", paths[i]);
    }
}

Test(backup, the_manifest_lists_every_file_but_itself)
{
    struct bp_manifest m = {0};
    const char *text = NULL;

    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    text = fake_store_get(&bw.store, "backups/current/manifest.json");
    cr_assert_eq(bp_manifest_parse(text, strlen(text), &m, &bw.err), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(m.file_count + 1, fake_store_count(&bw.store, "backups/current/"));
    cr_expect_eq(m.table_count, 2u);
    cr_expect_eq(m.tables[0].rows, 3);
    cr_expect_str_eq(m.source.repository, "myorg/myapp");
    bp_manifest_free(&m);
}

Test(backup, moves_the_latest_to_the_archive_under_its_own_name)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    bw.clock.now_ms += 86400000;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_gt(fake_store_count(&bw.store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                             "schedule--def5678/"),
                 5u);
    cr_expect_eq(fake_store_count(&bw.store, "backups/latest/latest_2024-01-15"), 0u);
    cr_expect_gt(fake_store_count(&bw.store, "backups/latest/latest_2024-01-16T14-30-45Z/"), 5u);
}

Test(backup, two_in_one_second_have_two_ids)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z--2");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z--3");
    cr_expect_gt(fake_store_count(&bw.store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                             "schedule--def5678--2/"),
                 5u);
}

Test(backup, tries_again_when_somebody_else_was_faster)
{
    bw.store.lost_races = 2;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.refreshes, 2);
    cr_expect_eq(bw.store.commits, 1);
}

Test(backup, gives_up_after_six_lost_races)
{
    bw.store.lost_races = 100;
    cr_expect_eq(backup_run(), BP_ELOCKED);
    cr_expect_eq(bw.store.lost_races, 94);
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, commits_nothing_when_reading_fails)
{
    bw.source.copy_result = BP_EUNAVAILABLE;
    cr_expect_eq(backup_run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(bw.err.msg, "table 'public.users': the connection was lost");
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, looks_at_the_store_before_it_reads_the_database)
{
    bw.store.open_result = BP_EAUTH;
    bw.source.snapshot_result = BP_EFAILED;
    cr_expect_eq(backup_run(), BP_EAUTH);
}

Test(backup, a_public_repository_is_refused_before_the_database_is_read)
{
    bw.store.is_public = true;
    bw.source.snapshot_result = BP_EFAILED;
    cr_expect_eq(backup_run(), BP_EUSAGE);
    cr_expect_str_eq(bw.err.msg,
                     "the backup repository is public: everybody on the internet could read the "
                     "rows of the database in it, without a password; hint: make the repository "
                     "private; or, when the data is meant to be public, give --allow-public");
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, a_public_repository_is_taken_when_allowed)
{
    bw.store.is_public = true;
    bw.job.allow_public = true;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 1);
}

Test(backup, a_damaged_latest_does_not_keep_a_new_backup_from_being_made)
{
    fake_store_put(&bw.store, "backups/latest/latest_2024-01-01T00-00-00Z/manifest.json", "{");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(fake_store_get(&bw.store,
                                      "backups/archive/2024-01-01T00-00-00Z--standalone--"
                                      "standalone--standalone/manifest.json"));
}

Test(backup, the_commit_message_tells_what_is_in_it)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect(strstr(bw.store.message, "backup: 2024-01-15T14-30-45Z main (2 tables, 3 rows)\n") ==
                  bw.store.message,
              "%s", bw.store.message);
    cr_expect_not_null(strstr(bw.store.message, "\nBackup-Id: 2024-01-15T14-30-45Z\n"));
    cr_expect_not_null(strstr(bw.store.message, "\nRun-Url: https://forge.test/1\n"));
}

static void expect_closed(void *ctx)
{
    (void)ctx;
    cr_expect_eq(bw.source.closed, 1, "tables are still locked while the push runs");
}

Test(backup, gives_the_locks_back_before_it_pushes)
{
    bw.store.on_commit = expect_closed;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 1);
}

Test(backup, an_outage_at_the_push_does_not_lose_what_was_read)
{
    bw.store.push_outages = 2;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 1);
    cr_expect_eq(bw.store.refreshes, 2);
}

Test(backup, an_outage_does_not_take_the_name_of_the_latest_archive)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    bw.store.fetch_outages = 1;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(fake_store_count(&bw.store, "backups/archive/2024-01-15T14-30-45Z--standalone"),
                 0u);
    cr_expect_gt(fake_store_count(&bw.store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"),
                 5u);
}

Test(backup, an_archive_of_the_same_name_is_kept)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    fake_store_put(&bw.store,
                   "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--def5678/odd", "x");
    bw.clock.now_ms += 1000;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(fake_store_get(
        &bw.store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--schedule--def5678/odd"));
    cr_expect_gt(fake_store_count(&bw.store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--"
                                             "schedule--def5678--2/"),
                 5u);
}

/* ---- others that back up, and others that change tables ---- */

Test(backup, another_one_that_runs_is_a_reason_to_skip_when_told_so)
{
    bw.source.locked = true;
    bw.job.if_locked = BP_BACKUP_SKIP;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect(bw.result.skipped);
    cr_expect_str_eq(bw.result.reason, "another backup to 'main' is running");
    cr_expect_eq(bw.store.opens, 0, "nothing was done");
    cr_expect_eq(bw.store.commits, 0);
    cr_expect_eq(bw.result.tables, 0);
    cr_expect_str_empty(bw.result.id);
}

Test(backup, another_one_that_runs_is_a_failure_when_told_so)
{
    bw.source.locked = true;
    bw.job.if_locked = BP_BACKUP_FAIL;
    cr_expect_eq(backup_run(), BP_ELOCKED);
    cr_expect_str_eq(bw.err.msg, "another backup to 'main' is running");
    cr_expect_not(bw.result.skipped);
    cr_expect_eq(bw.store.opens, 0);
}

Test(backup, the_end_of_another_one_is_waited_for_when_told_nothing)
{
    bw.source.locked = true;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not(bw.result.skipped);
    cr_expect_eq(bw.store.commits, 1);
}

Test(backup, only_a_backup_that_runs_is_a_reason_to_skip)
{
    bw.source.lock_result = BP_EUNAVAILABLE;
    bw.job.if_locked = BP_BACKUP_SKIP;
    cr_expect_eq(backup_run(), BP_EUNAVAILABLE);
    cr_expect_not(bw.result.skipped);
}

Test(backup, begins_anew_when_somebody_came_between_the_locks)
{
    bw.job.jobs = 1;
    bw.job.lock_retries = 2;
    bw.source.ddl_locked = 2;
    backup_listen();
    backup_manifest();
    cr_expect_eq(bw.source.ddl_locked, 0);
    cr_expect_eq(bw.source.closed, 3, "the locks are given back each time");
    cr_expect_eq(bw.store.commits, 1);
    cr_expect_eq(bw.manifest.table_count, 2, "what was read before is forgotten");
    cr_expect_eq(bw.result.rows, 3);
    cr_expect_not_null(
        strstr(bw.printed, "pg_dump could not lock a table; beginning anew in 5 s\n"), "%s",
        bw.printed);
}

Test(backup, begins_anew_only_so_often)
{
    bw.job.jobs = 1;
    bw.job.lock_retries = 2;
    bw.source.ddl_locked = 100;
    cr_expect_eq(backup_run(), BP_ELOCKED);
    cr_expect_eq(bw.source.ddl_locked, 97);
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, does_not_begin_anew_when_the_tables_cannot_be_locked_at_all)
{
    bw.job.lock_retries = 2;
    bw.source.snapshot_result = BP_ELOCKED;
    cr_expect_eq(backup_run(), BP_ELOCKED);
    cr_expect_str_eq(bw.err.msg, "no snapshot");
    cr_expect_eq(bw.source.closed, 0, "the source has tried as often as it shall");
}

/* ---- an empty database ---- */

static const struct fake_source_table no_rows[] = {{"public", "users", 0, 30, 0, NULL, 0},
                                                   {"app", "empty", 0, 30, 0, NULL, 0},
                                                   {NULL, NULL, 0, 0, 0, NULL, 0}};

Test(backup, a_database_without_any_row_is_refused)
{
    bw.source.tables = no_rows;
    cr_expect_eq(backup_run(), BP_EFAILED);
    cr_expect_str_eq(bw.err.msg, "none of the 2 tables of 'shop' has a row; hint: is this the "
                                 "right database? --allow-empty accepts it");
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, a_database_without_any_row_is_taken_when_allowed)
{
    bw.source.tables = no_rows;
    bw.job.allow_empty = true;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 1);
    cr_expect_eq(bw.result.tables, 2);
    cr_expect_eq(bw.result.rows, 0);
}

/* ---- what was being done when it had to end ---- */

static void expect_phase(enum bp_code code, const char *wanted)
{
    cr_expect_eq(backup_run(), code);
    cr_expect_str_eq(bw.err.msg, wanted, "%s", bw.err.msg);
    cr_expect_eq(bw.store.commits, 0);
}

Test(backup, the_end_of_the_time_tells_what_was_being_done)
{
    bw.source.lock_result = BP_ETIMEOUT;
    expect_phase(BP_ETIMEOUT,
                 "while connecting to the database, or waiting for another backup of it: "
                 "no end of the wait");
    bw.source.lock_result = BP_OK;
    bw.store.open_result = BP_ETIMEOUT;
    expect_phase(BP_ETIMEOUT, "while opening the backup repository: cannot open the store");
    bw.store.open_result = BP_OK;
    bw.source.snapshot_result = BP_ETIMEOUT;
    expect_phase(BP_ETIMEOUT, "while locking the tables: no snapshot");
    bw.source.snapshot_result = BP_OK;
    bw.store.commit_result = BP_ESTOPPED;
    expect_phase(BP_ESTOPPED, "while pushing: the server refused");
}

Test(backup, other_failures_tell_for_themselves)
{
    bw.source.snapshot_result = BP_EAUTH;
    expect_phase(BP_EAUTH, "no snapshot");
}
