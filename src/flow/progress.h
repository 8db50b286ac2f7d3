/* How far rows on their way are, in words. */
#ifndef BP_FLOW_PROGRESS_H
#define BP_FLOW_PROGRESS_H

#include <stdint.h>

#include "base/buf.h"

struct bp_progress_state {
    int64_t rows;
    int64_t bytes; /* for the rate */
    int64_t done;  /* of all, in whatever unit: tells the time left */
    int64_t all;
    int64_t took_ms;
};

/* "48,210 rows, 12.0 MiB, 4.0 MiB/s, about 2 m 10 s left"; the end only when it can be told. */
void bp_put_progress(struct bp_buf *out, const struct bp_progress_state *state);

#endif
