#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_restore_plan_world.h"

static struct bp_script script;
static struct bp_restore_steps steps;
static struct bp_err err;

static void set_up(void)
{
    plan_world_parse("post-data.sql", &script);
    bp_restore_steps_grouped(&script, "post", &steps);
}

static void tear_down(void)
{
    bp_script_free(&script);
    bp_restore_steps_free(&steps);
}

TestSuite(restore_plan_step, .init = set_up, .fini = tear_down);

static const struct bp_restore_step *step(const char *label)
{
    const struct bp_restore_step *found = plan_world_step(&steps, label);

    cr_assert_not_null(found, "%s", label);
    return found;
}

Test(restore_plan_step, indexes_and_constraints_that_stand_together_are_one_group)
{
    cr_expect_eq(step("CONSTRAINT app.users users_pkey")->group,
                 step("INDEX app.users_name")->group);
    cr_expect_str_eq(step("INDEX app.users_name")->table, "\"app\".\"users\"");
    cr_expect_null(step("INDEX app.users_name")->other);
}

Test(restore_plan_step, what_needs_an_index_comes_in_a_later_group)
{
    cr_expect_gt(step("INDEX ATTACH app.parts_1_day_idx")->group,
                 step("INDEX app.parts_1_day_idx")->group);
    cr_expect_gt(step("RULE app.by_key _RETURN")->group,
                 step("CONSTRAINT app.users users_pkey")->group);
    cr_expect_gt(step("FK CONSTRAINT other.log log_user_id_fkey")->group,
                 step("TRIGGER app.users touched")->group);
}

Test(restore_plan_step, foreign_keys_are_a_group_and_tell_both_tables)
{
    const struct bp_restore_step *log = step("FK CONSTRAINT other.log log_user_id_fkey");

    cr_expect_eq(log->group, step("FK CONSTRAINT app.orders orders_buyer_fkey")->group);
    cr_expect_str_eq(log->table, "\"other\".\"log\"");
    cr_expect_str_eq(log->other, "\"app\".\"users\"");
    cr_expect(log->locks);
}

Test(restore_plan_step, an_index_locks_its_table_only_with_what_it_sets_there)
{
    cr_expect_not(step("INDEX app.users_name")->locks);
    cr_expect(step("INDEX app.users_key")->locks);
    cr_expect(step("CONSTRAINT app.users users_pkey")->locks);
}

Test(restore_plan_step, a_comment_stays_with_its_index)
{
    cr_expect_not_null(strstr(step("INDEX app.users_name")->sql, "COMMENT ON INDEX"));
    cr_expect_null(plan_world_step(&steps, "COMMENT app.INDEX users_name"));
}

Test(restore_plan_step, one_after_the_other_each_has_a_group_of_its_own)
{
    struct bp_restore_steps serial = {0};

    bp_restore_steps_serial(&script, "post", &serial);
    for (size_t i = 0; i < serial.count; i++)
        cr_expect_eq(serial.at[i].group, i);
    cr_expect_eq(serial.count, script.count);
    bp_restore_steps_free(&serial);
}

Test(restore_plan_step, a_text_without_headers_is_cut_at_its_statements)
{
    struct bp_restore_steps split = {0};

    cr_expect_eq(bp_restore_steps_split("SELECT ';';\n\nSELECT 2;\n", "x", &split, &err), BP_OK);
    cr_assert_eq(split.count, 2);
    cr_expect_str_eq(split.at[0].sql, "SELECT ';';\n");
    cr_expect_str_eq(split.at[1].sql, "SELECT 2;\n");
    cr_expect_str_eq(split.at[1].label, "x");
    cr_expect_eq(bp_restore_steps_split("SELECT 1", "x", &split, &err), BP_EINTEGRITY);
    bp_restore_steps_free(&split);
}
