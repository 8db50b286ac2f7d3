#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "test_prune_world.h"

TestSuite(prune, .init = prune_set_up, .fini = prune_tear_down, .timeout = 60);

static const char *const day_8 = "backups/archive/2024-01-08T08-00-00Z--o-r--schedule--1234567";
static const char *const day_9 = "backups/archive/2024-01-09T08-00-00Z--o-r--schedule--1234567";

Test(prune, removes_what_no_rule_keeps_in_one_commit)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 3;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10k 09g 08g");
    cr_expect_eq(pw.result.kept, 3u);
    cr_expect_eq(pw.result.removed, 2u);
    cr_expect_str_eq(pw.result.commit, "c0ffee1");
    cr_expect_eq(pw.store.commits, 1);
    cr_expect_eq(pw.store.rewrites, 0);
    cr_expect_str_eq(pw.store.message, "prune: removed 2 of 5 archives\n\n"
                                       "Kept: 3\nPolicy: last 3\n"
                                       "Removed: 2024-01-09T08-00-00Z\n"
                                       "Removed: 2024-01-08T08-00-00Z\n");
    cr_expect_eq(fake_store_count(&pw.store, "backups/archive/"), 6u);
    cr_expect_eq(fake_store_count(&pw.store, "backups/latest/"), 3u);
    cr_expect_not_null(fake_store_get(&pw.store, "README.md"));
    cr_expect_eq(pw.store.weighings, 0);
}

Test(prune, makes_no_commit_when_nothing_goes_and_reads_nothing)
{
    prune_put_days(8, 12);
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10k 09k 08k");
    cr_expect_str_eq(pw.result.commit, "");
    cr_expect_eq(pw.store.commits, 0);
    cr_expect_eq(pw.store.fetches, 0);
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.store.commits, 0);
}

Test(prune, what_it_leaves_it_leaves_the_next_time_too)
{
    prune_put_days(1, 20);
    pw.job.policy.each[BP_WEEKLY] = 2;
    pw.job.policy.last = 2;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.kept, 7u, "dated in the future: 16 to 20; %s", prune_plan_text());
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.removed, 0u);
    cr_expect_eq(pw.store.commits, 1);
}

Test(prune, an_empty_branch_is_no_trouble)
{
    fake_store_put(&pw.store, "README.md", "hello");
    pw.job.squash = true;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.count, 0u);
    cr_expect_eq(pw.store.commits + pw.store.rewrites, 0);
    pw.store.missing = true;
    cr_expect_eq(prune_run(), BP_ENOTFOUND);
}

Test(prune, the_newest_verified_one_stays)
{
    prune_put_days(8, 12);
    prune_put(day_8, "L4");
    prune_put(day_9, "L4");
    pw.job.policy.last = 1;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11g 10g 09k 08g");
    cr_expect_str_eq(pw.result.rows[3].reasons.at[0], "newest verified");
}

Test(prune, a_newer_verified_one_that_is_kept_anyhow_lets_the_older_go)
{
    prune_put_days(8, 12);
    prune_put(day_8, "L4");
    prune_put("backups/archive/2024-01-11T08-00-00Z--o-r--schedule--1234567", "L2");
    pw.job.policy.last = 3;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10k 09g 08g");
}

Test(prune, reads_manifests_only_of_those_that_matter)
{
    prune_put_days(1, 15);
    pw.job.policy.last = 14;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.removed, 1u);
    cr_expect_eq(pw.store.fetches, 1 + 2, "one for both, and one that brings nothing for each");
}

Test(prune, marked_ones_stay_and_a_mark_of_nothing_is_told)
{
    prune_put_days(8, 12);
    fake_store_put(&pw.store, "backups/keep",
                   "2024-01-08T08-00-00Z before the migration\n2023-01-08T08-00-00Z old\n");
    pw.job.policy.last = 1;
    pw.store.lost_races = 1;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11g 10g 09g 08k");
    cr_expect_str_eq(pw.result.rows[4].reasons.at[0], "marked: before the migration");
    cr_expect_str_eq(pw.printed, "backproof: warning: backups/keep marks 2023-01-08T08-00-00Z, "
                                 "which is not in the branch\n"
                                 "somebody else was faster; trying again\n");
}

Test(prune, marks_that_cannot_be_read_let_nothing_go)
{
    prune_put_days(8, 12);
    fake_store_put(&pw.store, "backups/keep", "2024-01-8 before the migration\n");
    pw.job.policy.last = 1;
    cr_expect_eq(prune_run(), BP_EUSAGE);
    cr_expect_eq(strncmp(pw.err.msg, "line 1 of backups/keep", 22), 0, "%s", pw.err.msg);
    cr_expect_eq(pw.store.commits, 0);
}

Test(prune, besides_a_damaged_one_a_good_one_stays)
{
    prune_put_days(8, 12);
    fake_store_put(&pw.store, "backups/latest/latest_2024-01-12T08-00-00Z/manifest.json", "{");
    pw.job.policy.last = 1;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10g 09g 08g");
    cr_expect_not_null(strstr(pw.printed, "warning: archive '2024-01-12T08-00-00Z'"), "%s",
                       pw.printed);
}

Test(prune, a_damaged_one_does_not_stand_for_its_day)
{
    prune_put_days(11, 12);
    prune_put("backups/archive/2024-01-11T09-00-00Z--o-r--schedule--1234567", NULL);
    fake_store_put(&pw.store,
                   "backups/archive/2024-01-11T09-00-00Z--o-r--schedule--1234567/manifest.json",
                   "{");
    prune_put("backups/archive/2024-01-11T07-00-00Z--o-r--schedule--1234567", NULL);
    pw.job.policy.each[BP_DAILY] = 2;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 11k 11g");
}

/* Somebody made another backup between the plan and the push. */
static void make_another(void *ctx)
{
    (void)ctx;
    pw.store.on_commit = NULL;
    prune_put("backups/archive/2024-01-13T08-00-00Z--o-r--schedule--1234567", NULL);
}

Test(prune, plans_again_after_a_lost_race)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 2;
    pw.store.lost_races = 1;
    pw.store.on_commit = make_another;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "13k 12k 11g 10g 09g 08g");
    cr_expect_eq(pw.store.refreshes, 1);
}

Test(prune, gives_up_after_six_lost_races_and_leaves_all_as_it_is)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 1;
    pw.store.lost_races = 100;
    cr_expect_eq(prune_run(), BP_ELOCKED);
    cr_expect_eq(pw.store.lost_races, 94);
    cr_expect_eq(fake_store_count(&pw.store, "backups/archive/"), 12u);
}

Test(prune, an_outage_while_manifests_are_read_is_no_damage)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 1;
    pw.store.fetch_outages = 1000;
    cr_expect_eq(prune_run(), BP_EUNAVAILABLE);
    cr_expect_eq(pw.store.commits, 0);
    pw.store.fetch_outages = 2;
    cr_expect_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.removed, 4u);
}

Test(prune, what_cannot_be_read_may_be_the_one_that_was_verified_and_stays)
{
    prune_put_days(8, 12);
    prune_put(day_9, "L4");
    pw.job.policy.last = 1;
    pw.store.unreadable = "2024-01-09T08-00-00Z--o-r--schedule--1234567/manifest.json";
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11g 10g 09k 08g");
    cr_expect_str_eq(pw.result.rows[3].reasons.at[0], "could not be read");
    cr_expect_not_null(strstr(pw.printed, "warning: archive '2024-01-09T08-00-00Z' stays, because "
                                          "it cannot be read: no space left on device"),
                       "%s", pw.printed);
}

Test(prune, a_full_disk_lets_nothing_go)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 1;
    pw.store.unreadable = "/manifest.json";
    cr_expect_eq(prune_run(), BP_EFAILED);
    cr_expect_str_eq(pw.err.msg, "nothing was removed, because archives cannot be read: no space "
                                 "left on device");
    cr_expect_eq(pw.store.commits, 0);
}

Test(prune, a_stop_ends_it_before_anything_is_changed)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 1;
    prune_with_stop();
    bp_stop_ask(&pw.stop);
    cr_expect_eq(prune_run(), BP_ESTOPPED);
    cr_expect_eq(pw.store.commits, 0);
}

Test(prune, an_archive_that_is_still_to_come_counts_as_the_newest)
{
    prune_put_days(8, 12);
    pw.job.policy.last = 2;
    pw.job.coming = "2024-01-13T08-00-00Z";
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "13k 12k 11g 10g 09g 08g");
}

Test(prune, an_archive_that_is_still_to_come_is_older_than_the_future)
{
    prune_put_days(8, 12);
    prune_put("backups/archive/2024-01-31T08-00-00Z--o-r--schedule--1234567", NULL);
    pw.job.policy.last = 2;
    pw.job.coming = "2024-01-13T08-00-00Z";
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "31k 13k 12k 11g 10g 09g 08g");
}

Test(prune, one_of_the_future_that_was_verified_changes_nothing_for_the_others)
{
    prune_put_days(1, 28);
    pw.clock.now_ms += INT64_C(14) * 86400000;
    prune_put("backups/archive/2024-01-31T08-00-00Z--o-r--schedule--1234567", "L4");
    prune_put("backups/archive/2024-01-10T08-00-00Z--o-r--schedule--1234567", "L4");
    prune_put("backups/archive/2024-01-01T08-00-00Z--o-r--schedule--1234567", "L4");
    pw.job.policy.last = 20;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.kept, 21u);
    cr_expect_not(pw.result.rows[28].kept);
}

Test(prune, what_is_dated_in_the_future_is_told_and_stays)
{
    prune_put_days(8, 12);
    prune_put("backups/archive/2024-01-31T08-00-00Z--o-r--schedule--1234567", NULL);
    pw.job.policy.last = 2;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "31k 12k 11k 10g 09g 08g");
    cr_expect_not_null(strstr(pw.printed, "archive 2024-01-31T08-00-00Z is dated in the future"));
}

Test(prune, the_size_of_the_branch_is_told_on)
{
    prune_put_days(8, 12);
    (void)snprintf(pw.store.message, sizeof(pw.store.message),
                   "backup: x\n\nStore: 500 bytes, 400 at 2024-01-01T00-00-00Z\n");
    pw.job.policy.last = 3;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_not_null(
        strstr(pw.store.message, "\nStore: 500 bytes, 400 at 2024-01-01T00-00-00Z\n"), "%s",
        pw.store.message);
}
