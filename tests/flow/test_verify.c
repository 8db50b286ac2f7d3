#include "flow/verify.h"

#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W verify_world

TestSuite(verify, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

Test(verify, levels_have_names)
{
    for (int i = BP_L0; i <= BP_L5; i++)
        cr_expect_eq((int)bp_proof_parse(bp_proof_name((enum bp_proof)i)), i);
    cr_expect_eq(bp_proof_parse("L6"), BP_UNPROVED);
    cr_expect_eq(bp_proof_parse(NULL), BP_UNPROVED);
    cr_expect_str_eq(bp_proof_name(BP_UNPROVED), "none");
}

Test(verify, a_good_archive_reaches_each_level_that_is_asked_for)
{
    for (int i = BP_L0; i <= BP_L5; i++) {
        cr_assert_eq(verify_world_run((enum bp_proof)i), BP_OK, "L%d: %s", i, W.err.msg);
        cr_expect_eq((int)W.result.level, i);
        cr_expect_eq(W.result.findings.count, 0);
        cr_expect_str_eq(verify_world_recorded(), bp_proof_name((enum bp_proof)i));
        cr_expect_eq(W.scratch.starts, i < BP_L2 ? 0 : i - 1);
        /* What the last one restored would be in the way of the next. */
        fake_target_release(&W.target);
        W.target = fake_target();
    }
    cr_expect_str_eq(W.result.id, "2024-01-15T14-30-45Z");
    cr_expect_eq(W.result.tables, 2);
    cr_expect_eq(W.result.rows, 5);
}

Test(verify, a_scratch_that_is_refused_shows_before_anything_is_fetched)
{
    int fetches = 0;

    W.scratch.start_result = BP_EUSAGE;
    fetches = W.store.fetches;
    cr_expect_eq(verify_world_run(BP_L2), BP_EUSAGE);
    cr_expect_str_eq(W.err.msg, "no scratch");
    cr_expect_leq(W.store.fetches, fetches + 1, "only the manifest");
    cr_expect_str_eq(verify_world_recorded(), "");
}

Test(verify, an_archive_that_there_is_not_is_not_found)
{
    W.job.archive = "2031";
    cr_expect_eq(verify_world_run(BP_L0), BP_ENOTFOUND);
    cr_expect_str_eq(W.result.id, "");
}

Test(verify, the_newest_before_a_time_is_found)
{
    W.job.archive = NULL;
    W.job.at_ms = INT64_C(1705329045000) + 1;
    cr_expect_eq(verify_world_run(BP_L0), BP_OK, "%s", W.err.msg);
    W.job.at_ms = 1000;
    cr_expect_eq(verify_world_run(BP_L0), BP_ENOTFOUND);
}

Test(verify, what_ended_it_is_said_in_one_line)
{
    fake_store_put(&W.store, VERIFY_FOLDER "/roles.sql", "DROP ROLE x;");
    cr_expect_eq(verify_world_run(BP_L3), BP_EINTEGRITY);
    cr_expect(strstr(W.err.msg, "archive 2024-01-15T14-30-45Z did not reach L0: ") == W.err.msg,
              "%s", W.err.msg);
    cr_expect_eq(W.result.level, BP_UNPROVED);
}

Test(verify, a_store_that_fails_says_nothing_of_the_archive)
{
    W.store.fetch_outages = 1;
    cr_expect_eq(verify_world_run(BP_L0), BP_EUNAVAILABLE);
    cr_expect_str_eq(verify_world_recorded(), "");
}
