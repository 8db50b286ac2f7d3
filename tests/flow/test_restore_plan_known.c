#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_plan_world.h"

static struct bp_script pre;
static struct bp_script post;
static struct bp_objects objects;

static void set_up(void)
{
    plan_world_parse("pre-data.sql", &pre);
    plan_world_parse("post-data.sql", &post);
    bp_objects_read(&pre, &post, &objects);
}

static void tear_down(void)
{
    bp_script_free(&pre);
    bp_script_free(&post);
    bp_objects_free(&objects);
}

TestSuite(restore_plan_known, .init = set_up, .fini = tear_down);

Test(restore_plan_known, holds_what_the_definitions_make_by_its_real_name)
{
    cr_assert_not_null(bp_objects_find(&objects, "app", "users"));
    cr_expect(bp_objects_find(&objects, "app", "users")->relation);
    cr_assert_not_null(bp_objects_find(&objects, "app", "Odd\n; Type: TABLE; name"));
    cr_assert_not_null(bp_objects_find(&objects, "app", "touch"));
    cr_expect_not(bp_objects_find(&objects, "app", "touch")->relation);
    cr_expect_null(bp_objects_find(&objects, "app", "fake"));
}

Test(restore_plan_known, identities_indexes_and_constraints_are_objects_too)
{
    cr_expect_not_null(bp_objects_find(&objects, "app", "orders_id_seq"));
    cr_expect_not_null(bp_objects_find(&objects, "app", "users_name"));
    cr_expect_not_null(bp_objects_find(&objects, "app", "users_pkey"));
}

static void expect_subject(const struct bp_script *script, const char *type, const char *name,
                           const char *expected)
{
    for (size_t i = 0; i < script->count; i++) {
        BP_AUTO(bp_qname_free) struct bp_qname subject = {0};

        if (strcmp(script->at[i].type, type) != 0 || strcmp(script->at[i].name, name) != 0)
            continue;
        cr_assert(bp_block_subject(&script->at[i], &subject));
        cr_expect_str_eq(subject.name, expected);
        return;
    }
    cr_assert_fail("no %s %s", type, name);
}

Test(restore_plan_known, tells_what_a_block_belongs_to)
{
    expect_subject(&pre, "ACL", "TABLE users", "users");
    expect_subject(&pre, "TABLE ATTACH", "parts_1", "parts_1");
    expect_subject(&pre, "SEQUENCE", "orders_id_seq", "orders");
    expect_subject(&post, "INDEX", "users_name", "users");
    expect_subject(&post, "TRIGGER", "users touched", "users");
    expect_subject(&post, "POLICY", "users mine", "users");
}

Test(restore_plan_known, a_range_type_comes_with_its_multirange_type)
{
    struct bp_script_block block = {.type = (char *)"TYPE",
                                    .sql = (char *)"CREATE TYPE a.r AS RANGE (\n subtype = date,\n"
                                                   " multirange_type_name = a.m\n);\n"};
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};

    cr_assert(bp_block_makes_also(&block, &name));
    cr_expect_str_eq(name.name, "m");
}

Test(restore_plan_known, a_block_about_a_schema_names_it)
{
    struct bp_script_block acl = {.name = (char *)"SCHEMA app",
                                  .type = (char *)"ACL",
                                  .sql = (char *)"GRANT USAGE ON SCHEMA app TO x;\n"};
    struct bp_script_block table = {
        .name = (char *)"SCHEMA app", .type = (char *)"TABLE", .sql = (char *)"CREATE TABLE a ();"};
    BP_AUTO(bp_freep) char *schema = bp_block_schema(&acl);

    cr_expect_str_eq(schema, "app");
    cr_expect_null(bp_block_schema(&table));
}
