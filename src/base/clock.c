#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall(struct bp_clock *self)
{
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

int64_t bp_clock_system_mono(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_mono(struct bp_clock *self)
{
    (void)self;
    return bp_clock_system_mono();
}

static enum bp_code system_sleep(struct bp_clock *self, int64_t ms, struct bp_err *err)
{
    int64_t end = system_mono(self) + ms;
    int64_t left = ms;

    while (left > 0) {
        bool ready = false;
        enum bp_code rc = bp_stop_wait(self->stop, -1, 0, left, &ready, err);

        if (rc != BP_OK)
            return rc;
        left = end - system_mono(self);
    }
    return bp_stop_check(self->stop, err);
}

struct bp_clock bp_clock_system(const struct bp_stop *stop)
{
    return (struct bp_clock){
        .wall_ms = system_wall, .mono_ms = system_mono, .sleep_ms = system_sleep, .stop = stop};
}

int64_t bp_clock_wall(struct bp_clock *clock)
{
    return clock->wall_ms(clock);
}

int64_t bp_clock_mono(struct bp_clock *clock)
{
    return clock->mono_ms(clock);
}

enum bp_code bp_clock_sleep(struct bp_clock *clock, int64_t ms, struct bp_err *err)
{
    return clock->sleep_ms(clock, ms, err);
}
