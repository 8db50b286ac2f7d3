#include <criterion/criterion.h>
#include <string.h>

#include "archive/script.h"
#include "flow/test_restore_plan_world.h"

static struct bp_script script;
static struct bp_err err;

static void tear_down(void)
{
    bp_script_free(&script);
}

TestSuite(script, .fini = tear_down);

static enum bp_code parse(const char *text)
{
    bp_script_free(&script);
    return bp_script_parse(text, strlen(text), &script, &err);
}

static const struct bp_script_block *block(const char *type, const char *name)
{
    for (size_t i = 0; i < script.count; i++) {
        if (strcmp(script.at[i].type, type) == 0 && strcmp(script.at[i].name, name) == 0)
            return &script.at[i];
    }
    return NULL;
}

#define HEADER(name, type) \
    "--\n-- Name: " name "; Type: " type "; Schema: app; Owner: alice\n--\n\n"

Test(script, what_pg_dump_writes_is_cut_at_its_headers_only)
{
    plan_world_parse("pre-data.sql", &script);
    cr_expect_null(block("TABLE", "fake"));
    cr_expect_null(block("TABLE", "x"));
    cr_assert_not_null(block("TABLE", "users"));
    cr_expect_str_eq(block("TABLE", "users")->schema, "app");
    cr_expect_str_eq(block("TABLE", "users")->owner, "parts_owner");
    cr_expect_not_null(strstr(block("FUNCTION", "touch()")->sql, "Name: fake;"));
    cr_expect_not_null(strstr(block("COMMENT", "TABLE users")->sql, "Name: x;"));
}

Test(script, a_name_may_hold_the_words_of_a_header)
{
    plan_world_parse("pre-data.sql", &script);
    cr_expect_not_null(block("TABLE", "Odd ; Type: TABLE; name"));
}

Test(script, no_statement_is_lost_and_none_is_for_psql)
{
    plan_world_parse("post-data.sql", &script);
    cr_expect_not_null(strstr(script.preamble, "SET client_encoding = 'UTF8';\n"));
    for (size_t i = 0; i < script.count; i++) {
        cr_expect_null(strstr(script.at[i].sql, "restrict"));
        cr_expect_neq(script.at[i].sql[0], '\0');
    }
    cr_expect_str_eq(script.at[script.count - 1].type, "DEFAULT ACL");
}

Test(script, settings_between_blocks_are_repeated_in_each_that_follows)
{
    cr_assert_eq(
        parse("SET row_security = off;\n\n" HEADER(
            "a",
            "TABLE") "CREATE TABLE app.a ();\n\n"
                     "SET default_tablespace = fast;\n\nSET default_table_access_method = heap;\n\n" HEADER(
                         "b", "TABLE") "CREATE TABLE app.b ();\nALTER TABLE app.b OWNER TO x;\n"
                                       "SET default_tablespace = '';\n" HEADER(
                                           "c", "TABLE") "CREATE TABLE app.c ();\n"),
        BP_OK);
    cr_expect_str_eq(script.preamble, "SET row_security = off;\n");
    cr_expect_str_eq(script.at[0].sql, "CREATE TABLE app.a ();\n");
    cr_expect_str_eq(script.at[1].sql, "SET default_tablespace = fast;\n"
                                       "SET default_table_access_method = heap;\n"
                                       "CREATE TABLE app.b ();\nALTER TABLE app.b OWNER TO x;\n");
    cr_expect_str_eq(script.at[2].sql, "SET default_tablespace = '';\n"
                                       "SET default_table_access_method = heap;\n"
                                       "CREATE TABLE app.c ();\n");
    cr_expect_eq(strncmp(bp_script_sql(script.at[2].sql).at, "CREATE", 6), 0);
}

Test(script, literals_with_escapes_are_read_as_the_text_says_and_each_block_says_so)
{
    cr_assert_eq(
        parse("SET standard_conforming_strings = off;\n" HEADER(
            "a", "COMMENT") "COMMENT ON TABLE app.a IS '\\';\n" HEADER("b", "TABLE") "';\n"),
        BP_OK);
    cr_expect_eq(script.count, 1);
    cr_expect_eq(strncmp(script.at[0].sql, "\nSET standard_conforming_strings = off;\n", 40), 0);
    cr_expect(bp_script_sql(script.at[0].sql).backslashes);
}

Test(script, a_standard_body_stays_whole)
{
    plan_world_parse("pre-data.sql", &script);
    cr_assert_not_null(block("FUNCTION", "standard(integer)"));
    cr_expect_not_null(strstr(block("FUNCTION", "standard(integer)")->sql, "END;"));
}

Test(script, headers_tell_of_no_schema_and_of_a_tablespace)
{
    cr_assert_eq(parse("--\n-- Name: a; Type: SCHEMA; Schema: -; Owner: \n--\nCREATE SCHEMA a;\n"
                       "--\n-- Name: b; Type: TABLE; Schema: a; Owner: o; Tablespace: t\n--\n"),
                 BP_OK);
    cr_expect_str_eq(script.at[0].schema, "");
    cr_expect_str_eq(script.at[0].owner, "");
    cr_expect_str_eq(script.at[1].owner, "o");
    cr_expect_str_eq(script.at[1].sql, "");
}

Test(script, an_empty_text_has_no_blocks)
{
    cr_expect_eq(parse(""), BP_OK);
    cr_expect_eq(script.count, 0);
    cr_expect_str_eq(script.preamble, "");
}

Test(script, statements_without_a_header_make_a_block_without_a_name)
{
    cr_expect_eq(parse("CREATE TABLE a ();\nCREATE TABLE b ();\n"), BP_OK);
    cr_expect_eq(script.count, 1);
    cr_expect_str_eq(script.at[0].type, "");
    cr_expect_str_eq(script.at[0].sql, "CREATE TABLE a ();\nCREATE TABLE b ();\n");
}

Test(script, a_text_that_breaks_off_is_refused)
{
    cr_expect_eq(parse("CREATE TABLE a ("), BP_EINTEGRITY);
    cr_expect_eq(parse("COMMENT ON TABLE a IS 'b;\n"), BP_EINTEGRITY);
    cr_expect_eq(parse("/* a"), BP_EINTEGRITY);
    cr_expect_eq(bp_script_parse("a\0;", 3, &script, &err), BP_EINTEGRITY);
}

Test(script, other_orders_for_psql_are_refused)
{
    cr_expect_eq(parse("\\connect a\nSELECT 1;\n"), BP_OK);
    cr_expect_eq(parse("SELECT 1;\n\\! rm x\n"), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "\\! rm x"));
}
