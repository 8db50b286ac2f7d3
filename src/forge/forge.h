/*
 * A forge: the place that runs workflows (GitHub, GitHub Enterprise Server).
 *
 * A driver fills a struct bp_forge_ops and puts a struct bp_forge first in its own struct; it
 * never calls another driver, never waits and never prints: when to try again is the caller's
 * decision. Errors: BP_EAUTH (the token), BP_ENOTFOUND, BP_EUNAVAILABLE (no connection, outage,
 * rate limit), BP_ETIMEOUT (one request), BP_EFAILED (refused, or an answer that makes no sense),
 * BP_ESTOPPED.
 */
#ifndef BP_FORGE_FORGE_H
#define BP_FORGE_FORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/json.h"

struct bp_forge_repo {
    char default_branch[256];
    bool archived;
    bool disabled;
};

struct bp_forge_workflow {
    int64_t id;
    char path[256];
    char state[32]; /* active, disabled_manually, disabled_inactivity ... */
};

/* Which workflow to start. All lent for the length of the call. */
struct bp_forge_dispatch {
    const char *repo;             /* "owner/name" */
    const char *workflow;         /* file name or number */
    const char *branch;           /* or a tag */
    const struct bp_json *inputs; /* an object; NULL: none */
};

/* What became of a dispatch. */
enum bp_dispatch_outcome {
    BP_DISPATCH_REJECTED, /* never try again as it is */
    BP_DISPATCH_ACCEPTED,
    BP_DISPATCH_NOT_PROCESSED, /* nothing was started: safe to send again */
    BP_DISPATCH_AMBIGUOUS,     /* it may have been accepted: look for the run before resending */
    BP_DISPATCH_DRY_RUN        /* nothing was sent, on purpose */
};

struct bp_dispatch_answer {
    enum bp_dispatch_outcome outcome;
    int64_t run_id;         /* when accepted; 0: the server did not say */
    int64_t retry_after_ms; /* when not processed: wait at least this long; 0: no wish */
    char url[512];          /* of the run, for people; may be "" */
};

/* One run of a workflow. Plain values: copy freely, nothing to free. */
struct bp_run {
    int64_t id;
    char url[512]; /* for people */
    char branch[256];
    char event[32];
    char status[32];     /* queued, in_progress, completed, pending, waiting, requested ... */
    char conclusion[32]; /* "" until completed */
};

enum { BP_RUNS_MAX = 100 };

struct bp_runs {
    struct bp_run at[BP_RUNS_MAX]; /* newest first */
    size_t count;
};

struct bp_forge;

struct bp_forge_ops {
    /* Proves the token as well. */
    enum bp_code (*repo)(struct bp_forge *self, const char *repo, struct bp_forge_repo *out,
                         struct bp_err *err);
    enum bp_code (*workflow)(struct bp_forge *self, const char *repo, const char *workflow,
                             struct bp_forge_workflow *out, struct bp_err *err);
    enum bp_code (*branch_exists)(struct bp_forge *self, const char *repo, const char *branch,
                                  struct bp_err *err);

    /* Always fills answer. BP_OK exactly for ACCEPTED and DRY_RUN; else err tells why. */
    enum bp_code (*dispatch)(struct bp_forge *self, const struct bp_forge_dispatch *what,
                             struct bp_dispatch_answer *answer, struct bp_err *err);

    enum bp_code (*run)(struct bp_forge *self, const char *repo, int64_t id, struct bp_run *out,
                        struct bp_err *err);

    /* The newest runs of a workflow that a dispatch started, on all branches (branch NULL) or on
     * one. */
    enum bp_code (*runs)(struct bp_forge *self, const struct bp_forge_dispatch *what,
                         struct bp_runs *out, struct bp_err *err);

    void (*free)(struct bp_forge *self);
};

struct bp_forge {
    const struct bp_forge_ops *ops;
};

void bp_forge_freep(struct bp_forge **forge); /* for BP_AUTO */

/*
 * A forge that reads through inner, which it takes over, and starts nothing: dispatch() answers
 * BP_DISPATCH_DRY_RUN.
 */
struct bp_forge *bp_forge_dry_new(struct bp_forge *inner) BP_CHECK;

#endif
