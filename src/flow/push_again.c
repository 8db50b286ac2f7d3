#include "flow/push_again.h"

#include "base/random.h"

enum { PUSHES = 6, PUSH_AGAIN_MS = 2000, JITTER_MS = 1000 };

/* Longer each time, and never as long as another one who began to wait in the same moment. */
static int64_t wait_before(int number)
{
    uint16_t jitter = 0;

    bp_random(&jitter, sizeof(jitter));
    return (int64_t)PUSH_AGAIN_MS * number + jitter % JITTER_MS;
}

/* Whether it may go better a little later: a lost race, or an outage in which nothing arrived. */
static bool may_pass(enum bp_code rc)
{
    return rc == BP_ELOCKED || rc == BP_EUNAVAILABLE || rc == BP_ETIMEOUT;
}

enum bp_code bp_push_again(const struct bp_push_again *push, struct bp_err *err)
{
    enum bp_code rc = push->change(push->ctx, err);

    for (int i = 1; may_pass(rc) && i < PUSHES; i++) {
        struct bp_err stop = {0};

        /* What was sent is on the server, which may still be at work on it. */
        if (bp_stop_check(push->clock->stop, &stop) != BP_OK)
            return bp_fail(err, stop.code, "%s%s", stop.msg,
                           rc == BP_ELOCKED ? "" : "; it is not known whether the change arrived");
        bp_info(push->out, "%s; trying again", err->msg);
        if (bp_clock_sleep(push->clock, wait_before(i), err) != BP_OK)
            return err->code;
        rc = push->store->ops->refresh(push->store, err);
        if (rc == BP_OK)
            rc = push->change(push->ctx, err);
    }
    return rc;
}
