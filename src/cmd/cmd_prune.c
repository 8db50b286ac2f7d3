/*
 * backproof prune: archives that the retention does not keep leave the branch.
 *
 * This file reads options and prints. The work is in flow/prune.c.
 */
#include "cmd/cmds.h"
#include "cmd/pruning.h"
#include "cmd/registry.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report_json(struct bp_app *app, const struct bp_prune_result *result)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_pruning_json(app, result);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_render(top, 2, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_prune_result_free) struct bp_prune_result result = {0};
    struct bp_prune_job job = {0};

    if (bp_pruning_job(app, &job, err) != BP_OK || bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.store = store;
    if (bp_flow_prune(&job, &result, err) != BP_OK)
        return err->code;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        report_json(app, &result);
    else
        bp_pruning_print(app, &result);
    return BP_OK;
}

const struct bp_cmd bp_cmd_prune = {
    .doc = {.name = "prune",
            .args = "",
            .summary = "Remove the archives of a branch that no rule keeps.",
            .details = "What any rule keeps is kept; without a rule, all archives of the 30 days "
                       "before the newest one. The newest archive, the newest verified one and "
                       "marked ones never go. Git keeps what was removed in its history: only "
                       "--squash, which needs a rule, gives space back, and who has a clone of the "
                       "branch has to clone anew then.",
            .example = "backproof prune --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --squash "
                       "--backup-repo https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_RETENTION},
    .needs = needs,
    .run = run,
};
