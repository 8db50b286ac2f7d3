/* A branch until its request is accepted: every row of the table of what becomes of it. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_branch, .init = world_set_up, .fini = world_tear_down);

Test(dispatch_branch, does_not_send_again_when_an_ambiguous_request_was_accepted)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_TAKEN));

    world_run();
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(world_runs("main"), 1);
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_eq(w.results.at[0].run_id, 100);
}

Test(dispatch_branch, finds_the_run_of_an_ambiguous_request_late)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_TAKEN));

    b->plan.appear_ms = 29500; /* the last look, at the end of the window, decides */
    world_run();
    cr_expect_eq(b->dispatches, 1);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_branch, sends_again_after_the_settle_time_when_no_run_was_found)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_NOT, FAKE_OK));

    world_run();
    cr_expect_eq(b->dispatches, 2);
    cr_expect_geq(b->sent_at_ms[1] - b->sent_at_ms[0], 30000);
    cr_expect_eq(world_runs("main"), 1);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_branch, says_so_when_it_stays_unknown_whether_a_run_started)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_TAKEN, FAKE_OK));

    fake_forge_fault(&w.forge, BP_ASK_RUNS, 1000, BP_EUNAVAILABLE)->after = 1;
    world_run();
    cr_expect_eq(b->dispatches, 1, "only a look that worked allows to send again");
    world_expect(0, BP_VERDICT_FAILED, "it is unknown whether a run was started");
}

Test(dispatch_branch, looks_before_it_sends_again_what_a_limit_refused)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_LIMITED, FAKE_OK));

    w.forge.retry_after_ms = 90000;
    world_run();
    cr_expect_eq(b->sent_at_ms[1] - b->sent_at_ms[0], 90000);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_USER), 1);
    cr_expect_geq(fake_forge_asked(&w.forge, BP_ASK_RUNS), 3);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_branch, does_not_send_again_when_the_list_may_hide_the_run)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_NOT, FAKE_OK));

    w.forge.crowd = 110; /* runs of others, from now on */
    world_run();
    cr_expect_eq(b->dispatches, 1);
    world_expect(0, BP_VERDICT_FAILED, "it is unknown whether a run was started");
}

Test(dispatch_branch, does_not_send_again_when_a_new_run_shows_no_mark)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_AMBIGUOUS_TAKEN, FAKE_OK));

    w.job.marker_input = "mark";
    w.forge.hides_titles = true; /* the file's run-name does not show the input */
    world_run();
    cr_expect_eq(b->dispatches, 1);
    world_expect(0, BP_VERDICT_FAILED, "it is unknown whether a run was started");
}

Test(dispatch_branch, never_retries_a_rejection)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_REJECTED, FAKE_OK));

    world_run();
    cr_expect_eq(b->dispatches, 1);
    world_expect(0, BP_VERDICT_FAILED, "refused");
    cr_expect_eq(w.results.at[0].code, BP_EFAILED);
}

Test(dispatch_branch, a_branch_whose_file_takes_no_dispatch_fails_without_a_request)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    w.forge.trigger_result = BP_EFAILED;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "no trigger");
    cr_expect_eq(b->dispatches, 0);
}

Test(dispatch_branch, a_branch_whose_run_is_active_is_left_out)
{
    struct fake_branch *b = world_branch("main", 0, NULL);
    struct fake_branch *other = world_branch("dev", 0, NULL);

    fake_forge_add_run(&w.forge, "main", "push")->plan.start_ms = -1;
    w.job.skip_if_active = true;
    world_run();
    world_expect(0, BP_VERDICT_ALREADY_RUNNING, "run 100 is queued: not dispatched");
    cr_expect(bp_verdict_is_good(w.results.at[0].verdict));
    cr_expect_eq(w.results.at[0].run_id, 100);
    cr_expect_eq(b->dispatches, 0);
    cr_expect_eq(other->dispatches, 1);
}

Test(dispatch_branch, a_run_that_ended_is_not_active)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    fake_forge_add_run(&w.forge, "main", "push")->plan.finish_ms = 0;
    w.job.skip_if_active = true;
    world_run();
    cr_expect_eq(b->dispatches, 1);
}

Test(dispatch_branch, a_young_run_counts_as_done)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    fake_forge_add_run(&w.forge, "main", "schedule")->run.created_ms -= 90000;
    w.job.min_interval_ms = 120000;
    world_run();
    world_expect(0, BP_VERDICT_RECENT, "younger than --min-interval");
    cr_expect_eq(b->dispatches, 0);
}

Test(dispatch_branch, neither_an_old_run_nor_one_that_failed_counts_as_done)
{
    struct fake_branch *b = world_branch("main", 0, NULL);
    struct fake_branch *c = world_branch("dev", 0, NULL);
    struct fake_run *failed = NULL;

    fake_forge_add_run(&w.forge, "main", "schedule")->run.created_ms -= 150000;
    failed = fake_forge_add_run(&w.forge, "dev", "schedule");
    failed->plan.finish_ms = 0;
    failed->plan.conclusion = "failure";
    w.job.min_interval_ms = 120000;
    world_run();
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(c->dispatches, 1);
}
