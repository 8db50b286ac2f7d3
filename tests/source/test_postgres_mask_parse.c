#include "source/postgres_mask_parse.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_text(const char *got, const char *expected, const char *mask)
{
    cr_assert_eq(got == NULL, expected == NULL, "%s", mask);
    if (got != NULL && expected != NULL)
        cr_expect_str_eq(got, expected, "%s", mask);
}

Test(postgres_mask_parse, reads_names_as_sql_does)
{
    static const struct {
        const char *text;
        const char *schema;
        const char *table;
        const char *column;
        enum bp_pg_mask_kind kind;
        const char *expression;
    } cases[] = {
        {"users.email=null", NULL, "users", "email", BP_PG_MASK_NULL, NULL},
        {"App.Users.EMail=HASH", "app", "users", "email", BP_PG_MASK_HASH, NULL},
        {"\"App\".\"U.s=\"\"r\".\"n\nl\"='x'", "App", "U.s=\"r", "n\nl", BP_PG_MASK_LITERAL, "'x'"},
        {" a . b = 'it''s' ", NULL, "a", "b", BP_PG_MASK_LITERAL, "'it''s'"},
        {"a.b='x' || 'y'", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "'x' || 'y'"},
        {"_a$1.\303\244=1", NULL, "_a$1", "\303\244", BP_PG_MASK_EXPRESSION, "1"},
        {"a.b=c = d", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "c = d"},
        {"a.b=nullif(a$b, '')", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "nullif(a$b, '')"},
        {"a.b='a;--/*)'", NULL, "a", "b", BP_PG_MASK_LITERAL, "'a;--/*)'"},
        {"a.b=E'\\')'", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "E'\\')'"},
        {"a.b='a'\n'b'", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "'a'\n'b'"},
        {"a.b=\"x)\" - -1", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "\"x)\" - -1"},
        {"a.b=date'\\'", NULL, "a", "b", BP_PG_MASK_EXPRESSION, "date'\\'"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BP_AUTO(bp_pg_mask_free) struct bp_pg_mask mask = {0};
        const char *text = cases[i].text;
        struct bp_err err = {0};

        cr_assert_eq(bp_pg_mask_parse(text, &mask, &err), BP_OK, "%s", err.msg);
        expect_text(mask.schema, cases[i].schema, text);
        expect_text(mask.table, cases[i].table, text);
        expect_text(mask.column, cases[i].column, text);
        cr_expect_eq(mask.kind, cases[i].kind, "%s", text);
        expect_text(mask.expression, cases[i].expression, text);
    }
}

Test(postgres_mask_parse, refuses_what_is_no_mask_and_says_why)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"", "does not begin with the name"},
        {"=null", "does not begin with the name"},
        {"users.email", "has no '='"},
        {"users email=null", "has no '='"},
        {"users.*=null", "does not begin with the name"},
        {"users.=null", "does not begin with the name"},
        {"1a.b=null", "does not begin with the name"},
        {"users.\"email=null", "does not begin with the name"},
        {"users.\"\"=null", "does not begin with the name"},
        {"email=null", "names no table"},
        {"d.s.t.c=null", "has too many names"},
        {"a.b=", "has no value"},
        {"a.b= \n", "has no value"},
        {"a.b=1) FROM other --", "closes a parenthesis that it did not open"},
        {"a.b=1), (2", "closes a parenthesis that it did not open"},
        {"a.b=(1", "does not close a parenthesis"},
        {"a.b=1 -- x", "has a comment"},
        {"a.b=1 /* x */", "has a comment"},
        {"a.b=1+--1", "has a comment"},
        {"a.b=1; DROP TABLE x", "has a semicolon"},
        {"a.b='x", "has a quote that is not closed"},
        {"a.b=\"x", "has a quote that is not closed"},
        {"a.b=e'x\\'", "has a quote that is not closed"},
        {"a.b=e'x'\n'\\'", "continues a string with backslashes"},
        {"a.b=$$x$$", "has a dollar sign"},
        {"a.b='x\\')", "closes a parenthesis that it did not open"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BP_AUTO(bp_pg_mask_free) struct bp_pg_mask mask = {0};
        struct bp_err err = {0};

        cr_expect_eq(bp_pg_mask_parse(cases[i].text, &mask, &err), BP_EUSAGE, "%s", cases[i].text);
        cr_expect_not_null(strstr(err.msg, cases[i].why), "%s: %s", cases[i].text, err.msg);
        cr_expect_not_null(strstr(err.msg, "the mask '"), "%s", err.msg);
    }
}
