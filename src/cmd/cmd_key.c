/*
 * backproof key check: can these keys open the newest archive?
 *
 * This file reads options and prints. The work is in flow/key_check.c.
 */
#include <string.h>

#include "base/json.h"
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/registry.h"
#include "flow/key_check.h"

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

static void report_json(struct bp_app *app, const struct bp_key_check *check, bool signature)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_json *openers = bp_json_array_new();

    for (size_t i = 0; i < check->openers.count; i++) {
        char recipient[BP_RECIPIENT_SIZE];

        bp_recipient_text(&check->openers, i, recipient);
        bp_json_push(openers, bp_json_text_new(recipient));
    }
    bp_json_set_text(top, "archive", check->id);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_set_bool(top, "sealed", check->sealed);
    bp_json_set(top, "opened_by", openers);
    bp_json_set_int(top, "files", (int64_t)check->files);
    bp_json_set_bool(top, "signature_checked", signature);
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static void report_text(struct bp_app *app, const struct bp_key_check *check, bool signature)
{
    if (!check->sealed)
        bp_print(app->out, "%s is readable: no key is needed\n", check->id);
    for (size_t i = 0; i < check->openers.count; i++) {
        char recipient[BP_RECIPIENT_SIZE];

        bp_recipient_text(&check->openers, i, recipient);
        bp_print(app->out, "%s is opened by the identity of %s\n", check->id, recipient);
    }
    if (check->sealed)
        bp_info(app->out, "its manifest and %zu of its files were opened", check->files);
    if (signature)
        bp_info(app->out, "a trusted key has signed it");
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    BP_AUTO(bp_key_check_free) struct bp_key_check check = {0};
    struct bp_key_check_job job = {
        .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
    };

    if (strcmp(app->cfg.args.at[0], "check") != 0)
        return bp_fail(err, BP_EUSAGE, "key does not know what to do with '%s'; hint: key check",
                       app->cfg.args.at[0]);
    if (bp_keys_identities(app, &identities, err) != BP_OK ||
        bp_keys_trusted(app, &trusted, err) != BP_OK ||
        bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    job.store = store;
    job.opener = bp_keys_opener(&identities, &trusted);
    if (bp_flow_key_check(&job, &check, err) != BP_OK)
        return err->code;
    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        report_json(app, &check, trusted.count > 0);
    else
        report_text(app, &check, trusted.count > 0);
    return BP_OK;
}

const struct bp_cmd bp_cmd_key = {
    .doc = {.name = "key",
            .args = "check",
            .summary = "Check that an identity opens the newest archive.",
            .details = "Opens its manifest and a few small files, writes nothing, and says which "
                       "of the identities opens it. Exit status 3: none of them does; 4: there is "
                       "no archive; 8: it is damaged, or with --trusted-key not signed.",
            .example = "backproof key check --identity key.txt --backup-repo "
                       "https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_OPEN},
    .needs = needs,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
