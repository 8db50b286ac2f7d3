/*
 * Others may push to the branch while we do, and servers have bad moments: look again and try
 * again, a few times, waiting longer each time.
 */
#ifndef BP_FLOW_PUSH_AGAIN_H
#define BP_FLOW_PUSH_AGAIN_H

#include "base/clock.h"
#include "base/print.h"
#include "store/store.h"

/* All lent. */
struct bp_push_again {
    struct bp_store *store; /* open */
    struct bp_clock *clock;
    struct bp_out *out; /* is told why it is tried again */
    /* Look at the branch as it is now, and change it. */
    enum bp_code (*change)(void *ctx, struct bp_err *err);
    void *ctx;
};

/* What the last try gave. A lost race, an outage and a time that was over are tried again. */
enum bp_code bp_push_again(const struct bp_push_again *push, struct bp_err *err) BP_CHECK;

#endif
