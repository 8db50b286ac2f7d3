/* A branch with archives, each whole, in the fake store: what all tests of flow/prune share. */
#ifndef TESTS_FLOW_PRUNE_WORLD_H
#define TESTS_FLOW_PRUNE_WORLD_H

#include "flow/prune.h"
#include "support/fake_clock.h"
#include "support/fake_store.h"

/* One at a time: Criterion runs each test in a process of its own. */
struct prune_world {
    struct fake_clock clock; /* 2024-01-15T14:30:45Z */
    struct fake_store store;
    struct bp_stop stop; /* of the clock, once prune_with_stop() was called */
    struct bp_out out;
    struct bp_err err;
    struct bp_prune_job job;
    struct bp_prune_result result;
    char *printed;
    size_t printed_len;
};

extern struct prune_world pw;

/* For TestSuite's .init and .fini. */
void prune_set_up(void);
void prune_tear_down(void);

void prune_with_stop(void);

/* Put an archive there; level: of its verification, or NULL. The latest has no parts in its name.
 */
void prune_put(const char *folder, const char *level);

/* Daily archives, o-r, schedule, from this day of 2024-01 on; the last one is the latest. */
void prune_put_days(int from, int to);

enum bp_code prune_run(void);

/* "15k 14g": the days with what becomes of them, newest first. */
const char *prune_plan_text(void);

#endif
