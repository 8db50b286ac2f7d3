/*
 * Private to the retention. Files, in the order in which they work:
 *   prune.c       the steps
 *   prune_plan.c  what is read so that retention.c can plan
 *   squash.c      the new history
 *   squash_check.c  whether all that it would keep can be read
 */
#ifndef BP_FLOW_PRUNE_INTERNAL_H
#define BP_FLOW_PRUNE_INTERNAL_H

#include "archive/keep.h"
#include "flow/catalog.h"
#include "flow/prune.h"

struct bp_prune {
    const struct bp_prune_job *job;
    struct bp_catalog catalog;
    struct bp_retention_item *items; /* one for each archive of the catalog, in its order */
    struct bp_marks marks;
    bool warned; /* of what is odd in the branch; once is enough */
};

/* Look at the branch and plan. */
enum bp_code bp_prune_plan(struct bp_prune *p, struct bp_err *err) BP_CHECK;

/* Forget the plan. */
void bp_prune_free(struct bp_prune *p); /* for BP_AUTO */

/* Prove that every file of every archive that is kept is what its manifest says, and add to the
 * list what the commit of each shall say, in the catalog's order. BP_EINTEGRITY. */
enum bp_code bp_squash_check(struct bp_prune *p, struct bp_list *messages,
                             struct bp_err *err) BP_CHECK;

/* Replace the history. Needs a plan by which something is kept. */
enum bp_code bp_squash(struct bp_prune *p, struct bp_prune_result *result,
                       struct bp_err *err) BP_CHECK;

#endif
