#include <criterion/criterion.h>

#include "base/mem.h"
#include "source/target.h"

static int freed;

static void count(struct bp_writer *self)
{
    (void)self;
    freed++;
}

static void count_target(struct bp_target *self)
{
    (void)self;
    freed++;
}

Test(target, what_is_owned_is_freed_once)
{
    static const struct bp_writer_ops writer_ops = {.free = count};
    static const struct bp_target_ops target_ops = {.free = count_target};
    struct bp_writer writer = {.ops = &writer_ops};
    struct bp_target target = {.ops = &target_ops};
    struct bp_writer *owned_writer = &writer;
    struct bp_target *owned_target = &target;

    for (int i = 0; i < 2; i++) {
        bp_writer_freep(&owned_writer);
        bp_target_freep(&owned_target);
    }
    cr_expect_eq(freed, 2);
    cr_expect_null(owned_writer);
    cr_expect_null(owned_target);
}

Test(target, marks_that_were_freed_are_none)
{
    struct bp_target_marks marks = {
        .found = true, .archive = bp_strdup("id"), .plan = bp_strdup("sum")};

    bp_list_add(&marks.done, "rows");
    bp_target_marks_free(&marks);
    cr_expect_not(marks.found);
    cr_expect_null(marks.archive);
    cr_expect_eq(marks.done.count, 0);
    bp_target_marks_free(&marks);
}
