/*
 * Start a workflow on several branches and prove that each run exists.
 *
 * Every branch is a small state machine on one clock: what one branch waits for never holds up
 * another. The rule that keeps a retry from starting a second run: only a request that surely was
 * not processed is sent again; after any other failure the run is looked for first, for as long as
 * settle_ms says, and only when there is none the request is sent again.
 *
 * It does not print, except progress and warnings; it never decides the exit status.
 */
#ifndef BP_FLOW_DISPATCH_H
#define BP_FLOW_DISPATCH_H

#include "base/clock.h"
#include "base/list.h"
#include "base/print.h"
#include "forge/forge.h"

/* All lent for the length of the call. */
struct bp_dispatch_job {
    struct bp_forge *forge;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *repo;
    const char *workflow;
    const struct bp_list *branches; /* at least one, each once */
    const struct bp_json *inputs;   /* NULL: none */
    int64_t retries;
    int64_t retry_delay_ms; /* before the first retry; doubles each time */
    int64_t settle_ms;
    int64_t appear_timeout_ms;
    int64_t poll_interval_ms;
    int64_t timeout_ms; /* of the whole */
};

enum bp_branch_state {
    BP_BRANCH_TO_SEND,
    BP_BRANCH_TO_FIND,   /* accepted, or perhaps accepted: look for the run */
    BP_BRANCH_TO_VERIFY, /* the run's id is known: look at it */
    BP_BRANCH_STARTED,
    BP_BRANCH_DRY_RUN,
    BP_BRANCH_FAILED
};

struct bp_branch_result {
    const char *branch; /* lent from the job */
    enum bp_branch_state state;
    enum bp_code code; /* why it failed */
    int64_t attempts;  /* requests to dispatch that were sent */
    int64_t run_id;    /* 0: unknown */
    char url[512];
    char reason[1024]; /* of a failure; of a success, what is known of the run */

    /* How the flow stands; of no use afterwards. */
    int64_t due_ms;
    int64_t deadline_ms; /* of looking */
    bool accepted;       /* the server said so; else it is unknown */
    bool resent;         /* after a request of which it is unknown what became of it */
};

struct bp_dispatch_results {
    struct bp_branch_result *at; /* owned */
    size_t count;
    size_t started; /* or would be, in a dry run */
    size_t failed;
};

/*
 * Dispatch and verify. BP_OK whatever became of the branches: the results tell. Else nothing was
 * dispatched at all, or (BP_ESTOPPED) the work was cut short; results are valid then too.
 */
enum bp_code bp_flow_dispatch(const struct bp_dispatch_job *job,
                              struct bp_dispatch_results *results, struct bp_err *err) BP_CHECK;

void bp_dispatch_results_free(struct bp_dispatch_results *results); /* for BP_AUTO */

#endif
