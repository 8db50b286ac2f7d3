/* The whole: branches and repositories on one clock, and what is never done. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch, .init = world_set_up, .fini = world_tear_down);

Test(dispatch, starts_every_branch_and_tells_its_run)
{
    (void)world_branch("main", 0, NULL);
    (void)world_branch("dev", 0, NULL);
    world_run();
    cr_expect_eq(w.results.succeeded, 2u);
    cr_expect_eq(w.results.failed, 0u);
    cr_expect_eq(w.results.at[0].run_id, 100);
    cr_expect_eq(w.results.at[1].run_id, 101);
    cr_expect_str_eq(w.results.at[1].url, "https://forge.test/o/r/actions/runs/101");
    world_expect(0, BP_VERDICT_STARTED, "in_progress");
    cr_expect_str_eq(w.results.at[0].commit, "c0ffee");
}

Test(dispatch, leaves_a_second_between_two_requests)
{
    struct fake_branch *first = world_branch("main", 0, NULL);
    struct fake_branch *second = world_branch("dev", 0, NULL);

    world_run();
    cr_expect_eq(second->sent_at_ms[0] - first->sent_at_ms[0], 1000);
}

Test(dispatch, one_branch_that_fails_does_not_stop_another)
{
    (void)world_branch("gone", SCRIPT(FAKE_NO_BRANCH));
    (void)world_branch("main", 0, NULL);
    (void)world_branch("flaky", SCRIPT(FAKE_NOT_SENT, FAKE_OK));
    (void)world_branch("forbidden", SCRIPT(FAKE_FORBIDDEN));
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "no branch 'gone'");
    cr_expect_eq(w.results.at[0].code, BP_ENOTFOUND);
    cr_expect_eq(w.results.at[0].attempts, 0, "a branch that is not there needs no request");
    world_expect(1, BP_VERDICT_STARTED, "");
    world_expect(2, BP_VERDICT_STARTED, "");
    cr_expect_eq(w.results.at[2].attempts, 2);
    cr_expect_eq(w.results.at[3].code, BP_EAUTH);
}

Test(dispatch, a_branch_that_waits_does_not_delay_another)
{
    (void)world_branch("slow", SCRIPT(FAKE_NOT_SENT));
    struct fake_branch *b = world_branch("main", 0, NULL);

    world_run();
    cr_expect_eq(b->sent_at_ms[0], 1000);
}

Test(dispatch, a_request_without_an_answer_does_not_delay_another)
{
    struct fake_branch *hung = world_branch("hung", SCRIPT(FAKE_HANGS_TAKEN));
    struct fake_branch *b = world_branch("main", 0, NULL);

    world_run();
    cr_expect_eq(b->sent_at_ms[0], 1000);
    cr_expect_leq(w.results.at[1].took_ms, 5000);
    cr_expect_eq(hung->dispatches, 1);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch, sends_nothing_when_the_runs_before_are_unknown)
{
    (void)fake_forge_fault(&w.forge, BP_ASK_RUNS, 1000, BP_EUNAVAILABLE);
    struct fake_branch *b = world_branch("main", 0, NULL);

    world_run();
    cr_expect_eq(b->dispatches, 0);
    world_expect(0, BP_VERDICT_FAILED, "cannot list the runs that exist already");
}

Test(dispatch, a_limit_holds_up_all_branches)
{
    (void)world_branch("main", SCRIPT(FAKE_LIMITED, FAKE_OK));
    struct fake_branch *b = world_branch("dev", 0, NULL);

    w.forge.retry_after_ms = 90000;
    world_run();
    cr_expect_geq(b->sent_at_ms[0], 90000);
}

Test(dispatch, gives_up_at_once_when_a_limit_lasts_beyond_the_deadline)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_LIMITED, FAKE_OK));

    (void)world_branch("dev", 0, NULL);
    w.forge.retry_after_ms = 3600000;
    world_run();
    cr_expect_eq(b->dispatches, 1);
    /* The clock starts at 14:30:45. */
    world_expect(0, BP_VERDICT_FAILED, "lasts until 2024-01-15T15:30:4");
    world_expect(1, BP_VERDICT_FAILED, "after --timeout");
    cr_expect_eq(w.results.at[0].code, BP_EUNAVAILABLE);
    cr_expect_leq(w.clock.now_ms, 2000, "it waited %d ms for nothing", (int)w.clock.now_ms);
}

Test(dispatch, a_limit_says_what_may_have_been_started)
{
    (void)world_branch("main", SCRIPT(FAKE_AMBIGUOUS_TAKEN));
    (void)world_branch("dev", SCRIPT(FAKE_OK));
    fake_forge_branch(&w.forge, "main")->plan.appear_ms = -1;
    fake_forge_branch(&w.forge, "dev")->plan.start_ms = -1;
    fake_forge_branch(&w.forge, "dev")->plan.finish_ms = -1;
    struct fake_fault *fault = fake_forge_fault(&w.forge, BP_ASK_RUNS, 1, BP_OK);

    fault->after = 3;
    fault->limited = BP_LIMIT_PRIMARY;
    fault->retry_after_ms = 3600000;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "it is unknown whether a run was started: the rate limit");
    world_expect(0, BP_VERDICT_FAILED, "before dispatching again");
    world_expect(1, BP_VERDICT_FAILED, "run 101 was accepted, but not proved: the rate limit");
}

Test(dispatch, a_limit_without_end_is_no_wait_at_all)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_LIMITED, FAKE_OK));

    w.forge.retry_after_ms = INT64_MAX;
    world_run();
    cr_expect_eq(b->dispatches, 1, "it may not be sent again at once");
    cr_expect_eq(w.results.at[0].verdict, BP_VERDICT_FAILED);
}

Test(dispatch, a_dry_run_sends_nothing)
{
    struct bp_forge *dry = bp_forge_dry_new(&w.forge.base);
    struct fake_branch *b = world_branch("main", 0, NULL);

    (void)world_branch("gone", SCRIPT(FAKE_NO_BRANCH));
    w.job.forge = dry;
    world_run();
    cr_expect_eq(b->dispatches, 0);
    world_expect(0, BP_VERDICT_DRY_RUN, "would be dispatched");
    cr_expect_eq(w.results.at[1].code, BP_ENOTFOUND);
    bp_forge_freep(&dry);
}

Test(dispatch, the_good_path_needs_few_requests)
{
    for (int i = 0; i < 20; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "b%d", i);
        (void)world_branch(name, 0, NULL);
    }
    world_run();
    cr_expect_eq(w.results.succeeded, 20u);
    cr_expect_leq(w.results.requests, 4 + 4 * 20);
    cr_expect_eq(w.results.requests, w.forge.asked);
    /* The last one is sent after 19 s and starts 2 s later. */
    cr_expect_leq(w.clock.now_ms, 26250);
}

Test(dispatch, a_look_that_hangs_is_asked_anew_before_the_request_timeout)
{
    (void)world_branch("main", 0, NULL);
    struct fake_fault *fault = fake_forge_fault(&w.forge, BP_ASK_RUNS, 1, BP_OK);

    fault->after = 1;
    fault->hangs = true;
    w.job.request_timeout_ms = 120000;
    w.forge.timeout_ms = 120000;
    world_run();
    cr_expect_leq(w.results.at[0].took_ms, 21000);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch, takes_branches_of_several_repositories_and_workflows)
{
    (void)fake_forge_branch(&w.forge, "main");
    world_target("o/r", "main", "backup.yml");
    world_target("o/other", "main", "nightly.yml");
    world_run();
    cr_expect_eq(w.results.succeeded, 2u);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_REPO), 2);
}

Test(dispatch, a_repository_that_hangs_does_not_delay_another)
{
    struct fake_fault *fault = fake_forge_fault(&w.forge, BP_ASK_REPO, 1, BP_OK);

    fault->hangs = true; /* the first that is asked */
    (void)fake_forge_branch(&w.forge, "main");
    world_target("o/hung", "main", "backup.yml");
    world_target("o/r", "main", "backup.yml");
    world_run();
    cr_expect_leq(w.results.at[1].took_ms, 5000);
    cr_expect_eq(w.results.succeeded, 2u);
}

Test(dispatch, a_repository_whose_branches_hang_does_not_delay_another)
{
    struct fake_fault *fault = fake_forge_fault(&w.forge, BP_ASK_BRANCH, 20, BP_OK);
    char name[16];

    fault->hangs = true;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "b%d", i);
        (void)world_branch(name, 0, NULL);
    }
    (void)fake_forge_branch(&w.forge, "main");
    world_target("o/slow", "main", "backup.yml");
    fake_forge_fault(&w.forge, BP_ASK_REPO, 1, BP_EUNAVAILABLE)->after = 1; /* a little later */
    world_run();
    cr_expect_lt(fake_forge_branch(&w.forge, "main")->sent_at_ms[0], 10000);
}

/* Random scripts of faults: each branch ends with exactly one run, or a failure that says why. */
static void random_round(unsigned *seed)
{
    static const char *const names[] = {"main", "dev", "release/1.x"};
    static const enum bp_ask_kind asks[] = {BP_ASK_REPO, BP_ASK_RUNS, BP_ASK_RUN, BP_ASK_BRANCH,
                                            BP_ASK_JOBS};
    struct fake_fault *fault = NULL;

    w.forge.retry_after_ms = 7000;
    w.forge.latency_ms = rand_r(seed) % 3000;
    for (int i = 0; i < 3; i++) {
        enum fake_answer script[5];
        struct fake_branch *b = NULL;

        for (int s = 0; s < 5; s++)
            script[s] = (enum fake_answer)(rand_r(seed) % (FAKE_LIMITED + 1));
        b = world_branch(names[i], 5, script);
        b->plan.appear_ms = rand_r(seed) % 20000;
        b->plan.start_ms = b->plan.appear_ms + rand_r(seed) % 60000;
    }
    for (int i = 0; i < 4; i++) {
        fault =
            fake_forge_fault(&w.forge, asks[rand_r(seed) % 5], rand_r(seed) % 4, BP_EUNAVAILABLE);
        fault->after = rand_r(seed) % 4;
        fault->hangs = rand_r(seed) % 2 == 0;
    }
}

Test(dispatch, never_starts_two_runs_whatever_goes_wrong)
{
    unsigned seed = 12345;

    for (int round = 0; round < 1000; round++) {
        world_tear_down();
        world_set_up();
        random_round(&seed);
        world_run();
        for (size_t i = 0; i < w.results.count; i++) {
            const struct bp_branch_result *r = &w.results.at[i];

            cr_assert_leq(world_runs(r->target->branch), 1, "round %d: two runs of %s", round,
                          r->target->branch);
            cr_assert(r->reason[0] != '\0', "round %d: %s says no reason", round,
                      r->target->branch);
            if (r->verdict == BP_VERDICT_STARTED)
                cr_assert_eq(world_runs(r->target->branch), 1, "round %d: %s has no run", round,
                             r->target->branch);
        }
    }
}
