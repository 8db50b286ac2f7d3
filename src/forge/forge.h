/*
 * A forge: the place that runs workflows (GitHub, GitHub Enterprise Server).
 *
 * Everything is a question (struct bp_ask) that is begun and, some time later, done: many can be
 * under way, so that one without an answer holds up no other. A driver fills a struct bp_forge_ops
 * and puts a struct bp_forge first in its own struct; it never calls another driver, never waits
 * before it sends and never prints: when to try again is the caller's decision. It sends a question
 * again only in another form that the server asked for (elsewhere, an older version).
 *
 * What becomes of a question: BP_OK, BP_EAUTH (the token), BP_ENOTFOUND, BP_EUNAVAILABLE (no
 * connection, outage, rate limit), BP_ETIMEOUT (no answer in time), BP_EFAILED (refused, or an
 * answer that makes no sense).
 */
#ifndef BP_FORGE_FORGE_H
#define BP_FORGE_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/json.h"
#include "base/stop.h"

/* ---- what answers look like: plain values, copy freely, nothing to free ---- */

enum bp_known { BP_UNKNOWN, BP_NO, BP_YES };

/* The trigger token, as far as an answer tells. */
struct bp_forge_token {
    char kind[64];              /* "fine-grained personal access token" ...: what its prefix says */
    bool robot;                 /* of an app or of a workflow, not of a person */
    int64_t expires_ms;         /* since 1970; 0: never, or unknown */
    char scopes[256];           /* of a classic token; may be "" */
    enum bp_known may_dispatch; /* BP_NO: its scopes, or its owner's role, do not allow it */
};

struct bp_forge_repo {
    char default_branch[256];
    bool archived;
    bool disabled;
    struct bp_forge_token token;
};

struct bp_forge_workflow {
    int64_t id;
    char path[256];
    char state[32]; /* active, disabled_manually, disabled_inactivity ... */
};

/* One run of a workflow. */
struct bp_run {
    int64_t id;
    int64_t created_ms; /* since 1970, by the server's clock; 0: unknown */
    char url[512];      /* for people */
    char branch[256];
    char event[32];
    char actor[64];      /* who dispatched it */
    char title[256];     /* run-name */
    char status[32];     /* queued, in_progress, completed, pending, waiting, requested ... */
    char conclusion[32]; /* "" until completed */
};

enum { BP_RUNS_MAX = 100, BP_JOBS_MAX = 100 };

struct bp_runs {
    struct bp_run at[BP_RUNS_MAX]; /* in the server's order */
    size_t count;
};

struct bp_run_job {
    char name[128];
    char url[512];
    char status[32];
    char conclusion[32];   /* "" until completed */
    char failed_step[128]; /* the first one that failed; "" */
    char labels[128];      /* of the runner it asks for, "self-hosted, linux" */
    bool started;          /* a runner has taken it */
};

struct bp_run_jobs {
    struct bp_run_job at[BP_JOBS_MAX];
    size_t count;
};

/* Why a run is held back. */
struct bp_holdup {
    char group[128];        /* its concurrency group; "" */
    int64_t ahead;          /* runs of the group before it; -1: unknown */
    char environments[256]; /* that wait for a review: "production, staging"; "" */
};

/* What became of a dispatch. */
enum bp_dispatch_outcome {
    BP_DISPATCH_REJECTED, /* never try again as it is */
    BP_DISPATCH_ACCEPTED,
    BP_DISPATCH_NOT_SENT,  /* it surely did not reach the server: safe to send again */
    BP_DISPATCH_LIMITED,   /* refused for a rate limit: taken as not processed */
    BP_DISPATCH_AMBIGUOUS, /* it may have been accepted: look for the run before resending */
    BP_DISPATCH_DRY_RUN    /* nothing was sent, on purpose */
};

struct bp_dispatched {
    enum bp_dispatch_outcome outcome; /* BP_OK exactly for ACCEPTED and DRY_RUN */
    int64_t run_id;                   /* when accepted; 0: the server did not say */
    char url[512];                    /* of the run, for people; may be "" */
};

/* ---- a question ---- */

enum bp_ask_kind {
    /* Reading. In brackets: what must be given besides repo, and the answer. */
    BP_ASK_REPO,     /* [out.repo] proves the token as well */
    BP_ASK_ACTIONS,  /* [out.flag] whether Actions is on; BP_EAUTH: the token may not know */
    BP_ASK_WORKFLOW, /* [workflow; out.workflow] */
    BP_ASK_BRANCH,   /* [branch; out.text: its head commit] */
    /*
     * [workflow, branch, inputs, marker] Would the workflow's file on that branch take a dispatch
     * with these inputs? BP_EFAILED: no, and why. BP_EUNAVAILABLE, BP_EAUTH: it cannot be known.
     * BP_ENOTFOUND: that branch has no such file.
     */
    BP_ASK_TRIGGER,
    BP_ASK_USER, /* [out.text: the login of the token's owner] BP_EAUTH: it has none */
    BP_ASK_RUN,  /* [run_id; out.run] */
    BP_ASK_RUNS, /* [workflow, event or NULL, since_ms or 0; out.runs] the newest runs */
    BP_ASK_JOBS, /* [run_id; out.jobs] */
    /* [run_id, status of the run; out.holdup] BP_ENOTFOUND: this server does not tell. */
    BP_ASK_HOLDUP,
    /* Changing something. A dry run does not send these. */
    BP_ASK_ENABLE,   /* [workflow] */
    BP_ASK_DISPATCH, /* [workflow, branch, inputs; out.dispatched] always fills it */
    BP_ASK_CANCEL,   /* [run_id] BP_ELOCKED: it has ended already */
    BP_ASK_STATUS,   /* [commit; state, context, text, url] a status on a commit */
    BP_ASK_COUNT
};

enum bp_limit { BP_LIMIT_NONE, BP_LIMIT_PRIMARY, BP_LIMIT_SECONDARY };

/* What the server said about the request, whatever it was. */
struct bp_reply {
    char request_id[64];    /* for the server's support; "" */
    int64_t date_ms;        /* the server's clock, since 1970; 0: it did not say */
    bool dry;               /* it was not sent, on purpose */
    enum bp_limit limited;  /* refused for this reason */
    int64_t retry_after_ms; /* the server asks to wait so long; -1: it does not */
    int64_t budget;         /* requests in an hour; -1: unknown */
    int64_t remaining;      /* of them; -1: unknown */
    int64_t reset_in_ms;    /* until they are renewed, by the server's clock; -1: unknown */
};

struct bp_ask {
    /* The question: lent until it is done. */
    enum bp_ask_kind kind;
    const char *repo;     /* "owner/name" */
    const char *workflow; /* file name or number */
    const char *branch;
    const struct bp_json *inputs; /* an object; NULL: none */
    const char *marker;           /* the input that run-name must show; NULL: none */
    const char *event;
    int64_t since_ms;
    int64_t run_id;
    const char *status; /* of the run, of which HOLDUP asks; of a STATUS: success, failure ... */
    const char *commit;
    const char *context; /* of a STATUS */
    const char *text;
    const char *url;
    int64_t timeout_ms; /* 0: the driver's own */

    /* Where the answer goes; the one that the kind names. Must stay until it is done. */
    union {
        struct bp_forge_repo *repo;
        struct bp_forge_workflow *workflow;
        struct bp_run *run;
        struct bp_runs *runs;
        struct bp_run_jobs *jobs;
        struct bp_holdup *holdup;
        struct bp_dispatched *dispatched;
        char (*text)[128];
        bool *flag;
    } out;

    /* The answer. */
    struct bp_err err; /* code BP_OK: out is filled */
    struct bp_reply reply;

    void *owner;    /* for whoever asks */
    void *exchange; /* for the driver; NULL unless it is under way */
};

/* Whether a question of this kind changes something at the forge. */
bool bp_ask_changes(enum bp_ask_kind kind);

/* ---- a driver ---- */

struct bp_forge;

struct bp_forge_ops {
    /* Never fails: what goes wrong is told when the question is done. */
    void (*begin)(struct bp_forge *self, struct bp_ask *ask);

    /*
     * Wait at most timeout_ms (-1: for ever) for any question to be done: *done is that one, else
     * NULL; it may come back early without one. Without questions under way it waits for the time
     * alone. BP_ESTOPPED as soon as stop (may be NULL) says so; questions stay under way then.
     */
    enum bp_code (*wait)(struct bp_forge *self, int64_t timeout_ms, const struct bp_stop *stop,
                         struct bp_ask **done, struct bp_err *err);

    /* Give a question up: it is not reported any more. Nothing happens when it is not under way. */
    void (*drop)(struct bp_forge *self, struct bp_ask *ask);

    void (*free)(struct bp_forge *self); /* no question may be under way */
};

struct bp_forge {
    const struct bp_forge_ops *ops;
};

void bp_forge_freep(struct bp_forge **forge); /* for BP_AUTO */

/*
 * A forge that reads through inner, which it takes over, and changes nothing: those questions are
 * answered with BP_OK without being sent, a dispatch with BP_DISPATCH_DRY_RUN.
 */
struct bp_forge *bp_forge_dry_new(struct bp_forge *inner) BP_CHECK;

#endif
