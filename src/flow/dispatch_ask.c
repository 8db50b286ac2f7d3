/* What all parts of a dispatch use: time, questions, waits. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/time.h"
#include "flow/dispatch_internal.h"

int64_t flow_now(const struct flow *f)
{
    return bp_clock_mono(f->job->clock);
}

void flow_ask(struct flow *f, struct actor *a, const char *repo)
{
    bool changes = bp_ask_changes(a->ask.kind);

    a->ask.repo = repo;
    a->ask.owner = a;
    a->asking = true;
    a->sent_ms = flow_now(f);
    f->results->requests++;
    bp_pace_sent(&f->pace, changes, a->sent_ms);
    f->job->forge->ops->begin(f->job->forge, &a->ask);
}

void flow_drop(struct flow *f, struct actor *a)
{
    if (!a->asking)
        return;
    f->job->forge->ops->drop(f->job->forge, &a->ask);
    a->asking = false;
}

/* splitmix64: spreads, which is all that is asked of it. */
uint64_t flow_random(struct flow *f)
{
    uint64_t z = f->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30U)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27U)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31U);
}

int64_t flow_backoff_ms(struct flow *f, int64_t tries)
{
    int64_t delay = f->job->retry_delay_ms;

    for (int64_t i = 1; i < tries && delay < f->job->timeout_ms; i++)
        delay *= 2;
    return delay + (int64_t)(flow_random(f) % (uint64_t)(delay / 4 + 1));
}

bool flow_may_pass(enum bp_code code)
{
    return code == BP_EUNAVAILABLE || code == BP_ETIMEOUT;
}

bool flow_again(struct flow *f, struct actor *a)
{
    int64_t due = 0;

    if (!flow_may_pass(a->ask.err.code) || a->tries >= f->job->retries)
        return false;
    due = flow_now(f) + flow_backoff_ms(f, ++a->tries);
    if (due >= f->end_ms)
        return false;
    a->due_ms = due;
    bp_debug(f->job->out, "%s; trying again", a->ask.err.msg);
    return true;
}

void flow_words(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(out, size, fmt, args);
    va_end(args);
}

void flow_limit_words(const struct flow *f, struct bp_err *err)
{
    char when[BP_TIME_SIZE];

    bp_time_format(bp_clock_wall(f->job->clock) + f->pace.open_ms - flow_now(f), when);
    (void)bp_fail(err, BP_EUNAVAILABLE,
                  "the rate limit is reached and lasts until %s, which is after --timeout", when);
}
