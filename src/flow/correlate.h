/*
 * Which run was started by which dispatch, when the server does not say: the oldest run of the
 * workflow on that branch that a dispatch started, that was not there before, and that no other
 * branch of ours has claimed. Ids of runs only grow, so "not there before" is a comparison.
 */
#ifndef BP_FLOW_CORRELATE_H
#define BP_FLOW_CORRELATE_H

#include "forge/forge.h"

struct bp_seen {
    int64_t newest; /* the highest id that was there before anything was sent */
    int64_t *claimed;
    size_t claimed_count;
};

void bp_seen_runs(struct bp_seen *seen, const struct bp_runs *before);
void bp_seen_claim(struct bp_seen *seen, int64_t id);
void bp_seen_free(struct bp_seen *seen);

/* Lent from runs; NULL when there is none. */
const struct bp_run *bp_correlate(const struct bp_seen *seen, const struct bp_runs *runs,
                                  const char *branch);

#endif
