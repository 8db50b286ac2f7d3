/* The look before the work, what is left out, and the status afterwards. */
#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_dispatch_world.h"

TestSuite(dispatch_workflow, .init = world_set_up, .fini = world_tear_down);

static const struct bp_finding *finding(const char *words)
{
    for (size_t i = 0; i < w.results.findings.count; i++) {
        if (strstr(w.results.findings.at[i].what, words) != NULL)
            return &w.results.findings.at[i];
    }
    return NULL;
}

Test(dispatch_workflow, check_looks_at_everything_and_changes_nothing)
{
    (void)world_branch("main", 0, NULL);
    (void)world_branch("dev", 0, NULL);
    w.job.check_only = true;
    world_run();
    for (int i = 0; i < w.forge.asked; i++)
        cr_expect_not(bp_ask_changes(w.forge.log[i].kind));
    world_expect(0, BP_VERDICT_CHECKED, "a dispatch would work");
    cr_expect_eq(bp_findings_verdict(&w.results.findings), BP_OK);
    cr_expect_eq(w.results.findings.count, 3u + 3u + 2u * 2u);
}

Test(dispatch_workflow, check_without_a_branch_takes_the_default_branch)
{
    world_target("o/r", "", "backup.yml");
    w.job.check_only = true;
    world_run();
    cr_expect_not_null(finding("the branch exists"));
    cr_expect_str_eq(finding("the branch exists")->about, "o/r@main");
}

Test(dispatch_workflow, check_goes_on_after_a_branch_that_fails)
{
    (void)world_branch("gone", 1, (enum fake_answer[]){FAKE_NO_BRANCH});
    (void)world_branch("main", 0, NULL);
    w.job.check_only = true;
    world_run();
    cr_expect_eq(bp_findings_verdict(&w.results.findings), BP_ENOTFOUND);
    world_expect(1, BP_VERDICT_CHECKED, "");
}

Test(dispatch_workflow, a_token_that_is_no_good_stops_everything)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    w.forge.repo_result = BP_EAUTH;
    world_run();
    cr_expect_eq(w.results.at[0].code, BP_EAUTH);
    cr_expect_eq(b->dispatches, 0);
    cr_expect_eq(w.forge.asked, 1);
}

Test(dispatch_workflow, an_outage_at_the_first_look_is_waited_for)
{
    (void)world_branch("main", 0, NULL);
    (void)fake_forge_fault(&w.forge, BP_ASK_REPO, 3, BP_EUNAVAILABLE);
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_workflow, actions_that_are_off_stop_the_repository)
{
    (void)world_branch("main", 0, NULL);
    w.forge.actions_off = true;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "Actions is off in 'o/r'; hint: Settings");
}

Test(dispatch_workflow, what_may_not_be_asked_stops_nothing)
{
    (void)world_branch("main", 0, NULL);
    (void)fake_forge_fault(&w.forge, BP_ASK_ACTIONS, 1, BP_EAUTH);
    (void)fake_forge_fault(&w.forge, BP_ASK_BRANCH, 1, BP_EAUTH);
    (void)fake_forge_fault(&w.forge, BP_ASK_TRIGGER, 1, BP_EAUTH);
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_eq(finding("whether Actions is on")->level, BP_FOUND_UNKNOWN);
}

Test(dispatch_workflow, the_token_of_a_workflow_is_not_asked_what_it_cannot_know)
{
    (void)world_branch("main", 1, (enum fake_answer[]){FAKE_OK_NO_ID});
    w.forge.token.robot = true;
    w.forge.actor = "github-actions[bot]";
    world_run();
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_ACTIONS), 0);
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_USER), 0);
    world_expect(0, BP_VERDICT_STARTED, "");
}

Test(dispatch_workflow, a_disabled_workflow_is_named_with_its_fix)
{
    (void)world_branch("main", 0, NULL);
    w.forge.state = "disabled_inactivity";
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "dispatch --enable-inactive enables it");
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_ENABLE), 0);
}

Test(dispatch_workflow, one_that_slept_is_enabled_when_that_is_asked_for)
{
    (void)world_branch("main", 0, NULL);
    w.forge.state = "disabled_inactivity";
    w.job.enable_inactive = true;
    world_run();
    world_expect(0, BP_VERDICT_STARTED, "");
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_ENABLE), 1);
}

Test(dispatch_workflow, one_that_a_person_disabled_is_never_enabled)
{
    (void)world_branch("main", 0, NULL);
    w.forge.state = "disabled_manually";
    w.job.enable_inactive = true;
    world_run();
    world_expect(0, BP_VERDICT_FAILED, "somebody disabled it");
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_ENABLE), 0);
}

Test(dispatch_workflow, check_does_not_enable)
{
    (void)world_branch("main", 0, NULL);
    w.forge.state = "disabled_inactivity";
    w.job.enable_inactive = true;
    w.job.check_only = true;
    world_run();
    cr_expect_eq(fake_forge_asked(&w.forge, BP_ASK_ENABLE), 0);
    cr_expect_eq(bp_findings_verdict(&w.results.findings), BP_EFAILED);
}

Test(dispatch_workflow, a_dry_run_says_that_it_would_enable_and_counts_no_request)
{
    struct bp_forge *dry = bp_forge_dry_new(&w.forge.base);

    (void)world_branch("main", 0, NULL);
    w.forge.state = "disabled_inactivity";
    w.job.enable_inactive = true;
    w.job.forge = dry;
    world_run();
    cr_expect_not_null(finding("would be enabled"));
    cr_expect_eq(w.results.requests, w.forge.asked);
    bp_forge_freep(&dry);
}

Test(dispatch_workflow, one_that_is_given_by_file_and_number_is_dispatched_once)
{
    struct fake_branch *b = world_branch("main", 0, NULL);

    world_target("O/R", "main", "7"); /* its number at this forge */
    world_run();
    cr_expect_eq(b->dispatches, 1);
    cr_expect_eq(w.results.succeeded, 1u);
    cr_expect_not_null(strstr(w.printed, "is given twice"));
}
