#include <criterion/criterion.h>
#include <string.h>

#include "test_verify_world.h"

#define W verify_world

TestSuite(verify_rows, .init = verify_world_open, .fini = verify_world_close, .timeout = 60);

/* The last one first. */
static void write_backwards(const struct fake_source_table *table, int64_t i, char *row)
{
    verify_world_row(table, table->rows - 1 - i, row);
}

static void write_others(const struct fake_source_table *table, int64_t i, char *row)
{
    verify_world_row(table, i + 1, row);
}

static void write_doubles(const struct fake_source_table *table, int64_t i, char *row)
{
    verify_world_row(table, i == 1 ? 0 : i, row);
}

Test(verify_rows, another_order_is_no_difference)
{
    W.source.make_row = write_backwards;
    cr_expect_eq(verify_world_run(BP_L3), BP_OK, "%s", W.err.msg);
}

Test(verify_rows, other_rows_are_one_and_each_table_is_named)
{
    W.source.make_row = write_others;
    cr_expect_eq(verify_world_run(BP_L3), BP_EINTEGRITY);
    cr_expect_eq(W.result.level, BP_L2);
    cr_assert_eq(W.result.findings.count, 2);
    cr_expect_str_eq(W.result.findings.at[1],
                     "table 'public.users': its 3 rows in the restored database are not those of "
                     "the source");
}

Test(verify_rows, a_row_that_is_there_twice_does_not_stand_for_another)
{
    W.source.make_row = write_doubles;
    cr_expect_eq(verify_world_run(BP_L3), BP_EINTEGRITY);
}

Test(verify_rows, another_number_of_rows_is_told)
{
    static const struct fake_source_table longer[] = {
        {"public", "users", 4, 30}, {"public", "orders", 2, 40}, {NULL, NULL, 0, 0}};

    W.source.tables = longer;
    cr_expect_eq(verify_world_run(BP_L3), BP_EINTEGRITY);
    cr_expect(strstr(W.err.msg, "table 'public.users' has 4 rows in the restored database, 3 in "
                                "the archive") != NULL,
              "%s", W.err.msg);
}
