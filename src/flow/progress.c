#include "flow/progress.h"

#include "base/text.h"

/* Before, the first tables say too little of the time that all will take. */
enum { FORECAST_MS = 3000 };

/* About how long it will take yet; -1: it is too early to tell. */
static int64_t time_left(const struct bp_progress_state *s)
{
    if (s->took_ms < FORECAST_MS || s->done < s->all / 100 || s->done == 0 || s->done > s->all)
        return -1;
    return (int64_t)((double)s->took_ms * (double)(s->all - s->done) / (double)s->done);
}

void bp_put_progress(struct bp_buf *out, const struct bp_progress_state *state)
{
    int64_t left_ms = time_left(state);

    bp_put_count(out, state->rows);
    bp_buf_puts(out, " rows, ");
    bp_put_size(out, state->bytes);
    if (state->took_ms > 0) {
        bp_buf_puts(out, ", ");
        bp_put_size(out, state->bytes * 1000 / state->took_ms);
        bp_buf_puts(out, "/s");
    }
    if (left_ms >= 0) {
        bp_buf_puts(out, ", about ");
        bp_put_duration(out, left_ms);
        bp_buf_puts(out, " left");
    }
}
