/*
 * Retention: archives that no rule keeps leave the branch, in one commit. That alone gives no space
 * back, because Git keeps what was removed in its history. A squash gives it back: it replaces
 * the branch by a history of one commit for each archive that is kept, after every file of these
 * was read and is what its manifest says.
 */
#ifndef BP_FLOW_PRUNE_H
#define BP_FLOW_PRUNE_H

#include "archive/name.h"
#include "base/clock.h"
#include "base/print.h"
#include "flow/retention.h"
#include "store/store.h"

/* All lent for the length of the call. */
struct bp_prune_job {
    struct bp_store *store;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *branch; /* of the backup repository */
    struct bp_retention_policy policy;
    bool squash;
    const char *coming; /* the id of an archive that a dry run did not add; NULL: none */
};

struct bp_prune_row {
    char id[BP_ARCHIVE_ID_SIZE];
    bool kept;
    struct bp_list reasons; /* of a kept one */
};

struct bp_prune_result {
    struct bp_prune_row *rows; /* newest first; owned */
    size_t count;
    size_t kept;
    size_t removed;
    char commit[BP_STORE_ID_SIZE]; /* the new tip; "": nothing changed, or the run was dry */
    bool squashed;                 /* or would have been */
    int64_t bytes_before;          /* of a fresh clone; -1: not known */
    int64_t bytes_after;
};

/*
 * Manifests are read of those archives alone on which the plan depends. BP_ENOTFOUND: no such
 * branch. BP_EUSAGE: the marks cannot be read. BP_EINTEGRITY: a squash would keep an archive that
 * cannot be read whole; nothing was changed. And what the store gives. The result is to be freed
 * always.
 */
enum bp_code bp_flow_prune(const struct bp_prune_job *job, struct bp_prune_result *result,
                           struct bp_err *err) BP_CHECK;

void bp_prune_result_free(struct bp_prune_result *result); /* for BP_AUTO */

#endif
