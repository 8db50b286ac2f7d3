/* Asked to end, or out of time. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_cancel, .init = world_set_up, .fini = world_tear_down);

static struct fake_branch *never_starts(const char *name, enum fake_answer answer)
{
    struct fake_branch *b = world_branch(name, 1, &answer);

    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    return b;
}

static void stop_at(int64_t ms)
{
    w.forge.stop_at_ms = ms;
    cr_assert_eq(world_try(), BP_ESTOPPED, "%s", w.err.msg);
    cr_expect_str_eq(w.err.msg, "stopped by SIGTERM");
    /* A runner waits 7.5 s. */
    cr_expect_leq(w.clock.now_ms, ms + 7000);
}

Test(dispatch_cancel, a_stopped_call_cancels_its_runs)
{
    (void)never_starts("main", FAKE_OK);
    (void)never_starts("dev", FAKE_OK_NO_ID);
    stop_at(20000);
    world_expect(0, BP_VERDICT_STOPPED,
                 "stopped by SIGTERM; run 100 is 'queued'; its run was "
                 "cancelled");
    cr_expect(w.results.at[0].cancelled);
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect(w.forge.runs[1].cancelled);
    cr_expect_eq(w.results.failed, 2u);
}

Test(dispatch_cancel, runs_that_were_proved_already_are_its_children_too)
{
    (void)world_branch("main", 0, NULL);
    (void)never_starts("dev", FAKE_OK);
    stop_at(20000);
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect(w.forge.runs[1].cancelled);
    world_expect(0, BP_VERDICT_STOPPED, "its run was cancelled");
}

Test(dispatch_cancel, a_run_that_has_ended_is_left_alone)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    (void)never_starts("dev", FAKE_OK);
    b->plan.finish_ms = 3000;
    stop_at(20000);
    world_expect(0, BP_VERDICT_STARTED, "completed: success");
    cr_expect_not(w.forge.runs[0].cancelled);
}

Test(dispatch_cancel, detach_leaves_the_runs_alone)
{
    (void)world_branch("main", 0, NULL);
    (void)never_starts("dev", FAKE_OK);
    w.job.detach = true;
    stop_at(20000);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_CANCEL), 0);
    world_expect(0, BP_VERDICT_STARTED, "in_progress");
    world_expect(1, BP_VERDICT_STOPPED, "stopped by SIGTERM; run 101 is 'queued'");
    cr_expect_eq(w.clock.now_ms, 20000);
}

Test(dispatch_cancel, what_was_not_sent_is_not_sent_any_more)
{
    struct fake_branch *b = NULL;

    (void)never_starts("main", FAKE_OK);
    b = never_starts("dev", FAKE_OK);
    stop_at(500);
    cr_expect_eq(b->dispatches, 0);
    world_expect(1, BP_VERDICT_STOPPED, "nothing was started");
}

Test(dispatch_cancel, a_request_under_way_is_waited_for_and_its_run_cancelled)
{
    (void)never_starts("main", FAKE_OK);
    w.forge.latency_ms = 2000;
    stop_at(13000); /* six questions come first */
    cr_expect_eq(w.forge.run_count, 1);
    cr_expect(w.forge.runs[0].cancelled);
    world_expect(0, BP_VERDICT_STOPPED, "its run was cancelled");
}

Test(dispatch_cancel, a_request_that_gets_no_answer_is_looked_for_in_vain_for_six_seconds)
{
    (void)never_starts("main", FAKE_HANGS_NOT);
    stop_at(1000);
    world_expect(0, BP_VERDICT_STOPPED, "a run may have been started");
    cr_expect_eq(w.clock.now_ms, 7000);
}

Test(dispatch_cancel, an_ambiguous_request_is_looked_for)
{
    struct fake_branch *b = never_starts("main", FAKE_AMBIGUOUS_TAKEN);

    b->plan.appear_ms = 9000;
    stop_at(6000);
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect_eq(w.results.at[0].run_id, 100);
}

Test(dispatch_cancel, cancelling_is_tried_again_after_an_outage)
{
    (void)never_starts("main", FAKE_OK);
    (void)fake_forge_fault(&w.forge, BP_ASK_CANCEL, 3, BP_EUNAVAILABLE);
    stop_at(10000);
    cr_expect(w.forge.runs[0].cancelled);
}

Test(dispatch_cancel, says_so_when_a_run_cannot_be_cancelled)
{
    (void)never_starts("main", FAKE_OK);
    (void)fake_forge_fault(&w.forge, BP_ASK_CANCEL, 100, BP_EAUTH);
    stop_at(10000);
    world_expect(0, BP_VERDICT_STOPPED, "its run could not be cancelled");
    cr_expect_not_null(strstr(w.printed, "cannot cancel run 100"));
}

Test(dispatch_cancel, twenty_runs_are_cancelled_in_time)
{
    for (int i = 0; i < 20; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "b%d", i);
        (void)never_starts(name, FAKE_OK);
    }
    w.forge.latency_ms = 300;
    stop_at(60000);
    for (int i = 0; i < 20; i++)
        cr_expect(w.forge.runs[i].cancelled, "run %d", i);
    cr_expect_leq(w.clock.now_ms, 61000);
}

Test(dispatch_cancel, out_of_time_cancels_when_that_is_asked_for)
{
    (void)never_starts("main", FAKE_OK);
    (void)never_starts("dev", FAKE_OK);
    w.job.cancel_on_timeout = true;
    w.job.timeout_ms = 60000;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "its run was cancelled");
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect(w.forge.runs[1].cancelled);
    cr_expect_eq(w.results.at[0].code, BP_ETIMEOUT);
}

Test(dispatch_cancel, a_stage_that_is_out_of_time_cancels_its_run_alone)
{
    (void)never_starts("main", FAKE_OK);
    (void)world_branch("dev", 0, NULL);
    w.job.cancel_on_timeout = true;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "its run was cancelled");
    world_expect(1, BP_VERDICT_STARTED, "");
    cr_expect_not(w.forge.runs[1].cancelled);
}

Test(dispatch_cancel, a_proved_run_survives_the_time_out_of_another)
{
    (void)never_starts("main", FAKE_OK);
    (void)world_branch("dev", 0, NULL);
    w.job.cancel_on_timeout = true;
    w.job.timeout_ms = 60000;
    world_run();
    cr_expect(w.forge.runs[0].cancelled);
    cr_expect_not(w.forge.runs[1].cancelled);
    world_expect(1, BP_VERDICT_STARTED, "");
}

Test(dispatch_cancel, cancels_its_own_run_and_not_that_of_somebody_else)
{
    (void)never_starts("main", FAKE_OK_NO_ID);
    w.forge.also_by = "hubot";
    w.forge.latency_ms = 1000;
    stop_at(6500); /* the request is under way */
    cr_expect_not(w.forge.runs[0].cancelled);
    cr_expect(w.forge.runs[1].cancelled);
    cr_expect_eq(w.results.at[0].attempts, 1);
}

Test(dispatch_cancel, a_run_that_may_be_somebody_elses_is_left_alone)
{
    (void)never_starts("main", FAKE_OK_NO_ID);
    w.forge.user = NULL;
    stop_at(20000);
    cr_expect_not(w.forge.runs[0].cancelled);
    world_expect(0, BP_VERDICT_STOPPED, "may be somebody else's");
}

Test(dispatch_cancel, a_request_that_is_given_up_may_have_started_a_run)
{
    (void)never_starts("main", FAKE_HANGS_TAKEN);
    w.job.timeout_ms = 1500;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT,
                 "not proved within --timeout; a run may have been started");
    cr_expect_eq(w.results.at[0].attempts, 1);
}

Test(dispatch_cancel, a_run_that_is_not_known_yet_is_cancelled_a_little_later)
{
    struct fake_branch *b = never_starts("main", FAKE_OK);

    b->plan.appear_ms = 8000;
    stop_at(5000);
    cr_expect(w.forge.runs[0].cancelled);
}

Test(dispatch_cancel, out_of_time_leaves_alone_what_may_be_somebody_elses)
{
    (void)never_starts("main", FAKE_OK_NO_ID);
    w.forge.user = NULL;
    w.job.cancel_on_timeout = true;
    world_run();
    cr_expect_not(w.forge.runs[0].cancelled);
    world_expect(0, BP_VERDICT_TIMED_OUT, "may be somebody else's");
}

/* Whenever the signal comes: also while a second run is being cancelled. */
Test(dispatch_cancel, the_run_of_the_branch_is_cancelled_also_beside_a_second_one)
{
    int stopped = 0;

    for (int64_t ms = 30000; ms < 60000; ms += 250) {
        world_tear_down();
        world_set_up();
        (void)world_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_NOT, FAKE_OK});
        w.forge.late_runs = 1;
        w.forge.latency_ms = 1000;
        w.forge.stop_at_ms = ms;
        w.job.marker_input = "mark";
        if (world_try() != BP_ESTOPPED)
            continue;
        stopped++;
        cr_expect(w.forge.run_count < 2 || w.forge.runs[1].cancelled, "stopped at %d ms", (int)ms);
    }
    cr_expect_geq(stopped, 20);
}
