/*
 * backproof backup: one snapshot of the database becomes one commit in the backup repository.
 *
 * This file reads options and prints. The work is in flow/backup.c.
 */
#include "cmd/cmds.h"
#include "cmd/registry.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/backup.h"
#include "gha/context.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report_json(struct bp_app *app, const struct bp_backup_result *result)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_set_text(top, "id", result->id);
    bp_json_set_text(top, "path", result->path);
    bp_json_set_text(top, "commit", result->commit);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_set_int(top, "tables", result->tables);
    bp_json_set_int(top, "rows", result->rows);
    bp_json_set_int(top, "bytes", result->bytes);
    bp_json_set_int(top, "took_ms", result->took_ms);
    bp_json_set_bool(top, "dry_run", bp_config_flag(&app->cfg, BP_OPT_DRY_RUN));
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static void report_text(struct bp_app *app, const struct bp_backup_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_printf(&text, "%s %s: %lld tables, ",
                  bp_config_flag(&app->cfg, BP_OPT_DRY_RUN) ? "would commit" : "backed up",
                  result->id, (long long)result->tables);
    bp_put_count(&text, result->rows);
    bp_buf_puts(&text, " rows, ");
    bp_put_size(&text, result->bytes);
    bp_buf_puts(&text, " in ");
    bp_put_duration(&text, result->took_ms);
    bp_print(app->out, "%s\n  branch  %s\n  commit  %s\n  path    %s\n", bp_buf_str(&text),
             bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
             result->commit[0] != '\0' ? result->commit : "none", result->path);
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_source_freep) struct bp_source *source = NULL;
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_gha_context context = {0};
    struct bp_backup_job job = {.clock = app->clock,
                                .out = app->out,
                                .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
                                .tool_version = bp_version()};
    struct bp_backup_result result = {0};

    bp_gha_context_read(app->env, &context);
    job.repository = context.repository;
    job.ref = context.ref;
    job.sha = context.sha;
    job.event = bp_config_text(&app->cfg, BP_OPT_TRIGGER);
    if (job.event == NULL)
        job.event = context.event;
    job.run_id = context.run_id;
    job.run_url = context.run_url;
    if (bp_registry_source(app, &source, err) != BP_OK ||
        bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.source = source;
    job.store = store;
    if (bp_flow_backup(&job, &result, err) != BP_OK)
        return err->code;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        report_json(app, &result);
    else
        report_text(app, &result);
    return BP_OK;
}

const struct bp_cmd bp_cmd_backup = {
    .doc = {.name = "backup",
            .args = "",
            .summary = "Back up a PostgreSQL database into a Git repository, in one commit.",
            .details = "Locks every table, takes one snapshot, reads definitions and rows in it "
                       "and pushes a timestamped archive to a branch of the backup repository. "
                       "When anything fails, the branch is as it was.",
            .example = "DATABASE_URL=postgresql://... backproof backup "
                       "--backup-repo https://github.com/myorg/myapp-backups",
            .groups = BP_GROUP_GENERAL | BP_GROUP_SOURCE | BP_GROUP_BACKUP | BP_GROUP_STORE},
    .needs = needs,
    .run = run,
};
