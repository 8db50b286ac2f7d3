#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W verify_world

TestSuite(verify_record, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

Test(verify_record, one_commit_changes_both_manifests_of_the_newest)
{
    int commits = W.store.commits;

    cr_assert_eq(verify_world_run(BP_L1), BP_OK, "%s", W.err.msg);
    cr_expect_eq(W.store.commits, commits + 1);
    cr_expect_eq(fake_store_count(&W.store, "backups/verify.new/"), 0);
    cr_expect_str_eq(fake_store_get(&W.store, VERIFY_FOLDER "/manifest.json"),
                     fake_store_get(&W.store, "backups/current/manifest.json"));
    cr_expect(strstr(W.store.message, "verify: 2024-01-15T14-30-45Z reached L1\n") ==
              W.store.message);
    cr_expect(W.result.commit[0] != '\0');
}

Test(verify_record, less_that_was_asked_for_takes_nothing_back)
{
    int commits = 0;

    cr_assert_eq(verify_world_run(BP_L1), BP_OK, "%s", W.err.msg);
    commits = W.store.commits;
    cr_assert_eq(verify_world_run(BP_L0), BP_OK, "%s", W.err.msg);
    cr_expect_eq(W.store.commits, commits);
    cr_expect_str_eq(W.result.commit, "");
    cr_expect_str_eq(verify_world_recorded(), "L1");
}

Test(verify_record, an_archive_at_fault_loses_what_it_had)
{
    cr_assert_eq(verify_world_run(BP_L2), BP_OK, "%s", W.err.msg);
    W.target.refuses = "sequences";
    cr_assert_eq(verify_world_run(BP_L2), BP_EINTEGRITY);
    cr_expect_str_eq(verify_world_recorded(), "L1");
    fake_store_put(&W.store, VERIFY_FOLDER "/roles.sql", "DROP ROLE x;");
    cr_assert_eq(verify_world_run(BP_L2), BP_EINTEGRITY);
    cr_expect_str_eq(verify_world_recorded(), "");
    cr_expect(strstr(W.store.message, "is damaged") != NULL);
}

Test(verify_record, a_damaged_archive_without_a_record_gets_no_commit)
{
    int commits = W.store.commits;

    fake_store_put(&W.store, VERIFY_FOLDER "/roles.sql", "DROP ROLE x;");
    cr_assert_eq(verify_world_run(BP_L0), BP_EINTEGRITY);
    cr_expect_eq(W.store.commits, commits);
}

Test(verify_record, a_lost_race_is_run_again)
{
    W.store.lost_races = 1;
    cr_assert_eq(verify_world_run(BP_L0), BP_OK, "%s", W.err.msg);
    cr_expect_str_eq(verify_world_recorded(), "L0");
}

Test(verify_record, nothing_is_written_when_it_shall_not_be)
{
    int commits = W.store.commits;

    W.job.record = false;
    cr_assert_eq(verify_world_run(BP_L1), BP_OK, "%s", W.err.msg);
    cr_expect_eq(W.store.commits, commits);
}

Test(verify_record, a_branch_that_takes_no_push_is_told_with_what_was_proved)
{
    W.store.commit_result = BP_EAUTH;
    cr_assert_eq(verify_world_run(BP_L1), BP_EAUTH);
    cr_expect(strstr(W.err.msg, "reached L1, but that could not be written into its manifest: ") !=
                  NULL,
              "%s", W.err.msg);
}
