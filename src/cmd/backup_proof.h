/* `backup --verify`: the archive that was just pushed, proved from what the server holds. */
#ifndef BP_CMD_BACKUP_PROOF_H
#define BP_CMD_BACKUP_PROOF_H

#include "base/json.h"
#include "cmd/backup_keys.h"
#include "flow/verify.h"

struct bp_backup_proof {
    bool wanted;
    bool begun;            /* there is a backup that it is for */
    struct bp_list checks; /* queries of --check-sql */
    struct bp_verify_job job;
    struct bp_verify_result result;
    enum bp_code code;
};

/* Read the options, before anything is backed up. BP_EUSAGE. */
enum bp_code bp_backup_proof_load(struct bp_app *app, struct bp_backup_proof *out,
                                  struct bp_err *err) BP_CHECK;

/* Prove this archive in a working copy of its own. The code is kept in proof, too. */
enum bp_code bp_backup_proof_run(struct bp_app *app, const char *id,
                                 const struct bp_backup_keys *keys, struct bp_backup_proof *proof,
                                 struct bp_err *err) BP_CHECK;

void bp_backup_proof_print(struct bp_app *app, const struct bp_backup_proof *proof);
/* reason: why it failed. Owned by the caller. */
struct bp_json *bp_backup_proof_json(const struct bp_backup_proof *proof,
                                     const char *reason) BP_CHECK;

/* "L2": how far it came; "" without a proof, or when it came nowhere. Static. */
const char *bp_backup_proof_level(const struct bp_backup_proof *proof);

void bp_backup_proof_free(struct bp_backup_proof *proof); /* for BP_AUTO */

#endif
