/* Whether the keys at hand open the newest archive: asked before somebody needs it. */
#ifndef BP_FLOW_KEY_CHECK_H
#define BP_FLOW_KEY_CHECK_H

#include <stdbool.h>

#include "flow/catalog.h"

/* All lent for the length of the call. */
struct bp_key_check_job {
    struct bp_store *store;
    const char *branch; /* for messages */
    struct bp_opener opener;
};

struct bp_key_check {
    char id[BP_ARCHIVE_ID_SIZE];
    bool sealed;                  /* if not, no key is needed, and the rest is empty */
    struct bp_recipients openers; /* the public keys of the identities that open it; owned */
    size_t files;                 /* small ones that were opened, and proved */
};

/*
 * The newest archive is described, its signature checked if keys are trusted, and if it is sealed
 * its private manifest and some small files are opened. BP_ENOTFOUND: there is no archive.
 * BP_EAUTH: no identity opens it. BP_EUSAGE: none is given. BP_EINTEGRITY: it is damaged.
 */
enum bp_code bp_flow_key_check(const struct bp_key_check_job *job, struct bp_key_check *out,
                               struct bp_err *err) BP_CHECK;

void bp_key_check_free(struct bp_key_check *check); /* for BP_AUTO */

#endif
