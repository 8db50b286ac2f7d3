#include <criterion/criterion.h>
#include <string.h>

#include "flow/prune_internal.h"
#include "test_prune_world.h"

TestSuite(prune_plan, .init = prune_set_up, .fini = prune_tear_down);

Test(prune_plan, names_are_enough_when_nothing_would_go)
{
    BP_AUTO(bp_prune_free) struct bp_prune p = {.job = &pw.job};

    prune_put_days(10, 14);
    pw.job.policy.last = 5;
    cr_assert_eq(bp_prune_plan(&p, &pw.err), BP_OK, "%s", pw.err.msg);
    cr_assert_eq(p.catalog.count, 5u);
    for (size_t i = 0; i < p.catalog.count; i++)
        cr_expect(p.items[i].kept, "%zu", i);
    cr_expect_eq(pw.store.fetches, 0);
}

Test(prune_plan, what_would_go_is_looked_at_first)
{
    BP_AUTO(bp_prune_free) struct bp_prune p = {.job = &pw.job};

    prune_put_days(10, 14);
    pw.job.policy.last = 4;
    cr_assert_eq(bp_prune_plan(&p, &pw.err), BP_OK, "%s", pw.err.msg);
    cr_assert_eq(p.catalog.count, 5u);
    cr_expect_not(p.items[4].kept);
    cr_expect_gt(pw.store.fetches, 0);
}

Test(prune_plan, marks_that_cannot_be_read_stop_it)
{
    BP_AUTO(bp_prune_free) struct bp_prune p = {.job = &pw.job};

    prune_put_days(10, 14);
    fake_store_put(&pw.store, "backups/keep", "this is no id\n");
    cr_expect_neq(bp_prune_plan(&p, &pw.err), BP_OK);
    cr_expect_not_null(strstr(pw.err.msg, "backups/keep"), "%s", pw.err.msg);
}
