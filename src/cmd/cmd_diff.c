/*
 * backproof diff: what differs between two archives.
 *
 * This file reads options and prints. The work is in flow/diff.c.
 */
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/registry.h"
#include "flow/diff.h"

enum { TEXT_VALUE = 200, JSON_VALUE = 64 << 10 }; /* bytes of a value that are shown */

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report(struct bp_app *app, const struct bp_diff *diff)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        json = bp_diff_json(diff);
        bp_json_render(json, 2, &text);
        bp_buf_putc(&text, '\n');
    } else {
        bp_diff_text(diff, &text);
    }
    bp_print(app->out, "%s", bp_buf_str(&text));
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    BP_AUTO(bp_diff_free) struct bp_diff diff = {0};
    struct bp_diff_job job = {
        .clock = app->clock,
        .out = app->out,
        .old = cfg->args.at[0],
        .now = cfg->args.at[1],
        .branch = bp_config_text(cfg, BP_OPT_BACKUP_BRANCH),
        .tables = bp_config_list(cfg, BP_OPT_DIFF_TABLE),
        .rows = (size_t)bp_config_number(cfg, BP_OPT_ROWS),
        .value_limit = bp_config_is(cfg, BP_OPT_FORMAT, "json") ? JSON_VALUE : TEXT_VALUE,
        .temp_parent = bp_registry_temp_parent(app),
    };

    if (bp_keys_identities(app, &identities, err) != BP_OK ||
        bp_keys_trusted(app, &trusted, err) != BP_OK ||
        bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.opener = bp_keys_opener(&identities, &trusted);
    job.store = store;
    if (bp_flow_diff(&job, &diff, err) != BP_OK)
        return err->code;
    report(app, &diff);
    return BP_OK;
}

const struct bp_cmd bp_cmd_diff = {
    .doc = {.name = "diff",
            .args = "OLD NEW",
            .summary = "Show what differs between two archives.",
            .details = "OLD and NEW are 'latest', ids as 'backproof list' shows them, or their "
                       "beginnings. Without --table: the tables whose rows or definitions differ, "
                       "and how the definitions do; no rows are downloaded. With --table: the rows "
                       "that were added, removed and changed, told apart by the primary key; only "
                       "files that differ are downloaded. The exit status is 0 whether or not "
                       "there are differences.",
            .example = "backproof diff 2024-01-15 latest --table users "
                       "--backup-repo https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_DIFF | BP_GROUP_OPEN},
    .needs = needs,
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
