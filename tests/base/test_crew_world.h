/* A crew whose workers write down what they do. They are threads: nothing in them asserts, the
 * tests look afterwards. */
#ifndef TESTS_BASE_TEST_CREW_WORLD_H
#define TESTS_BASE_TEST_CREW_WORLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/crew.h"

enum { TASKS = 100, WORKERS = 8, FOR_EVER_MS = 3600 * 1000 };

struct crew_world {
    atomic_int done[TASKS]; /* how often each task was done */
    atomic_int done_by[WORKERS];
    atomic_int began_by[WORKERS];
    atomic_int ended_by[WORKERS];
    atomic_int refusals;
    atomic_int asked_0; /* how often number 0 was asked whether it can */
    atomic_int idles;
    atomic_int waiting; /* tasks that wait with their clock */
    atomic_int woken;   /* those of them whose wait ended in BP_ESTOPPED */
    struct bp_clock *clocks[WORKERS];
    pthread_t threads[WORKERS];
    pthread_t idle_thread;

    struct bp_clock clock_of_caller;
    struct bp_crew_job job;
    size_t began;
    struct bp_err why;
    struct bp_err err;
};

extern struct crew_world cw;

/* Two workers that do every task at once; for .init of a suite. */
void crew_set_up(void);

/* Run cw.job; whoever began has ended, and no thread is left. */
enum bp_code crew_run(void);

/* What a job may be made of. */
enum bp_code crew_begin_at_once(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *e);
enum bp_code crew_claim_all(void *ctx, size_t worker, size_t task, struct bp_err *e);
enum bp_code crew_do_at_once(void *ctx, size_t worker, size_t task, struct bp_err *e);
enum bp_code crew_wait_for_ever(size_t worker, struct bp_err *e);

void crew_until(atomic_int *counter, int least);
int crew_sum(const atomic_int *counters);
void crew_expect_each_done_once(void);

#endif
