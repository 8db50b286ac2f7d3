#include <criterion/criterion.h>

#include "flow/pace.h"

static struct bp_pace pace;

static struct bp_reply reply(enum bp_limit limited, int64_t retry_after_ms)
{
    return (struct bp_reply){.limited = limited,
                             .retry_after_ms = retry_after_ms,
                             .budget = -1,
                             .remaining = -1,
                             .reset_in_ms = -1};
}

static void limited_at(int64_t now, int64_t retry_after_ms)
{
    const struct bp_reply r = reply(BP_LIMIT_SECONDARY, retry_after_ms);

    bp_pace_answer(&pace, &r, now, now);
}

Test(pace, requests_that_change_something_keep_a_second_apart)
{
    bp_pace_sent(&pace, true, 500);
    cr_expect_eq(bp_pace_from(&pace, true, 600), 1500);
    cr_expect_eq(bp_pace_from(&pace, true, 2000), 2000);
    cr_expect_eq(bp_pace_from(&pace, false, 600), 600);
}

Test(pace, a_look_does_not_hold_up_a_change)
{
    bp_pace_sent(&pace, false, 500);
    cr_expect_eq(bp_pace_from(&pace, true, 500), 500);
}

Test(pace, a_limit_holds_up_everything_as_long_as_the_server_asks)
{
    limited_at(1000, 7000);
    cr_expect_eq(bp_pace_from(&pace, false, 1000), 8000);
    cr_expect_eq(bp_pace_from(&pace, true, 1000), 8000);
}

Test(pace, a_limit_that_tells_no_time_takes_a_minute_then_two_then_four)
{
    limited_at(0, -1);
    cr_expect_eq(pace.open_ms, 60000);
    limited_at(60000, -1);
    cr_expect_eq(pace.open_ms, 60000 + 120000);
    limited_at(180000, -1);
    cr_expect_eq(pace.open_ms, 180000 + 240000);
}

Test(pace, a_limit_that_strikes_again_doubles_what_the_server_asked)
{
    limited_at(0, 30000);
    limited_at(30000, 30000);
    cr_expect_eq(pace.open_ms, 30000 + 60000);
}

Test(pace, an_answer_without_a_limit_ends_the_growth)
{
    struct bp_reply fine = reply(BP_LIMIT_NONE, -1);

    fine.date_ms = 1;
    limited_at(0, -1);
    bp_pace_answer(&pace, &fine, 60000, 60000);
    limited_at(61000, -1);
    cr_expect_eq(pace.open_ms, 61000 + 60000);
}

Test(pace, requests_that_were_under_way_together_count_once)
{
    const struct bp_reply r = reply(BP_LIMIT_SECONDARY, -1);

    bp_pace_answer(&pace, &r, 0, 100);
    bp_pace_answer(&pace, &r, 10, 110);
    bp_pace_answer(&pace, &r, 20, 120);
    cr_expect_eq(pace.open_ms, 60120);
}

Test(pace, a_primary_limit_lasts_until_it_is_renewed)
{
    struct bp_reply r = reply(BP_LIMIT_PRIMARY, -1);

    r.reset_in_ms = 1800000;
    bp_pace_answer(&pace, &r, 0, 0);
    cr_expect_eq(pace.open_ms, 1801000);
}

Test(pace, the_last_request_of_the_budget_closes_at_once)
{
    struct bp_reply r = reply(BP_LIMIT_NONE, -1);

    r.remaining = 0;
    r.reset_in_ms = 5000;
    bp_pace_answer(&pace, &r, 0, 0);
    cr_expect_eq(pace.open_ms, 6000);
}

Test(pace, no_number_from_a_server_overflows)
{
    limited_at(1000, INT64_MAX);
    cr_expect_eq(pace.open_ms, 1000 + INT64_C(86400000));
    limited_at(pace.open_ms, INT64_MAX);
    cr_expect_gt(pace.open_ms, 0);
}

Test(pace, a_wait_of_nothing_is_a_second_and_grows)
{
    limited_at(0, 0);
    cr_expect_eq(pace.open_ms, 1000);
    limited_at(1000, 0);
    cr_expect_eq(pace.open_ms, 3000);
}
