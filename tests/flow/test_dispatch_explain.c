/* Why a run is stuck, and what failed in one that ended. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_explain, .init = world_set_up, .fini = world_tear_down);

static struct fake_branch *main_branch(enum fake_answer answer)
{
    return world_branch("main", 1, &answer);
}

Test(dispatch_explain, finished_names_the_job_and_step_that_failed)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.conclusion = "failure";
    w.job.until = BP_UNTIL_FINISHED;
    world_run();
    world_expect(0, BP_VERDICT_FAILED,
                 "run 100 ended with 'failure': job 'backup' failed in step 'Dump'; hint: its log "
                 "is at https://forge.test/job/1");
    cr_assert_not_null(w.results.at[0].jobs);
    cr_expect_eq(w.results.at[0].jobs->count, 1u);
}

Test(dispatch_explain, a_failure_is_one_also_when_its_jobs_cannot_be_read)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    (void)fake_forge_fault(&w.forge, BP_ASK_JOBS, 100, BP_EAUTH);
    b->plan.conclusion = "failure";
    w.job.until = BP_UNTIL_FINISHED;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "run 100 ended with 'failure'; hint: open https://");
}

Test(dispatch_explain, what_held_a_run_back_is_forgotten_when_it_goes_on)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "pending";
    b->plan.start_ms = 20000;
    b->plan.finish_ms = -1;
    w.job.until = BP_UNTIL_FINISHED;
    w.job.timeout_ms = 60000;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "is still 'in_progress'");
    cr_expect_null(strstr(w.results.at[0].reason, "concurrency group"));
}

/* The second job waits for a review: that the first one ran is proof. */
Test(dispatch_explain, a_run_that_waits_between_two_jobs_has_started)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "waiting";
    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    b->plan.a_job_ran = true;
    w.job.cancel_on_timeout = true;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "a job has run; now waiting");
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_CANCEL), 0);
}

Test(dispatch_explain, a_pending_run_says_which_group_holds_it)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "pending";
    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    w.forge.holdup = (struct bp_holdup){.group = "backup-main", .ahead = 2};
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT,
                 "run 100 is still 'pending' after 10 m 00 s: concurrency group 'backup-main' "
                 "lets 2 other runs go first");
    cr_expect_not_null(strstr(w.printed, "is held back: concurrency group 'backup-main'"),
                       "it is said at once, not only at the end: %s", w.printed);
}

Test(dispatch_explain, a_server_that_does_not_tell_the_group_is_no_trouble)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "pending";
    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    w.forge.no_holdup = true;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT, "its concurrency group lets another run go first");
}

Test(dispatch_explain, a_waiting_run_says_who_has_to_review)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.before = "waiting";
    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    w.forge.holdup = (struct bp_holdup){.environments = "production"};
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT,
                 "it waits for a review of environment 'production'; hint: approve it on its page");
}

Test(dispatch_explain, a_queued_run_says_which_runner_is_missing)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.start_ms = -1;
    b->plan.finish_ms = -1;
    world_run();
    world_expect(0, BP_VERDICT_TIMED_OUT,
                 "no runner with the labels 'self-hosted, linux' has taken its job 'backup'");
    cr_expect_leq(w.clock.now_ms, 606000);
}

Test(dispatch_explain, a_run_that_a_newer_one_cancelled_says_so)
{
    struct fake_branch *b = main_branch(FAKE_OK);
    struct fake_run *newer = NULL;

    b->plan = (struct fake_plan){.start_ms = -1,
                                 .finish_ms = 4000,
                                 .before = "pending",
                                 .conclusion = "cancelled",
                                 .no_job_started = true};
    w.forge.next_id = 200;
    newer = fake_forge_add_run(&w.forge, "main", "workflow_dispatch");
    newer->plan.appear_ms = 3000; /* after the runs before were listed */
    w.forge.next_id = 100;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "most likely by the newer run 200 of its concurrency group");
}

Test(dispatch_explain, a_run_that_was_cancelled_before_it_started_did_not_start)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan = (struct fake_plan){.start_ms = -1,
                                 .finish_ms = 4000,
                                 .before = "queued",
                                 .conclusion = "cancelled",
                                 .no_job_started = true};
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "ended with 'cancelled' before a job started");
}

/* A spending limit, a review that was refused, a runner that was never there. */
Test(dispatch_explain, a_run_that_failed_without_a_job_did_not_start)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan = (struct fake_plan){.start_ms = -1,
                                 .finish_ms = 4000,
                                 .before = "queued",
                                 .conclusion = "failure",
                                 .no_job_started = true};
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "ended with 'failure' before a job started");
}

Test(dispatch_explain, a_run_whose_jobs_cannot_be_read_is_not_proved)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    (void)fake_forge_fault(&w.forge, BP_ASK_JOBS, 100, BP_EAUTH);
    b->plan.start_ms = -1;
    b->plan.finish_ms = 4000;
    b->plan.conclusion = "failure";
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "whether a job had started cannot be read");
}

Test(dispatch_explain, a_run_that_was_cancelled_later_did_start)
{
    struct fake_branch *b = main_branch(FAKE_OK);

    b->plan.finish_ms = 3000;
    b->plan.conclusion = "cancelled";
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "completed: cancelled");
}
