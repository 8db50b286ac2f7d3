#include <criterion/criterion.h>
#include <string.h>

#include "test_backup_world.h"

TestSuite(backup_commit, .init = backup_set_up, .fini = backup_tear_down, .timeout = 60);

Test(backup_commit, waits_longer_from_push_to_push)
{
    static const int64_t waits[] = {2000, 4000, 6000, 8000, 10000};

    bw.store.push_outages = 100;
    cr_expect_eq(backup_run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(bw.err.msg, "HTTP 502");
    cr_expect_eq(bw.store.push_outages, 94, "six pushes");
    cr_assert_eq(bw.clock.sleeps, 5);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_geq(bw.clock.each_ms[i], waits[i]);
        cr_expect_lt(bw.clock.each_ms[i], waits[i] + 1000);
    }
    cr_expect_eq(bw.store.refreshes, 5);
}

Test(backup_commit, a_refusal_is_not_tried_again)
{
    static const enum bp_code codes[] = {BP_EFAILED, BP_EAUTH, BP_ENOTFOUND, BP_ESTOPPED};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        bw.store.commit_result = codes[i];
        cr_expect_eq(backup_run(), codes[i]);
        cr_expect_eq(bw.clock.sleeps, 0);
        cr_expect_eq(bw.store.refreshes, 0);
    }
}

Test(backup_commit, a_push_that_took_too_long_is_tried_again)
{
    bw.store.commit_result = BP_ETIMEOUT;
    cr_expect_eq(backup_run(), BP_ETIMEOUT);
    cr_expect_str_eq(bw.err.msg, "while pushing: the server refused");
    cr_expect_eq(bw.clock.sleeps, 5);
}

static void ask_own_stop(void *ctx)
{
    (void)ctx;
    bp_stop_ask(&bw.stop);
}

Test(backup_commit, a_stop_ends_the_tries)
{
    backup_with_stop();
    bw.store.lost_races = 100;
    bw.store.on_commit = ask_own_stop;
    cr_expect_eq(backup_run(), BP_ESTOPPED);
    cr_expect_str_eq(bw.err.msg, "while pushing: stopped by SIGTERM");
    cr_expect_eq(bw.store.lost_races, 99, "one push");
}

static void ask_at_sleep(struct fake_clock *self, int64_t ms)
{
    (void)self;
    (void)ms;
    bp_stop_ask(&bw.stop);
}

Test(backup_commit, a_stop_ends_the_wait_for_the_next_try)
{
    backup_with_stop();
    bw.store.lost_races = 100;
    bw.clock.on_sleep = ask_at_sleep;
    cr_expect_eq(backup_run(), BP_ESTOPPED);
    cr_expect_eq(bw.store.lost_races, 99, "one push");
    cr_expect_eq(bw.store.refreshes, 0);
}

Test(backup_commit, says_why_it_tries_again)
{
    bw.store.lost_races = 1;
    backup_listen();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.printed, "somebody else was faster; trying again\n"), "%s",
                       bw.printed);
}

Test(backup_commit, what_was_read_is_not_read_again)
{
    int asked = 0;

    bw.job.jobs = 1;
    bw.store.lost_races = 5;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    asked = atomic_load(&bw.source.readers_asked);
    cr_expect_eq(asked, 1);
    cr_expect_eq(bw.source.closed, 1);
}

/* Somebody else made an archive of the same second between two pushes. */
static void make_another(void *ctx)
{
    int *left = ctx;

    if (--*left == 0)
        fake_store_put(&bw.store, "backups/archive/2024-01-15T14-30-45Z--o-r--push--1234567/x",
                       "x");
}

Test(backup_commit, the_id_is_chosen_again_after_a_lost_race)
{
    int left = 1;

    bw.store.lost_races = 1;
    bw.store.on_commit = make_another;
    bw.store.ctx = &left;
    backup_manifest();
    cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z--2");
    cr_expect_str_eq(bw.result.path, "backups/latest/latest_2024-01-15T14-30-45Z--2");
    cr_expect_str_eq(bw.manifest.id, "2024-01-15T14-30-45Z--2", "the manifest knows it");
    cr_expect_eq(fake_store_count(&bw.store, "backups/latest/latest_2024-01-15T14-30-45Z/"), 0);
}

Test(backup_commit, what_arrived_after_it_seemed_lost_is_not_there_twice)
{
    bw.store.push_outages = 1;
    bw.store.late = true;
    backup_manifest();
    cr_expect_eq(bw.store.commits, 1);
    cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bw.result.path, "backups/latest/latest_2024-01-15T14-30-45Z");
    cr_expect_str_eq(bw.result.commit, "c0ffee1");
    cr_expect_eq(bw.result.tables, 2);
    cr_expect_eq(fake_store_count(&bw.store, "backups/archive/"), 0);
}

Test(backup_commit, the_message_of_a_backup_by_hand_names_no_source)
{
    bw.job.repository = NULL;
    bw.job.run_url = NULL;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_null(strstr(bw.store.message, "Source:"), "%s", bw.store.message);
    cr_expect_null(strstr(bw.store.message, "Run-Url:"), "%s", bw.store.message);
    cr_expect_not_null(strstr(bw.store.message, "\nRows: 3\nBytes: "), "%s", bw.store.message);
}

Test(backup_commit, a_source_without_a_known_commit_is_named_all_the_same)
{
    bw.job.sha = NULL;
    bw.job.run_url = "";
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.store.message, "\nSource: myorg/myapp@unknown\n"), "%s",
                       bw.store.message);
    cr_expect_null(strstr(bw.store.message, "Run-Url:"), "%s", bw.store.message);
}

Test(backup_commit, the_result_names_the_commit)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_str_eq(bw.result.commit, "c0ffee1");
    cr_expect_eq(bw.result.tables, 2);
    cr_expect_eq(fake_store_count(&bw.store, bw.result.path),
                 fake_store_count(&bw.store, "backups/current/"), "both hold the same files");
}
