/*
 * backproof check: would a dispatch work?
 *
 * This file reads options and prints. The work is in flow/dispatch.c, which stops before it sends.
 */
#include "cmd/cmds.h"
#include "cmd/dispatch_setup.h"
#include "flow/report.h"

static void print_findings(struct bp_app *app, const struct bp_findings *findings, bool ok)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        bp_report_check_json(findings, ok, &app->out->secrets, &text);
    else
        bp_report_check_text(findings, &app->out->secrets, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

/* One failure is told as it is, several by their number. */
static enum bp_code verdict(const struct bp_dispatch_results *results, struct bp_err *err)
{
    const struct bp_findings *findings = &results->findings;
    const struct bp_finding *failure = NULL;
    size_t failures = 0;

    for (size_t i = 0; i < findings->count; i++) {
        if (findings->at[i].level == BP_FOUND_FAILURE) {
            failures++;
            failure = &findings->at[i];
        }
    }
    if (failures == 1)
        return bp_fail(err, failure->code, "a dispatch would fail: %s%s%s", failure->what,
                       failure->fix[0] != '\0' ? "; hint: " : "", failure->fix);
    if (failures > 1)
        return bp_fail(err, bp_findings_verdict(findings),
                       "a dispatch would fail, for the %zu reasons above", failures);
    /* Out of time, or a limit: nothing was found to be wrong, and nothing is known. */
    for (size_t i = 0; i < results->count; i++) {
        if (!bp_verdict_is_good(results->at[i].verdict))
            return bp_fail(err, results->at[i].code, "%s", results->at[i].reason);
    }
    return BP_OK;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_dispatch_setup_free) struct bp_dispatch_setup setup = {0};
    BP_AUTO(bp_dispatch_results_free) struct bp_dispatch_results results = {0};
    enum bp_code rc = bp_dispatch_setup_read(app, true, &setup, err);

    if (rc != BP_OK)
        return rc;
    rc = bp_flow_dispatch(&setup.job, &results, err);
    if (rc == BP_OK)
        rc = verdict(&results, err);
    print_findings(app, &results.findings, rc == BP_OK);
    return rc;
}

const struct bp_cmd bp_cmd_check = {
    .doc = {.name = "check",
            .args = "",
            .summary = "Tell whether a dispatch would work; changes nothing.",
            .details =
                "One line for each thing that was looked at, with its fix when something is wrong: "
                "the token (kind, expiry, access), this machine's clock, the rate limit, the "
                "repository, whether Actions is on, the workflow, and for each branch whether it "
                "exists and its copy of the workflow takes this dispatch. Without a branch it "
                "looks at the default branch.",
            .example =
                "WORKFLOW_TRIGGER_TOKEN=... backproof check --repo myorg/myapp --branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_FORGE},
    .run = run,
};
