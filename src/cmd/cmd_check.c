/*
 * backproof check: would a dispatch work?
 *
 * This file reads options and prints. The work is in flow/preflight.c.
 */
#include "base/json.h"
#include "cmd/cmds.h"
#include "cmd/registry.h"
#include "flow/preflight.h"

static const enum bp_opt needs[] = {BP_OPT_REPO, BP_OPT_COUNT};

static void report(struct bp_app *app)
{
    const char *repo = bp_config_text(&app->cfg, BP_OPT_REPO);
    const char *workflow = bp_config_text(&app->cfg, BP_OPT_WORKFLOW);
    const struct bp_list *branches = bp_config_list(&app->cfg, BP_OPT_BRANCH);
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (!bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        bp_print(app->out, "ok: the token sees %s, workflow %s is active, %zu branches exist\n",
                 repo, workflow, branches->count);
        return;
    }
    bp_json_set_text(top, "repository", repo);
    bp_json_set_text(top, "workflow", workflow);
    bp_json_set_bool(top, "ok", true);
    bp_json_render(top, 0, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_forge_freep) struct bp_forge *forge = NULL;
    struct bp_preflight_job job = {
        .out = app->out,
        .repo = bp_config_text(&app->cfg, BP_OPT_REPO),
        .workflow = bp_config_text(&app->cfg, BP_OPT_WORKFLOW),
        .branches = bp_config_list(&app->cfg, BP_OPT_BRANCH),
        .retry = {.clock = app->clock,
                  .retries = bp_config_number(&app->cfg, BP_OPT_RETRIES),
                  .delay_ms = bp_config_number(&app->cfg, BP_OPT_RETRY_DELAY)},
    };

    if (bp_preflight_repo_name(job.repo, err) != BP_OK ||
        bp_registry_forge(app, &forge, err) != BP_OK)
        return err->code;
    job.forge = forge;
    if (bp_preflight(&job, err) != BP_OK)
        return err->code;
    report(app);
    return BP_OK;
}

const struct bp_cmd bp_cmd_check = {
    .doc = {.name = "check",
            .args = "",
            .summary = "Tell whether a dispatch would work; changes nothing.",
            .details = "Asks the server whether the trigger token is valid and sees the "
                       "repository, whether the workflow exists and is active, and whether each "
                       "branch exists. The first thing that is wrong is named with its fix.",
            .example =
                "WORKFLOW_TRIGGER_TOKEN=... backproof check --repo myorg/myapp --branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_FORGE},
    .needs = needs,
    .run = run,
};
