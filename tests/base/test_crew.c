#include <criterion/criterion.h>
#include <string.h>

#include "test_crew_world.h"

TestSuite(crew, .init = crew_set_up, .timeout = 60);

Test(crew, any_number_of_workers_does_every_task_once)
{
    static const size_t counts[] = {0, 1, 2, 8}; /* none is one */

    for (size_t i = 0; i < 4; i++) {
        memset(cw.done, 0, sizeof(cw.done));
        memset(cw.began_by, 0, sizeof(cw.began_by));
        memset(cw.ended_by, 0, sizeof(cw.ended_by));
        cw.job.workers = counts[i];
        cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
        crew_expect_each_done_once();
        cr_expect_eq(cw.began, counts[i] > 0 ? counts[i] : 1);
        cr_expect_eq(cw.why.code, BP_OK, "%s", cw.why.msg);
    }
}

Test(crew, no_more_workers_than_tasks_are_started)
{
    cw.job.workers = WORKERS;
    cw.job.tasks = 3;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(cw.began, 3);
}

Test(crew, without_tasks_there_is_nothing_to_do)
{
    cw.job.tasks = 0;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    cr_expect_eq(cw.began, 1);
    cr_expect_eq(crew_sum(cw.done_by), 0);
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
    return crew_begin_at_once(ctx, worker, clock, e);
}

Test(crew, fewer_that_can_begin_do_everything)
{
    cw.job.workers = WORKERS;
    cw.job.begin = begin_two;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(cw.began, 2);
    cr_expect_eq(cw.why.code, BP_EUNAVAILABLE);
    cr_expect_str_eq(cw.why.msg, "too many connections");
}

static enum bp_code begin_but_0(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *e)
{
    if (worker > 0)
        return crew_begin_at_once(ctx, worker, clock, e);
    crew_until(&cw.waiting, 1);
    return bp_fail(e, BP_EAUTH, "no connection for the first one");
}

static enum bp_code wait_in_task(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)task;
    return crew_wait_for_ever(worker, e);
}

Test(crew, nothing_works_when_number_0_cannot_begin)
{
    cw.job.begin = begin_but_0;
    cw.job.work = wait_in_task;
    cr_expect_eq(crew_run(), BP_EAUTH);
    cr_expect_str_eq(cw.err.msg, "no connection for the first one");
    cr_expect_eq(cw.began, 1);
    cr_expect_eq(atomic_load(&cw.woken), 1);
}

static enum bp_code begin_all_but_one(void *ctx, size_t worker, struct bp_clock *clock,
                                      struct bp_err *e)
{
    if (worker != *(const size_t *)ctx)
        return crew_begin_at_once(ctx, worker, clock, e);
    return bp_clock_sleep(clock, FOR_EVER_MS, e);
}

Test(crew, who_is_still_trying_to_begin_does_not_hold_up_the_end)
{
    size_t slow = 1;

    cw.job.begin = begin_all_but_one;
    cw.job.ctx = &slow;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(cw.began, 1);
    cr_expect_eq(cw.why.code, BP_OK, "that one was not needed: %s", cw.why.msg);
}

Test(crew, all_is_done_even_when_number_0_was_too_slow_to_begin)
{
    size_t slow = 0;

    cw.job.begin = begin_all_but_one;
    cw.job.ctx = &slow;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(cw.began, 1);
}

/* ---- failures ---- */

/* The first task waits, the second one fails, the others can be done. */
static enum bp_code fail_the_second(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    if (task == 0)
        return crew_wait_for_ever(worker, e);
    if (task > 1)
        return crew_do_at_once(ctx, worker, task, e);
    crew_until(&cw.waiting, 1);
    return bp_fail(e, BP_EINTEGRITY, "this one cannot be done");
}

Test(crew, a_task_that_fails_ends_the_waits_of_the_others)
{
    cw.job.work = fail_the_second;
    cr_expect_eq(crew_run(), BP_EINTEGRITY);
    cr_expect_str_eq(cw.err.msg, "this one cannot be done", "the first failure counts: %s",
                     cw.err.msg);
    cr_expect_eq(atomic_load(&cw.woken), 1);
    cr_expect_eq(crew_sum(cw.done_by), 0, "no further task is begun");
}

static enum bp_code fail_all(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    atomic_fetch_add(&cw.done_by[worker], 1);
    return bp_fail(e, BP_EFAILED, "task %zu", task);
}

Test(crew, everything_fails_and_nothing_is_left)
{
    cw.job.workers = WORKERS;
    cw.job.work = fail_all;
    cr_expect_eq(crew_run(), BP_EFAILED);
    cr_expect_leq(crew_sum(cw.done_by), WORKERS, "nobody begins a second one");
}

static enum bp_code stop_and_wait(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)task;
    bp_stop_ask(ctx);
    return crew_wait_for_ever(worker, e);
}

Test(crew, the_stop_of_the_caller_ends_all)
{
    BP_AUTO(bp_stop_close) struct bp_stop stop = {.fd = -1, .write_fd = -1};

    cr_assert_eq(bp_stop_open(&stop, &cw.err), BP_OK, "%s", cw.err.msg);
    cw.clock_of_caller = bp_clock_system(&stop);
    cw.job.work = stop_and_wait;
    cw.job.ctx = &stop;
    cr_expect_eq(crew_run(), BP_ESTOPPED);
    cr_expect_str_eq(cw.err.msg, "stopped by SIGTERM");
    cr_expect_eq(atomic_load(&cw.woken), atomic_load(&cw.waiting));
}

Test(crew, the_limit_of_the_caller_ends_all)
{
    struct bp_stop limited = bp_stop_limited(NULL, 50);

    cw.clock_of_caller = bp_clock_system(&limited);
    cw.job.work = wait_in_task;
    cr_expect_eq(crew_run(), BP_ETIMEOUT);
    cr_expect_str_eq(cw.err.msg, "the time limit of 50 ms is over");
    cr_expect_eq(atomic_load(&cw.woken), atomic_load(&cw.waiting));
}

static enum bp_code refuse_to_go_on(void *ctx, struct bp_err *e)
{
    bool same = pthread_equal(*(const pthread_t *)ctx, pthread_self()) != 0;

    return bp_fail(e, BP_EFAILED, same ? "seen enough" : "in a thread of a worker");
}

Test(crew, an_error_of_who_watches_ends_all)
{
    pthread_t self = pthread_self();

    cw.job.work = wait_in_task;
    cw.job.watch = refuse_to_go_on;
    cw.job.ctx = &self;
    cr_expect_eq(crew_run(), BP_EFAILED);
    cr_expect_str_eq(cw.err.msg, "seen enough");
    cr_expect_eq(atomic_load(&cw.woken), atomic_load(&cw.waiting));
}
