/* Trying again what may pass, with waits that double: for calls that may block. */
#ifndef BP_BASE_RETRY_H
#define BP_BASE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct bp_retry {
    struct bp_clock *clock;
    int64_t retries;  /* how often again at most */
    int64_t delay_ms; /* before the first retry; doubles each time */
    int64_t done;     /* retries so far */
};

/*
 * After a call that ended with err: whether to call again. It has waited then. false when the
 * failure will not pass by itself, after the last retry, and when the program is asked to end
 * (err says so then).
 *
 *     do
 *         rc = call(..., err);
 *     while (rc != BP_OK && bp_retry_again(&retry, err));
 *     return rc == BP_OK ? BP_OK : err->code;
 */
bool bp_retry_again(struct bp_retry *retry, struct bp_err *err);

#endif
