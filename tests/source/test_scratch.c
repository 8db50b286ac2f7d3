#include "source/scratch.h"

#include <criterion/criterion.h>

static int freed;

static void count(struct bp_scratch *self)
{
    (void)self;
    freed++;
}

Test(scratch, is_freed_once_and_nothing_is_left_to_free)
{
    static const struct bp_scratch_ops ops = {.free = count};
    struct bp_scratch scratch = {.ops = &ops};
    struct bp_scratch *owned = &scratch;

    bp_scratch_freep(&owned);
    cr_expect_null(owned);
    bp_scratch_freep(&owned);
    cr_expect_eq(freed, 1);
}
