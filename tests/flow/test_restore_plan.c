#include "flow/restore_plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_plan_world.h"

static struct plan_world w;

static void set_up(void)
{
    plan_world_open(&w);
}

static void tear_down(void)
{
    plan_world_close(&w);
}

TestSuite(restore_plan, .init = set_up, .fini = tear_down);

static void make(void)
{
    cr_assert_eq(plan_world_make(&w), BP_OK, "%s", w.err.msg);
}

static void choose_tables(const char *name)
{
    bp_list_add(&w.chosen, name);
    w.want.tables = &w.chosen;
}

static void choose_schema(const char *name)
{
    bp_list_add(&w.chosen, name);
    w.want.schemas = &w.chosen;
}

Test(restore_plan, without_a_choice_everything_is_restored_as_it_was)
{
    make();
    cr_expect(w.plan.whole);
    cr_expect_str_eq(w.plan.roles, w.texts.roles);
    cr_expect_str_eq(w.plan.sequences, w.texts.sequences);
    cr_expect_eq(w.plan.table_count, 3);
    cr_expect_str_eq(w.plan.tables[0].target, "\"app\".\"users\"");
    cr_expect_not(w.plan.tables[0].moved);
    cr_expect_eq(w.plan.refresh.count, 1);
    cr_expect_eq(w.skipped.count, 0);
}

Test(restore_plan, a_schema_comes_with_all_that_needs_nothing_else)
{
    choose_schema("app");
    make();
    cr_expect_not(w.plan.whole);
    cr_expect_str_eq(w.plan.roles, "");
    cr_expect_eq(w.plan.table_count, 2);
    cr_expect_not_null(plan_world_step(&w.plan.pre, "SCHEMA app"));
    cr_expect_not_null(plan_world_step(&w.plan.pre, "TYPE app.mood"));
    cr_expect_not_null(plan_world_step(&w.plan.post, "TRIGGER app.users touched"));
    cr_expect_null(plan_world_step(&w.plan.pre, "SCHEMA other"));
    cr_expect_null(plan_world_step(&w.plan.pre, "TABLE other.log"));
    cr_expect_null(plan_world_step(&w.plan.pre, "VIEW app.logged"));
    cr_expect(plan_world_skipped(&w, "VIEW app.logged", "other.log"));
    cr_expect(plan_world_skipped(&w, "TRIGGER app.users audited", "other.audit"));
    cr_expect(plan_world_skipped(&w, "TABLE app.orders", "it needs other.kind"));
    cr_expect(plan_world_skipped(&w, "PUBLICATION TABLE", "publications"));
    cr_expect_eq(w.plan.refresh.count, 1);
}

Test(restore_plan, a_table_comes_with_its_own_things_only)
{
    choose_tables("app.users");
    make();
    cr_expect_eq(w.plan.table_count, 1);
    cr_expect_str_eq(w.plan.sequences, "SELECT pg_catalog.setval('app.users_id_seq', 1, true);\n");
    cr_expect_not_null(plan_world_step(&w.plan.pre, "SEQUENCE OWNED BY app.users_id_seq"));
    cr_expect_not_null(plan_world_step(&w.plan.pre, "DEFAULT app.users id"));
    cr_expect_not_null(plan_world_step(&w.plan.pre, "COMMENT app.TABLE users"));
    cr_expect_not_null(plan_world_step(&w.plan.post, "INDEX app.users_name"));
    cr_expect_not_null(plan_world_step(&w.plan.post, "POLICY app.users mine"));
    cr_expect_null(plan_world_step(&w.plan.pre, "TYPE app.mood"));
    cr_expect_null(plan_world_step(&w.plan.pre, "VIEW app.names"));
    cr_expect(plan_world_skipped(&w, "TABLE app.users", "it needs app.mood"));
    cr_expect(plan_world_skipped(&w, "TRIGGER app.users touched", "app.touch"));
    cr_expect_eq(w.plan.refresh.count, 0);
}

Test(restore_plan, a_schema_that_was_not_chosen_itself_is_made_for_its_tables)
{
    choose_tables("app.users");
    make();
    cr_expect_not_null(strstr(w.plan.pre.at[0].sql, "CREATE SCHEMA \"app\""));
}

Test(restore_plan, a_foreign_key_to_what_is_not_restored_is_left_out)
{
    choose_tables("app.orders");
    make();
    cr_expect_null(plan_world_step(&w.plan.post, "orders_buyer_fkey"));
    cr_expect(plan_world_skipped(&w, "FK CONSTRAINT app.orders", "app.users"));
    choose_tables("app.users");
    make();
    cr_expect_not_null(plan_world_step(&w.plan.post, "orders_buyer_fkey"));
}

Test(restore_plan, another_schema_is_named_wherever_what_is_restored_was)
{
    choose_schema("app");
    w.want.into_schema = "copy";
    make();
    cr_expect_str_eq(w.plan.tables[0].target, "\"copy\".\"users\"");
    cr_expect(w.plan.tables[0].moved);
    cr_expect_not_null(strstr(w.plan.sequences, "'\"copy\".\"users_id_seq\"'"));
    cr_expect_not_null(strstr(w.plan.refresh.at[0].sql, "\"copy\".counts"));
    cr_expect_not_null(strstr(plan_world_step(&w.plan.pre, "DEFAULT app.users id")->sql,
                              "ALTER TABLE ONLY \"copy\".users ALTER COLUMN id SET DEFAULT "
                              "nextval('\"copy\".\"users_id_seq\"'::regclass)"));
    cr_expect_not_null(strstr(plan_world_step(&w.plan.pre, "TABLE app.orders")->sql, "other.kind"));
    cr_expect(plan_world_skipped(&w, "FUNCTION touch()", "names the old schema"));
}

Test(restore_plan, only_a_part_goes_into_another_schema)
{
    w.want.into_schema = "copy";
    cr_expect_eq(plan_world_make(&w), BP_EUSAGE);
}

Test(restore_plan, names_that_the_archive_does_not_have_are_answered_with_those_it_has)
{
    choose_tables("users");
    cr_expect_eq(plan_world_make(&w), BP_ENOTFOUND);
    cr_expect_eq(
        strstr(w.err.msg, "the archive has no table 'public.users'; hint: it has app.users"),
        w.err.msg);
    w.want.tables = NULL;
    w.want.schemas = &w.chosen;
    cr_expect_eq(plan_world_make(&w), BP_ENOTFOUND);
    cr_expect_not_null(strstr(w.err.msg, "it has app, other"));
}

Test(restore_plan, parts_of_a_name_may_be_quoted)
{
    choose_tables("app.\"Odd\n; Type: TABLE; name\"");
    make();
    cr_expect_eq(plan_world_step(&w.plan.pre, "TABLE app.Odd ; Type: TABLE; name")->group, 1);
}

Test(restore_plan, without_owners_and_grants_no_role_is_named)
{
    w.want.no_owner = true;
    w.want.no_privileges = true;
    make();
    cr_expect_str_eq(w.plan.roles, "");
    for (size_t i = 0; i < w.plan.pre.count; i++)
        cr_expect_null(strstr(w.plan.pre.at[i].sql, "parts_owner"), "%s", w.plan.pre.at[i].sql);
}

Test(restore_plan, a_role_that_is_mapped_is_named_nowhere)
{
    bp_list_add(&w.mapped, "parts_owner=\"New\"");
    w.want.role_maps = &w.mapped;
    make();
    cr_expect_null(strstr(w.plan.roles, "parts_owner"));
    cr_expect_not_null(strstr(w.plan.roles, "parts_reader"));
    for (size_t i = 0; i < w.plan.post.count; i++)
        cr_expect_null(strstr(w.plan.post.at[i].sql, "parts_owner"), "%s", w.plan.post.at[i].sql);
    cr_expect_not_null(strstr(plan_world_step(&w.plan.pre, "TABLE app.users")->sql,
                              "ALTER TABLE app.users OWNER TO \"New\";"));
}

Test(restore_plan, a_role_of_a_map_that_the_archive_does_not_have_is_named)
{
    bp_list_add(&w.mapped, "parts_owner=postgres");
    bp_list_add(&w.mapped, "\"part \"\"owner\"=postgres");
    w.want.role_maps = &w.mapped;
    cr_assert_eq(plan_world_make(&w), BP_OK, "%s", w.err.msg);
    cr_expect(plan_world_skipped(&w, "--role-map \"part \"\"owner\"", "nothing in the archive"));
    cr_expect_not(plan_world_skipped(&w, "parts_owner", ""));
}

Test(restore_plan, tables_without_rows_and_views_are_known_where_they_will_be)
{
    bp_list_add(&w.chosen, "app");
    w.want.schemas = &w.chosen;
    w.want.into_schema = "copy";
    cr_assert_eq(plan_world_make(&w), BP_OK, "%s", w.err.msg);
    cr_expect(bp_list_has(&w.plan.made, "\"copy\".\"users\""));
    cr_expect(bp_list_has(&w.plan.made, "\"copy\".\"parts\""));
    cr_expect_not(bp_list_has(&w.plan.made, "\"other\".\"log\""));
    cr_expect(bp_list_has(&w.plan.views, "\"copy\".\"counts\""));
    cr_assert_eq(w.plan.refresh.count, 1);
    cr_expect_eq(strncmp(w.plan.refresh.at[0].sql, "SET LOCAL row_security = on;\n", 29), 0);
}

Test(restore_plan, a_damaged_text_is_named)
{
    w.texts.post_data = "SELECT '";
    cr_expect_eq(plan_world_make(&w), BP_EINTEGRITY);
    cr_expect_eq(strstr(w.err.msg, "'database/post-data.sql': "), w.err.msg);
}
