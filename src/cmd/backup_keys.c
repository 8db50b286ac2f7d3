#include "cmd/backup_keys.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/keys.h"
#include "cmd/registry.h"

/* Without recipients a backup is readable, and these would be silently without effect. */
static enum bp_code check_readable(const struct bp_app *app, struct bp_err *err)
{
    static const enum bp_opt only_sealed[] = {BP_OPT_CHUNK_KEY, BP_OPT_ROLE_PASSWORDS};

    for (size_t i = 0; i < sizeof(only_sealed) / sizeof(only_sealed[0]); i++) {
        if (bp_config_flag(&app->cfg, only_sealed[i]) ||
            bp_config_text(&app->cfg, only_sealed[i]) != NULL)
            return bp_fail(err, BP_EUSAGE,
                           "--%s is for sealed archives; hint: name who can open them with "
                           "--recipient",
                           bp_option(only_sealed[i])->name);
    }
    return BP_OK;
}

/* L0 reads sealed files as they are; more needs a key that opens them. */
static bool must_open(const struct bp_app *app)
{
    const char *level = bp_config_text(&app->cfg, BP_OPT_VERIFY);

    return level != NULL && strcmp(level, "L0") != 0;
}

enum bp_code bp_backup_keys_load(struct bp_app *app, struct bp_backup_keys *out, struct bp_err *err)
{
    *out = (struct bp_backup_keys){0};
    if (bp_keys_recipients(app, &out->recipients, err) != BP_OK ||
        bp_keys_sign(app, &out->sign, &out->signs, err) != BP_OK)
        return err->code;
    if (out->signs)
        bp_trusted_keys_add_own(&out->own, &out->sign);
    if (out->recipients.count == 0)
        return check_readable(app, err);
    if (bp_keys_chunk(app, &out->chunk, err) != BP_OK)
        return err->code;
    if (!must_open(app))
        return BP_OK;
    bp_identities_make(&out->witness);
    if (!out->chunk.given)
        return BP_OK;
    return bp_tempdir_new(bp_registry_temp_parent(app), &out->spool, err);
}

void bp_backup_keys_lend(const struct bp_backup_keys *keys, struct bp_backup_job *job)
{
    job->sealing =
        (struct bp_sealing_job){.recipients = &keys->recipients,
                                .key = keys->chunk,
                                .trusted = keys->signs ? &keys->own : NULL,
                                .witness = keys->witness.count > 0 ? &keys->witness : NULL,
                                .spool = keys->spool};
    job->sign_key = keys->signs ? &keys->sign : NULL;
}

struct bp_opener bp_backup_keys_opener(const struct bp_backup_keys *keys)
{
    return (struct bp_opener){.identities = keys->witness.count > 0 ? &keys->witness : NULL,
                              .spool = keys->spool};
}

void bp_backup_keys_free(struct bp_backup_keys *keys)
{
    bp_recipients_free(&keys->recipients);
    bp_identities_free(&keys->witness);
    bp_sign_key_wipe(&keys->sign);
    bp_trusted_keys_free(&keys->own);
    explicit_bzero(&keys->chunk, sizeof(keys->chunk));
    bp_tempdir_removep(&keys->spool);
    *keys = (struct bp_backup_keys){0};
}
