#include "flow/growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

#define DAY_MS INT64_C(86400000)

enum {
    SOON_DAYS = 60,   /* to be warned of */
    WINDOW_DAYS = 60, /* the rate is that of the second half of it, at least */
    FAR_DAYS = 36500,
    WARN_PERCENT = 80,
    WARN_ENTRIES = 2500,
    LINE_SIZE = 128
};

/* 4 EiB: two of them add up without an overflow. */
static const int64_t most_bytes = INT64_C(1) << 62;

static const char head[] = "Store: ";
static const char at_least[] = "at least ";

/* ---- the line ---- */

/* The number up to `end`, which is cut off with the rest behind it as *rest. */
static bool take_number(char **rest, const char *end, int64_t *out)
{
    char *text = *rest;
    char *found = strstr(text, end);
    struct bp_err why;

    if (found == NULL)
        return false;
    *found = '\0';
    *rest = found + strlen(end);
    return bp_parse_int(text, 0, most_bytes, out, &why) == BP_OK;
}

static bool parse_line(char *line, struct bp_growth *out)
{
    struct bp_err why;

    out->at_least = bp_text_starts_with(line, at_least);
    if (out->at_least)
        line += sizeof(at_least) - 1;
    return take_number(&line, " bytes, ", &out->bytes) &&
           take_number(&line, " at ", &out->began_bytes) && out->began_bytes <= out->bytes &&
           bp_time_parse(line, &out->began_ms, &why) == BP_OK && out->began_ms > 0;
}

void bp_growth_read(const char *message, struct bp_growth *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf again = {0};
    const char *found = NULL;
    char line[LINE_SIZE];
    size_t len = 0;

    *out = (struct bp_growth){0};
    for (const char *at = message; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (bp_text_starts_with(at, head))
            found = at;
    }
    if (found == NULL)
        return;
    len = strcspn(found, "\n");
    if (len >= sizeof(line))
        return;
    memcpy(line, found, len);
    line[len] = '\0';
    /* There is one way to write a number; whatever reads the same otherwise is not ours. */
    if (parse_line(line + sizeof(head) - 1, out))
        bp_growth_write(out, &again);
    if (again.len != len + 1 || memcmp(bp_buf_str(&again), found, len) != 0)
        *out = (struct bp_growth){0};
}

void bp_growth_write(const struct bp_growth *g, struct bp_buf *out)
{
    char time[BP_TIME_SIZE];

    if (g->began_ms <= 0)
        return;
    bp_time_format_id(g->began_ms, time);
    bp_buf_printf(out, "%s%s%" PRId64 " bytes, %" PRId64 " at %s\n", head,
                  g->at_least ? at_least : "", g->bytes, g->began_bytes, time);
}

void bp_growth_carry(const char *message, struct bp_buf *out)
{
    struct bp_growth g = {0};

    bp_growth_read(message, &g);
    bp_growth_write(&g, out);
}

/* ---- counting ---- */

void bp_growth_add(struct bp_growth *g, int64_t bytes, int64_t now_ms)
{
    if (bytes > 0)
        g->bytes = bytes < most_bytes - g->bytes ? g->bytes + bytes : most_bytes;
    if (g->began_ms <= 0) {
        g->began_bytes = g->bytes;
        g->began_ms = now_ms;
    } else if (now_ms > g->began_ms && now_ms - g->began_ms > WINDOW_DAYS * DAY_MS) {
        /* Along the line to its middle: the rate stays, and what comes counts for more. */
        g->began_bytes += (g->bytes - g->began_bytes) / 2;
        g->began_ms += (now_ms - g->began_ms) / 2;
    }
}

/* Bytes a day; 0: unknown. */
static double rate(const struct bp_growth *g, int64_t now_ms)
{
    int64_t grown = g->bytes - g->began_bytes;

    if (g->began_ms <= 0 || grown <= 0 || now_ms < g->began_ms || now_ms - g->began_ms < DAY_MS)
        return 0;
    return (double)grown / ((double)(now_ms - g->began_ms) / (double)DAY_MS);
}

int64_t bp_growth_full_ms(const struct bp_growth *g, int64_t now_ms, int64_t limit)
{
    double per_day = rate(g, now_ms);
    double days = 0;

    if (g->began_ms <= 0)
        return 0;
    if (g->bytes >= limit)
        return now_ms;
    if (per_day <= 0)
        return 0;
    days = (double)(limit - g->bytes) / per_day;
    return now_ms + (days < FAR_DAYS ? (int64_t)(days * (double)DAY_MS) : FAR_DAYS * DAY_MS);
}

int64_t bp_growth_next(const struct bp_growth *g)
{
    if (g->bytes < BP_GROWTH_ADVISED)
        return BP_GROWTH_ADVISED;
    return g->bytes < BP_GROWTH_LIMIT ? BP_GROWTH_LIMIT : 0;
}

/* ---- for people ---- */

static void put_days(struct bp_buf *out, int64_t days)
{
    if (days < 1)
        bp_buf_puts(out, "in less than a day");
    else if (days < SOON_DAYS)
        bp_buf_printf(out, "in about %" PRId64 " day%s", days, days == 1 ? "" : "s");
    else if (days < 730)
        bp_buf_printf(out, "in about %" PRId64 " months", (days * 10 + 152) / 304);
    else if (days < 3650)
        bp_buf_printf(out, "in about %" PRId64 " years", (days + 182) / 365);
    else
        bp_buf_puts(out, "in more than 10 years");
}

static void put_gib(struct bp_buf *out, int64_t bytes)
{
    bp_buf_printf(out, "%" PRId64 " GiB", bytes >> 30);
}

void bp_growth_put(const struct bp_growth *g, int64_t now_ms, struct bp_buf *out)
{
    int64_t per_day = (int64_t)rate(g, now_ms);
    int64_t limit = bp_growth_next(g);

    if (g->began_ms <= 0)
        return;
    bp_buf_puts(out, g->at_least ? "at least " : "about ");
    bp_put_size(out, g->bytes);
    if (per_day <= 0)
        return;
    bp_buf_puts(out, " and grows by about ");
    bp_put_size(out, per_day);
    bp_buf_puts(out, " a day");
    if (limit > 0) {
        bp_buf_puts(out, ": ");
        put_gib(out, limit);
        bp_buf_putc(out, ' ');
        put_days(out, (bp_growth_full_ms(g, now_ms, limit) - now_ms) / DAY_MS);
    }
}

bool bp_growth_warn(const struct bp_growth *g, int64_t now_ms, struct bp_buf *out)
{
    int64_t full_ms = bp_growth_full_ms(g, now_ms, BP_GROWTH_ADVISED);
    bool soon = full_ms > 0 && full_ms - now_ms < SOON_DAYS * DAY_MS;

    if (g->began_ms <= 0 || (!soon && g->bytes < BP_GROWTH_ADVISED / 100 * WARN_PERCENT))
        return false;
    bp_buf_puts(out, "the branch holds ");
    bp_growth_put(g, now_ms, out);
    if (g->bytes < BP_GROWTH_LIMIT / 100 * WARN_PERCENT)
        bp_buf_puts(out, "; GitHub strongly advises to keep a repository below ");
    else
        bp_buf_puts(out, "; a repository on GitHub may have no more than ");
    put_gib(out,
            g->bytes < BP_GROWTH_LIMIT / 100 * WARN_PERCENT ? BP_GROWTH_ADVISED : BP_GROWTH_LIMIT);
    bp_buf_puts(out, "; hint: 'backproof prune --squash' with your rules gives space back; a "
                     "longer schedule adds less, and another backup repository begins anew");
    return true;
}

bool bp_growth_warn_entries(size_t entries, struct bp_buf *out)
{
    if (entries < WARN_ENTRIES)
        return false;
    bp_buf_puts(out, "the branch holds ");
    bp_put_count(out, (int64_t)entries);
    bp_buf_puts(out, " archives, and GitHub takes ");
    bp_put_count(out, BP_GROWTH_ENTRIES);
    bp_buf_puts(out, " entries in a folder; hint: 'backproof prune' removes old ones");
    return true;
}
