/*
 * Start a workflow on several branches, of one repository or many, and prove that each run
 * started.
 *
 * Every branch is a small state machine on one clock, and so is every workflow that is looked at;
 * what one waits for never holds up another. The rule that keeps a retry from starting a second
 * run: only a request that surely was not processed is sent again; after any other failure the run
 * is looked for first, for as long as settle_ms says, and only when there is none the request is
 * sent again.
 *
 * It does not print, except progress and warnings; it never decides the exit status.
 *
 * dispatch.c is the loop; dispatch_workflow.c what is asked once per workflow; dispatch_branch.c a
 * branch until its request is accepted; dispatch_watch.c its run until it is proved;
 * dispatch_explain.c why a run is stuck or failed; dispatch_cancel.c how a call that is asked to
 * end cleans up. They share dispatch_verdict.c, what becomes of a branch, and dispatch_ask.c.
 */
#ifndef BP_FLOW_DISPATCH_H
#define BP_FLOW_DISPATCH_H

#include "base/clock.h"
#include "base/findings.h"
#include "base/print.h"
#include "flow/dispatch_targets.h"
#include "forge/forge.h"

/* How far a run must have come. */
enum bp_until {
    BP_UNTIL_APPEARED, /* the server shows it */
    BP_UNTIL_STARTED,  /* it is in progress, or was */
    BP_UNTIL_FINISHED  /* it ended with success */
};

/* All lent for the length of the call. */
struct bp_dispatch_job {
    struct bp_forge *forge;
    struct bp_clock *clock;
    struct bp_out *out;
    const struct bp_dispatch_targets *targets; /* at least one */
    const struct bp_json *inputs;              /* NULL: none */
    const char *marker_input;   /* the input that gets a mark which run-name shows; NULL: none */
    const char *status_context; /* of a status on each branch's head commit; NULL: none */
    enum bp_until until;
    bool check_only; /* look before the work, and do not do it */
    bool skip_if_active;
    bool enable_inactive;
    bool detach; /* leave runs alone when asked to end */
    bool cancel_on_timeout;
    int64_t min_interval_ms; /* a younger run counts as done; 0: none */
    int64_t token_warn_ms;   /* warn of a token that expires within this time */
    int64_t retries;
    int64_t retry_delay_ms; /* before the first retry; doubles each time, plus jitter */
    int64_t settle_ms;
    int64_t poll_interval_ms;
    int64_t request_timeout_ms;
    int64_t appear_timeout_ms; /* each from the moment the one before was reached */
    int64_t start_timeout_ms;
    int64_t finish_timeout_ms;
    int64_t timeout_ms; /* of the whole */
    uint64_t seed;      /* of jitter and marks: not the same in two calls */
};

enum bp_verdict {
    BP_VERDICT_OPEN,    /* not decided yet */
    BP_VERDICT_CHECKED, /* a dispatch would work */
    BP_VERDICT_DRY_RUN,
    BP_VERDICT_ALREADY_RUNNING, /* skip_if_active */
    BP_VERDICT_RECENT,          /* min_interval_ms */
    BP_VERDICT_APPEARED,
    BP_VERDICT_STARTED,
    BP_VERDICT_FINISHED,
    BP_VERDICT_FAILED,
    BP_VERDICT_TIMED_OUT,
    BP_VERDICT_STOPPED /* by a signal */
};

struct bp_branch_result {
    const struct bp_dispatch_target *target; /* lent from the job */
    enum bp_verdict verdict;
    enum bp_code code; /* why it failed */
    int64_t attempts;  /* requests to dispatch that were sent */
    int64_t run_id;    /* 0: unknown */
    char url[512];
    char status[32];     /* of the run, as last seen; "" */
    char conclusion[32]; /* "" until it has ended */
    char reason[1024];   /* of a failure, may end with "; hint: ..."; of a success, what is known */
    char request_id[64]; /* of the dispatch, for the server's support; "" */
    char commit[128];    /* the branch's head; "" */
    int64_t took_ms;     /* from the first request to the verdict */
    bool cancelled;      /* the run, by us */
    struct bp_run_jobs *jobs; /* owned; of a run that failed; else NULL */
};

struct bp_dispatch_results {
    struct bp_branch_result *at; /* owned */
    size_t count;
    size_t succeeded; /* would be, in a dry run */
    size_t failed;
    struct bp_findings findings;
    int64_t requests; /* that were sent, of every kind */
    int64_t took_ms;
};

/*
 * Look, dispatch and prove. BP_OK whatever became of the branches: the results tell. BP_ESTOPPED:
 * the work was cut short, the results are valid all the same. BP_EFAILED: the system refuses to
 * wait.
 */
enum bp_code bp_flow_dispatch(const struct bp_dispatch_job *job,
                              struct bp_dispatch_results *results, struct bp_err *err) BP_CHECK;

/* Whether this counts as a success. */
bool bp_verdict_is_good(enum bp_verdict verdict);

void bp_dispatch_results_free(struct bp_dispatch_results *results); /* for BP_AUTO */

#endif
