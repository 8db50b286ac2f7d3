#include <criterion/criterion.h>
#include <stdio.h>

#include "flow/push_again.h"
#include "support/fake_clock.h"
#include "support/fake_store.h"

static struct fake_clock fclock;
static struct fake_store store;
static struct bp_out out;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    store = fake_store();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
}

static void tear_down(void)
{
    fake_store_release(&store);
}

TestSuite(push_again, .init = set_up, .fini = tear_down);

/* What the tries give, one after the other; BP_OK at the end. */
static enum bp_code give(void *ctx, struct bp_err *why)
{
    const enum bp_code **next = ctx;
    enum bp_code rc = **next;

    (*next)++;
    return rc == BP_OK ? BP_OK : bp_fail(why, rc, "no luck");
}

static enum bp_code push(const enum bp_code *tries, size_t *used)
{
    const enum bp_code *next = tries;
    const struct bp_push_again job = {
        .store = &store.base, .clock = &fclock.base, .out = &out, .change = give, .ctx = &next};
    enum bp_code rc = bp_push_again(&job, &err);

    *used = (size_t)(next - tries);
    return rc;
}

Test(push_again, once_is_enough_when_it_works)
{
    size_t used = 0;

    cr_expect_eq(push((const enum bp_code[]){BP_OK, BP_EFAILED}, &used), BP_OK);
    cr_expect_eq(used, 1u);
    cr_expect_eq(store.refreshes, 0);
    cr_expect_eq(fclock.sleeps, 0u);
}

Test(push_again, looks_again_and_waits_longer_before_each_try)
{
    static const enum bp_code tries[] = {BP_ELOCKED, BP_EUNAVAILABLE, BP_ETIMEOUT, BP_OK};
    size_t used = 0;

    cr_expect_eq(push(tries, &used), BP_OK);
    cr_expect_eq(used, 4u);
    cr_expect_eq(store.refreshes, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect_geq(fclock.each_ms[i], 2000 * (i + 1));
        cr_expect_lt(fclock.each_ms[i], 2000 * (i + 1) + 1000);
    }
}

Test(push_again, two_who_lost_do_not_wait_equally_long)
{
    static const enum bp_code tries[] = {BP_ELOCKED, BP_ELOCKED, BP_ELOCKED,
                                         BP_ELOCKED, BP_ELOCKED, BP_OK};
    int64_t extra = 0;
    size_t used = 0;

    cr_expect_eq(push(tries, &used), BP_OK);
    for (int i = 0; i < 5; i++)
        extra += fclock.each_ms[i] - 2000 * (i + 1);
    cr_expect_gt(extra, 0, "five times none is one in 10^15");
}

Test(push_again, a_refusal_ends_it)
{
    size_t used = 0;

    cr_expect_eq(push((const enum bp_code[]){BP_ELOCKED, BP_EAUTH, BP_OK}, &used), BP_EAUTH);
    cr_expect_str_eq(err.msg, "no luck");
    cr_expect_eq(used, 2u);
}

Test(push_again, six_tries_are_enough)
{
    static const enum bp_code tries[] = {BP_ELOCKED, BP_ELOCKED, BP_ELOCKED, BP_ELOCKED,
                                         BP_ELOCKED, BP_ELOCKED, BP_OK};
    size_t used = 0;

    cr_expect_eq(push(tries, &used), BP_ELOCKED);
    cr_expect_eq(used, 6u);
}
