/* flow/growth.h: what is read can be written and read again; no number makes a count run over. */
#include <string.h>

#include "base/mem.h"
#include "flow/growth.h"
#include "fuzz/fuzz.h"

static const int64_t now_ms = INT64_C(1705329045000);

static bool same(const struct bp_growth *a, const struct bp_growth *b)
{
    return a->bytes == b->bytes && a->began_bytes == b->began_bytes && a->began_ms == b->began_ms &&
           a->at_least == b->at_least;
}

static bool is_sound(const struct bp_growth *g)
{
    if (g->began_ms == 0)
        return g->bytes == 0 && g->began_bytes == 0 && !g->at_least;
    return g->began_ms > 0 && g->began_bytes >= 0 && g->began_bytes <= g->bytes;
}

static void check_line(const struct bp_growth *g, const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};
    struct bp_growth again = {0};

    bp_growth_write(g, &line);
    bp_growth_read(bp_buf_str(&line), &again);
    must(same(g, &again));
    must((line.len > 0) == (g->began_ms > 0));
    /* With its line end, unless the text ends without one. */
    if (line.len > 0) {
        bp_buf_cut(&line, line.len - 1);
        must(strstr(text, bp_buf_str(&line)) != NULL);
    }
}

static void check_sums(const struct bp_growth *g)
{
    static const int64_t more[] = {0, 1, INT64_C(1) << 40, INT64_MAX};

    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        struct bp_growth grown = *g;

        bp_growth_add(&grown, more[i], now_ms);
        must(is_sound(&grown) && grown.began_ms > 0 && grown.bytes >= g->bytes);
    }
}

/* A larger limit is never reached earlier. */
static void check_forecast(const struct bp_growth *g)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    int64_t last = 0;

    for (int64_t limit = 1; limit < INT64_C(1) << 61; limit *= 2) {
        int64_t full = bp_growth_full_ms(g, now_ms, limit);

        must(full == 0 || (full >= now_ms && full >= last));
        must(full != 0 || g->bytes < limit || g->began_ms == 0);
        last = full;
    }
    bp_growth_put(g, now_ms, &text);
    (void)bp_growth_warn(g, now_ms, &text);
    must(fuzz_is_plain(bp_buf_str(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    struct bp_growth g = {0};

    bp_growth_read(text, &g);
    must(is_sound(&g));
    check_line(&g, text);
    check_sums(&g);
    check_forecast(&g);
    return 0;
}
