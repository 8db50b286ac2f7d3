#include <criterion/criterion.h>

#include "base/retry.h"
#include "support/fake_clock.h"

static enum bp_code again(struct bp_retry *retry, enum bp_code code, int *calls)
{
    struct bp_err err = {0};

    do
        (*calls)++;
    while (bp_fail(&err, code, "no") != BP_OK && bp_retry_again(retry, &err));
    return err.code;
}

Test(retry, waits_longer_each_time_and_gives_up)
{
    struct fake_clock clock = fake_clock_new();
    struct bp_retry retry = {.clock = &clock.base, .retries = 3, .delay_ms = 5000};
    int calls = 0;

    cr_expect_eq(again(&retry, BP_EUNAVAILABLE, &calls), BP_EUNAVAILABLE);
    cr_expect_eq(calls, 4);
    cr_expect_eq(clock.each_ms[0], 5000);
    cr_expect_eq(clock.each_ms[1], 10000);
    cr_expect_eq(clock.each_ms[2], 20000);
    cr_expect_eq(clock.sleeps, 3u);
}

Test(retry, does_not_repeat_what_will_not_pass)
{
    static const enum bp_code codes[] = {BP_EFAILED, BP_EUSAGE,     BP_EAUTH,   BP_ENOTFOUND,
                                         BP_ELOCKED, BP_EINTEGRITY, BP_ESTOPPED};
    struct fake_clock clock = fake_clock_new();

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct bp_retry retry = {.clock = &clock.base, .retries = 3, .delay_ms = 5000};
        int calls = 0;

        cr_expect_eq(again(&retry, codes[i], &calls), codes[i]);
        cr_expect_eq(calls, 1, "%s", bp_code_name(codes[i]));
    }
}

Test(retry, ends_with_the_program)
{
    struct fake_clock clock = fake_clock_new();
    struct bp_stop stop = {.signal = 15, .fd = -1};
    struct bp_retry retry = {.clock = &clock.base, .retries = 3, .delay_ms = 5000};
    int calls = 0;

    clock.base.stop = &stop;
    cr_expect_eq(again(&retry, BP_ETIMEOUT, &calls), BP_ESTOPPED);
    cr_expect_eq(calls, 1);
}
