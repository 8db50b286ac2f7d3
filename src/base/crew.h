/*
 * A crew: threads that work off a list of tasks, in order, each as soon as a thread is free.
 *
 * Work is done in the threads, while the caller's thread waits and watches. The first failure
 * stops all others; a stop of the caller's clock does too. Whatever a worker waits for has to be
 * waited for with the clock that it was given, so that it ends in time. That is the system's
 * clock, because a virtual one cannot be shared.
 */
#ifndef BP_BASE_CREW_H
#define BP_BASE_CREW_H

#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"

/* All lent for the length of the call. */
struct bp_crew_job {
    size_t workers; /* threads; no more than tasks are started, at least one is */
    size_t tasks;
    /*
     * Those of a thread; all but work may be NULL. The first worker, number 0, has to begin; the
     * others need not: a server may have too few connections for all. Before each task a worker
     * other than number 0 is asked whether it can do it: with BP_ELOCKED it leaves the task to
     * number 0, which stays to the end.
     */
    enum bp_code (*begin)(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *err);
    enum bp_code (*claim)(void *ctx, size_t worker, size_t task, struct bp_err *err);
    enum bp_code (*work)(void *ctx, size_t worker, size_t task, struct bp_err *err);
    void (*end)(void *ctx, size_t worker);
    /* Called in the thread of number 0 again and again while it has nothing to do. */
    enum bp_code (*idle)(void *ctx, struct bp_err *err);
    /* Called in the caller's thread about every second. */
    enum bp_code (*watch)(void *ctx, struct bp_err *err);
    void *ctx;
    struct bp_clock *clock;
};

/*
 * BP_OK when every task was done. *began is how many workers could begin; when that is fewer than
 * asked for, why tells the reason of one of them. No thread is left when this returns.
 */
enum bp_code bp_crew_run(const struct bp_crew_job *job, size_t *began, struct bp_err *why,
                         struct bp_err *err) BP_CHECK;

/* The processor cores that this process may use; at least 1. */
size_t bp_crew_cores(void);

#endif
