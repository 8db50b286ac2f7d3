/*
 * When a request may go out: one budget for everything that a call asks a forge. Requests that
 * change something keep a second apart, and a rate limit that one request runs into holds them all.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 * All times are of the monotonic clock.
 */
#ifndef BP_FLOW_PACE_H
#define BP_FLOW_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "forge/forge.h"

/* A zeroed struct lets everything go. */
struct bp_pace {
    int64_t next_change_ms; /* no request that changes something before this */
    int64_t open_ms;        /* no request at all before this */
    int64_t last_wait_ms;   /* of the last limit, while one follows the other: each waits longer */
};

/* The first moment, from due_ms on, at which a request may go out. */
int64_t bp_pace_from(const struct bp_pace *pace, bool changes, int64_t due_ms);

/* A request goes out now. */
void bp_pace_sent(struct bp_pace *pace, bool changes, int64_t now_ms);

/*
 * What the answer to a request that went out at sent_ms says of limits. A primary limit is waited
 * for until it is renewed, a secondary one as long as the server asks, else a minute; when the next
 * request runs into it again, twice as long as before.
 */
void bp_pace_answer(struct bp_pace *pace, const struct bp_reply *reply, int64_t sent_ms,
                    int64_t now_ms);

#endif
