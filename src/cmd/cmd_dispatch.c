/*
 * backproof dispatch: start the backup workflow of each branch and prove that it started.
 *
 * This file reads options and prints. The work is in flow/dispatch.c.
 */
#include "cmd/cmds.h"
#include "cmd/registry.h"
#include "flow/dispatch.h"
#include "flow/preflight.h"
#include "flow/report.h"

static const enum bp_opt needs[] = {BP_OPT_REPO, BP_OPT_WORKFLOW, BP_OPT_COUNT};

static void report(struct bp_app *app, const struct bp_dispatch_job *job,
                   const struct bp_dispatch_results *results)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        bp_report_dispatch_json(job, results, &text);
    else
        bp_report_dispatch_text(results, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

/* A branch that failed beside others that did not must not go unseen. */
static void warn_of_failures(struct bp_app *app, const struct bp_dispatch_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];

        if (b->state == BP_BRANCH_FAILED)
            bp_warn(app->out, "branch '%s' %s: %s", b->branch,
                    b->code == BP_ETIMEOUT ? "timed out" : "was not started", b->reason);
    }
}

static enum bp_code dispatch(struct bp_app *app, struct bp_dispatch_job *job, struct bp_err *err)
{
    BP_AUTO(bp_forge_freep) struct bp_forge *forge = NULL;
    BP_AUTO(bp_dispatch_results_free) struct bp_dispatch_results results = {0};
    struct bp_preflight_job preflight = {
        .out = app->out,
        .repo = job->repo,
        .workflow = job->workflow,
        .retry = {.clock = app->clock, .retries = job->retries, .delay_ms = job->retry_delay_ms}};
    enum bp_code rc = BP_OK;

    if (bp_registry_forge(app, &forge, err) != BP_OK)
        return err->code;
    preflight.forge = forge;
    job->forge = forge;
    if (bp_preflight(&preflight, err) != BP_OK)
        return err->code;
    rc = bp_flow_dispatch(job, &results, err);
    if (results.count == 0)
        return rc;
    report(app, job, &results);
    warn_of_failures(app, &results);
    if (rc != BP_OK)
        return rc;
    return bp_report_dispatch_verdict(&results, bp_config_is(&app->cfg, BP_OPT_REQUIRE, "all"),
                                      err);
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;
    BP_AUTO(bp_json_freep) struct bp_json *inputs = NULL;
    struct bp_dispatch_job job = {
        .clock = app->clock,
        .out = app->out,
        .repo = bp_config_text(cfg, BP_OPT_REPO),
        .workflow = bp_config_text(cfg, BP_OPT_WORKFLOW),
        .branches = bp_config_list(cfg, BP_OPT_BRANCH),
        .retries = bp_config_number(cfg, BP_OPT_RETRIES),
        .retry_delay_ms = bp_config_number(cfg, BP_OPT_RETRY_DELAY),
        .settle_ms = bp_config_number(cfg, BP_OPT_SETTLE),
        .appear_timeout_ms = bp_config_number(cfg, BP_OPT_APPEAR_TIMEOUT),
        .poll_interval_ms = bp_config_number(cfg, BP_OPT_POLL_INTERVAL),
        .timeout_ms = bp_config_number(cfg, BP_OPT_TIMEOUT),
    };

    if (bp_preflight_repo_name(job.repo, err) != BP_OK ||
        bp_preflight_branches(job.branches, err) != BP_OK)
        return err->code;
    if (bp_config_text(cfg, BP_OPT_INPUTS) != NULL &&
        bp_preflight_inputs(bp_config_text(cfg, BP_OPT_INPUTS), &inputs, err) != BP_OK)
        return err->code;
    job.inputs = inputs;
    return dispatch(app, &job, err);
}

const struct bp_cmd bp_cmd_dispatch = {
    .doc =
        {.name = "dispatch",
         .args = "",
         .summary = "Start the backup workflow of each branch and prove that each run exists.",
         .details =
             "Validates the token, then sends one workflow_dispatch per branch and looks "
             "for its run until it is queued or beyond. Branches do not wait for each "
             "other. A request is sent again only when it was not processed, or when no "
             "run of it is found, so that a retry starts no second run. Succeeds when at least one branch "
             "was started; see --require.",
         .example = "WORKFLOW_TRIGGER_TOKEN=... backproof dispatch --repo myorg/myapp "
                    "--workflow backup.yml --branch main --branch dev",
         .groups = BP_GROUP_GENERAL | BP_GROUP_FORGE | BP_GROUP_DISPATCH},
    .needs = needs,
    .run = run,
};
