#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crew.h"

/* Two workers with a task each: the last task ends while number 0 is in idle(). */
static struct bp_clock *clock_of_0;
static atomic_int waiting;
static atomic_int is_idle;
static atomic_int other_thread; /* the system's number of the thread that ends the last task */
static atomic_bool stopped;

static enum bp_code begin(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *err)
{
    (void)ctx;
    (void)err;
    if (worker == 0)
        clock_of_0 = clock;
    return BP_OK;
}

static enum bp_code claim(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    (void)ctx;
    (void)worker;
    (void)task;
    (void)err;
    return BP_OK;
}

static void end(void *ctx, size_t worker)
{
    (void)ctx;
    (void)worker;
}

static void until(atomic_int *counter, int least)
{
    while (atomic_load(counter) < least)
        (void)sched_yield();
}

static enum bp_code work(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    (void)ctx;
    (void)task;
    (void)err;
    atomic_fetch_add(&waiting, 1);
    until(&waiting, 2);
    if (worker == 0)
        return BP_OK;
    until(&is_idle, 1);
    atomic_store(&other_thread, gettid());
    return BP_OK;
}

/* Whether this thread does anything: one that waits for a mutex, or has ended, does not. */
static bool runs(int thread)
{
    char path[64];
    char line[512] = "";
    const char *state = NULL;
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    if (fgets(line, sizeof(line), file) != NULL)
        state = strrchr(line, ')');
    (void)fclose(file);
    return state != NULL && state[2] == 'R';
}

static enum bp_code be_idle(void *ctx, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    (void)ctx;
    atomic_store(&is_idle, 1);
    until(&other_thread, 1);
    while (runs(atomic_load(&other_thread)))
        (void)sched_yield();
    rc = bp_stop_check(clock_of_0->stop, err);
    if (rc != BP_OK)
        atomic_store(&stopped, true);
    return rc;
}

Test(crew_idle, is_not_stopped_by_the_end_of_the_last_task, .timeout = 60)
{
    struct bp_clock clock = bp_clock_system(NULL);
    const struct bp_crew_job job = {.workers = 2,
                                    .tasks = 2,
                                    .begin = begin,
                                    .claim = claim,
                                    .work = work,
                                    .end = end,
                                    .idle = be_idle,
                                    .clock = &clock};
    struct bp_err why = {0};
    struct bp_err err = {0};
    size_t began = 0;

    cr_expect_eq(bp_crew_run(&job, &began, &why, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(began, 2);
    cr_expect(atomic_load(&is_idle));
    cr_expect_not(atomic_load(&stopped));
}
