/* Questions: when they go out, and when again. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/dispatch_internal.h"
#include "flow/test_dispatch_world.h"

TestSuite(dispatch_ask, .init = world_set_up, .fini = world_tear_down);

/* The waits of 5, 10 and 20 s are a little longer by chance. */
static void expect_wait(const struct fake_branch *b, int after, int64_t ms)
{
    int64_t waited = b->sent_at_ms[after] - b->sent_at_ms[after - 1];

    cr_expect_geq(waited, ms);
    cr_expect_leq(waited, ms + ms / 4 + 1000, "waited %d ms", (int)waited);
}

Test(dispatch_ask, retries_after_5_10_and_20_seconds_then_gives_up)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_NOT_SENT));

    world_run();
    cr_expect_eq(b->dispatches, 4);
    expect_wait(b, 1, 5000);
    expect_wait(b, 2, 10000);
    expect_wait(b, 3, 20000);
    world_expect(0, BP_VERDICT_FAILED, "gave up after 4 attempts: connection refused");
    cr_expect_eq(w.results.at[0].code, BP_EUNAVAILABLE);
}

Test(dispatch_ask, two_calls_do_not_wait_for_the_same_time)
{
    struct fake_branch *b = world_branch("main", SCRIPT(FAKE_NOT_SENT));
    int64_t waited = 0;

    world_run();
    waited = b->sent_at_ms[1] - b->sent_at_ms[0];
    bp_dispatch_results_free(&w.results);
    b->dispatches = 0;
    w.job.seed = 2;
    world_run();
    cr_expect_neq(b->sent_at_ms[1] - b->sent_at_ms[0], waited);
}

Test(dispatch_ask, obeys_a_limit_that_a_look_runs_into)
{
    struct fake_branch *b = world_branch("main", 0, NULL);
    struct fake_fault *fault = fake_forge_fault(&w.forge, BP_ASK_WORKFLOW, 2, BP_OK);

    fault->limited = BP_LIMIT_SECONDARY;
    world_run();
    cr_expect_eq(b->sent_at_ms[0], 60000 + 120000, "a minute, then two");
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_ask, asks_nothing_more_when_no_request_is_left)
{
    (void)world_branch("main", 0, NULL);
    w.forge.remaining = 0;
    w.forge.reset_in_ms = 30000;
    world_run();
    cr_expect_geq(w.forge.log[1].at_ms, 31000);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_ask, only_what_may_pass_is_asked_again)
{
    cr_expect(flow_may_pass(BP_EUNAVAILABLE));
    cr_expect(flow_may_pass(BP_ETIMEOUT));
    cr_expect_not(flow_may_pass(BP_EAUTH));
    cr_expect_not(flow_may_pass(BP_EFAILED));
    cr_expect_not(flow_may_pass(BP_OK));
}

Test(dispatch_ask, a_wait_grows_no_longer_than_the_whole_may_take)
{
    struct flow f = {.job = &w.job, .random = 1};

    cr_expect_leq(flow_backoff_ms(&f, 1000), 2 * w.job.timeout_ms * 5 / 4);
    w.job.retry_delay_ms = 0;
    cr_expect_eq(flow_backoff_ms(&f, 1000), 0);
}

Test(dispatch_ask, words_that_do_not_fit_are_cut)
{
    char out[8];

    flow_words(out, sizeof(out), "%s", "0123456789");
    cr_expect_str_eq(out, "0123456");
}
