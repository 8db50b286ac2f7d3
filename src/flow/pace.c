#include "flow/pace.h"

enum {
    BETWEEN_CHANGES_MS = 1000,
    UNTOLD_MS = 60000,
    SHORTEST_MS = 1000,
    LONGEST_MS = 24 * 3600 * 1000
};

int64_t bp_pace_from(const struct bp_pace *pace, bool changes, int64_t due_ms)
{
    if (pace->open_ms > due_ms)
        due_ms = pace->open_ms;
    return changes && pace->next_change_ms > due_ms ? pace->next_change_ms : due_ms;
}

void bp_pace_sent(struct bp_pace *pace, bool changes, int64_t now_ms)
{
    if (changes)
        pace->next_change_ms = now_ms + BETWEEN_CHANGES_MS;
}

static void close_until(struct bp_pace *pace, int64_t now_ms, int64_t wait_ms)
{
    if (now_ms + wait_ms > pace->open_ms)
        pace->open_ms = now_ms + wait_ms;
}

/* A second more: the server's clock tells whole seconds. */
static int64_t until_reset(const struct bp_reply *reply)
{
    return reply->reset_in_ms >= 0 && reply->reset_in_ms < LONGEST_MS ? reply->reset_in_ms + 1000
                                                                      : UNTOLD_MS;
}

static int64_t asked_wait(const struct bp_reply *reply)
{
    if (reply->retry_after_ms >= 0)
        return reply->retry_after_ms < LONGEST_MS ? reply->retry_after_ms : LONGEST_MS;
    return reply->limited == BP_LIMIT_PRIMARY || reply->remaining == 0 ? until_reset(reply)
                                                                       : UNTOLD_MS;
}

void bp_pace_answer(struct bp_pace *pace, const struct bp_reply *reply, int64_t sent_ms,
                    int64_t now_ms)
{
    int64_t wait_ms = 0;

    if (reply->limited == BP_LIMIT_NONE) {
        if (sent_ms >= pace->open_ms && reply->date_ms != 0) /* an answer, and to a later request */
            pace->last_wait_ms = 0;
        /* The last one was still answered; the next one would not be. */
        if (reply->remaining == 0 && reply->reset_in_ms >= 0)
            close_until(pace, now_ms, until_reset(reply));
        return;
    }
    wait_ms = asked_wait(reply);
    /* What went out before the limit was known says nothing new. */
    if (sent_ms < pace->open_ms && pace->last_wait_ms > 0) {
        close_until(pace, now_ms, wait_ms);
        return;
    }
    if (wait_ms < SHORTEST_MS) /* "0": asked again at once, for ever */
        wait_ms = SHORTEST_MS;
    if (reply->limited == BP_LIMIT_SECONDARY && wait_ms < 2 * pace->last_wait_ms)
        wait_ms = 2 * pace->last_wait_ms < LONGEST_MS ? 2 * pace->last_wait_ms : LONGEST_MS;
    pace->last_wait_ms = wait_ms;
    close_until(pace, now_ms, wait_ms);
}
