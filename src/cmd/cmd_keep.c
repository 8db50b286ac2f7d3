/*
 * backproof keep: mark an archive, so that prune never removes it.
 *
 * This file reads options and prints. The work is in flow/mark.c.
 */
#include "base/json.h"
#include "cmd/cmds.h"
#include "cmd/registry.h"
#include "flow/mark.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report_json(struct bp_app *app, const struct bp_mark_result *result, bool marked)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_set_text(top, "id", result->id);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_set_bool(top, "marked", marked);
    bp_json_set_text(top, "reason", result->reason);
    bp_json_set_bool(top, "changed", result->changed);
    bp_json_set_text(top, "commit", result->commit);
    bp_json_set_bool(top, "dry_run", bp_config_flag(&app->cfg, BP_OPT_DRY_RUN));
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static void report_text(struct bp_app *app, const struct bp_mark_result *result, bool marked)
{
    const char *gap = result->reason[0] != '\0' ? ": " : "";

    if (!result->changed)
        bp_print(app->out, "%s is %s%s%s\n", result->id,
                 marked ? "marked already" : "not marked, nothing changes", gap, result->reason);
    else if (bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        bp_print(app->out, "would %s %s%s%s\n", marked ? "mark" : "unmark", result->id, gap,
                 result->reason);
    else
        bp_print(app->out, "%s %s%s%s\n", marked ? "marked" : "unmarked", result->id, gap,
                 result->reason);
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_mark_job job = {
        .clock = app->clock,
        .out = app->out,
        .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
        .archive = app->cfg.args.at[0],
        .reason = bp_config_text(&app->cfg, BP_OPT_REASON),
        .undo = bp_config_flag(&app->cfg, BP_OPT_UNDO),
    };
    struct bp_mark_result result = {0};

    if (job.undo && job.reason != NULL)
        return bp_fail(err, BP_EUSAGE, "--undo takes the mark away, so there is no --reason");
    if (bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.store = store;
    if (bp_flow_mark(&job, &result, err) != BP_OK)
        return err->code;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        report_json(app, &result, !job.undo);
    else
        report_text(app, &result, !job.undo);
    return BP_OK;
}

const struct bp_cmd bp_cmd_keep = {
    .doc = {.name = "keep",
            .args = "ID",
            .summary = "Mark an archive, so that prune never removes it.",
            .details = "ID is 'latest', an id as 'backproof list' shows it, or its beginning. The "
                       "marks are lines of the file backups/keep in the branch, which people may "
                       "edit as well.",
            .example = "backproof keep 2024-01-14 --reason 'before the migration' "
                       "--backup-repo https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_KEEP},
    .needs = needs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
