#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "test_prune_world.h"

/* The tip before the last squash(): "path = content". */
static struct bp_list before;

static void tear_down(void)
{
    bp_list_free(&before);
    prune_tear_down();
}

TestSuite(squash, .init = prune_set_up, .fini = tear_down, .timeout = 60);

static void tip_lines(struct bp_list *lines)
{
    bp_list_free(lines);
    for (size_t i = 0; i < pw.store.tip_count; i++)
        bp_list_addf(lines, "%s = %s", pw.store.tip[i].path, pw.store.tip[i].data);
    bp_list_sort(lines);
}

static enum bp_code squash(int64_t last)
{
    pw.job.policy.last = last;
    pw.job.squash = true;
    tip_lines(&before);
    return prune_run();
}

/* Of an archive that goes. */
static bool goes(const char *line)
{
    BP_AUTO(bp_freep) char *path = bp_strndup(line, strcspn(line, "="));

    for (size_t i = 0; i < pw.result.count; i++) {
        if (!pw.result.rows[i].kept && strstr(path, pw.result.rows[i].id) != NULL)
            return true;
    }
    return false;
}

/* The files are those of before, without the archives that go. */
static void expect_pruned_tip(void)
{
    BP_AUTO(bp_list_free) struct bp_list after = {0};
    size_t next = 0;

    tip_lines(&after);
    for (size_t i = 0; i < before.count; i++) {
        if (goes(before.at[i]))
            continue;
        cr_assert_lt(next, after.count, "lost: %s", before.at[i]);
        cr_expect_str_eq(after.at[next++], before.at[i]);
    }
    cr_expect_eq(next, after.count);
}

Test(squash, makes_one_commit_for_each_archive_that_is_kept)
{
    prune_put_days(8, 12);
    cr_assert_eq(squash(3), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10k 09g 08g");
    cr_expect_eq(pw.store.commits, 0, "nothing is removed by a commit of its own");
    cr_expect_eq(pw.store.rewrites, 1);
    cr_expect_str_eq(pw.store.steps,
                     "1704873600000 backup: 2024-01-10T08-00-00Z main (1 tables, 1,200 rows)\n"
                     "1704960000000 backup: 2024-01-11T08-00-00Z main (1 tables, 1,200 rows)\n"
                     "1705046400000 backup: 2024-01-12T08-00-00Z main (1 tables, 1,200 rows)\n");
    cr_expect_not_null(strstr(pw.store.message, "\nBackup-Id: 2024-01-12T08-00-00Z\n"));
    cr_expect_not_null(strstr(pw.store.message, "\nSquashed: kept 3 of 5 archives\n"), "%s",
                       pw.store.message);
    cr_expect_str_eq(pw.result.commit, "5caa5b1");
    cr_expect(pw.result.squashed);
    cr_expect_eq(pw.result.bytes_before, 5000000);
    cr_expect_eq(pw.result.bytes_after, 2000000);
}

Test(squash, the_last_tree_is_the_one_before_without_what_goes)
{
    prune_put_days(8, 12);
    fake_store_put(&pw.store, "backups/keep", "2024-01-08T08-00-00Z why\n");
    fake_store_put(&pw.store, "backups/archive/README.txt", "put here by hand");
    fake_store_put(&pw.store, "backups/latest/notes/x", "this too");
    fake_store_put(&pw.store, "backups/current/more", "and this");
    cr_assert_eq(squash(2), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "12k 11k 10g 09g 08k");
    expect_pruned_tip();
    cr_expect_eq(fake_store_count(&pw.store, ""), 3u * 3u + 6u);
}

Test(squash, a_branch_without_latest_or_current_stays_so)
{
    prune_put("backups/archive/2024-01-08T08-00-00Z--o-r--schedule--1234567", NULL);
    prune_put("backups/archive/2024-01-09T08-00-00Z--o-r--schedule--1234567", NULL);
    cr_assert_eq(squash(9), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(fake_store_count(&pw.store, "backups/latest"), 0u);
    cr_expect_eq(fake_store_count(&pw.store, "backups/current"), 0u);
    cr_expect_eq(fake_store_count(&pw.store, "backups/archive/"), 6u);
    expect_pruned_tip();
}

Test(squash, one_archive_makes_one_commit)
{
    prune_put_days(12, 12);
    cr_assert_eq(squash(1), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.store.rewrites, 1);
    cr_expect_eq(fake_store_count(&pw.store, "backups/"), 4u);
    expect_pruned_tip();
}

Test(squash, the_latest_is_last_even_when_a_clock_was_wrong)
{
    prune_put_days(8, 12);
    prune_put("backups/archive/2024-01-14T08-00-00Z--o-r--schedule--1234567", NULL);
    cr_assert_eq(squash(2), BP_OK, "%s", pw.err.msg);
    cr_expect_not_null(strstr(pw.store.steps, "2024-01-14T08-00-00Z main (1 tables, 1,200 rows)\n"
                                              "1705046400000 backup: 2024-01-12"),
                       "%s", pw.store.steps);
    cr_expect_eq(fake_store_count(&pw.store, "backups/latest/latest_2024-01-12T08-00-00Z/"), 3u);
    expect_pruned_tip();
}

Test(squash, two_archives_of_one_id_stay_two)
{
    prune_put_days(12, 12);
    prune_put("backups/archive/2024-01-12T08-00-00Z--o-r--schedule--1234567", NULL);
    prune_put("backups/archive/2024-01-12T08-00-00Z--o-x--schedule--1234567", NULL);
    cr_assert_eq(squash(3), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(fake_store_count(&pw.store, "backups/archive/"), 6u);
    cr_expect_eq(fake_store_count(&pw.store, "backups/latest/"), 3u);
    expect_pruned_tip();
}

/* ---- what cannot be read ---- */

static const char *const kept = "backups/archive/2024-01-11T08-00-00Z--o-r--schedule--1234567";

static void expect_refusal(const char *reason)
{
    cr_expect_eq(squash(2), BP_EINTEGRITY);
    cr_expect_not_null(strstr(pw.err.msg, "nothing was changed, because archive "
                                          "'2024-01-11T08-00-00Z' would be kept and its "),
                       "%s", pw.err.msg);
    cr_expect_not_null(strstr(pw.err.msg, reason), "%s", pw.err.msg);
    cr_expect_not_null(strstr(pw.err.msg, "to give this archive up, remove the folder "
                                          "'backups/archive/2024-01-11T08-00-00Z--o-r--schedule--"
                                          "1234567' from the branch"),
                       "%s", pw.err.msg);
    cr_expect_eq(pw.store.rewrites + pw.store.commits, 0);
}

static void put_below(const char *path, const char *text)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", kept, path);

    fake_store_put(&pw.store, full, text);
}

Test(squash, refuses_when_a_checksum_is_wrong)
{
    prune_put_days(8, 12);
    put_below("public/tables/t/data.sql", "2024-01-11T08-00-00z");
    expect_refusal("its 'public/tables/t/data.sql' does not have the checksum of its manifest");
}

Test(squash, refuses_when_a_manifest_is_damaged)
{
    prune_put_days(8, 12);
    put_below("manifest.json", "{");
    expect_refusal("its 'manifest.json' cannot be read (archive ");
}

Test(squash, refuses_when_a_file_is_missing)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/roles.sql", kept);

    prune_put_days(8, 12);
    for (size_t i = 0; i < pw.store.tip_count; i++) {
        if (strcmp(pw.store.tip[i].path, path) == 0)
            pw.store.tip[i].path[strlen(path) - 1] = 'x';
    }
    expect_refusal("its 'roles.sql' is missing");
}

Test(squash, a_history_that_cannot_be_weighed_is_squashed_all_the_same)
{
    prune_put_days(8, 12);
    pw.store.weights[0] = -1;
    cr_expect_eq(squash(2), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.store.rewrites, 1);
    cr_expect_eq(pw.result.bytes_before, -1);
    cr_expect_eq(pw.result.bytes_after, 2000000);
    cr_expect_not_null(
        strstr(pw.printed, "warning: what the squash frees cannot be told: no space"), "%s",
        pw.printed);
}

Test(squash, what_goes_need_not_be_readable)
{
    prune_put_days(8, 12);
    put_below("roles.sql", "changed");
    cr_expect_eq(squash(1), BP_OK, "%s", pw.err.msg);
    cr_expect_eq(pw.result.kept, 1u);
}

/* ---- the push ---- */

static void make_another(void *ctx)
{
    (void)ctx;
    pw.store.on_commit = NULL;
    prune_put("backups/archive/2024-01-13T08-00-00Z--o-r--schedule--1234567", NULL);
}

Test(squash, plans_again_after_a_lost_race)
{
    prune_put_days(8, 12);
    pw.store.lost_races = 1;
    pw.store.on_commit = make_another;
    cr_assert_eq(squash(2), BP_OK, "%s", pw.err.msg);
    cr_expect_str_eq(prune_plan_text(), "13k 12k 11g 10g 09g 08g");
    cr_expect_eq(pw.store.refreshes, 1);
    cr_expect_not_null(
        fake_store_get(&pw.store, "backups/archive/2024-01-13T08-00-00Z--o-r--schedule--1234567/"
                                  "roles.sql"));
}

Test(squash, gives_up_after_six_lost_races)
{
    prune_put_days(8, 12);
    pw.store.lost_races = 100;
    cr_expect_eq(squash(2), BP_ELOCKED);
    cr_expect_eq(pw.store.lost_races, 94);
    cr_expect_eq(pw.store.rewrites, 0);
}

Test(squash, a_branch_that_may_not_be_rewritten_is_explained)
{
    prune_put_days(8, 12);
    pw.store.commit_result = BP_EFAILED;
    cr_expect_eq(squash(2), BP_EFAILED);
    cr_expect_str_eq(pw.err.msg,
                     "the branch cannot be squashed: the server refused; hint: a squash replaces "
                     "the branch, so its protection must allow force pushes");
    cr_expect_eq(pw.clock.sleeps, 0u);
}

Test(squash, a_stop_ends_the_reading)
{
    prune_put_days(8, 12);
    prune_with_stop();
    bp_stop_ask(&pw.stop);
    cr_expect_eq(squash(9), BP_ESTOPPED);
    cr_expect_eq(pw.store.rewrites, 0);
}

Test(squash, with_an_archive_still_to_come_it_only_reads)
{
    prune_put_days(8, 12);
    pw.job.coming = "2024-01-13T08-00-00Z";
    cr_assert_eq(squash(2), BP_OK, "%s", pw.err.msg);
    cr_expect(pw.result.squashed);
    cr_expect_eq(pw.store.rewrites, 0);
    cr_expect_eq(pw.result.bytes_before, 5000000);
    cr_expect_eq(pw.result.bytes_after, -1);
}

Test(squash, the_size_of_the_branch_is_counted_anew)
{
    prune_put_days(8, 12);
    (void)snprintf(pw.store.message, sizeof(pw.store.message),
                   "backup: x\n\nStore: 500 bytes, 400 at 2024-01-01T00-00-00Z\n");
    pw.store.held = 321;
    pw.job.squash = true;
    cr_assert_eq(prune_run(), BP_OK, "%s", pw.err.msg);
    cr_expect_not_null(strstr(pw.store.message, "\nStore: 321 bytes, 321 at "), "%s",
                       pw.store.message);
}
