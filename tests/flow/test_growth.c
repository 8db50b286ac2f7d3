#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/growth.h"

static const int64_t day_ms = INT64_C(86400000);
static const int64_t began_ms = INT64_C(1705329045000); /* 2024-01-15T14:30:45Z */
static const int64_t mib = INT64_C(1) << 20;
static const int64_t gib = INT64_C(1) << 30;

static struct bp_buf text;

static void tear_down(void)
{
    bp_buf_free(&text);
}

TestSuite(growth, .fini = tear_down);

static struct bp_growth grown(int64_t bytes, int64_t from)
{
    return (struct bp_growth){.bytes = bytes, .began_bytes = from, .began_ms = began_ms};
}

static const char *put(const struct bp_growth *g, int64_t now_ms)
{
    bp_buf_cut(&text, 0);
    bp_growth_put(g, now_ms, &text);
    return bp_buf_str(&text);
}

static const char *warning(const struct bp_growth *g, int64_t now_ms)
{
    bool said = false;

    bp_buf_cut(&text, 0);
    said = bp_growth_warn(g, now_ms, &text);
    cr_expect_eq(said, text.len > 0);
    return bp_buf_str(&text);
}

static bool is_unknown(const struct bp_growth *g)
{
    return g->bytes == 0 && g->began_bytes == 0 && g->began_ms == 0 && !g->at_least;
}

/* ---- the line in a commit's message ---- */

Test(growth, is_read_from_the_message_of_a_commit)
{
    struct bp_growth g;

    bp_growth_read("backup: x\n\nRows: 3\n"
                   "Store: 123456789 bytes, 100000000 at 2024-01-15T14-30-45Z\n",
                   &g);
    cr_expect_eq(g.bytes, 123456789);
    cr_expect_eq(g.began_bytes, 100000000);
    cr_expect_eq(g.began_ms, began_ms);
    cr_expect_not(g.at_least);
}

Test(growth, what_is_written_can_be_read)
{
    struct bp_growth g = grown(7 * gib, 2);
    struct bp_growth again;

    g.at_least = true;
    bp_growth_write(&g, &text);
    cr_expect_str_eq(bp_buf_str(&text),
                     "Store: at least 7516192768 bytes, 2 at 2024-01-15T14-30-45Z\n");
    bp_growth_read(bp_buf_str(&text), &again);
    cr_expect_eq(again.bytes, g.bytes);
    cr_expect_eq(again.began_bytes, 2);
    cr_expect_eq(again.began_ms, began_ms);
    cr_expect(again.at_least);
}

Test(growth, the_last_line_counts)
{
    struct bp_growth g;

    bp_growth_read("Store: 1 bytes, 1 at 2024-01-15T14-30-45Z\nStore: 2 bytes, 1 at "
                   "2024-01-15T14-30-45Z",
                   &g);
    cr_expect_eq(g.bytes, 2);
    bp_growth_read("Store: 1 bytes, 1 at 2024-01-15T14-30-45Z\nStore: some\n", &g);
    cr_expect(is_unknown(&g));
}

Test(growth, nonsense_is_unknown)
{
    static const char *const messages[] = {
        "",
        "Store:",
        "Store: ",
        " Store: 1 bytes, 1 at 2024-01-15T14-30-45Z",
        "Store: -1 bytes, 1 at 2024-01-15T14-30-45Z",
        "Store: +1 bytes, 1 at 2024-01-15T14-30-45Z",
        "Store: 01 bytes, 1 at 2024-01-15T14-30-45Z",
        "Store: 1 bytes, 2 at 2024-01-15T14-30-45Z",
        "Store: 1 bytes, 1 at 2024-01-15",
        "Store: 1 bytes, 1 at 1970-01-01T00-00-00Z",
        "Store: 1 bytes, 1 at 2024-01-15T14-30-45Z and more",
        "Store: 9223372036854775807 bytes, 1 at 2024-01-15T14-30-45Z",
        "Store: 1 bytes, 1 at 2024-01-15T14-30-45Z\r",
    };

    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct bp_growth g;

        bp_growth_read(messages[i], &g);
        cr_expect(is_unknown(&g), "%s", messages[i]);
    }
}

Test(growth, what_is_unknown_is_not_written)
{
    struct bp_growth g = {0};

    bp_growth_write(&g, &text);
    cr_expect_eq(text.len, 0u);
    cr_expect_str_eq(put(&g, began_ms), "");
    cr_expect_str_eq(warning(&g, began_ms), "");
}

Test(growth, a_commit_that_adds_nothing_carries_it_on)
{
    bp_growth_carry("backup: x\n\nStore: 2 bytes, 1 at 2024-01-15T14-30-45Z\nMore: 1\n", &text);
    bp_growth_carry("made by hand", &text);
    cr_expect_str_eq(bp_buf_str(&text), "Store: 2 bytes, 1 at 2024-01-15T14-30-45Z\n");
}

/* ---- counting ---- */

Test(growth, begins_with_the_first_bytes)
{
    struct bp_growth g = {0};

    bp_growth_add(&g, 100, began_ms);
    cr_expect_eq(g.bytes, 100);
    cr_expect_eq(g.began_bytes, 100, "the first backup is no growth");
    cr_expect_eq(g.began_ms, began_ms);
    bp_growth_add(&g, 11, began_ms + day_ms);
    cr_expect_eq(g.bytes, 111);
    cr_expect_eq(g.began_bytes, 100);
    cr_expect_eq(g.began_ms, began_ms);
}

Test(growth, a_sum_does_not_run_over)
{
    struct bp_growth g = grown(10, 5);

    bp_growth_add(&g, INT64_MAX, began_ms + 1);
    cr_expect_eq(g.bytes, INT64_C(1) << 62);
    bp_growth_add(&g, INT64_MAX, began_ms + 2);
    cr_expect_eq(g.bytes, INT64_C(1) << 62);
    bp_growth_add(&g, -7, began_ms + 3);
    cr_expect_eq(g.bytes, INT64_C(1) << 62, "nothing is ever taken away");
}

Test(growth, an_old_beginning_moves_and_the_rate_stays)
{
    struct bp_growth g = grown(100 * mib, 40 * mib);
    int64_t now_ms = began_ms + 60 * day_ms;

    bp_growth_add(&g, 0, now_ms);
    cr_expect_eq(g.began_ms, began_ms, "two months are not old");
    bp_growth_add(&g, mib, now_ms + day_ms);
    cr_expect_eq(g.bytes, 101 * mib);
    cr_expect_eq(g.began_bytes, 40 * mib + 61 * mib / 2);
    cr_expect_eq(g.began_ms, began_ms + (60 * day_ms + day_ms) / 2);
    cr_expect_not_null(strstr(put(&g, now_ms + day_ms), " 1.0 MiB a day"), "%s", bp_buf_str(&text));
}

/* ---- the forecast ---- */

Test(growth, is_full_when_the_present_rate_fills_it)
{
    struct bp_growth g = grown(3 * gib, 2 * gib);
    int64_t now_ms = began_ms + 10 * day_ms;

    cr_expect_eq(bp_growth_full_ms(&g, now_ms, 5 * gib), now_ms + 20 * day_ms);
    cr_expect_eq(bp_growth_full_ms(&g, now_ms, 10 * gib), now_ms + 70 * day_ms);
    cr_expect_eq(bp_growth_full_ms(&g, now_ms, 3 * gib), now_ms, "it is");
}

Test(growth, needs_a_day_and_some_growth_to_tell)
{
    struct bp_growth g = grown(3 * gib, 2 * gib);
    struct bp_growth still = grown(gib, gib);

    cr_expect_eq(bp_growth_full_ms(&g, began_ms + day_ms - 1, 5 * gib), 0);
    cr_expect_gt(bp_growth_full_ms(&g, began_ms + day_ms, 5 * gib), 0);
    cr_expect_eq(bp_growth_full_ms(&still, began_ms + 9 * day_ms, 5 * gib), 0);
    cr_expect_eq(bp_growth_full_ms(&g, began_ms - 9 * day_ms, 5 * gib), 0, "a clock went back");
}

Test(growth, a_far_end_is_a_hundred_years_away)
{
    struct bp_growth g = grown(gib + 1, gib);
    int64_t now_ms = began_ms + 9 * day_ms;

    cr_expect_eq(bp_growth_full_ms(&g, now_ms, 5 * gib), now_ms + 36500 * day_ms);
    cr_expect_eq(bp_growth_full_ms(&g, now_ms, INT64_MAX), now_ms + 36500 * day_ms);
}

/* ---- for people ---- */

Test(growth, is_told_with_its_rate_and_its_end)
{
    struct bp_growth g = grown(1288490189, 1288490189 - 310 * mib);

    cr_expect_str_eq(put(&g, began_ms + 10 * day_ms),
                     "about 1.2 GiB and grows by about 31.0 MiB a day: 5 GiB in about 4 months");
    g.at_least = true;
    cr_expect_str_eq(put(&g, began_ms + 1), "at least 1.2 GiB", "no rate yet");
}

Test(growth, beyond_the_first_limit_the_second_one_is_told)
{
    struct bp_growth g = grown(8 * gib, 7 * gib);
    struct bp_growth over = grown(11 * gib, 7 * gib);

    cr_expect_str_eq(put(&g, began_ms + 4 * day_ms),
                     "about 8.0 GiB and grows by about 256.0 MiB a day: 10 GiB in about 8 days");
    cr_expect_str_eq(put(&over, began_ms + 4 * day_ms),
                     "about 11.0 GiB and grows by about 1.0 GiB a day");
}

Test(growth, times_are_told_in_words)
{
    static const struct {
        int64_t per_day;
        const char *words;
    } rates[] = {{4096 * mib, "in less than a day"}, {2048 * mib, "in about 1 day"},
                 {35 * mib, "in about 58 days"},     {34 * mib, "in about 2 months"},
                 {3 * mib, "in about 22 months"},    {mib, "in about 6 years"},
                 {mib / 2, "in more than 10 years"}};

    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct bp_growth g = grown(3 * gib, 3 * gib - rates[i].per_day);

        if (i == 0)
            g = grown(4 * gib, 0);
        cr_expect_not_null(strstr(put(&g, began_ms + day_ms), rates[i].words), "%s",
                           bp_buf_str(&text));
    }
}

/* ---- warnings ---- */

Test(growth, a_small_branch_that_hardly_grows_is_no_warning)
{
    struct bp_growth g = grown(gib, gib - mib);

    cr_expect_str_eq(warning(&g, began_ms + day_ms), "");
}

Test(growth, warns_at_four_fifths_of_what_is_advised)
{
    struct bp_growth g = grown(4 * gib - mib, 4 * gib - mib);

    cr_expect_str_eq(warning(&g, began_ms), "");
    g.bytes += 2 * mib;
    cr_expect_str_eq(
        warning(&g, began_ms),
        "the branch holds about 4.0 GiB; GitHub strongly advises to keep a repository "
        "below 5 GiB; hint: 'backproof prune --squash' with your rules gives space "
        "back; a longer schedule adds less, and another backup repository begins anew");
}

Test(growth, warns_at_four_fifths_of_what_is_allowed)
{
    struct bp_growth g = grown(9 * gib, 9 * gib);

    cr_expect_not_null(strstr(warning(&g, began_ms), "may have no more than 10 GiB"), "%s",
                       bp_buf_str(&text));
}

Test(growth, warns_two_months_before_the_end)
{
    struct bp_growth g = grown(2 * gib, 2 * gib - 52 * mib);

    cr_expect_not_null(strstr(warning(&g, began_ms + day_ms), ": 5 GiB in about 59 days"), "%s",
                       bp_buf_str(&text));
    g.began_bytes += 4 * mib;
    cr_expect_str_eq(warning(&g, began_ms + day_ms), "");
}

Test(growth, warns_of_many_archives)
{
    cr_expect_not(bp_growth_warn_entries(2499, &text));
    cr_expect_eq(text.len, 0u);
    cr_expect(bp_growth_warn_entries(2500, &text));
    cr_expect_str_eq(bp_buf_str(&text),
                     "the branch holds 2,500 archives, and GitHub takes 3,000 entries in a folder; "
                     "hint: 'backproof prune' removes old ones");
}
