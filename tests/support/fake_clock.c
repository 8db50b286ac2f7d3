#include "support/fake_clock.h"

static struct fake_clock *fake(struct bp_clock *base)
{
    return (struct fake_clock *)base;
}

static int64_t mono_ms(struct bp_clock *base)
{
    if (fake(base)->on_look != NULL)
        fake(base)->on_look(fake(base));
    return fake(base)->now_ms;
}

static int64_t wall_ms(struct bp_clock *base)
{
    return fake(base)->wall_start_ms + mono_ms(base);
}

static enum bp_code sleep_ms(struct bp_clock *base, int64_t ms, struct bp_err *err)
{
    struct fake_clock *self = fake(base);
    enum bp_code rc = bp_stop_check(base->stop, err);

    if (rc != BP_OK)
        return rc;
    if (self->sleeps < FAKE_CLOCK_KEPT)
        self->each_ms[self->sleeps] = ms;
    self->sleeps++;
    if (self->sleeps > self->sleeps_limit)
        return bp_fail(err, BP_EFAILED, "the fake clock was asked to sleep %zu times",
                       self->sleeps);
    if (ms > 0) {
        self->slept_ms += ms;
        self->now_ms += ms;
    }
    if (self->on_sleep != NULL)
        self->on_sleep(self, ms);
    return bp_stop_check(base->stop, err);
}

struct fake_clock fake_clock_new(void)
{
    return (struct fake_clock){
        .base = {.wall_ms = wall_ms, .mono_ms = mono_ms, .sleep_ms = sleep_ms},
        .wall_start_ms = INT64_C(1705329045000),
        .sleeps_limit = 100000,
    };
}

void fake_clock_advance(struct fake_clock *self, int64_t ms)
{
    self->now_ms += ms;
}
