/*
 * The clock is given, never fetched, so that a five-minute backoff is tested in a millisecond.
 */
#ifndef BP_BASE_CLOCK_H
#define BP_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"
#include "base/stop.h"

struct bp_clock {
    /* Milliseconds since 1970; may jump. For names and reports. */
    int64_t (*wall_ms)(struct bp_clock *self);
    /* Milliseconds since some start; never jumps. For deadlines. */
    int64_t (*mono_ms)(struct bp_clock *self);
    /* Wait this long. BP_ESTOPPED as soon as the program is asked to end. */
    enum bp_code (*sleep_ms)(struct bp_clock *self, int64_t ms, struct bp_err *err);
    const struct bp_stop *stop; /* may be NULL */
};

/* The system's clock; its sleeps end when stop does. */
struct bp_clock bp_clock_system(const struct bp_stop *stop);

/* The monotonic time of the system, for the deadline of a stop: that is waited for in real time. */
int64_t bp_clock_system_mono(void);

int64_t bp_clock_wall(struct bp_clock *clock);
int64_t bp_clock_mono(struct bp_clock *clock);
enum bp_code bp_clock_sleep(struct bp_clock *clock, int64_t ms, struct bp_err *err) BP_CHECK;

#endif
