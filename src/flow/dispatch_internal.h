/*
 * How the parts of a dispatch hang together. The loop (dispatch.c) gives a turn to whatever is due:
 * a workflow (dispatch_workflow.c) or a branch (dispatch_branch.c, dispatch_watch.c). A turn begins
 * a question or decides something; when the answer is there, the one who asked gets it.
 */
#ifndef BP_FLOW_DISPATCH_INTERNAL_H
#define BP_FLOW_DISPATCH_INTERNAL_H

#include "flow/correlate.h"
#include "flow/dispatch.h"
#include "flow/pace.h"

/* What has turns. First in struct branch and struct workflow. */
struct actor {
    struct bp_ask ask;
    bool asking;
    bool is_workflow;
    int64_t due_ms;  /* of the next turn */
    int64_t sent_ms; /* when the question went out */
    int64_t tries;   /* of this question, that failed for a reason that may pass */
};

enum workflow_state {
    WORKFLOW_REPO, /* the next thing to ask */
    WORKFLOW_ACTIONS,
    WORKFLOW_STATE,
    WORKFLOW_ENABLE,
    WORKFLOW_BEFORE, /* the runs that exist already */
    WORKFLOW_READY,  /* its branches go on; looks at their runs, when one is due */
    WORKFLOW_FAILED
};

/* A workflow of a repository: what is asked once for all its branches. */
struct workflow {
    struct actor actor;
    enum workflow_state state;
    const struct bp_dispatch_target *target; /* the first one of it */
    const char *repo;
    const char *name;
    struct bp_forge_repo repo_info;
    struct bp_forge_workflow info;
    bool actions_on;
    bool asked_who; /* who dispatches */
    char who[128];
    struct bp_runs *runs; /* of the last look */
    struct bp_seen seen;
    int64_t looked_ms;    /* when the last look began */
    int64_t failed_looks; /* in a row */
    int64_t failed_whos;  /* questions who dispatches */
    bool who_failed;      /* the last one of these */
};

enum branch_state {
    BRANCH_WAITS, /* for its workflow */
    BRANCH_TO_LOOK_UP,
    BRANCH_TO_READ, /* the workflow's file there */
    BRANCH_TO_SEND,
    BRANCH_TO_FIND,    /* accepted, or perhaps accepted: its workflow looks for the run */
    BRANCH_TO_WATCH,   /* the run's id is known: its workflow looks at it */
    BRANCH_TO_LOOK_AT, /* as before, but the list does not show the run */
    BRANCH_TO_EXPLAIN, /* why the run is stuck, or what failed in it */
    BRANCH_TO_CANCEL,
    BRANCH_TO_TELL, /* the verdict, as a commit status */
    BRANCH_OVER
};

/* What a run is waited for next. */
enum stage { STAGE_APPEAR, STAGE_START, STAGE_FINISH };

struct branch {
    struct actor actor;
    enum branch_state state;
    struct bp_branch_result *r;
    struct workflow *workflow;
    const char *name;       /* of the branch */
    struct bp_json *inputs; /* with the mark; owned; NULL: none */
    char mark[32];
    enum stage stage;
    int64_t stage_ms;     /* when it began */
    int64_t deadline_ms;  /* of the stage */
    int64_t first_ms;     /* the first request to dispatch */
    bool accepted;        /* the server said so; else it is unknown */
    bool guessed;         /* the run may be of somebody else: who dispatches is unknown */
    bool ran;             /* it was seen in progress */
    bool ambiguous;       /* of a request it was unknown what became of it */
    bool resent;          /* after a request of which it is unknown what became of it */
    bool rechecked;       /* for a second run, after that */
    int64_t surplus_id;   /* a second run, ours without doubt: to be cancelled */
    char seen_status[32]; /* the last one that was explained */
    char held[1024];      /* why it is stuck */
    bool verdict_next;    /* the explanation is the last thing before failing */
    /* Where answers go. */
    struct bp_buf told; /* the commit status */
    char text[128];
    struct bp_dispatched dispatched;
    struct bp_run run;
    struct bp_holdup holdup;
};

struct flow {
    const struct bp_dispatch_job *job;
    struct bp_dispatch_results *results;
    struct workflow *workflows;
    size_t workflow_count;
    struct branch *branches; /* one for each result */
    struct bp_pace pace;
    int64_t begin_ms;
    int64_t end_ms;
    bool judged_once; /* what is the same for all repositories */
    bool closing;     /* asked to end: only cleaning up is left */
    uint64_t random;
};

/* ---- dispatch_ask.c ---- */

int64_t flow_now(const struct flow *f);

/* The next random number, from the job's seed. */
uint64_t flow_random(struct flow *f);

/* Begin the actor's question, whose kind and parameters are set; repo is set here. */
void flow_ask(struct flow *f, struct actor *a, const char *repo);

/* Give the actor's question up, if it has one. */
void flow_drop(struct flow *f, struct actor *a);

/* Whether what failed with this code may be better a little later. */
bool flow_may_pass(enum bp_code code);

/* Whether a failed question should be asked again, as often as --retries says; due_ms is set. */
bool flow_again(struct flow *f, struct actor *a);

/* Before the next try after so many: doubles each time, and a little longer by chance. */
int64_t flow_backoff_ms(struct flow *f, int64_t tries);

/* Fill a field of fixed size; what does not fit is cut. */
void flow_words(char *out, size_t size, const char *fmt, ...) BP_PRINTF(3, 4);

/* The rate limit lasts longer than we may wait: for the reason of a failure. */
void flow_limit_words(const struct flow *f, struct bp_err *err);

/* ---- dispatch_verdict.c ---- */

/* The branch's next turn comes at once, in this state. */
void branch_next(struct flow *f, struct branch *b, enum branch_state state);

/* Send again after wait_ms, unless that was the last attempt or the time would be over. */
void branch_retry(struct flow *f, struct branch *b, int64_t wait_ms, const struct bp_err *why);

/* The branch's verdict: after it only cancelling and telling are left. */
void branch_succeed(struct flow *f, struct branch *b, enum bp_verdict verdict);
void branch_fail(struct flow *f, struct branch *b, const struct bp_err *why);

/* "; " and these words, at the end of the reason. */
void branch_add_words(struct branch *b, const char *fmt, ...) BP_PRINTF(2, 3);

/* Cancel the run, after the verdict; one that may be somebody else's is left alone. */
void branch_cancel(struct flow *f, struct branch *b);

/* What is left after the verdict and after cancelling: the commit status, or nothing. */
void branch_tell(struct flow *f, struct branch *b);

/* ---- dispatch_workflow.c ---- */

void workflow_turn(struct flow *f, struct workflow *w);
void workflow_answer(struct flow *f, struct workflow *w);

/* ---- dispatch_branch.c ---- */

void branch_turn(struct flow *f, struct branch *b);
void branch_answer(struct flow *f, struct branch *b);

/* The workflow is ready, or failed. */
void branch_ready(struct flow *f, struct branch *b);

/* ---- dispatch_watch.c ---- */

/* The run is to appear, start, finish by deadlines of its own from now on. */
void watch_stage(struct flow *f, struct branch *b, enum stage stage);

/* Look for a run of which it is unknown whether it exists, for this long. */
void watch_settle(struct flow *f, struct branch *b, int64_t for_ms);

/* Look at the run again when it is time to. */
void watch_on(struct flow *f, struct branch *b);

/* The workflow's look is done, or failed with err. */
void watch_looked(struct flow *f, struct branch *b);
void watch_look_failed(struct flow *f, struct branch *b, const struct bp_err *err);

/* The branch looked at its run alone (BRANCH_TO_LOOK_AT). */
void watch_looked_alone(struct flow *f, struct branch *b);

/* ---- dispatch_explain.c ---- */

/* Ask why the run is stuck (last: before failing) or, when it has ended, what failed in it. */
void explain_begin(struct flow *f, struct branch *b, bool last);
void explain_turn(struct flow *f, struct branch *b);
void explain_answer(struct flow *f, struct branch *b);

/* ---- dispatch_cancel.c ---- */

/* Asked to end, or out of time: give up what is not sent, cancel what shall be cancelled. */
void cancel_all(struct flow *f, const struct bp_err *why);

/* The time to clean up is over. */
void cancel_given_up(struct flow *f);

/* The run of a branch that was asked to end has shown itself, or not (run_id 0). */
void cancel_found(struct flow *f, struct branch *b);

/* A question of a branch of which only cleaning up is left. */
void cancel_turn(struct flow *f, struct branch *b);
void cancel_answer(struct flow *f, struct branch *b);

#endif
