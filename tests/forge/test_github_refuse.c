#include <criterion/criterion.h>
#include <string.h>

#include "forge/test_github_support.h"

TestSuite(github_refuse, .init = github_set_up, .fini = github_tear_down);

/* Any answer's place: none of these questions gets one. */
static union {
    struct bp_forge_repo repo;
    struct bp_forge_workflow workflow;
    struct bp_run run;
    struct bp_runs runs;
    struct bp_run_jobs jobs;
    struct bp_holdup holdup;
    struct bp_dispatched dispatched;
    char text[128];
    bool flag;
} place;

static struct bp_ask question(enum bp_ask_kind kind)
{
    return (struct bp_ask){.kind = kind,
                           .repo = "o/r",
                           .workflow = "b.yml",
                           .branch = "dev",
                           .run_id = 5,
                           .status = "pending",
                           .commit = "0123456789abcdef",
                           .context = "c",
                           .text = "t",
                           .out.repo = &place.repo};
}

Test(github_refuse, tells_what_was_asked_for)
{
    static const struct {
        enum bp_ask_kind kind;
        int status;
        const char *message;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {BP_ASK_REPO, 404, "Not Found", BP_ENOTFOUND, "no repository 'o/r', or the token may not"},
        {BP_ASK_REPO, 500, "", BP_EUNAVAILABLE, "repository 'o/r': the server has a problem"},
        {BP_ASK_REPO, 451, "", BP_EFAILED, "repository 'o/r': GET https://api.test/api/v3/repos"},
        {BP_ASK_ACTIONS, 403, "Resource not accessible by integration", BP_EAUTH,
         "the token may not know whether Actions is on in 'o/r' (HTTP 403 \"Resource"},
        {BP_ASK_ACTIONS, 404, "Not Found", BP_EAUTH, "the token may not know"},
        {BP_ASK_ACTIONS, 502, "", BP_EUNAVAILABLE, "whether Actions is on in 'o/r': the server"},
        {BP_ASK_WORKFLOW, 404, "", BP_ENOTFOUND, "no workflow 'b.yml' in 'o/r'; hint: the file"},
        {BP_ASK_WORKFLOW, 401, "", BP_EAUTH, "workflow 'b.yml' in 'o/r': the token is not valid"},
        {BP_ASK_BRANCH, 404, "", BP_ENOTFOUND, "no branch 'dev' in 'o/r'"},
        {BP_ASK_BRANCH, 500, "", BP_EUNAVAILABLE, "branch 'dev' in 'o/r': the server"},
        {BP_ASK_TRIGGER, 404, "", BP_ENOTFOUND,
         "branch 'dev' has no .github/workflows/b.yml; hint: merge it from the default branch"},
        {BP_ASK_TRIGGER, 403, "", BP_EAUTH, "'b.yml' on branch 'dev': the token may not do this"},
        {BP_ASK_TRIGGER, 500, "", BP_EUNAVAILABLE, "'b.yml' on branch 'dev': the server"},
        {BP_ASK_USER, 403, "Resource not accessible by integration", BP_EAUTH,
         "the token belongs to no user"},
        {BP_ASK_USER, 429, "", BP_EUNAVAILABLE, "who the token belongs to: the rate limit"},
        {BP_ASK_USER, 403, "secondary rate limit", BP_EUNAVAILABLE, "the rate limit is reached"},
        {BP_ASK_RUN, 404, "", BP_ENOTFOUND, "run 5: not found (HTTP 404)"},
        {BP_ASK_RUNS, 404, "", BP_ENOTFOUND, "runs of 'b.yml' in 'o/r': not found"},
        {BP_ASK_JOBS, 404, "", BP_ENOTFOUND, "jobs of run 5: not found"},
        {BP_ASK_HOLDUP, 404, "", BP_ENOTFOUND,
         "the server does not tell what holds run 5 back (HTTP 404)"},
        {BP_ASK_HOLDUP, 500, "", BP_EUNAVAILABLE, "what holds run 5 back: the server"},
        {BP_ASK_ENABLE, 404, "", BP_ENOTFOUND, "no workflow 'b.yml' in 'o/r'"},
        {BP_ASK_ENABLE, 403, "Repository was archived so is read-only.", BP_EFAILED,
         "'o/r' is archived"},
        {BP_ASK_ENABLE, 403, "Resource not accessible", BP_EAUTH,
         "workflow 'b.yml' in 'o/r': the token may not"},
        {BP_ASK_CANCEL, 409, "Cannot cancel a workflow run that is completed.", BP_ELOCKED,
         "run 5 has ended already (HTTP 409 \"Cannot cancel"},
        {BP_ASK_CANCEL, 403, "", BP_EAUTH, "cancelling run 5: the token may not do this"},
        {BP_ASK_CANCEL, 500, "", BP_EUNAVAILABLE, "cancelling run 5: the server"},
        {BP_ASK_STATUS, 422, "odd", BP_EFAILED, "status of commit 0123456789ab in 'o/r': POST"},
        {BP_ASK_STATUS, 403, "", BP_EAUTH, "the token may not do this"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf body = {0};
        struct bp_ask ask = question(rows[i].kind);

        bp_buf_printf(&body, "{\"message\": \"%s\"}", rows[i].message);
        cr_expect_eq(github_answer(&ask, rows[i].status, body.data), rows[i].code, "row %zu: %s", i,
                     ask.err.msg);
        cr_expect(holds(ask.err.msg, rows[i].words), "row %zu: %s", i, ask.err.msg);
    }
}

Test(github_refuse, tells_why_a_dispatch_was_refused)
{
    static const struct {
        int status;
        const char *message;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {404, "Not Found", BP_ENOTFOUND, "no workflow 'b.yml' in 'o/r', or the token may not"},
        {422, "No ref found for: dev", BP_ENOTFOUND, "no branch 'dev' in 'o/r'"},
        {422, "Workflow does not have 'workflow_dispatch' trigger", BP_EFAILED,
         "'b.yml' on branch 'dev' has no workflow_dispatch trigger; hint: add "
         "'workflow_dispatch:' under 'on:'"},
        {422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow", BP_EFAILED,
         "'b.yml' is disabled; hint: gh workflow enable b.yml -R o/r"},
        {403, "Cannot trigger a 'workflow_dispatch' on a disabled workflow", BP_EFAILED,
         "gh workflow enable"},
        {422, "Unexpected inputs provided: ['x']", BP_EFAILED,
         "does not take these inputs (HTTP 422 \"Unexpected inputs provided: ['x']\")"},
        {422, "Required input 'x' not provided", BP_EFAILED, "Required input 'x' not provided"},
        {422, "Provided value 'y' for input 'x' not in the list of allowed values", BP_EFAILED,
         "Provided value 'y' for input 'x' not in the list of allowed values\"); hint: compare"},
        {403, "Repository was archived so is read-only.", BP_EFAILED, "hint: Settings, General"},
        {422, "Actions has been disabled for this repository.", BP_EFAILED,
         "Actions is off in 'o/r'"},
        {422, "Something new", BP_EFAILED, "was answered with HTTP 422 \"Something new\""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf body = {0};
        struct bp_ask ask = question(BP_ASK_DISPATCH);

        bp_buf_printf(&body, "{\"message\": \"%s\"}", rows[i].message);
        cr_expect_eq(github_answer(&ask, rows[i].status, body.data), rows[i].code, "row %zu: %s", i,
                     ask.err.msg);
        cr_expect(holds(ask.err.msg, rows[i].words), "row %zu: %s", i, ask.err.msg);
        cr_expect_eq(place.dispatched.outcome, BP_DISPATCH_REJECTED, "row %zu", i);
    }
}

Test(github_refuse, an_outage_is_not_explained_by_words_that_happen_to_be_in_it)
{
    static const enum bp_ask_kind kinds[] = {BP_ASK_DISPATCH, BP_ASK_ENABLE};
    static const int statuses[] = {500, 429};

    for (size_t i = 0; i < 4; i++) {
        struct bp_ask ask = question(kinds[i / 2]);

        cr_expect_eq(
            github_answer(&ask, statuses[i % 2], "{\"message\": \"No ref found: archived\"}"),
            BP_EUNAVAILABLE);
        cr_expect_not(holds(ask.err.msg, "no branch"), "%s", ask.err.msg);
        cr_expect_not(holds(ask.err.msg, "is archived"), "%s", ask.err.msg);
    }
}

Test(github_refuse, what_got_no_answer_is_named_too)
{
    for (int kind = 0; kind < BP_ASK_COUNT; kind++) {
        struct bp_ask ask = question((enum bp_ask_kind)kind);

        rig.http.exchanges[0] = (struct fake_exchange){.failure = BP_ETIMEOUT};
        cr_expect_eq(github_ask(&ask), BP_ETIMEOUT, "kind %d", kind);
        cr_expect(holds(ask.err.msg, "no answer"), "kind %d: %s", kind, ask.err.msg);
    }
}

Test(github_refuse, what_changes_something_may_succeed)
{
    static const struct {
        enum bp_ask_kind kind;
        int status;
        const char *method;
    } rows[] = {
        {BP_ASK_ENABLE, 204, "PUT"}, {BP_ASK_CANCEL, 202, "POST"}, {BP_ASK_STATUS, 201, "POST"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_ask ask = question(rows[i].kind);

        cr_expect_eq(github_answer(&ask, rows[i].status, ""), BP_OK, "row %zu", i);
        cr_expect_str_eq(rig.http.exchanges[0].method, rows[i].method);
    }
}
