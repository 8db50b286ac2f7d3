/* What verify and drill share: how an archive is proved, as options say. */
#ifndef BP_CMD_PROVING_H
#define BP_CMD_PROVING_H

#include "cmd/cmd.h"
#include "flow/verify.h"

struct bp_proving {
    struct bp_identities identities;
    struct bp_trusted_keys trusted;
    struct bp_list checks; /* queries */
    struct bp_opener opener;
    enum bp_proof level;
    size_t jobs;
    bool record;
};

/* Read the options. BP_EUSAGE: a key or a check that cannot be read, L5 without a check. */
enum bp_code bp_proving_load(struct bp_app *app, struct bp_proving *out,
                             struct bp_err *err) BP_CHECK;
/* The files of --check-sql alone, as queries added to out. */
enum bp_code bp_proving_checks(struct bp_app *app, struct bp_list *out,
                               struct bp_err *err) BP_CHECK;
void bp_proving_free(struct bp_proving *proving); /* for BP_AUTO */

#endif
