/*
 * Which run was started by which dispatch, when the server does not say: the oldest run of the
 * workflow on that branch that a dispatch of our own started, that was not there before, and that
 * no other branch of ours has claimed. Ids of runs only grow, so "not there before" is a
 * comparison, whatever order a list has.
 */
#ifndef BP_FLOW_CORRELATE_H
#define BP_FLOW_CORRELATE_H

#include "forge/forge.h"

/*
 * Moments are told in whole seconds and by more than one machine of the server: a run may seem to
 * be a little older than the moment at which it was asked for.
 */
enum { BP_SEEN_SLACK_MS = 60000 };

/* Of one workflow. A zeroed struct has seen nothing. */
struct bp_seen {
    int64_t newest;    /* the highest id that was there before anything was sent */
    int64_t since_ms;  /* the server's clock then; 0: unknown */
    bool robot;        /* an app dispatches, or a workflow: of its name, the end is known */
    const char *actor; /* who dispatches, lent; NULL: unknown */
    int64_t *claimed;  /* owned */
    size_t claimed_count;
};

void bp_seen_runs(struct bp_seen *seen, const struct bp_runs *before);
void bp_seen_claim(struct bp_seen *seen, int64_t id);
void bp_seen_free(struct bp_seen *seen);

/* Lent from runs; NULL when there is none. mark: what the run's title has to show; NULL: nothing.
 */
const struct bp_run *bp_correlate(const struct bp_seen *seen, const struct bp_runs *runs,
                                  const char *branch, const char *mark);

/* The run with this id; NULL when it is not there. */
const struct bp_run *bp_runs_find(const struct bp_runs *runs, int64_t id);

/* The newest run on that branch, however it was started; NULL when there is none. */
const struct bp_run *bp_runs_newest(const struct bp_runs *runs, const char *branch);

#endif
