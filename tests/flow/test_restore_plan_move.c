#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_plan_world.h"

static struct bp_object list[] = {
    {.key = (char *)"\"app\".\"gone\"", .schema = (char *)"app", .name = (char *)"gone"},
    {.key = (char *)"\"app\".\"seq\"",
     .schema = (char *)"app",
     .name = (char *)"seq",
     .kept = true},
    {.key = (char *)"\"app\".\"users\"",
     .schema = (char *)"app",
     .name = (char *)"users",
     .relation = true,
     .kept = true},
    {.key = (char *)"\"b\".\"users\"",
     .schema = (char *)"b",
     .name = (char *)"users",
     .relation = true},
};
static const struct bp_objects objects = {.at = list, .count = sizeof(list) / sizeof(list[0])};
static struct bp_err err;

static void expect(const char *sql, const char *expected)
{
    BP_AUTO(bp_freep) char *found = bp_restore_move_sql(bp_script_sql(sql), &objects, "n\"w");

    cr_expect_str_eq(found, expected, "%s", found);
}

Test(restore_plan_move, names_of_what_is_restored_change_and_no_others)
{
    expect(
        "ALTER TABLE app.users ADD FOREIGN KEY (app) REFERENCES app.gone(app.users);",
        "ALTER TABLE \"n\"\"w\".users ADD FOREIGN KEY (app) REFERENCES app.gone(\"n\"\"w\".users);");
    expect("SELECT \"app\".\"users\", x.app.users, b.users, OPERATOR(app.=);",
           "SELECT \"n\"\"w\".\"users\", x.app.users, b.users, OPERATOR(\"n\"\"w\".=);");
}

Test(restore_plan_move, of_literals_only_those_that_name_a_relation_change)
{
    expect("nextval('app.seq'::regclass), 'app.seq'::text, $$app.seq$$",
           "nextval('\"n\"\"w\".\"seq\"'::regclass), 'app.seq'::text, $$app.seq$$");
}

Test(restore_plan_move, values_of_sequences_go_where_the_sequences_went)
{
    static const char *const text = "SELECT pg_catalog.setval('app.gone', 1, true);\n"
                                    "SELECT pg_catalog.setval('app.seq', 5, true);\n";
    BP_AUTO(bp_freep) char *moved = bp_restore_sequences(text, &objects, "x");
    BP_AUTO(bp_freep) char *kept = bp_restore_sequences(text, &objects, NULL);

    cr_expect_str_eq(moved, "SELECT pg_catalog.setval('\"x\".\"seq\"', 5, true);\n");
    cr_expect_str_eq(kept, "SELECT pg_catalog.setval('app.seq', 5, true);\n");
}

Test(restore_plan_move, a_schema_is_renamed_behind_its_word)
{
    BP_AUTO(bp_freep)
    char *sql = bp_restore_rename_schema("GRANT USAGE ON SCHEMA app TO app;\n", "x");

    cr_expect_str_eq(sql, "GRANT USAGE ON SCHEMA \"x\" TO app;\n");
}

Test(restore_plan_move, what_cannot_be_changed_is_named)
{
    struct bp_script_block blocks[] = {
        {.name = bp_strdup("f()"),
         .type = bp_strdup("FUNCTION"),
         .sql = bp_strdup("CREATE FUNCTION app.f() AS $$SELECT FROM app.users$$;")},
        {.name = bp_strdup("g()"),
         .type = bp_strdup("FUNCTION"),
         .sql = bp_strdup("CREATE FUNCTION app.g() AS $$SELECT 'apple', xapp$$;")},
        {.name = bp_strdup("d"),
         .type = bp_strdup("DEFAULT"),
         .sql = bp_strdup("ALTER TABLE app.users SET DEFAULT nextval('app.seq'::regclass);")},
    };
    struct bp_script script = {.at = bp_alloc(3, sizeof(blocks[0])), .count = 3};
    BP_AUTO(bp_list_free) struct bp_list skipped = {0};

    memcpy(script.at, blocks, sizeof(blocks));
    cr_assert_eq(bp_restore_move(&script, &objects, "x", &skipped, &err), BP_OK);
    cr_assert_eq(skipped.count, 1);
    cr_expect_eq(strncmp(skipped.at[0], "FUNCTION f()", 12), 0);
    bp_script_free(&script);
}

Test(restore_plan_move, two_tables_of_one_name_do_not_go_into_one_schema)
{
    struct bp_script none = {0};
    BP_AUTO(bp_list_free) struct bp_list skipped = {0};

    list[3].kept = true;
    cr_expect_eq(bp_restore_move(&none, &objects, "x", &skipped, &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "two tables 'users'"));
}
