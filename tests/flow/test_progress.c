#include <criterion/criterion.h>

#include "flow/progress.h"

static void expect(struct bp_progress_state state, const char *words)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_put_progress(&text, &state);
    cr_expect_str_eq(bp_buf_str(&text), words);
}

Test(progress, tells_rows_bytes_and_rate)
{
    expect((struct bp_progress_state){.rows = 0}, "0 rows, 0 B");
    expect((struct bp_progress_state){.rows = 48210, .bytes = 4096, .took_ms = 2000},
           "48,210 rows, 4.0 KiB, 2.0 KiB/s");
}

Test(progress, tells_the_time_left_when_enough_is_known)
{
    struct bp_progress_state state = {.rows = 1, .done = 10, .all = 100, .took_ms = 10000};

    expect(state, "1 rows, 0 B, 0 B/s, about 1 m 30 s left");
    state.took_ms = 100;
    expect(state, "1 rows, 0 B, 0 B/s");
    state.took_ms = 10000;
    state.done = 0;
    expect(state, "1 rows, 0 B, 0 B/s");
}
