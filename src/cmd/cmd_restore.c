/*
 * backproof restore: an archive becomes a database again.
 *
 * This file reads options, asks and prints. The work is in flow/restore.c.
 */
#include <inttypes.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/cmds.h"
#include "cmd/registry.h"
#include "flow/restore.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

/* --yes says it; else a person at a terminal does; else it is not confirmed. */
static bool confirm(void *ctx, const char *question)
{
    struct bp_app *app = ctx;
    char answer[16] = "";

    if (bp_config_flag(&app->cfg, BP_OPT_YES) || bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        return true;
    if (!app->in_terminal)
        return false;
    bp_ask(app->out, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), app->in) == NULL)
        return false;
    bp_text_trim(answer);
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static void report(struct bp_app *app, const struct bp_restore_result *result)
{
    bool dry = bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        bp_json_set_text(top, "id", result->id);
        bp_json_set_text(top, "database", result->database);
        bp_json_set_int(top, "tables", result->tables);
        bp_json_set_int(top, "rows", result->rows);
        bp_json_set_int(top, "took_ms", result->took_ms);
        bp_json_set_bool(top, "dry_run", dry);
        bp_json_render(top, 1, &text);
        bp_print(app->out, "%s\n", bp_buf_str(&text));
        return;
    }
    bp_put_count(&text, result->rows);
    bp_buf_puts(&text, " rows in ");
    bp_put_duration(&text, result->took_ms);
    bp_print(app->out, "%s %s into '%s': %" PRId64 " tables, %s\n",
             dry ? "would restore" : "restored", result->id, result->database, result->tables,
             bp_buf_str(&text));
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    struct bp_restore_job job = {
        .clock = app->clock,
        .out = app->out,
        .archive = app->cfg.args.at[0],
        .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
        .clean = bp_config_flag(&app->cfg, BP_OPT_CLEAN),
        .confirm = confirm,
        .ctx = app,
    };
    struct bp_restore_result result = {0};

    if (bp_registry_store(app, &store, err) != BP_OK ||
        bp_registry_target(app, &target, err) != BP_OK)
        return err->code;
    job.store = store;
    job.target = target;
    if (bp_flow_restore(&job, &result, err) != BP_OK)
        return err->code;
    report(app, &result);
    return BP_OK;
}

const struct bp_cmd bp_cmd_restore = {
    .doc = {.name = "restore",
            .args = "ID",
            .summary = "Restore an archive into a database.",
            .details = "ID is 'latest', an id as 'backproof list' shows it, or its beginning. "
                       "Every checksum is proved first; then everything happens in one "
                       "transaction, so the target holds all of the archive or is as it was. A "
                       "target that is not empty is refused unless --clean is given.",
            .example = "BACKPROOF_TARGET_URL=postgresql://... backproof restore latest "
                       "--backup-repo https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_RESTORE},
    .needs = needs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
