/*
 * backproof dispatch: start the backup workflow of each branch and prove that it started.
 *
 * This file reads options and prints. The work is in flow/dispatch.c.
 */
#include "cmd/cmds.h"
#include "cmd/dispatch_setup.h"
#include "flow/report.h"
#include "gha/outputs.h"
#include "gha/summary.h"

static void print_results(struct bp_app *app, const struct bp_dispatch_results *results)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        bp_report_dispatch_json(results, &app->out->secrets, &text);
    else
        bp_report_dispatch_text(results, &app->out->secrets, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

/* For the page of the workflow's run and its later steps; that must not fail what was done. */
static void tell_runner(struct bp_app *app, const struct bp_dispatch_results *results)
{
    BP_AUTO(bp_buf_free) struct bp_buf summary = {0};
    BP_AUTO(bp_list_free) struct bp_list outputs = {0};
    struct bp_err err = {0};

    bp_report_dispatch_summary(results, &app->out->secrets, &summary);
    if (bp_gha_summary(app->env, &app->out->secrets, bp_buf_str(&summary), &err) != BP_OK)
        bp_warn(app->out, "%s", err.msg);
    bp_report_dispatch_outputs(results, &app->out->secrets, &outputs);
    if (bp_gha_outputs(app->env, &app->out->secrets, &outputs, &err) != BP_OK)
        bp_warn(app->out, "%s", err.msg);
}

static const char *words_for(const struct bp_branch_result *b)
{
    if (b->verdict == BP_VERDICT_TIMED_OUT)
        return "timed out";
    return b->verdict == BP_VERDICT_STOPPED ? "was stopped" : "failed";
}

static void warn_of_findings(struct bp_app *app, const struct bp_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct bp_finding *one = &findings->at[i];

        if (one->level == BP_FOUND_WARNING)
            bp_warn(app->out, "%s: %s%s%s", one->about, one->what,
                    one->fix[0] != '\0' ? "; hint: " : "", one->fix);
    }
}

/* A branch that failed beside others that did not must not go unseen. */
static void warn_of_failures(struct bp_app *app, const struct bp_dispatch_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];
        BP_AUTO(bp_buf_free) struct bp_buf label = {0};

        if (bp_verdict_is_good(b->verdict))
            continue;
        bp_report_label(results, b, &label);
        bp_warn(app->out, "branch '%s' %s: %s", bp_buf_str(&label), words_for(b), b->reason);
    }
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_dispatch_setup_free) struct bp_dispatch_setup setup = {0};
    BP_AUTO(bp_dispatch_results_free) struct bp_dispatch_results results = {0};
    enum bp_code rc = bp_dispatch_setup_read(app, false, &setup, err);

    if (rc != BP_OK)
        return rc;
    rc = bp_flow_dispatch(&setup.job, &results, err);
    print_results(app, &results);
    tell_runner(app, &results);
    warn_of_findings(app, &results.findings);
    if (rc == BP_OK)
        rc = bp_report_dispatch_verdict(&results, bp_config_is(&app->cfg, BP_OPT_REQUIRE, "all"),
                                        err);
    /* A reason that they share is the error's. */
    if (rc == BP_OK || bp_report_shared_reason(&results) == NULL)
        warn_of_failures(app, &results);
    return rc;
}

const struct bp_cmd bp_cmd_dispatch = {
    .doc =
        {.name = "dispatch",
         .args = "",
         .summary = "Start the backup workflow of each branch and prove that each run started.",
         .details =
             "Looks at everything that can be known to fail, sends one workflow_dispatch per "
             "branch and follows its run until it is in progress; see --until. Branches do not "
             "wait for each other. A request is sent again only when it was not processed, or "
             "when no run of it is found, so that a retry starts no second run. Succeeds when at "
             "least one branch did; see --require. Asked to end, it cancels its runs; see "
             "--detach.",
         .example = "WORKFLOW_TRIGGER_TOKEN=... backproof dispatch --repo myorg/myapp "
                    "--workflow backup.yml --branch main --branch dev",
         .groups = BP_GROUP_GENERAL | BP_GROUP_FORGE | BP_GROUP_DISPATCH},
    .run = run,
};
