#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_plan_world.h"

static char *names(const char *text)
{
    struct bp_sql sql = {.at = text, .end = text + strlen(text)};
    BP_AUTO(bp_name_at_free) struct bp_name_at found = {0};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    while (bp_name_next(&sql, &found))
        bp_buf_printf(&out, "%s|%s%s;", found.name.schema, found.name.name,
                      found.literal ? "'" : "");
    return bp_buf_take(&out);
}

static void expect(const char *text, const char *expected)
{
    BP_AUTO(bp_freep) char *found = names(text);

    cr_expect_str_eq(found, expected, "%s", found);
}

Test(restore_plan_name, finds_the_names_that_have_a_schema)
{
    expect("CREATE TABLE app.users (id other.\"K k\" DEFAULT 0.5, b c)", "app|users;other|K k;");
    expect("COMMENT ON COLUMN app.users.id IS 'a.b'", "app|users;");
    expect("OPERATOR(app.<>), a .b", "app|;a|b;");
    expect("nextval('app.\"s''q\"'::regclass), 'a.b'::text", "app|s'q';");
}

Test(restore_plan_name, a_whole_text_may_be_a_name)
{
    BP_AUTO(bp_qname_free) struct bp_qname name = {0};

    cr_expect(bp_qname_read("app.\"U.s\"", &name));
    cr_expect_str_eq(name.schema, "app");
    cr_expect_str_eq(name.name, "U.s");
    cr_expect(bp_qname_read("users", &name));
    cr_expect_str_eq(name.schema, "");
    cr_expect_not(bp_qname_read("app.", &name));
    cr_expect_not(bp_qname_read("app.users x", &name));
    cr_expect_not(bp_qname_read("", &name));
}

Test(restore_plan_name, a_copy_statement_gets_another_table)
{
    BP_AUTO(bp_freep)
    char *copy = bp_restore_copy("COPY app.\"U\n\"(a, b) FROM stdin;", "\"x\".\"U\"");
    BP_AUTO(bp_freep) char *none = bp_restore_copy("SELECT 1", "x");

    cr_expect_str_eq(copy, "COPY \"x\".\"U\" (a, b) FROM stdin;");
    cr_expect_null(none);
}
