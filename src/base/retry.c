#include "base/retry.h"

bool bp_retry_again(struct bp_retry *retry, struct bp_err *err)
{
    int64_t wait_ms = retry->delay_ms;

    if ((err->code != BP_EUNAVAILABLE && err->code != BP_ETIMEOUT) || retry->done >= retry->retries)
        return false;
    for (int64_t i = 0; i < retry->done && wait_ms < INT64_MAX / 4; i++)
        wait_ms *= 2;
    retry->done++;
    return bp_clock_sleep(retry->clock, wait_ms, err) == BP_OK;
}
