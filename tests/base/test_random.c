#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"

Test(random, two_calls_differ)
{
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};

    bp_random(a, sizeof(a));
    bp_random(b, sizeof(b));
    cr_expect_neq(memcmp(a, b, sizeof(a)), 0);
}

/* The system gives more than 256 bytes in pieces. */
Test(random, fills_all_that_was_asked_for_and_no_more)
{
    static unsigned char bytes[100000 + 1];
    size_t zeros = 0;

    bp_random(bytes, sizeof(bytes) - 1);
    for (size_t i = sizeof(bytes) - 1 - 64; i < sizeof(bytes) - 1; i++)
        zeros += bytes[i] == 0;
    cr_expect_lt(zeros, 32u, "%zu of the last 64 bytes are zero", zeros);
    cr_expect_eq(bytes[sizeof(bytes) - 1], 0);
}

Test(random, nothing_may_be_asked_for)
{
    uint64_t number = 7;

    bp_random(&number, 0);
    cr_expect_eq(number, 7u);
}
