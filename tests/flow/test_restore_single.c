#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct restore_world w;

static void set_up(void)
{
    restore_world_open(&w, tables);
    w.job.jobs = 1;
}

static void tear_down(void)
{
    restore_world_close(&w);
}

TestSuite(restore_single, .init = set_up, .fini = tear_down);

Test(restore_single, one_durable_transaction_without_marks)
{
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(restore_world_told(&w, "begin"), 1);
    cr_expect_eq(restore_world_told(&w, "begin loosely"), 0);
    cr_expect_eq(restore_world_told(&w, "commit"), 1);
    cr_expect_null(w.target.marks_archive);
    cr_expect_eq(w.target.marks.count, 0);
}

Test(restore_single, what_fails_is_rolled_back)
{
    w.target.refuses = "\"users\"";
    cr_expect_eq(restore_world_run(&w), BP_EFAILED);
    cr_expect_eq(strncmp(w.err.msg, "nothing was restored: table 'public.users'", 42), 0, "%s",
                 w.err.msg);
    cr_expect_eq(restore_world_told(&w, "rollback"), 1);
    cr_expect_eq(restore_world_told(&w, "commit"), 0);
}

Test(restore_single, statistics_that_fail_are_no_failure)
{
    w.target.refuses = "statistics";
    cr_expect_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect(w.target.committed);
}
