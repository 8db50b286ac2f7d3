#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "flow/retention.h"

enum { MOST = 40 };

static struct bp_retention_item items[MOST];
static size_t count;
static struct bp_retention_policy policy;
static int64_t now_ms;

static void set_up(void)
{
    struct bp_err err;

    memset(items, 0, sizeof(items));
    count = 0;
    policy = (struct bp_retention_policy){0};
    cr_assert_eq(bp_time_parse("2025-01-01", &now_ms, &err), BP_OK);
}

static void tear_down(void)
{
    for (size_t i = 0; i < count; i++)
        bp_list_free(&items[i].reasons);
}

TestSuite(retention, .init = set_up, .fini = tear_down);

/* Archives of these times, newest first. */
static void have(const char *times)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(times);
    char *more = NULL;
    struct bp_err err;

    for (char *t = strtok_r(copy, " ", &more); t != NULL; t = strtok_r(NULL, " ", &more))
        cr_assert_eq(bp_time_parse(t, &items[count++].time_ms, &err), BP_OK, "%s", err.msg);
}

static void plan(void)
{
    bp_retention_plan(&policy, now_ms, items, count);
}

/* "kg": k for each one that is kept, g for each one that goes. */
static void expect(const char *wanted)
{
    char got[MOST + 1] = {0};

    plan();
    for (size_t i = 0; i < count; i++)
        got[i] = items[i].kept ? 'k' : 'g';
    cr_expect_str_eq(got, wanted);
}

static void expect_reasons(size_t i, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};

    for (size_t r = 0; r < items[i].reasons.count; r++)
        bp_buf_printf(&got, "%s%s", r > 0 ? "; " : "", items[i].reasons.at[r]);
    cr_expect_str_eq(bp_buf_str(&got), wanted, "of %zu: %s", i, bp_buf_str(&got));
}

Test(retention, nothing_said_keeps_thirty_days_back_from_the_newest)
{
    have("2024-03-31T12:00Z 2024-03-02T12:00Z 2024-03-01T12:00Z 2024-03-01T11:59Z 2023-01-01");
    expect("kkkgg");
    expect_reasons(0, "newest; within 30 d");
    expect_reasons(2, "within 30 d");
    expect_reasons(3, "");
}

Test(retention, a_stopped_schedule_lets_nothing_go)
{
    cr_assert_eq(bp_time_parse("2199-01-01", &now_ms, NULL), BP_OK);
    have("2024-01-03 2024-01-02 2024-01-01");
    expect("kkk");
}

Test(retention, keeps_the_last_ones)
{
    policy.last = 2;
    have("2024-01-03 2024-01-02 2024-01-01");
    expect("kkg");
    expect_reasons(1, "last 2");
}

Test(retention, keeps_the_newest_of_each_of_the_last_days_that_have_one)
{
    policy.each[BP_DAILY] = 3;
    have("2024-01-14T23:59:59Z 2024-01-14T00:00Z 2024-01-10T08:00Z 2024-01-09T23:00Z "
         "2024-01-09T22:00Z 2024-01-08");
    expect("kgkkgg");
    expect_reasons(0, "newest; daily 2024-01-14");
    expect_reasons(3, "daily 2024-01-09");
}

Test(retention, hours_weeks_months_and_years_are_those_of_the_calendar)
{
    policy.each[BP_HOURLY] = 1;
    policy.each[BP_WEEKLY] = 3;
    policy.each[BP_MONTHLY] = 2;
    policy.each[BP_YEARLY] = 9;
    have("2024-01-01T08:30Z 2024-01-01T08:10Z 2023-12-31T23:00Z 2023-12-25 2023-12-24 2022-05-01");
    expect("kgkgkk");
    expect_reasons(0,
                   "newest; hourly 2024-01-01T08; weekly 2024-W01; monthly 2024-01; yearly 2024");
    expect_reasons(2, "weekly 2023-W52; monthly 2023-12; yearly 2023");
    expect_reasons(4, "weekly 2023-W51");
    expect_reasons(5, "yearly 2022");
}

Test(retention, a_week_belongs_to_the_year_of_its_thursday)
{
    policy.each[BP_WEEKLY] = 2;
    have("2021-01-03 2020-12-28 2020-12-27");
    expect("kgk");
    expect_reasons(0, "newest; weekly 2020-W53");
    expect_reasons(2, "weekly 2020-W52");
}

Test(retention, the_newest_verified_one_never_goes)
{
    policy.last = 1;
    have("2024-01-05 2024-01-04 2024-01-03 2024-01-02");
    items[1].damaged = true;
    items[1].verified = true;
    items[2].verified = true;
    items[3].verified = true;
    expect("kgkg");
    expect_reasons(2, "newest verified");
}

Test(retention, marked_ones_never_go)
{
    policy.last = 1;
    have("2024-01-05 2024-01-04 2024-01-03");
    items[1].mark = "";
    items[2].mark = "before the migration";
    expect("kkk");
    expect_reasons(1, "marked");
    expect_reasons(2, "marked: before the migration");
}

Test(retention, besides_a_damaged_newest_one_the_newest_good_one_stays)
{
    policy.last = 1;
    have("2024-01-05 2024-01-04 2024-01-03");
    items[0].damaged = true;
    expect("kkg");
    expect_reasons(1, "newest good one");
    items[1].damaged = true;
    expect("kgk");
}

Test(retention, a_damaged_one_does_not_stand_for_a_day_that_has_a_good_one)
{
    policy.each[BP_DAILY] = 2;
    have("2024-01-05 2024-01-04T10:00Z 2024-01-04T09:00Z 2024-01-04T08:00Z 2024-01-03");
    items[1].damaged = true;
    expect("kkkgg");
    expect_reasons(2, "daily 2024-01-04");
    items[2].damaged = true;
    items[3].damaged = true;
    expect("kkggg");
}

Test(retention, what_is_dated_in_the_future_stays_and_counts_for_nothing)
{
    policy.last = 1;
    policy.within_ms = 1;
    have("2099-01-01 2025-01-02 2025-01-01 2024-12-31");
    expect("kkkg");
    expect_reasons(0, "dated in the future");
    expect_reasons(2, "newest; last 1; within 1 ms");
}

Test(retention, the_latest_stays_even_when_a_clock_was_wrong)
{
    policy.last = 1;
    have("2024-01-05 2024-01-04 2001-01-03");
    items[2].latest = true;
    expect("kgk");
    expect_reasons(2, "latest");
}

Test(retention, asks_those_because_of_which_others_go)
{
    policy.each[BP_DAILY] = 3;
    have("2024-01-05 2024-01-04T10:00Z 2024-01-04T09:00Z 2024-01-03 2024-01-02");
    expect("kkgkg");
    cr_expect(items[0].asked, "it is the good one that must be there");
    cr_expect(items[1].asked, "another one of its day goes");
    cr_expect_not(items[3].asked);
    policy.each[BP_DAILY] = 9;
    items[2].mark = "";
    expect("kkkkk");
    for (size_t i = 0; i < count; i++)
        cr_expect_not(items[i].asked, "nothing goes");
}

Test(retention, an_empty_branch_is_no_trouble)
{
    expect("");
}

Test(retention, names_its_policy)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_retention_put_policy(&policy, &text);
    bp_buf_puts(&text, " | ");
    policy = (struct bp_retention_policy){
        .last = 3, .within_ms = 36 * 3600 * 1000, .each = {24, 7, 4, 12, 10}};
    bp_retention_put_policy(&policy, &text);
    cr_expect_str_eq(
        bp_buf_str(&text),
        "within 30 d | last 3, within 36 h, hourly 24, daily 7, weekly 4, monthly 12, yearly 10");
}

/* ---- of any archives and any policy ---- */

/* The same numbers in each run. */
static uint32_t seed;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void any_archives(void)
{
    static const int64_t gaps[] = {0, 1000, 1800000, 7200000, 86400000, 600000000, 9000000000};
    int64_t time_ms = now_ms + 90000000;

    count = any(MOST);
    for (size_t i = 0; i < count; i++) {
        time_ms -= gaps[any(7)] + any(1000) * 1000;
        bp_list_free(&items[i].reasons);
        items[i] = (struct bp_retention_item){.time_ms = time_ms,
                                              .latest = i == 0,
                                              .damaged = any(5) == 0,
                                              .verified = any(5) == 0,
                                              .mark = any(9) == 0 ? "m" : NULL};
    }
}

static void any_policy(void)
{
    policy = (struct bp_retention_policy){.last = any(2) * any(6),
                                          .within_ms = any(2) * any(4000) * INT64_C(1000000)};
    for (int p = 0; p < BP_PERIODS; p++)
        policy.each[p] = any(3) == 0 ? any(6) : 0;
}

static bool says_something(void)
{
    int64_t sum = policy.last + policy.within_ms;

    for (int p = 0; p < BP_PERIODS; p++)
        sum += policy.each[p];
    return sum > 0;
}

static void take_kept(bool kept[MOST])
{
    for (size_t i = 0; i < count; i++)
        kept[i] = items[i].kept;
}

/* What was kept is kept still. */
static void expect_no_less(const bool kept[MOST], const char *after)
{
    plan();
    for (size_t i = 0; i < count; i++)
        cr_assert(items[i].kept || !kept[i], "%s: archive %zu of %zu", after, i, count);
}

static void expect_what_never_goes(void)
{
    bool newest = true;
    bool good = true;
    bool verified = true;

    for (size_t i = 0; i < count; i++) {
        bool must = items[i].latest || items[i].mark != NULL || items[i].time_ms > now_ms;

        cr_assert_eq(items[i].kept, items[i].reasons.count > 0, "a reason for each, and only then");
        if (items[i].time_ms <= now_ms) {
            must = must || newest || (good && !items[i].damaged) ||
                   (verified && items[i].verified && !items[i].damaged);
            newest = false;
            good = good && items[i].damaged;
            verified = verified && (!items[i].verified || items[i].damaged);
        }
        cr_assert(items[i].kept || !must, "archive %zu of %zu must stay", i, count);
    }
}

/* Only those that are kept are there any more. */
static void remove_others(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct bp_retention_item item = items[i];

        if (!item.kept)
            continue;
        items[i] = items[kept];
        items[kept++] = item;
    }
    for (size_t i = kept; i < count; i++)
        bp_list_free(&items[i].reasons);
    count = kept;
}

Test(retention, keeps_its_promises_for_any_archives_and_any_policy)
{
    bool kept[MOST];

    seed = 1;
    for (int round = 0; round < 3000; round++) {
        any_archives();
        any_policy();
        plan();
        expect_what_never_goes();
        take_kept(kept);

        if (says_something()) {
            struct bp_retention_policy was = policy;

            policy.each[any(BP_PERIODS)] += 1 + any(3);
            policy.last += any(2);
            expect_no_less(kept, "one more rule");
            policy = was;
        }
        if (count > 0) {
            struct bp_retention_item *one = &items[any((uint32_t)count)];
            struct bp_retention_item was = *one;

            one->damaged = true;
            one->verified = false;
            kept[one - items] = false; /* it may go itself */
            if (!was.verified)
                expect_no_less(kept, "one was found to be damaged");
            one->damaged = was.damaged;
            one->verified = was.verified;
        }
        plan();
        remove_others();
        plan();
        for (size_t i = 0; i < count; i++)
            cr_assert(items[i].kept, "planning again removes archive %zu of %zu", i, count);
    }
}
