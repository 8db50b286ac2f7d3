#include "flow/preflight.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    CLOCK_OFF_MS = 60 * 1000, /* network and whole seconds explain less */
    REQUESTS_PER_BRANCH = 4,
    REQUESTS_BESIDES = 4
};

void bp_preflight_token(struct bp_findings *findings, const struct bp_forge_token *token,
                        int64_t now_ms, int64_t warn_ms)
{
    char when[BP_TIME_SIZE];
    int64_t days = (token->expires_ms - now_ms) / DAY_MS;

    if (token->expires_ms == 0) {
        bp_findings_add(findings, BP_FOUND_OK, "token", "%s, valid%s", token->kind,
                        token->robot ? "" : ", without a known end");
        return;
    }
    bp_time_format(token->expires_ms, when);
    if (token->expires_ms - now_ms >= warn_ms)
        bp_findings_add(findings, BP_FOUND_OK, "token", "%s, valid for %" PRId64 " days, until %s",
                        token->kind, days, when);
    else
        bp_findings_add(findings, BP_FOUND_WARNING, "token",
                        "%s, expires in %" PRId64 " %s, at %s; hint: make a new one now and set it "
                        "as WORKFLOW_TRIGGER_TOKEN",
                        token->kind, days, days == 1 ? "day" : "days", when);
}

void bp_preflight_clock(struct bp_findings *findings, const struct bp_reply *reply, int64_t now_ms)
{
    BP_AUTO(bp_buf_free) struct bp_buf off = {0};
    int64_t off_ms = now_ms - reply->date_ms;

    if (reply->date_ms == 0) {
        bp_findings_add(findings, BP_FOUND_UNKNOWN, "clock", "the server does not tell its time");
        return;
    }
    bp_put_duration(&off, off_ms < 0 ? -off_ms : off_ms);
    if (off_ms > -CLOCK_OFF_MS && off_ms < CLOCK_OFF_MS)
        bp_findings_add(findings, BP_FOUND_OK, "clock", "agrees with the server's");
    else
        bp_findings_add(findings, BP_FOUND_WARNING, "clock",
                        "this machine is %s %s the server; hint: set its clock (NTP): archives are "
                        "named by it",
                        bp_buf_str(&off), off_ms < 0 ? "behind" : "ahead of");
}

void bp_preflight_budget(struct bp_findings *findings, const struct bp_reply *reply,
                         size_t branches)
{
    int64_t needed = REQUESTS_BESIDES + REQUESTS_PER_BRANCH * (int64_t)branches;
    BP_AUTO(bp_buf_free) struct bp_buf wait = {0};

    if (reply->remaining < 0 || reply->budget < 0) {
        bp_findings_add(findings, BP_FOUND_OK, "rate limit", "the server tells none");
        return;
    }
    if (reply->remaining >= needed) {
        bp_findings_add(findings, BP_FOUND_OK, "rate limit",
                        "%" PRId64 " of %" PRId64 " requests are left", reply->remaining,
                        reply->budget);
        return;
    }
    bp_put_duration(&wait, reply->reset_in_ms > 0 ? reply->reset_in_ms : 0);
    bp_findings_add(findings, BP_FOUND_WARNING, "rate limit",
                    "only %" PRId64 " of %" PRId64 " requests are left, about %" PRId64
                    " are needed; hint: they are renewed in %s; give this job a token of its own",
                    reply->remaining, reply->budget, needed, bp_buf_str(&wait));
}

static enum bp_code failed(struct bp_findings *findings, const char *about,
                           const struct bp_err *err)
{
    bp_findings_fail(findings, about, err);
    return err->code;
}

enum bp_code bp_preflight_repo(struct bp_findings *findings, const char *name,
                               const struct bp_forge_repo *repo, struct bp_err *err)
{
    if (repo->archived || repo->disabled) {
        (void)bp_fail(err, BP_EFAILED, "repository '%s' is %s; hint: %s", name,
                      repo->archived ? "archived" : "disabled",
                      repo->archived ? "unarchive it in its settings"
                                     : "its owner has to contact the server's support");
        return failed(findings, name, err);
    }
    if (repo->token.may_dispatch == BP_NO)
        bp_findings_add(findings, BP_FOUND_WARNING, name,
                        "the token sees the repository, but its %s%s may not start a workflow; "
                        "hint: its owner needs write access, and a classic token the scope repo",
                        repo->token.scopes[0] != '\0' ? "owner, or its scope " : "owner",
                        repo->token.scopes);
    else
        bp_findings_add(findings, BP_FOUND_OK, name, "the token sees the repository");
    return BP_OK;
}

bool bp_preflight_is_inactive(const struct bp_forge_workflow *workflow)
{
    return strcmp(workflow->state, "disabled_inactivity") == 0;
}

/* Why a workflow is disabled, and what helps. */
static const char *state_hint(const struct bp_forge_workflow *workflow)
{
    if (bp_preflight_is_inactive(workflow))
        return "the server disabled it because nothing happened in the repository for 60 days; "
               "dispatch --enable-inactive enables it";
    if (strcmp(workflow->state, "disabled_fork") == 0)
        return "workflows of a fork are off until somebody enables them on its Actions page";
    if (strcmp(workflow->state, "deleted") == 0)
        return "its file is gone from the default branch: put it back";
    return "somebody disabled it; enable it on the repository's Actions page";
}

enum bp_code bp_preflight_workflow(struct bp_findings *findings, const char *repo, const char *file,
                                   const struct bp_forge_workflow *workflow, struct bp_err *err)
{
    if (strcmp(workflow->state, "active") != 0) {
        (void)bp_fail(err, BP_EFAILED,
                      "workflow '%s' is %s; hint: %s, or: gh workflow enable %s "
                      "-R %s",
                      file, workflow->state, state_hint(workflow), file, repo);
        return failed(findings, repo, err);
    }
    bp_findings_add(findings, BP_FOUND_OK, repo, "workflow '%s' is active", file);
    return BP_OK;
}
