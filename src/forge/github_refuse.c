#include "forge/github_refuse.h"

#include <inttypes.h>
#include <string.h>

#include "forge/github_ask.h"
#include "forge/github_trigger.h"

/*
 * A server that was asked to dispatch and then failed may have done it. A rate limit is checked
 * before anything is done.
 */
enum bp_dispatch_outcome bp_github_outcome(const struct bp_github_answer *answer,
                                           const struct bp_reply *reply, const struct bp_err *err)
{
    if (reply->limited != BP_LIMIT_NONE)
        return BP_DISPATCH_LIMITED;
    if (answer->status >= 500 || answer->status == 408)
        return BP_DISPATCH_AMBIGUOUS;
    if (answer->status > 0 || err->code == BP_EUSAGE)
        return BP_DISPATCH_REJECTED;
    return answer->maybe_sent ? BP_DISPATCH_AMBIGUOUS : BP_DISPATCH_NOT_SENT;
}

/* ---- reading ---- */

static void explain_repo(const struct bp_ask *ask, const struct bp_github_answer *answer,
                         struct bp_err *err)
{
    (void)answer;
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code,
                      "no repository '%s', or the token may not see it; hint: check --repo, and "
                      "that the token was given access to this repository",
                      ask->repo);
    else
        (void)bp_wrap(err, "repository '%s'", ask->repo);
}

static void explain_actions(const struct bp_ask *ask, const struct bp_github_answer *answer,
                            struct bp_err *err)
{
    /* Only administrators see the setting; a 404 says the same to others. */
    if (err->code == BP_EAUTH || err->code == BP_ENOTFOUND)
        (void)bp_fail(err, BP_EAUTH, "the token may not know whether Actions is on in '%s' (%s)",
                      ask->repo, answer->words);
    else
        (void)bp_wrap(err, "whether Actions is on in '%s'", ask->repo);
}

static void explain_workflow(const struct bp_ask *ask, const struct bp_github_answer *answer,
                             struct bp_err *err)
{
    (void)answer;
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code,
                      "no workflow '%s' in '%s'; hint: the file must be in .github/workflows on "
                      "the default branch",
                      ask->workflow, ask->repo);
    else
        (void)bp_wrap(err, "workflow '%s' in '%s'", ask->workflow, ask->repo);
}

static void explain_branch(const struct bp_ask *ask, const struct bp_github_answer *answer,
                           struct bp_err *err)
{
    (void)answer;
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code, "no branch '%s' in '%s'", ask->branch, ask->repo);
    else
        (void)bp_wrap(err, "branch '%s' in '%s'", ask->branch, ask->repo);
}

static void explain_trigger(const struct bp_ask *ask, const struct bp_github_answer *answer,
                            struct bp_err *err)
{
    if (answer->status >= 200 && answer->status < 300)
        return; /* about the file itself, and says so */
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code,
                      "branch '%s' has no .github/workflows/%s; hint: merge it from the default "
                      "branch",
                      ask->branch, bp_github_workflow_file(ask->workflow));
    else
        (void)bp_wrap(err, "'%s' on branch '%s'", ask->workflow, ask->branch);
}

static void explain_user(const struct bp_ask *ask, const struct bp_github_answer *answer,
                         struct bp_err *err)
{
    (void)ask;
    if (answer->status == 403 && err->code == BP_EAUTH)
        (void)bp_fail(err, err->code, "the token belongs to no user (%s)", answer->words);
    else
        (void)bp_wrap(err, "who the token belongs to");
}

static void explain_run(const struct bp_ask *ask, const struct bp_github_answer *answer,
                        struct bp_err *err)
{
    (void)answer;
    (void)bp_wrap(err, "run %" PRId64, ask->run_id);
}

static void explain_runs(const struct bp_ask *ask, const struct bp_github_answer *answer,
                         struct bp_err *err)
{
    (void)answer;
    (void)bp_wrap(err, "runs of '%s' in '%s'", ask->workflow, ask->repo);
}

static void explain_jobs(const struct bp_ask *ask, const struct bp_github_answer *answer,
                         struct bp_err *err)
{
    (void)answer;
    (void)bp_wrap(err, "jobs of run %" PRId64, ask->run_id);
}

static void explain_holdup(const struct bp_ask *ask, const struct bp_github_answer *answer,
                           struct bp_err *err)
{
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code,
                      "the server does not tell what holds run %" PRId64 " back (%s)", ask->run_id,
                      answer->words);
    else
        (void)bp_wrap(err, "what holds run %" PRId64 " back", ask->run_id);
}

/* ---- changing something ---- */

/* By the words of GitHub, as users have seen them: the documentation names no refusals. */
static bool explain_state(const struct bp_ask *ask, const struct bp_github_answer *answer,
                          struct bp_err *err)
{
    if (err->code == BP_EUNAVAILABLE)
        return false; /* an outage or a limit, whatever words come with it */
    if (strcasestr(answer->message, "archived") != NULL) {
        (void)bp_fail(err, BP_EFAILED,
                      "'%s' is archived, so nothing runs in it (%s); hint: Settings, General: "
                      "unarchive it",
                      ask->repo, answer->words);
        return true;
    }
    if (strcasestr(answer->message, "Actions has been disabled") != NULL ||
        strcasestr(answer->message, "Actions is disabled") != NULL) {
        (void)bp_fail(err, BP_EFAILED,
                      "Actions is off in '%s' (%s); hint: Settings, Actions, General: allow "
                      "actions",
                      ask->repo, answer->words);
        return true;
    }
    return false;
}

static bool is_about_inputs(const char *message)
{
    return strstr(message, "Unexpected inputs") != NULL ||
           strstr(message, "Required input") != NULL ||
           strstr(message, "list of allowed values") != NULL;
}

static void explain_dispatch(const struct bp_ask *ask, const struct bp_github_answer *answer,
                             struct bp_err *err)
{
    const char *message = answer->message;

    if (answer->status < 300 || answer->status >= 500 || err->code == BP_EUNAVAILABLE)
        return;
    if (err->code == BP_ENOTFOUND)
        (void)bp_fail(err, err->code, "no workflow '%s' in '%s', or the token may not start it",
                      ask->workflow, ask->repo);
    else if (strstr(message, "No ref found") != NULL)
        (void)bp_fail(err, BP_ENOTFOUND, "no branch '%s' in '%s'", ask->branch, ask->repo);
    else if (strstr(message, "workflow_dispatch") != NULL &&
             strstr(message, "does not have") != NULL)
        (void)bp_github_no_trigger(ask, err);
    else if (strstr(message, "disabled workflow") != NULL)
        (void)bp_fail(err, BP_EFAILED, "'%s' is disabled; hint: gh workflow enable %s -R %s",
                      ask->workflow, ask->workflow, ask->repo);
    else if (is_about_inputs(message))
        (void)bp_fail(err, BP_EFAILED,
                      "'%s' on branch '%s' does not take these inputs (%s); hint: compare --inputs "
                      "with 'inputs:' in the file on that branch",
                      ask->workflow, ask->branch, answer->words);
    else
        (void)explain_state(ask, answer, err);
}

static void explain_enable(const struct bp_ask *ask, const struct bp_github_answer *answer,
                           struct bp_err *err)
{
    if (!explain_state(ask, answer, err))
        explain_workflow(ask, answer, err);
}

static void explain_cancel(const struct bp_ask *ask, const struct bp_github_answer *answer,
                           struct bp_err *err)
{
    if (answer->status == 409)
        (void)bp_fail(err, BP_ELOCKED, "run %" PRId64 " has ended already (%s)", ask->run_id,
                      answer->words);
    else
        (void)bp_wrap(err, "cancelling run %" PRId64, ask->run_id);
}

static void explain_status(const struct bp_ask *ask, const struct bp_github_answer *answer,
                           struct bp_err *err)
{
    (void)answer;
    (void)bp_wrap(err, "status of commit %.12s in '%s'", ask->commit, ask->repo);
}

void bp_github_explain(const struct bp_ask *ask, const struct bp_github_answer *answer,
                       struct bp_err *err)
{
    static void (*const explain[BP_ASK_COUNT])(const struct bp_ask *,
                                               const struct bp_github_answer *, struct bp_err *) = {
        [BP_ASK_REPO] = explain_repo,         [BP_ASK_ACTIONS] = explain_actions,
        [BP_ASK_WORKFLOW] = explain_workflow, [BP_ASK_BRANCH] = explain_branch,
        [BP_ASK_TRIGGER] = explain_trigger,   [BP_ASK_USER] = explain_user,
        [BP_ASK_RUN] = explain_run,           [BP_ASK_RUNS] = explain_runs,
        [BP_ASK_JOBS] = explain_jobs,         [BP_ASK_HOLDUP] = explain_holdup,
        [BP_ASK_ENABLE] = explain_enable,     [BP_ASK_DISPATCH] = explain_dispatch,
        [BP_ASK_CANCEL] = explain_cancel,     [BP_ASK_STATUS] = explain_status,
    };

    explain[ask->kind](ask, answer, err);
}
