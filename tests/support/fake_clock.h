/*
 * A clock whose sleeps pass at once. Nothing else moves it, so a test knows every moment:
 *
 *     struct fake_clock clock = fake_clock_new();
 *     ... flow(&clock.base) ...
 *     cr_expect_eq(clock.slept_ms, 5000 + 10000);
 */
#ifndef TEST_SUPPORT_FAKE_CLOCK_H
#define TEST_SUPPORT_FAKE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { FAKE_CLOCK_KEPT = 256 };

struct fake_clock {
    struct bp_clock base;
    int64_t now_ms;        /* of the monotonic clock; starts at 0 */
    int64_t wall_start_ms; /* the wall clock's time when now_ms is 0: 2024-01-15T14:30:45Z */
    int64_t slept_ms;      /* all sleeps together */
    size_t sleeps;
    int64_t each_ms[FAKE_CLOCK_KEPT]; /* the first sleeps, one by one */
    /* Called at each sleep, when its time has passed and before it returns; NULL: nothing. */
    void (*on_sleep)(struct fake_clock *self, int64_t ms);
    void *ctx; /* of whoever sets on_sleep */
    /* Called at each look at a time, before it is told; NULL: nothing. It may call advance. */
    void (*on_look)(struct fake_clock *self);
    /* With this many sleeps a test fails with BP_EFAILED instead of looping for ever. */
    size_t sleeps_limit;
};

struct fake_clock fake_clock_new(void);

/* Let time pass without a sleep. */
void fake_clock_advance(struct fake_clock *self, int64_t ms);

#endif
