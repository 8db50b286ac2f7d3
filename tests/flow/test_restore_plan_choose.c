#include <criterion/criterion.h>
#include <string.h>

#include "flow/test_restore_plan_world.h"

static struct bp_script pre;
static struct bp_script post;
static struct bp_objects objects;
static struct bp_list chosen;
static struct bp_list skipped;
static struct bp_err err;

static void tear_down(void)
{
    bp_script_free(&pre);
    bp_script_free(&post);
    bp_objects_free(&objects);
    bp_list_free(&chosen);
    bp_list_free(&skipped);
}

TestSuite(restore_plan_choose, .fini = tear_down);

/* What is left of a text when a schema, or a table if it holds a dot, was chosen. */
static void choose(const char *name, const char *text)
{
    struct bp_restore_want want = {0};

    cr_assert_eq(bp_script_parse(text, strlen(text), &pre, &err), BP_OK, "%s", err.msg);
    bp_objects_read(&pre, &post, &objects);
    bp_list_add(&chosen, name);
    *(strchr(name, '.') != NULL ? &want.tables : &want.schemas) = &chosen;
    cr_assert_eq(bp_restore_choose(&want, &objects, &pre, &post, &skipped, &err), BP_OK, "%s",
                 err.msg);
}

static bool is_kept(size_t block)
{
    return pre.at[block].sql[0] != '\0';
}

#define BLOCK(type, name, schema, sql) \
    "--\n-- Name: " name "; Type: " type "; Schema: " schema "; Owner: o\n--\n\n" sql "\n\n"

Test(restore_plan_choose, what_reads_a_view_that_is_left_out_is_left_out_too)
{
    choose("a", BLOCK("TABLE", "t", "b", "CREATE TABLE b.t ();")
                    BLOCK("VIEW", "v", "a", "CREATE VIEW a.v AS SELECT FROM b.t;")
                        BLOCK("VIEW", "w", "a", "CREATE VIEW a.w AS SELECT FROM a.v;")
                            BLOCK("COMMENT", "VIEW w", "a", "COMMENT ON VIEW a.w IS 'x';")
                                BLOCK("VIEW", "x", "a", "CREATE VIEW a.x AS SELECT 1;"));
    for (size_t i = 0; i < 4; i++)
        cr_expect_not(is_kept(i), "%zu", i);
    cr_expect(is_kept(4));
    cr_expect_eq(skipped.count, 2);
}

Test(restore_plan_choose, a_partitioned_table_takes_its_partitions_with_it)
{
    choose("a.p", BLOCK("TABLE", "p", "a", "CREATE TABLE a.p (i int) PARTITION BY LIST (i);")
                      BLOCK("TABLE", "q", "a", "CREATE TABLE a.q (i int) PARTITION BY LIST (i);")
                          BLOCK("TABLE", "r", "b", "CREATE TABLE b.r (i int);")
                              BLOCK("TABLE ATTACH", "r", "b",
                                    "ALTER TABLE ONLY a.q ATTACH PARTITION b.r DEFAULT;")
                                  BLOCK("TABLE ATTACH", "q", "a",
                                        "ALTER TABLE ONLY a.p ATTACH PARTITION a.q DEFAULT;"));
    for (size_t i = 0; i < 5; i++)
        cr_expect(is_kept(i), "%zu", i);
}

Test(restore_plan_choose, a_partition_alone_is_a_table_that_is_not_attached)
{
    choose("a.q", BLOCK("TABLE", "p", "a", "CREATE TABLE a.p (i int) PARTITION BY LIST (i);")
                      BLOCK("TABLE", "q", "a", "CREATE TABLE a.q (i int);")
                          BLOCK("TABLE ATTACH", "q", "a",
                                "ALTER TABLE ONLY a.p ATTACH PARTITION a.q DEFAULT;"));
    cr_expect_not(is_kept(0));
    cr_expect(is_kept(1));
    cr_expect_not(is_kept(2));
    cr_expect_eq(skipped.count, 1);
}

Test(restore_plan_choose, a_trigger_that_is_left_out_is_not_switched_in_partitions)
{
    choose("a.q", BLOCK("FUNCTION", "f()", "b", "CREATE FUNCTION b.f() RETURNS trigger AS 'x';")
                      BLOCK("TABLE", "q", "a", "CREATE TABLE a.q (i int);")
                          BLOCK("TRIGGER", "q t", "a",
                                "CREATE TRIGGER t AFTER INSERT ON a.q EXECUTE FUNCTION b.f();")
                              BLOCK("TRIGGER", "q t", "a", "ALTER TABLE a.q DISABLE TRIGGER t;"));
    cr_expect(is_kept(1));
    cr_expect_not(is_kept(2));
    cr_expect_not(is_kept(3));
}

Test(restore_plan_choose, what_belongs_to_an_extension_or_to_no_schema_is_left_out)
{
    choose("a",
           BLOCK("CAST", "CAST (a.t AS text)", "-", "CREATE CAST (a.t AS text) WITH INOUT;")
               BLOCK("TYPE", "t", "a", "CREATE TYPE a.t AS ENUM ();")
                   BLOCK("ACL", "FUNCTION g()", "a", "REVOKE ALL ON FUNCTION a.g() FROM PUBLIC;"));
    cr_expect_not(is_kept(0));
    cr_expect(is_kept(1));
    cr_expect_not(is_kept(2));
    cr_expect_eq(skipped.count, 1);
    cr_expect_not_null(strstr(skipped.at[0], "extension"));
}

Test(restore_plan_choose, a_schema_gets_its_owner_only_when_it_was_not_there)
{
    choose("a", BLOCK("SCHEMA", "a", "-", "CREATE SCHEMA a;\n\n\nALTER SCHEMA a OWNER TO o;"));
    cr_expect_not_null(strstr(pre.at[0].sql, "RETURN;\n  END IF;\n  CREATE SCHEMA \"a\";\n"
                                             "ALTER SCHEMA \"a\" OWNER TO o;\nEND"));
}
