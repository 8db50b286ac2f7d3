#include <criterion/criterion.h>
#include <string.h>

#include "base/list.h"
#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {
    {"a\nb", "x;\n", 3, 40}, {"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct restore_world w;

static void set_up(void)
{
    restore_world_open(&w, tables);
}

static void tear_down(void)
{
    restore_world_close(&w);
}

TestSuite(restore_rows, .init = set_up, .fini = tear_down);

Test(restore_rows, a_name_may_hold_line_ends)
{
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_not_null(
        strstr(bp_buf_str(&w.target.log), "copy COPY \"a\nb\".\"x;\n\" (\"id\") FROM stdin;\n"),
        "%s", bp_buf_str(&w.target.log));
    cr_expect_eq(w.target.rows.len, (size_t)(3 * 40 + 3 * 30));
}

Test(restore_rows, a_table_without_rows_is_loaded_with_none)
{
    restore_world_put(&w, "public/tables/users/data.sql",
                      "COPY \"public\".\"users\" (\"id\") FROM stdin;\n\\.\n");
    cr_expect_eq(restore_world_run(&w), BP_EINTEGRITY);
    cr_expect_not_null(strstr(w.err.msg, "table 'public.users': the target took 0 rows, the archive"
                                         " holds 3"),
                       "%s", w.err.msg);
}

Test(restore_rows, what_a_failed_table_had_is_not_counted)
{
    w.job.continue_on_error = true;
    w.target.rows_lost = 1;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.failures.count, 2);
    cr_expect_eq(w.result.rows, 0);
}

Test(restore_rows, what_an_earlier_run_has_loaded_is_counted)
{
    w.target.refuses = "\"users\"";
    w.job.jobs = 1;
    w.job.continue_on_error = true;
    w.target.refusal = BP_EUNAVAILABLE;
    cr_expect_eq(restore_world_run(&w), BP_EUNAVAILABLE);
    cr_assert(bp_list_has(&w.target.marks, "rows \"a\nb\".\"x;\n\""));
    w.target.refuses = NULL;
    w.job.resume = true;
    w.target.rows.len = 0;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.target.rows.len, (size_t)(3 * 30));
    cr_expect_eq(w.result.rows, 6);
}
