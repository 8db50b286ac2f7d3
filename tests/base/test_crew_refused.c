/* Tasks that a worker other than number 0 cannot do. */
#include <criterion/criterion.h>
#include <string.h>

#include "test_crew_world.h"

TestSuite(crew_refused, .init = crew_set_up, .timeout = 60);

/* Number 0 keeps its first task until the others have refused all the rest. */
static enum bp_code refuse(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    (void)task;
    atomic_fetch_add(&cw.refusals, 1);
    return bp_fail(e, BP_ELOCKED, "not mine");
}

static enum bp_code wait_for_refusals(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    atomic_fetch_add(&cw.waiting, 1);
    crew_until(&cw.refusals, (int)cw.job.tasks - 1);
    return crew_do_at_once(ctx, worker, task, e);
}

static enum bp_code begin_after_0(void *ctx, size_t worker, struct bp_clock *clock,
                                  struct bp_err *e)
{
    if (worker > 0)
        crew_until(&cw.waiting, 1);
    return crew_begin_at_once(ctx, worker, clock, e);
}

Test(crew_refused, a_refused_task_goes_to_number_0_and_only_there)
{
    cw.job.workers = 4;
    cw.job.begin = begin_after_0;
    cw.job.claim = refuse;
    cw.job.work = wait_for_refusals;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(atomic_load(&cw.done_by[0]), TASKS);
    cr_expect_eq(atomic_load(&cw.refusals), TASKS - 1, "nobody is asked twice");
}

static enum bp_code meet_a_lock(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    return bp_fail(e, BP_ELOCKED, "task %zu broke off", task);
}

Test(crew_refused, a_task_that_was_begun_is_never_left_to_another_worker)
{
    cw.job.workers = 3;
    cw.job.work = meet_a_lock;
    cr_expect_eq(crew_run(), BP_ELOCKED);
    cr_expect_not_null(strstr(cw.err.msg, " broke off"), "%s", cw.err.msg);
}

Test(crew_refused, number_0_is_never_asked_whether_it_can)
{
    cw.job.workers = 1;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    cr_expect_eq(atomic_load(&cw.asked_0), 0);
}

/* Both have a task; that of number 1 is refused only when number 0 has nothing to do any more. */
static enum bp_code refuse_late(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    (void)ctx;
    (void)worker;
    (void)task;
    atomic_fetch_add(&cw.waiting, 1);
    crew_until(&cw.waiting, 2);
    crew_until(&cw.idles, 1);
    return bp_fail(e, BP_ELOCKED, "not mine");
}

static enum bp_code wait_for_the_other(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    atomic_fetch_add(&cw.waiting, 1);
    crew_until(&cw.waiting, 2);
    return crew_do_at_once(ctx, worker, task, e);
}

Test(crew_refused, number_0_stays_to_the_end_and_is_called_while_it_has_nothing_to_do)
{
    cw.job.tasks = 2;
    cw.job.claim = refuse_late;
    cw.job.work = wait_for_the_other;
    cr_assert_eq(crew_run(), BP_OK, "%s", cw.err.msg);
    crew_expect_each_done_once();
    cr_expect_eq(atomic_load(&cw.done_by[0]), 2);
    cr_expect(pthread_equal(cw.idle_thread, cw.threads[0]),
              "idle is called in the thread of number 0");
}

static enum bp_code wait_but_0(void *ctx, size_t worker, size_t task, struct bp_err *e)
{
    if (worker > 0)
        return crew_wait_for_ever(worker, e);
    crew_until(&cw.waiting, 1);
    return crew_do_at_once(ctx, worker, task, e);
}

static enum bp_code lose_the_locks(void *ctx, struct bp_err *e)
{
    (void)ctx;
    return bp_fail(e, BP_EUNAVAILABLE, "the locks are gone");
}

Test(crew_refused, an_error_while_number_0_has_nothing_to_do_ends_all)
{
    cw.job.tasks = 2;
    cw.job.work = wait_but_0;
    cw.job.idle = lose_the_locks;
    cr_expect_eq(crew_run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(cw.err.msg, "the locks are gone");
    cr_expect_eq(atomic_load(&cw.woken), 1);
}
