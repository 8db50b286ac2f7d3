#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/crew.h"

enum { TASKS = 100, WORKERS = 8, FOR_EVER_MS = 3600 * 1000 };

/* What the workers did. They are threads: nothing in them asserts, the tests look afterwards. */
static atomic_int done[TASKS]; /* how often each task was done */
static atomic_int done_by[WORKERS];
static atomic_int began_by[WORKERS];
static atomic_int ended_by[WORKERS];
static atomic_int refusals;
static atomic_int asked_0;
static atomic_int idles;
static atomic_int waiting; /* tasks that wait with their clock */
static atomic_int woken;   /* those of them whose wait ended in BP_ESTOPPED */
static struct bp_clock *clocks[WORKERS];
static pthread_t threads[WORKERS];
static pthread_t idle_thread;

static struct bp_clock clock_of_caller;
static struct bp_crew_job job;
static size_t began;
static struct bp_err why;
static struct bp_err err;

static enum bp_code begin_at_once(void *ctx, size_t worker, struct bp_clock *clock,
                                  struct bp_err *e)
{
    (void)ctx;
    (void)e;
    clocks[worker] = clock;
    threads[worker] = pthread_self();
    atomic_fetch_add(&began_by[worker], 1);
    return BP_OK;
}

static enum bp_code claim_all(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)task;
    (void)e;
    if (worker == 0)
        atomic_fetch_add(&asked_0, 1);
    return BP_OK;
}

static enum bp_code do_at_once(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)e;
    atomic_fetch_add(&done[task], 1);
    atomic_fetch_add(&done_by[worker], 1);
    return BP_OK;
}

static void count_end(void *ctx, size_t worker)
{
    (void)ctx;
    atomic_fetch_add(&ended_by[worker], 1);
}

static enum bp_code count_idle(void *ctx, struct bp_err *e)
{
    (void)ctx;
    (void)e;
    idle_thread = pthread_self();
    atomic_fetch_add(&idles, 1);
    return BP_OK;
}

static void until(atomic_int *counter, int least)
{
    while (atomic_load(counter) < least)
        (void)sched_yield();
}

static enum bp_code wait_for_ever(size_t worker, struct bp_err *e)
{
    enum bp_code rc = BP_OK;

    atomic_fetch_add(&waiting, 1);
    rc = bp_clock_sleep(clocks[worker], FOR_EVER_MS, e);
    if (rc == BP_ESTOPPED)
        atomic_fetch_add(&woken, 1);
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

static void set_up(void)
{
    pthread_t thread;

    /* A sanitizer may start a thread of its own with the first one. */
    cr_assert_eq(pthread_create(&thread, NULL, return_at_once, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    clock_of_caller = bp_clock_system(NULL);
    job = (struct bp_crew_job){.workers = 2,
                               .tasks = TASKS,
                               .begin = begin_at_once,
                               .claim = claim_all,
                               .work = do_at_once,
                               .end = count_end,
                               .idle = count_idle,
                               .clock = &clock_of_caller};
}

TestSuite(crew, .init = set_up, .timeout = 60);

static int sum(const atomic_int *counters)
{
    int total = 0;

    for (size_t i = 0; i < WORKERS; i++)
        total += atomic_load(&counters[i]);
    return total;
}

/* Whoever began ends, and no thread is left: the system takes a moment to forget the last one. */
static enum bp_code run(void)
{
    int before = count_threads();
    enum bp_code rc = bp_crew_run(&job, &began, &why, &err);

    cr_expect_eq(sum(ended_by), sum(began_by));
    cr_expect_eq(began, (size_t)sum(began_by));
    while (count_threads() > before)
        (void)sched_yield();
    return rc;
}

static void expect_each_done_once(void)
{
    for (size_t i = 0; i < job.tasks; i++)
        cr_expect_eq(atomic_load(&done[i]), 1, "task %zu was done %d times", i,
                     atomic_load(&done[i]));
}

Test(crew, any_number_of_workers_does_every_task_once)
{
    static const size_t counts[] = {0, 1, 2, 8}; /* none is one */

    for (size_t i = 0; i < 4; i++) {
        memset(done, 0, sizeof(done));
        memset(began_by, 0, sizeof(began_by));
        memset(ended_by, 0, sizeof(ended_by));
        job.workers = counts[i];
        cr_assert_eq(run(), BP_OK, "%s", err.msg);
        expect_each_done_once();
        cr_expect_eq(began, counts[i] > 0 ? counts[i] : 1);
        cr_expect_eq(why.code, BP_OK, "%s", why.msg);
    }
}

Test(crew, no_more_workers_than_tasks_are_started)
{
    job.workers = WORKERS;
    job.tasks = 3;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(began, 3);
}

Test(crew, without_tasks_there_is_nothing_to_do)
{
    job.tasks = 0;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(began, 1);
    cr_expect_eq(sum(done_by), 0);
}

Test(crew, there_is_at_least_one_core)
{
    cpu_set_t one;

    cr_expect_geq(bp_crew_cores(), 1);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    cr_expect_eq(bp_crew_cores(), 1);
}

/* ---- to begin ---- */

static enum bp_code begin_two(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *e)
{
    if (worker > 1)
        return bp_fail(e, BP_EUNAVAILABLE, "too many connections");
    return begin_at_once(ctx, worker, clock, e);
}

Test(crew, fewer_that_can_begin_do_everything)
{
    job.workers = WORKERS;
    job.begin = begin_two;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(began, 2);
    cr_expect_eq(why.code, BP_EUNAVAILABLE);
    cr_expect_str_eq(why.msg, "too many connections");
}

static enum bp_code begin_but_0(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *e)
{
    if (worker > 0)
        return begin_at_once(ctx, worker, clock, e);
    until(&waiting, 1);
    return bp_fail(e, BP_EAUTH, "no connection for the first one");
}

static enum bp_code wait_in_task(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)task;
    return wait_for_ever(worker, e);
}

Test(crew, nothing_works_when_number_0_cannot_begin)
{
    job.begin = begin_but_0;
    job.work = wait_in_task;
    cr_expect_eq(run(), BP_EAUTH);
    cr_expect_str_eq(err.msg, "no connection for the first one");
    cr_expect_eq(began, 1);
    cr_expect_eq(atomic_load(&woken), 1);
}

static enum bp_code begin_all_but_one(void *ctx, size_t worker, struct bp_clock *clock,
                                      struct bp_err *e)
{
    if (worker != *(const size_t *)ctx)
        return begin_at_once(ctx, worker, clock, e);
    return bp_clock_sleep(clock, FOR_EVER_MS, e);
}

Test(crew, who_is_still_trying_to_begin_does_not_hold_up_the_end)
{
    size_t slow = 1;

    job.begin = begin_all_but_one;
    job.ctx = &slow;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(began, 1);
    cr_expect_eq(why.code, BP_OK, "that one was not needed: %s", why.msg);
}

Test(crew, all_is_done_even_when_number_0_was_too_slow_to_begin)
{
    size_t slow = 0;

    job.begin = begin_all_but_one;
    job.ctx = &slow;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(began, 1);
}

/* ---- failures ---- */

/* The first task waits, the second one fails, the others can be done. */
static enum bp_code fail_the_second(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    if (task == 0)
        return wait_for_ever(worker, e);
    if (task > 1)
        return do_at_once(ctx, worker, task, e);
    until(&waiting, 1);
    return bp_fail(e, BP_EINTEGRITY, "this one cannot be done");
}

Test(crew, a_task_that_fails_ends_the_waits_of_the_others)
{
    job.work = fail_the_second;
    cr_expect_eq(run(), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "this one cannot be done", "the first failure counts: %s", err.msg);
    cr_expect_eq(atomic_load(&woken), 1);
    cr_expect_eq(sum(done_by), 0, "no further task is begun");
}

static enum bp_code fail_all(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    atomic_fetch_add(&done_by[worker], 1);
    return bp_fail(e, BP_EFAILED, "task %zu", task);
}

Test(crew, everything_fails_and_nothing_is_left)
{
    job.workers = WORKERS;
    job.work = fail_all;
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_leq(sum(done_by), WORKERS, "nobody begins a second one");
}

static enum bp_code stop_and_wait(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)task;
    bp_stop_ask(ctx);
    return wait_for_ever(worker, e);
}

Test(crew, the_stop_of_the_caller_ends_all)
{
    BP_AUTO(bp_stop_close) struct bp_stop stop = {.fd = -1, .write_fd = -1};

    cr_assert_eq(bp_stop_open(&stop, &err), BP_OK, "%s", err.msg);
    clock_of_caller = bp_clock_system(&stop);
    job.work = stop_and_wait;
    job.ctx = &stop;
    cr_expect_eq(run(), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM");
    cr_expect_eq(atomic_load(&woken), atomic_load(&waiting));
}

Test(crew, the_limit_of_the_caller_ends_all)
{
    struct bp_stop limited = bp_stop_limited(NULL, 50);

    clock_of_caller = bp_clock_system(&limited);
    job.work = wait_in_task;
    cr_expect_eq(run(), BP_ETIMEOUT);
    cr_expect_str_eq(err.msg, "the time limit of 50 ms is over");
    cr_expect_eq(atomic_load(&woken), atomic_load(&waiting));
}

static enum bp_code refuse_to_go_on(void *ctx, struct bp_err *e)
{
    bool same = pthread_equal(*(const pthread_t *)ctx, pthread_self()) != 0;

    return bp_fail(e, BP_EFAILED, same ? "seen enough" : "in a thread of a worker");
}

Test(crew, an_error_of_who_watches_ends_all)
{
    pthread_t self = pthread_self();

    job.work = wait_in_task;
    job.watch = refuse_to_go_on;
    job.ctx = &self;
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_str_eq(err.msg, "seen enough");
    cr_expect_eq(atomic_load(&woken), atomic_load(&waiting));
}

/* ---- refused tasks ---- */

/* Number 0 keeps its first task until the others have refused all the rest. */
static enum bp_code refuse(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    (void)task;
    atomic_fetch_add(&refusals, 1);
    return bp_fail(e, BP_ELOCKED, "not mine");
}

static enum bp_code wait_for_refusals(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    atomic_fetch_add(&waiting, 1);
    until(&refusals, (int)job.tasks - 1);
    return do_at_once(ctx, worker, task, e);
}

static enum bp_code begin_after_0(void *ctx, size_t worker, struct bp_clock *clock,
                                  struct bp_err *e)
{
    if (worker > 0)
        until(&waiting, 1);
    return begin_at_once(ctx, worker, clock, e);
}

Test(crew, a_refused_task_goes_to_number_0_and_only_there)
{
    job.workers = 4;
    job.begin = begin_after_0;
    job.claim = refuse;
    job.work = wait_for_refusals;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(atomic_load(&done_by[0]), TASKS);
    cr_expect_eq(atomic_load(&refusals), TASKS - 1, "nobody is asked twice");
}

static enum bp_code meet_a_lock(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    return bp_fail(e, BP_ELOCKED, "task %zu broke off", task);
}

Test(crew, a_task_that_was_begun_is_never_left_to_another_worker)
{
    job.workers = 3;
    job.work = meet_a_lock;
    cr_expect_eq(run(), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, " broke off"), "%s", err.msg);
}

Test(crew, number_0_is_never_asked_whether_it_can)
{
    job.workers = 1;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(atomic_load(&asked_0), 0);
}

/* Both have a task; that of number 1 is refused only when number 0 has nothing to do any more. */
static enum bp_code refuse_late(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    (void)task;
    atomic_fetch_add(&waiting, 1);
    until(&waiting, 2);
    until(&idles, 1);
    return bp_fail(e, BP_ELOCKED, "not mine");
}

static enum bp_code wait_for_the_other(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    atomic_fetch_add(&waiting, 1);
    until(&waiting, 2);
    return do_at_once(ctx, worker, task, e);
}

Test(crew, number_0_stays_to_the_end_and_is_called_while_it_has_nothing_to_do)
{
    job.tasks = 2;
    job.claim = refuse_late;
    job.work = wait_for_the_other;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    expect_each_done_once();
    cr_expect_eq(atomic_load(&done_by[0]), 2);
    cr_expect(pthread_equal(idle_thread, threads[0]), "idle is called in the thread of number 0");
}

static enum bp_code wait_but_0(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    if (worker > 0)
        return wait_for_ever(worker, e);
    until(&waiting, 1);
    return do_at_once(ctx, worker, task, e);
}

static enum bp_code lose_the_locks(void *ctx, struct bp_err *e)
{
    (void)ctx;
    return bp_fail(e, BP_EUNAVAILABLE, "the locks are gone");
}

Test(crew, an_error_while_number_0_has_nothing_to_do_ends_all)
{
    job.tasks = 2;
    job.work = wait_but_0;
    job.idle = lose_the_locks;
    cr_expect_eq(run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(err.msg, "the locks are gone");
    cr_expect_eq(atomic_load(&woken), 1);
}
