/* What becomes of a branch, and the status that its commit gets. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_verdict, .init = world_set_up, .fini = world_tear_down);

static const struct fake_asked *status_of(int which)
{
    for (int i = 0; i < w.forge.asked; i++) {
        if (w.forge.log[i].kind == BP_ASK_STATUS && which-- == 0)
            return &w.forge.log[i];
    }
    return NULL;
}

Test(dispatch_verdict, the_verdict_becomes_a_status_of_the_commit)
{
    (void)world_branch("main", 0, NULL);
    (void)world_branch("dev", 1, (enum fake_answer[]){FAKE_REJECTED});
    w.job.status_context = "backproof/dispatch";
    world_run();
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_STATUS), 2);
    cr_assert_not_null(status_of(1));
    cr_expect_str_eq(status_of(0)->text, "failure: refused");
    cr_expect_str_eq(status_of(1)->text, "success: in_progress");
    cr_expect_geq(status_of(1)->at_ms - status_of(0)->at_ms, 1000);
}

Test(dispatch_verdict, a_status_that_cannot_be_set_is_a_warning)
{
    (void)world_branch("main", 0, NULL);
    (void)fake_forge_fault(&w.forge, BP_ASK_STATUS, 100, BP_EAUTH);
    w.job.status_context = "backproof/dispatch";
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_not_null(strstr(w.printed, "cannot set the commit status"));
}

Test(dispatch_verdict, a_status_reveals_no_secret_and_tells_no_hint)
{
    struct fake_branch *b = world_branch("main", 1, (enum fake_answer[]){FAKE_OK});

    bp_secrets_add(&w.out.secrets, "in_progress: why not");
    bp_secrets_add(&w.out.secrets, "skipped");
    b->plan.finish_ms = 0;
    b->plan.conclusion = "skipped";
    w.job.status_context = "backproof/dispatch";
    world_run();
    cr_expect_str_eq(status_of(0)->text, "failure: run 100 never started: ***");
    bp_secrets_free(&w.out.secrets);
}

Test(dispatch_verdict, a_limit_beyond_the_deadline_leaves_out_the_status)
{
    (void)world_branch("main", 1, (enum fake_answer[]){FAKE_LIMITED});
    w.forge.retry_after_ms = 3600000;
    w.job.status_context = "backproof/dispatch";
    world_run();
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_STATUS), 0);
    cr_expect_leq(w.clock.now_ms, 1000);
    cr_expect_not_null(strstr(w.printed, "no commit status"));
}

Test(dispatch_verdict, commit_statuses_do_not_delay_dispatches)
{
    struct fake_branch *last = NULL;
    char name[16];

    w.job.status_context = "backproof/dispatch";
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "b%d", i);
        last = world_branch(name, 0, NULL);
    }
    world_run();
    cr_expect_eq(last->sent_at_ms[0], 19000);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_STATUS), 20);
}
