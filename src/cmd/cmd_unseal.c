/*
 * backproof unseal: open one sealed file.
 *
 * This file reads options. The work is in flow/seal_file.c.
 */
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/seal_args.h"

static const enum bp_opt needs[] = {BP_OPT_IDENTITY, BP_OPT_COUNT};

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    const struct bp_seal_file_job job = bp_seal_args(app);

    if (bp_keys_identities(app, &identities, err) != BP_OK)
        return err->code;
    return bp_flow_unseal_file(&job, &identities, err);
}

const struct bp_cmd bp_cmd_unseal = {
    .doc = {.name = "unseal",
            .args = "[IN [OUT]]",
            .summary = "Open one file that was sealed.",
            .details = "IN and OUT are files, or '-' for standard input and output, which they are "
                       "unless given. OUT must be new, and is made whole or not at all. Standard "
                       "output gets only what was proved, but gets it at once: when a later part "
                       "is bad, the beginning is out already, and the exit status is 8.",
            .example = "backproof unseal --identity key.txt rows.sql.zst.age rows.sql",
            .groups = BP_GROUP_GENERAL | BP_GROUP_OPEN,
            .hidden = true},
    .needs = needs,
    .max_args = 2,
    .run = run,
};
