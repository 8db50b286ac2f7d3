#include "flow/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t default_within_ms = INT64_C(30) * 86400 * 1000;

static const char *const period_names[BP_PERIODS] = {"hourly", "daily", "weekly", "monthly",
                                                     "yearly"};

enum { LABEL_SIZE = 32 };

/* A period's name for a moment: "2024-01-14", "2024-W03" ... Moments of one period share it. */
static void put_label(enum bp_period period, int64_t time_ms, char out[LABEL_SIZE])
{
    struct tm parts = {0};
    time_t seconds = (time_t)(time_ms / 1000);
    size_t len = 0;

    if (gmtime_r(&seconds, &parts) != NULL) {
        switch (period) {
        case BP_HOURLY:
            len = strftime(out, LABEL_SIZE, "%Y-%m-%dT%H", &parts);
            break;
        case BP_DAILY:
            len = strftime(out, LABEL_SIZE, "%Y-%m-%d", &parts);
            break;
        case BP_WEEKLY:
            len = strftime(out, LABEL_SIZE, "%G-W%V", &parts);
            break;
        case BP_MONTHLY:
            len = strftime(out, LABEL_SIZE, "%Y-%m", &parts);
            break;
        case BP_YEARLY:
        case BP_PERIODS:
        default:
            len = strftime(out, LABEL_SIZE, "%Y", &parts);
        }
    }
    out[len] = '\0';
}

static struct bp_retention_policy effective(const struct bp_retention_policy *policy)
{
    struct bp_retention_policy used = *policy;
    bool any = used.last > 0 || used.within_ms > 0;

    for (int p = 0; p < BP_PERIODS; p++)
        any = any || used.each[p] > 0;
    if (!any)
        used.within_ms = default_within_ms;
    return used;
}

static void put_within(int64_t ms, struct bp_buf *out)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms % units[i].ms == 0) {
            bp_buf_printf(out, "within %" PRId64 " %s", ms / units[i].ms, units[i].name);
            return;
        }
    }
}

void bp_retention_put_policy(const struct bp_retention_policy *policy, struct bp_buf *out)
{
    const struct bp_retention_policy used = effective(policy);
    const char *gap = "";

    if (used.last > 0) {
        bp_buf_printf(out, "last %" PRId64, used.last);
        gap = ", ";
    }
    if (used.within_ms > 0) {
        bp_buf_puts(out, gap);
        put_within(used.within_ms, out);
        gap = ", ";
    }
    for (int p = 0; p < BP_PERIODS; p++) {
        if (used.each[p] <= 0)
            continue;
        bp_buf_printf(out, "%s%s %" PRId64, gap, period_names[p], used.each[p]);
        gap = ", ";
    }
}

/* What the rules look at: the archives that are not dated in the future, newest first. */
struct view {
    struct bp_retention_item *at;
    size_t count;
};

static void keep(struct bp_retention_item *item, const char *reason)
{
    item->kept = true;
    if (!bp_list_has(&item->reasons, reason))
        bp_list_add(&item->reasons, reason);
}

/* The first good one of [from, to), or to. */
static size_t good_one(const struct view *view, size_t from, size_t to)
{
    while (from < to && view->at[from].damaged)
        from++;
    return from;
}

/* The end of the period that begins at from. */
static size_t end_of_period(const struct view *view, enum bp_period period, size_t from,
                            char label[LABEL_SIZE])
{
    char next[LABEL_SIZE];
    size_t to = from + 1;

    put_label(period, view->at[from].time_ms, label);
    for (; to < view->count; to++) {
        put_label(period, view->at[to].time_ms, next);
        if (strcmp(next, label) != 0)
            break;
    }
    return to;
}

/* A damaged one stands for its period only if there is no good one; it stays besides it, because
 * a newer version may be able to read it. */
static void keep_period(const struct view *view, enum bp_period period, int64_t number)
{
    char label[LABEL_SIZE];
    char reason[2 * LABEL_SIZE];

    for (size_t from = 0, to = 0; from < view->count && number > 0; from = to, number--) {
        size_t good = 0;

        to = end_of_period(view, period, from, label);
        good = good_one(view, from, to);
        (void)snprintf(reason, sizeof(reason), "%s %s", period_names[period], label);
        keep(&view->at[from], reason);
        if (good < to)
            keep(&view->at[good], reason);
    }
}

static void keep_last(const struct view *view, int64_t number)
{
    char reason[LABEL_SIZE];

    (void)snprintf(reason, sizeof(reason), "last %" PRId64, number);
    for (size_t i = 0; i < view->count && (int64_t)i < number; i++)
        keep(&view->at[i], reason);
}

/* Back from the newest and not from now: when the backups have stopped, nothing shall go. */
static void keep_within(const struct view *view, int64_t within_ms)
{
    BP_AUTO(bp_buf_free) struct bp_buf reason = {0};

    put_within(within_ms, &reason);
    for (size_t i = 0; i < view->count; i++) {
        if (view->at[0].time_ms - view->at[i].time_ms <= within_ms)
            keep(&view->at[i], bp_buf_str(&reason));
    }
}

static void keep_newest(const struct view *view)
{
    size_t good = good_one(view, 0, view->count);
    size_t verified = 0;

    if (view->count > 0)
        keep(&view->at[0], "newest");
    if (good > 0 && good < view->count)
        keep(&view->at[good], "newest good one");
    while (verified < view->count && (!view->at[verified].verified || view->at[verified].damaged))
        verified++;
    if (verified < view->count)
        keep(&view->at[verified], BP_RETENTION_VERIFIED);
}

static void keep_mark(struct bp_retention_item *item)
{
    BP_AUTO(bp_buf_free) struct bp_buf reason = {0};

    bp_buf_puts(&reason, "marked");
    if (item->mark[0] != '\0')
        bp_buf_printf(&reason, ": %s", item->mark);
    keep(item, bp_buf_str(&reason));
}

/* Whom to ask: who stands for others of [from, to) that go. */
static bool ask_for(const struct view *view, size_t from, size_t to)
{
    size_t good = good_one(view, from, to);
    bool goes = false;

    for (size_t i = from; i < to; i++)
        goes = goes || !view->at[i].kept;
    if (goes && good < to)
        view->at[good].asked = true;
    return goes;
}

static void ask(const struct view *view, const struct bp_retention_policy *policy)
{
    char label[LABEL_SIZE];

    if (!ask_for(view, 0, view->count))
        return;
    for (int p = 0; p < BP_PERIODS; p++) {
        int64_t number = policy->each[p];

        for (size_t from = 0, to = 0; from < view->count && number > 0; from = to, number--) {
            to = end_of_period(view, (enum bp_period)p, from, label);
            (void)ask_for(view, from, to);
        }
    }
}

void bp_retention_plan(const struct bp_retention_policy *policy, int64_t now_ms,
                       struct bp_retention_item *items, size_t count)
{
    const struct bp_retention_policy used = effective(policy);
    struct view view = {.at = items, .count = count};

    for (size_t i = 0; i < count; i++) {
        items[i].kept = false;
        items[i].asked = false;
        bp_list_free(&items[i].reasons);
    }
    for (; view.count > 0 && view.at->time_ms > now_ms; view.at++, view.count--)
        keep(view.at, "dated in the future");
    keep_newest(&view);
    if (used.last > 0)
        keep_last(&view, used.last);
    if (used.within_ms > 0)
        keep_within(&view, used.within_ms);
    for (int p = 0; p < BP_PERIODS; p++)
        keep_period(&view, (enum bp_period)p, used.each[p]);
    for (size_t i = 0; i < count; i++) {
        if (items[i].latest && !items[i].kept)
            keep(&items[i], "latest");
        if (items[i].unread)
            keep(&items[i], "could not be read");
        if (items[i].mark != NULL)
            keep_mark(&items[i]);
    }
    ask(&view, &used);
}
