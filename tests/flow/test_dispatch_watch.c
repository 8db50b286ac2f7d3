/* The run: how far it must come, and why it is stuck or failed. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_watch, .init = world_set_up, .fini = world_tear_down);

static struct fake_branch *main_branch(enum fake_answer answer)
{
    return world_branch("main", 1, &answer);
}

Test(dispatch_watch, appeared_is_enough_when_that_is_asked_for)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    b->plan.before = "pending";
    w.job.until = BP_UNTIL_APPEARED;
    world_run();
    world_expect(0, BP_VERDICT_APPEARED, "pending");
}

Test(dispatch_watch, finished_takes_over_the_result)
{
    (void)main_branch(FAKE_OK);
    w.job.until = BP_UNTIL_FINISHED;
    world_run();
    world_expect(0, BP_VERDICT_FINISHED, "completed: success");
    cr_expect_str_eq(w.results.at[0].conclusion, "success");
    /* Late by an eighth at most. */
    cr_expect_leq(w.results.at[0].took_ms, 60000 * 9 / 8 + 5000);
}

Test(dispatch_watch, an_unknown_conclusion_is_no_success)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.conclusion = "splendid";
    w.job.until = BP_UNTIL_FINISHED;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "ended with 'splendid'");
}

Test(dispatch_watch, an_unknown_status_means_to_wait)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "pondering";
    b->plan.start_ms = 60000;
    b->plan.finish_ms = -1;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "in_progress");
}

Test(dispatch_watch, a_run_that_failed_later_did_start)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.conclusion = "failure";
    b->plan.finish_ms = 0;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "completed: failure");
}

Test(dispatch_watch, a_run_that_cannot_start_is_a_failure)
{
    static const char *const conclusions[] = {"startup_failure", "action_required", "skipped",
                                              "stale"};

    for (size_t i = 0; i < 4; i++) {
        struct fake_branch *b = NULL;

        world_tear_down();
        world_set_up();
        b = main_branch(FAKE_OK);
        b->plan.conclusion = conclusions[i];
        b->plan.finish_ms = 0;
        world_run();
        world_expect(0, BP_VERDICT_FAILED, "never started: ");
        world_expect(0, BP_VERDICT_FAILED, conclusions[i]);
        world_expect(0, BP_VERDICT_FAILED, "hint: ");
    }
}

Test(dispatch_watch, the_runs_id_is_found_when_the_server_tells_none)
{
    (void)main_branch(FAKE_OK_NO_ID);
    (void)fake_forge_add_run(&w.forge, "main", "workflow_dispatch"); /* of somebody, before */
    world_run();
    cr_expect_eq(w.results.at[0].run_id, 101);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_watch, a_run_of_somebody_else_at_the_same_moment_is_not_taken)
{
    (void)main_branch(FAKE_OK_NO_ID);
    w.forge.also_by = "hubot";
    world_run();
    cr_expect_eq(w.results.at[0].run_id, 101);
}

Test(dispatch_watch, who_we_are_is_asked_again_after_an_outage)
{
    (void)main_branch(FAKE_OK_NO_ID);
    w.forge.also_by = "hubot";
    (void)fake_forge_fault(&w.forge, BP_ASK_USER, 2, BP_EUNAVAILABLE);
    world_run();
    cr_expect_eq(w.results.at[0].run_id, 101);
}

Test(dispatch_watch, that_it_stays_unknown_who_we_are_concerns_only_runs_to_be_found)
{
    (void)main_branch(FAKE_OK);
    (void)world_branch("dev", 1, (enum fake_answer[]){FAKE_OK_NO_ID});
    (void)fake_forge_fault(&w.forge, BP_ASK_USER, 100000, BP_EUNAVAILABLE);
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_leq(w.results.at[0].took_ms, 10000);
    world_expect(1, BP_VERDICT_FAILED, "cannot be looked at");
    cr_expect_leq(fake_forge_asked(&w.forge, BP_ASK_USER), 60, "not without a pause");
}

Test(dispatch_watch, a_mark_tells_runs_apart_without_doubt)
{
    (void)main_branch(FAKE_OK_NO_ID);
    w.forge.user = NULL;
    w.job.marker_input = "mark";
    (void)fake_forge_fault(&w.forge, BP_ASK_USER, 100, BP_EFAILED);
    world_run();
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_USER), 0, "with a mark there is no need");
    cr_expect_not_null(strstr(w.forge.runs[0].run.title, "\"bp-"));
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_watch, a_run_that_the_list_leaves_out_is_asked_for_by_its_id)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    w.forge.server_ahead_ms = 0;
    b->plan.start_ms = 1000;
    for (int i = 0; i < 120; i++) /* the list shows a hundred */
        fake_forge_add_run(&w.forge, "main", "push")->made_ms = 0;
    w.forge.runs_branch = NULL;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_watch, a_run_that_is_not_known_yet_is_looked_for_again)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.appear_ms = 20000;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_geq(fake_forge_asked(&w.forge, BP_ASK_RUN), 3);
}

Test(dispatch_watch, an_accepted_dispatch_whose_run_never_appears_times_out)
{
    struct fake_branch *b = main_branch(FAKE_OK);
    struct fake_branch *c = world_branch("dev", 1, (enum fake_answer[]){FAKE_OK_NO_ID});

    b->plan.appear_ms = -1;
    c->plan.appear_ms = -1;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "did not appear in time");
    world_expect(1, BP_VERDICT_TIMED_OUT, "no run appeared in time");
    cr_expect_eq(c->dispatches, 1);
    cr_expect_leq(w.clock.now_ms, 123000);
}

Test(dispatch_watch, each_stage_has_a_deadline_of_its_own)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.start_ms = 500000;
    b->plan.finish_ms = -1;
    w.job.until = BP_UNTIL_FINISHED;
    w.job.timeout_ms = 10800000;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "still 'in_progress' after 45 m");
}

Test(dispatch_watch, the_whole_has_a_deadline_too)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    w.job.timeout_ms = 60000;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "run 100 is still 'queued' after 52.0 s: no runner with");
    cr_expect_leq(w.clock.now_ms, 60000);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_CANCEL), 0);
}

Test(dispatch_watch, does_not_take_a_run_of_another_branch_for_its_own)
{
    (void)main_branch(FAKE_OK);
    w.forge.runs_branch = "other";
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "run of branch 'other'");
}

Test(dispatch_watch, a_token_that_is_revoked_half_way_ends_the_wait)
{
    (void)main_branch(FAKE_OK);
    fake_forge_fault(&w.forge, BP_ASK_RUNS, 1000, BP_EAUTH)->after = 1;
    world_run();
    world_expect(0, BP_VERDICT_FAILED,
                 "the dispatch was accepted, but its run cannot be looked at");
    cr_expect_eq(w.results.at[0].code, BP_EAUTH);
}

Test(dispatch_watch, an_outage_while_waiting_passes)
{
    (void)main_branch(FAKE_OK);
    fake_forge_fault(&w.forge, BP_ASK_RUNS, 12, BP_EUNAVAILABLE)->after = 1;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_watch, warns_of_a_run_that_shows_itself_after_a_second_request)
{
    struct fake_branch *b =
        world_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_NOT, FAKE_OK});

    w.forge.late_runs = 1; /* the first request was accepted all the same */
    world_run();
    cr_expect_eq(b->dispatches, 2);
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_not_null(strstr(w.printed, "was started as well, perhaps"), "%s", w.printed);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_CANCEL), 0, "it may be somebody else's");
}

Test(dispatch_watch, cancels_a_second_run_that_bears_our_mark)
{
    (void)world_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_NOT, FAKE_OK});
    w.forge.late_runs = 1;
    w.job.marker_input = "mark";
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_CANCEL), 1);
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect_not(w.forge.runs[1].cancelled);
    cr_expect_not(w.results.at[0].cancelled);
}

Test(dispatch_watch, the_clocks_of_server_and_machine_may_differ)
{
    (void)main_branch(FAKE_OK_NO_ID);
    w.forge.server_ahead_ms = -600000;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
}
