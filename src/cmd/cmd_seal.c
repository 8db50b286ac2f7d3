/*
 * backproof seal: one file through the sealing of an archive.
 *
 * This file reads options. The work is in flow/seal_file.c.
 */
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/seal_args.h"

static const enum bp_opt needs[] = {BP_OPT_RECIPIENT, BP_OPT_COUNT};

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_recipients_free) struct bp_recipients recipients = {0};
    const struct bp_seal_file_job job = bp_seal_args(app);

    if (bp_keys_recipients(app, &recipients, err) != BP_OK)
        return err->code;
    return bp_flow_seal_file(&job, &recipients, err);
}

const struct bp_cmd bp_cmd_seal = {
    .doc = {.name = "seal",
            .args = "[IN [OUT]]",
            .summary = "Compress and encrypt one file, as a sealed archive's files are.",
            .details = "IN and OUT are files, or '-' for standard input and output, which they are "
                       "unless given. OUT must be new. 'age -d -i KEY IN | zstd -d' opens the "
                       "result as well.",
            .example = "backproof seal --recipient recipients.txt rows.sql rows.sql.zst.age",
            .groups = BP_GROUP_GENERAL | BP_GROUP_SEAL,
            .hidden = true},
    .needs = needs,
    .max_args = 2,
    .run = run,
};
