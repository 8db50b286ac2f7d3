/*
 * backproof drill: the newest archive of every branch is proved, and what a disaster would cost.
 *
 * This file reads options and prints. The work is in flow/drill.c.
 */
#include "base/json.h"
#include "cmd/cmds.h"
#include "cmd/proving.h"
#include "cmd/registry.h"
#include "flow/drill.h"
#include "gha/summary.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report(struct bp_app *app, const struct bp_drill_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf summary = {0};
    struct bp_err err = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        BP_AUTO(bp_json_freep) struct bp_json *top = bp_drill_json(result);

        bp_json_render(top, 1, &text);
        bp_buf_putc(&text, '\n');
    } else {
        bp_drill_text(result, &app->out->secrets, &text);
    }
    bp_print(app->out, "%s", bp_buf_str(&text));
    bp_drill_summary(result, &app->out->secrets, &summary);
    if (bp_gha_summary(app->env, &app->out->secrets, bp_buf_str(&summary), &err) != BP_OK)
        bp_warn(app->out, "%s", err.msg);
}

static enum bp_code make_store(void *ctx, const char *branch, struct bp_store **out,
                               struct bp_err *err)
{
    return bp_registry_branch_store(ctx, branch, out, err);
}

static enum bp_code make_scratch(void *ctx, struct bp_scratch **out, struct bp_err *err)
{
    return bp_registry_scratch(ctx, out, err);
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    const struct bp_list *given = bp_config_list(&app->cfg, BP_OPT_BRANCH);
    BP_AUTO(bp_list_free) struct bp_list all = {0};
    BP_AUTO(bp_proving_free) struct bp_proving proving = {0};
    BP_AUTO(bp_drill_result_free) struct bp_drill_result result = {0};
    struct bp_drill_job job = {.branches = given,
                               .named = given->count > 0,
                               .store = make_store,
                               .scratch = make_scratch,
                               .ctx = app,
                               .clock = app->clock,
                               .out = app->out};
    enum bp_code rc = bp_proving_load(app, &proving, err);

    if (rc == BP_OK && given->count == 0) {
        rc = bp_registry_branches(app, &all, err);
        job.branches = &all;
    }
    if (rc != BP_OK)
        return rc;
    job.opener = proving.opener;
    job.level = proving.level;
    job.checks = &proving.checks;
    job.jobs = proving.jobs;
    job.record = proving.record && !bp_registry_is_folder(app, NULL);
    rc = bp_flow_drill(&job, &result, err);
    if (result.count > 0)
        report(app, &result);
    return rc;
}

const struct bp_cmd bp_cmd_drill = {
    .doc = {.name = "drill",
            .args = "",
            .summary = "Prove the newest archive of every branch, and tell what a disaster costs.",
            .details = "Verifies the newest archive of each branch of the backup repository, or of "
                       "those given with --branch, to --level ('backproof verify' tells the "
                       "levels). For each it tells the RTO: how long fetch, check and restore "
                       "took; and the RPO: the longest time between two good archives of the last "
                       "30 days, or the age of the newest. The exit status is that of the worst "
                       "branch; one branch's failure does not stop the others.",
            .example = "backproof drill --level L4 --backup-repo "
                       "https://github.com/myorg/myapp-backups",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_OPEN | BP_GROUP_PROOF |
                      BP_GROUP_DRILL},
    .needs = needs,
    .run = run,
};
