/*
 * backproof show: one archive, and what changed since the one before it.
 *
 * This file reads options and prints. The work is in flow/show.c.
 */
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/registry.h"
#include "flow/show.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report(struct bp_app *app, const struct bp_shown *shown)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        json = bp_show_json(shown);
        bp_json_render(json, 2, &text);
        bp_buf_putc(&text, '\n');
    } else {
        bp_show_text(shown, bp_config_flag(&app->cfg, BP_OPT_VERBOSE), &text);
    }
    bp_print(app->out, "%s", bp_buf_str(&text));
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    BP_AUTO(bp_shown_free) struct bp_shown shown = {0};
    struct bp_show_job job = {
        .out = app->out,
        .archive = app->cfg.args.count > 0 ? app->cfg.args.at[0] : "latest",
        .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
    };

    if (bp_keys_identities(app, &identities, err) != BP_OK ||
        bp_keys_trusted(app, &trusted, err) != BP_OK ||
        bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.opener = bp_keys_opener(&identities, &trusted);
    job.store = store;
    if (bp_flow_show(&job, &shown, err) != BP_OK)
        return err->code;
    report(app, &shown);
    return BP_OK;
}

const struct bp_cmd bp_cmd_show = {
    .doc = {.name = "show",
            .args = "[ID]",
            .summary = "Show an archive, its tables, and what changed since the one before it.",
            .details = "ID is 'latest' (which it is unless given), an id as 'backproof list' shows "
                       "it, or its beginning. Reads two manifests only; no rows are downloaded. Of "
                       "more than 200 tables those that changed are shown, unless --verbose is "
                       "given. Of a sealed archive only what everybody may know is shown, unless "
                       "--identity opens it.",
            .example = "backproof show latest --backup-repo https://github.com/myorg/myapp-backups "
                       "--backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_OPEN},
    .needs = needs,
    .max_args = 1,
    .run = run,
};
