#include "test_crew_world.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <sched.h>

struct crew_world cw;

enum bp_code crew_begin_at_once(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *e)
{
    (void)ctx;
    (void)e;
    cw.clocks[worker] = clock;
    cw.threads[worker] = pthread_self();
    atomic_fetch_add(&cw.began_by[worker], 1);
    return BP_OK;
}

enum bp_code crew_claim_all(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)task;
    (void)e;
    if (worker == 0)
        atomic_fetch_add(&cw.asked_0, 1);
    return BP_OK;
}

enum bp_code crew_do_at_once(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)e;
    atomic_fetch_add(&cw.done[task], 1);
    atomic_fetch_add(&cw.done_by[worker], 1);
    return BP_OK;
}

static void count_end(void *ctx, size_t worker)
{
    (void)ctx;
    atomic_fetch_add(&cw.ended_by[worker], 1);
}

static enum bp_code count_idle(void *ctx, struct bp_err *e)
{
    (void)ctx;
    (void)e;
    cw.idle_thread = pthread_self();
    atomic_fetch_add(&cw.idles, 1);
    return BP_OK;
}

void crew_until(atomic_int *counter, int least)
{
    while (atomic_load(counter) < least)
        (void)sched_yield();
}

enum bp_code crew_wait_for_ever(size_t worker, struct bp_err *e)
{
    enum bp_code rc = BP_OK;

    atomic_fetch_add(&cw.waiting, 1);
    rc = bp_clock_sleep(cw.clocks[worker], FOR_EVER_MS, e);
    if (rc == BP_ESTOPPED)
        atomic_fetch_add(&cw.woken, 1);
    return rc;
}

static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;

    cr_assert_not_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

static void *return_at_once(void *arg)
{
    return arg;
}

void crew_set_up(void)
{
    pthread_t thread;

    /* A sanitizer may start a thread of its own with the first one. */
    cr_assert_eq(pthread_create(&thread, NULL, return_at_once, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cw.clock_of_caller = bp_clock_system(NULL);
    cw.job = (struct bp_crew_job){.workers = 2,
                                  .tasks = TASKS,
                                  .begin = crew_begin_at_once,
                                  .claim = crew_claim_all,
                                  .work = crew_do_at_once,
                                  .end = count_end,
                                  .idle = count_idle,
                                  .clock = &cw.clock_of_caller};
}

int crew_sum(const atomic_int *counters)
{
    int total = 0;

    for (size_t i = 0; i < WORKERS; i++)
        total += atomic_load(&counters[i]);
    return total;
}

/* The system takes a moment to forget the last thread. */
enum bp_code crew_run(void)
{
    int before = count_threads();
    enum bp_code rc = bp_crew_run(&cw.job, &cw.began, &cw.why, &cw.err);

    cr_expect_eq(crew_sum(cw.ended_by), crew_sum(cw.began_by));
    cr_expect_eq(cw.began, (size_t)crew_sum(cw.began_by));
    while (count_threads() > before)
        (void)sched_yield();
    return rc;
}

void crew_expect_each_done_once(void)
{
    for (size_t i = 0; i < cw.job.tasks; i++)
        cr_expect_eq(atomic_load(&cw.done[i]), 1, "task %zu was done %d times", i,
                     atomic_load(&cw.done[i]));
}
