#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "flow/dispatch.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

static struct fake_clock fclock;
static struct fake_forge forge;
static struct bp_out out;
static struct bp_list branches;
static struct bp_dispatch_results results;
static struct bp_err err;
static struct bp_dispatch_job job;

static void set_up(void)
{
    fclock = fake_clock_new();
    forge = fake_forge(&fclock.base);
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    job = (struct bp_dispatch_job){
        .forge = &forge.base,
        .clock = &fclock.base,
        .out = &out,
        .repo = "o/r",
        .workflow = "backup.yml",
        .branches = &branches,
        .retries = 3,
        .retry_delay_ms = 5000,
        .settle_ms = 30000,
        .appear_timeout_ms = 120000,
        .poll_interval_ms = 5000,
        .timeout_ms = 900000,
    };
}

static void tear_down(void)
{
    bp_dispatch_results_free(&results);
    bp_list_free(&branches);
}

TestSuite(dispatch, .init = set_up, .fini = tear_down);

static struct fake_branch *add_branch(const char *name, int count, const enum fake_answer *script)
{
    struct fake_branch *b = fake_forge_branch(&forge, name);

    bp_list_add(&branches, name);
    for (int i = 0; i < count; i++)
        b->script[i] = script[i];
    b->script_len = count;
    return b;
}

static void run(void)
{
    cr_assert_eq(bp_flow_dispatch(&job, &results, &err), BP_OK, "%s", err.msg);
}

static int runs_of(const char *branch)
{
    int count = 0;

    for (int i = 0; i < forge.run_count; i++)
        count += strcmp(forge.runs[i].branch, branch) == 0 &&
                 strcmp(forge.runs[i].event, "workflow_dispatch") == 0;
    return count;
}

Test(dispatch, starts_every_branch_and_tells_its_run)
{
    (void)add_branch("main", 0, NULL);
    (void)add_branch("dev", 0, NULL);
    run();
    cr_expect_eq(results.started, 2u);
    cr_expect_eq(results.failed, 0u);
    cr_expect_eq(results.at[0].run_id, 100);
    cr_expect_eq(results.at[1].run_id, 101);
    cr_expect_str_eq(results.at[1].url, "https://forge.test/o/r/actions/runs/101");
    cr_expect_str_eq(results.at[0].reason, "queued");
}

Test(dispatch, leaves_a_second_between_two_requests)
{
    struct fake_branch *first = add_branch("main", 0, NULL);
    struct fake_branch *second = add_branch("dev", 0, NULL);

    run();
    cr_expect_geq(second->sent_at_ms[0] - first->sent_at_ms[0], 1000);
}

Test(dispatch, retries_after_5_10_and_20_seconds_then_gives_up)
{
    struct fake_branch *b = add_branch("main", 1, (enum fake_answer[]){FAKE_NOT_PROCESSED});

    run();
    cr_expect_eq(b->dispatches, 4);
    cr_expect_eq(b->sent_at_ms[1] - b->sent_at_ms[0], 5000);
    cr_expect_eq(b->sent_at_ms[2] - b->sent_at_ms[1], 10000);
    cr_expect_eq(b->sent_at_ms[3] - b->sent_at_ms[2], 20000);
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
    cr_expect_eq(results.at[0].code, BP_EUNAVAILABLE);
    cr_expect_str_eq(results.at[0].reason, "gave up after 4 attempts: connection refused");
}

Test(dispatch, never_retries_a_rejection)
{
    struct fake_branch *b = add_branch("main", 2, (enum fake_answer[]){FAKE_REJECTED, FAKE_OK});

    run();
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(results.failed, 1u);
    cr_expect_eq(results.at[0].code, BP_EFAILED);
}

Test(dispatch, one_branch_that_fails_does_not_stop_another)
{
    (void)add_branch("gone", 1, (enum fake_answer[]){FAKE_NO_BRANCH});
    (void)add_branch("main", 0, NULL);
    (void)add_branch("flaky", 2, (enum fake_answer[]){FAKE_NOT_PROCESSED, FAKE_OK});
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
    cr_expect_eq(results.at[0].code, BP_ENOTFOUND);
    cr_expect_eq(results.at[1].state, BP_BRANCH_STARTED);
    cr_expect_eq(results.at[2].state, BP_BRANCH_STARTED);
    cr_expect_eq(results.at[2].attempts, 2);
}

Test(dispatch, a_branch_that_waits_does_not_delay_another)
{
    (void)add_branch("slow", 1, (enum fake_answer[]){FAKE_NOT_PROCESSED});
    struct fake_branch *main_branch = add_branch("main", 0, NULL);

    run();
    cr_expect_leq(main_branch->sent_at_ms[0], 1000);
}

Test(dispatch, does_not_send_again_when_an_ambiguous_request_was_accepted)
{
    struct fake_branch *b = add_branch("main", 1, (enum fake_answer[]){FAKE_AMBIGUOUS_TAKEN});

    run();
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(runs_of("main"), 1);
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
    cr_expect_eq(results.at[0].run_id, 100);
}

Test(dispatch, sends_again_after_the_settle_time_when_no_run_was_found)
{
    struct fake_branch *b =
        add_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_NOT, FAKE_OK});

    run();
    cr_expect_eq(b->dispatches, 2);
    cr_expect_geq(b->sent_at_ms[1] - b->sent_at_ms[0], 30000);
    cr_expect_eq(runs_of("main"), 1);
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
}

Test(dispatch, does_not_send_again_when_it_could_not_look)
{
    struct fake_branch *b =
        add_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_TAKEN, FAKE_OK});

    fclock.on_sleep = NULL;
    run();
    bp_dispatch_results_free(&results);
    b->dispatches = 0;
    forge.list_failures = 1000;
    /* The first list, of the runs that exist already, has to work. */
    cr_expect_eq(bp_flow_dispatch(&job, &results, &err), BP_EUNAVAILABLE);
    cr_expect_eq(b->dispatches, 0, "nothing may be sent when the runs before are unknown");
}

static void fail_lists(struct fake_clock *self, int64_t ms)
{
    (void)self;
    (void)ms;
    forge.list_failures = 1000;
}

Test(dispatch, says_so_when_it_stays_unknown_whether_a_run_started)
{
    struct fake_branch *waiting = add_branch("first", 0, NULL);
    struct fake_branch *b =
        add_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_TAKEN, FAKE_OK});

    fclock.on_sleep = fail_lists; /* from the wait before the second request on */
    run();
    cr_expect_eq(waiting->dispatches, 1);
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(results.at[1].state, BP_BRANCH_FAILED);
    cr_expect(strstr(results.at[1].reason, "it is unknown whether a run was started") != NULL, "%s",
              results.at[1].reason);
}

Test(dispatch, finds_the_run_when_the_server_tells_no_id)
{
    fake_forge_add_run(&forge, "main", "workflow_dispatch"); /* of somebody, before */
    (void)add_branch("main", 1, (enum fake_answer[]){FAKE_OK_NO_ID});
    run();
    cr_expect_eq(results.at[0].run_id, 101);
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
}

Test(dispatch, a_run_that_is_not_known_yet_is_looked_for_again)
{
    forge.unknown_looks = 3;
    (void)add_branch("main", 0, NULL);
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
    cr_expect_eq(forge.gets, 4);
}

Test(dispatch, a_run_that_stays_pending_times_out_and_says_why)
{
    forge.looks_until_queued = 100000;
    (void)add_branch("main", 0, NULL);
    run();
    cr_expect_eq(results.at[0].code, BP_ETIMEOUT);
    cr_expect(strstr(results.at[0].reason, "concurrency group") != NULL, "%s",
              results.at[0].reason);
    cr_expect_leq(fclock.now_ms, 121000 + job.poll_interval_ms);
}

Test(dispatch, a_run_that_cannot_start_is_a_failure)
{
    forge.conclusion = "startup_failure";
    (void)add_branch("main", 0, NULL);
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
    cr_expect(strstr(results.at[0].reason, "startup_failure") != NULL);
}

Test(dispatch, a_run_that_failed_later_did_start)
{
    forge.conclusion = "failure";
    (void)add_branch("main", 0, NULL);
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
    cr_expect_str_eq(results.at[0].reason, "completed: failure");
}

Test(dispatch, waits_as_long_as_the_rate_limit_asks)
{
    struct fake_branch *b = add_branch("main", 2, (enum fake_answer[]){FAKE_RATE_LIMITED, FAKE_OK});

    forge.retry_after_ms = 61000;
    run();
    cr_expect_eq(b->sent_at_ms[1] - b->sent_at_ms[0], 61000);
}

Test(dispatch, does_not_wait_beyond_the_deadline)
{
    forge.retry_after_ms = 3600000;
    (void)add_branch("main", 2, (enum fake_answer[]){FAKE_RATE_LIMITED, FAKE_OK});
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
    cr_expect(strstr(results.at[0].reason, "after --timeout") != NULL, "%s", results.at[0].reason);
    cr_expect_leq(fclock.now_ms, 1000, "it waited %d ms for nothing", (int)fclock.now_ms);
}

Test(dispatch, a_dry_run_sends_nothing)
{
    struct bp_forge *dry = bp_forge_dry_new(&forge.base);
    struct fake_branch *b = add_branch("main", 0, NULL);

    (void)add_branch("gone", 1, (enum fake_answer[]){FAKE_NO_BRANCH});
    job.forge = dry;
    cr_assert_eq(bp_flow_dispatch(&job, &results, &err), BP_OK);
    cr_expect_eq(b->dispatches, 0);
    cr_expect_eq(results.at[0].state, BP_BRANCH_DRY_RUN);
    cr_expect_eq(results.at[1].code, BP_ENOTFOUND);
    bp_forge_freep(&dry);
}

Test(dispatch, warns_of_a_run_that_shows_itself_after_a_second_request)
{
    struct fake_branch *b =
        add_branch("main", 2, (enum fake_answer[]){FAKE_AMBIGUOUS_NOT, FAKE_OK});
    char *printed = NULL;
    size_t len = 0;

    out.err = open_memstream(&printed, &len);
    forge.late_runs = 1; /* the first request was accepted all the same */
    run();
    (void)fclose(out.err);
    cr_expect_eq(b->dispatches, 2);
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
    cr_expect_not_null(strstr(printed, "was started as well"), "%s", printed);
    free(printed);
}

Test(dispatch, does_not_take_a_run_of_another_branch_for_its_own)
{
    (void)add_branch("main", 0, NULL);
    forge.runs_branch = "other";
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
    cr_expect_not_null(strstr(results.at[0].reason, "run of branch 'other'"), "%s",
                       results.at[0].reason);
}

Test(dispatch, a_wait_without_end_is_no_wait_at_all)
{
    struct fake_branch *b = add_branch("main", 2, (enum fake_answer[]){FAKE_RATE_LIMITED, FAKE_OK});

    forge.retry_after_ms = INT64_MAX;
    run();
    cr_expect_eq(b->dispatches, 1, "it may not be sent again at once");
    cr_expect_eq(results.at[0].state, BP_BRANCH_FAILED);
}

Test(dispatch, an_outage_at_the_first_look_is_waited_for)
{
    (void)add_branch("main", 0, NULL);
    forge.list_failures = 3;
    run();
    cr_expect_eq(results.at[0].state, BP_BRANCH_STARTED);
}

/* Random scripts of faults: each branch ends with exactly one run, or a failure that says why. */
Test(dispatch, never_starts_two_runs_whatever_goes_wrong)
{
    static const enum fake_answer kinds[] = {FAKE_OK,
                                             FAKE_OK_NO_ID,
                                             FAKE_REJECTED,
                                             FAKE_NOT_PROCESSED,
                                             FAKE_AMBIGUOUS_NOT,
                                             FAKE_AMBIGUOUS_TAKEN,
                                             FAKE_RATE_LIMITED};
    unsigned seed = 12345;

    for (int round = 0; round < 300; round++) {
        set_up();
        forge.retry_after_ms = 7000;
        forge.unknown_looks = rand_r(&seed) % 3;
        for (int i = 0; i < 3; i++) {
            static const char *const names[] = {"main", "dev", "release/1.x"};
            enum fake_answer script[5];

            for (int s = 0; s < 5; s++)
                script[s] = kinds[rand_r(&seed) % (int)(sizeof(kinds) / sizeof(kinds[0]))];
            (void)add_branch(names[i], 5, script);
        }
        run();
        for (size_t i = 0; i < results.count; i++) {
            const struct bp_branch_result *b = &results.at[i];

            cr_assert_leq(runs_of(b->branch), 1, "round %d: two runs of %s", round, b->branch);
            if (b->state == BP_BRANCH_STARTED)
                cr_assert_eq(runs_of(b->branch), 1, "round %d: %s has no run", round, b->branch);
            else
                cr_assert(b->reason[0] != '\0', "round %d: %s says no reason", round, b->branch);
        }
        tear_down();
    }
}
