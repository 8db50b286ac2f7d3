/* The keys of one backup: who can open it, who has made it, and how this run alone can look. */
#ifndef BP_CMD_BACKUP_KEYS_H
#define BP_CMD_BACKUP_KEYS_H

#include "cmd/cmd.h"
#include "flow/backup.h"
#include "flow/catalog.h"

struct bp_backup_keys {
    struct bp_recipients recipients;
    struct bp_chunk_key chunk;
    struct bp_sign_key sign;
    bool signs;
    struct bp_trusted_keys own;   /* the public half of sign */
    struct bp_identities witness; /* made for this run, never written anywhere */
    char *spool;                  /* a private folder; NULL: none is needed */
};

/* Read the options, and make what a verification in the same run needs. BP_EUSAGE: a key that
 * cannot be read, or that is good for nothing without --recipient. */
enum bp_code bp_backup_keys_load(struct bp_app *app, struct bp_backup_keys *out,
                                 struct bp_err *err) BP_CHECK;

/* Lend them to the backup, and to whoever proves it afterwards. */
void bp_backup_keys_lend(const struct bp_backup_keys *keys, struct bp_backup_job *job);
struct bp_opener bp_backup_keys_opener(const struct bp_backup_keys *keys);

void bp_backup_keys_free(struct bp_backup_keys *keys); /* for BP_AUTO */

#endif
