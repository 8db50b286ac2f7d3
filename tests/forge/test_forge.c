#include <criterion/criterion.h>

#include "forge/test_github_support.h"

static struct bp_forge *dry;

static void set_up(void)
{
    github_set_up();
    dry = bp_forge_dry_new(rig.forge);
    rig.forge = NULL; /* dry has it */
}

static void tear_down(void)
{
    bp_forge_freep(&dry);
    cr_expect_null(dry);
}

TestSuite(forge, .init = set_up, .fini = tear_down);

static struct bp_ask *next_done(void)
{
    struct bp_ask *done = NULL;

    cr_assert_eq(dry->ops->wait(dry, 0, NULL, &done, &rig.err), BP_OK);
    return done;
}

Test(forge, knows_which_questions_change_something)
{
    static const bool changes[BP_ASK_COUNT] = {[BP_ASK_ENABLE] = true,
                                               [BP_ASK_DISPATCH] = true,
                                               [BP_ASK_CANCEL] = true,
                                               [BP_ASK_STATUS] = true};

    for (int i = 0; i < BP_ASK_COUNT; i++)
        cr_expect_eq(bp_ask_changes((enum bp_ask_kind)i), changes[i], "kind %d", i);
}

Test(forge, a_dry_one_reads_through_and_sends_no_change)
{
    struct bp_forge_workflow workflow;
    struct bp_dispatched dispatched = {.run_id = 7, .url = "x"};
    struct bp_ask read = {
        .kind = BP_ASK_WORKFLOW, .repo = "o/r", .workflow = "b.yml", .out.workflow = &workflow};
    struct bp_ask dispatch = {.kind = BP_ASK_DISPATCH,
                              .repo = "o/r",
                              .workflow = "b.yml",
                              .branch = "main",
                              .err.code = BP_EFAILED,
                              .out.dispatched = &dispatched};
    struct bp_ask enable = {.kind = BP_ASK_ENABLE, .repo = "o/r", .workflow = "b.yml"};
    struct bp_ask cancel = {.kind = BP_ASK_CANCEL, .repo = "o/r", .run_id = 1};
    struct bp_ask status = {.kind = BP_ASK_STATUS, .repo = "o/r", .commit = "c"};
    struct bp_ask *const all[] = {&read, &dispatch, &enable, &cancel, &status};

    rig.http.exchanges[0] =
        (struct fake_exchange){.status = 200, .body = "{\"state\": \"active\"}"};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        dry->ops->begin(dry, all[i]);
        cr_expect_not_null(all[i]->exchange, "question %zu", i);
    }
    for (size_t i = 1; i < COUNT_OF(all); i++) {
        cr_expect_eq(next_done(), all[i], "what is answered already comes first, in order");
        cr_expect_eq(all[i]->err.code, BP_OK);
        cr_expect_null(all[i]->exchange);
        cr_expect_eq(all[i]->reply.remaining, -1);
    }
    cr_expect_eq(dispatched.outcome, BP_DISPATCH_DRY_RUN);
    cr_expect_eq(dispatched.run_id, 0);
    cr_expect_str_eq(dispatched.url, "");
    cr_expect_eq(next_done(), &read);
    cr_expect_str_eq(workflow.state, "active");
    cr_expect_eq(rig.http.count, 1, "one request alone");
    cr_expect_null(next_done());
}

Test(forge, a_dry_one_drops_both_kinds)
{
    bool flag = false;
    struct bp_ask read = {.kind = BP_ASK_ACTIONS, .repo = "o/r", .out.flag = &flag};
    struct bp_ask first = {.kind = BP_ASK_CANCEL, .repo = "o/r", .run_id = 1};
    struct bp_ask second = {.kind = BP_ASK_CANCEL, .repo = "o/r", .run_id = 2};
    struct bp_ask never = {.kind = BP_ASK_CANCEL, .repo = "o/r", .run_id = 3};

    dry->ops->begin(dry, &read);
    dry->ops->begin(dry, &first);
    dry->ops->begin(dry, &second);
    dry->ops->drop(dry, &read);
    dry->ops->drop(dry, &first);
    dry->ops->drop(dry, &first);
    dry->ops->drop(dry, &never);
    cr_expect_null(read.exchange);
    cr_expect_null(first.exchange);
    cr_expect_eq(fake_http_under_way(&rig.http), 0);
    cr_expect_eq(next_done(), &second);
    cr_expect_null(next_done());
}

Test(forge, a_dry_one_stops_as_soon_as_it_is_asked_to)
{
    const struct bp_stop stop = {.signal = 15, .fd = -1};
    struct bp_ask ask = {.kind = BP_ASK_CANCEL, .repo = "o/r", .run_id = 1};
    struct bp_ask *done = NULL;

    dry->ops->begin(dry, &ask);
    cr_expect_eq(dry->ops->wait(dry, -1, &stop, &done, &rig.err), BP_ESTOPPED);
    cr_expect_null(done);
    cr_expect_not_null(ask.exchange);
    dry->ops->drop(dry, &ask);
    cr_expect_eq(dry->ops->wait(dry, -1, &stop, &done, &rig.err), BP_ESTOPPED);
}
