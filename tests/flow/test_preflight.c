#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "flow/preflight.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static struct bp_findings findings;
static struct bp_err err;

static void tear_down(void)
{
    bp_findings_free(&findings);
}

TestSuite(preflight, .fini = tear_down);

/* The newest finding. */
static void expect(enum bp_finding_level level, const char *what, const char *fix)
{
    const struct bp_finding *last = NULL;

    cr_assert_gt(findings.count, 0u);
    last = &findings.at[findings.count - 1];
    cr_expect_eq(last->level, level, "%s", last->what);
    cr_expect_not_null(strstr(last->what, what), "%s", last->what);
    cr_expect_not_null(strstr(last->fix, fix), "%s", last->fix);
}

Test(preflight, a_token_that_expires_soon_is_a_warning)
{
    struct bp_forge_token token = {.kind = "classic personal access token",
                                   .expires_ms = 100 * DAY_MS};

    bp_preflight_token(&findings, &token, 86 * DAY_MS, 14 * DAY_MS);
    expect(BP_FOUND_OK, "classic personal access token, valid for 14 days, until 1970-04-11", "");
    bp_preflight_token(&findings, &token, 86 * DAY_MS + 1, 14 * DAY_MS);
    expect(BP_FOUND_WARNING, "expires in 13 days, at 1970-04-11", "make a new one");
    bp_preflight_token(&findings, &token, 98 * DAY_MS + 1, 14 * DAY_MS);
    expect(BP_FOUND_WARNING, "expires in 1 day, at", "");
    token.expires_ms = 0;
    bp_preflight_token(&findings, &token, 86 * DAY_MS, 14 * DAY_MS);
    expect(BP_FOUND_OK, "without a known end", "");
}

Test(preflight, a_clock_that_is_off_is_a_warning)
{
    struct bp_reply reply = {.date_ms = 100 * DAY_MS};

    bp_preflight_clock(&findings, &reply, reply.date_ms + 59000);
    expect(BP_FOUND_OK, "agrees", "");
    bp_preflight_clock(&findings, &reply, reply.date_ms + 600000);
    expect(BP_FOUND_WARNING, "10 m 00 s ahead of the server", "NTP");
    bp_preflight_clock(&findings, &reply, reply.date_ms - 600000);
    expect(BP_FOUND_WARNING, "10 m 00 s behind the server", "NTP");
    reply.date_ms = 0;
    bp_preflight_clock(&findings, &reply, 5);
    expect(BP_FOUND_UNKNOWN, "does not tell", "");
}

Test(preflight, a_budget_that_will_not_do_is_a_warning)
{
    struct bp_reply reply = {.budget = 1000, .remaining = 84, .reset_in_ms = 600000};

    bp_preflight_budget(&findings, &reply, 20);
    expect(BP_FOUND_OK, "84 of 1000 requests are left", "");
    reply.remaining = 83;
    bp_preflight_budget(&findings, &reply, 20);
    expect(BP_FOUND_WARNING, "only 83 of 1000 requests are left, about 84 are needed",
           "renewed in 10 m 00 s");
    reply.remaining = -1;
    bp_preflight_budget(&findings, &reply, 20);
    expect(BP_FOUND_OK, "tells none", "");
}

Test(preflight, a_repository_that_takes_no_run_is_a_failure)
{
    struct bp_forge_repo repo = {.archived = true};

    cr_expect_eq(bp_preflight_repo(&findings, "o/r", &repo, &err), BP_EFAILED);
    expect(BP_FOUND_FAILURE, "'o/r' is archived", "unarchive");
    repo = (struct bp_forge_repo){.disabled = true};
    cr_expect_eq(bp_preflight_repo(&findings, "o/r", &repo, &err), BP_EFAILED);
    repo = (struct bp_forge_repo){0};
    cr_expect_eq(bp_preflight_repo(&findings, "o/r", &repo, &err), BP_OK);
    expect(BP_FOUND_OK, "sees the repository", "");
}

Test(preflight, a_token_that_may_not_write_is_a_warning)
{
    struct bp_forge_repo repo = {.token = {.may_dispatch = BP_NO, .scopes = "gist"}};

    cr_expect_eq(bp_preflight_repo(&findings, "o/r", &repo, &err), BP_OK);
    expect(BP_FOUND_WARNING, "scope gist may not start a workflow", "scope repo");
}

Test(preflight, a_workflow_that_is_off_is_a_failure_with_its_fix)
{
    static const char *const states[][2] = {
        {"disabled_manually", "somebody disabled it"},
        {"disabled_inactivity", "dispatch --enable-inactive"},
        {"disabled_fork", "of a fork"},
        {"deleted", "put it back"},
        {"something_new", "Actions page"},
    };
    struct bp_forge_workflow workflow = {.state = "active"};

    cr_expect_eq(bp_preflight_workflow(&findings, "o/r", "backup.yml", &workflow, &err), BP_OK);
    expect(BP_FOUND_OK, "'backup.yml' is active", "");
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(workflow.state, sizeof(workflow.state), "%s", states[i][0]);
        cr_expect_eq(bp_preflight_workflow(&findings, "o/r", "backup.yml", &workflow, &err),
                     BP_EFAILED);
        expect(BP_FOUND_FAILURE, states[i][0], states[i][1]);
    }
}
