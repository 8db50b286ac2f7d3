#include <criterion/criterion.h>
#include <string.h>

#include "flow/verify.h"

static struct bp_list checks;
static struct bp_err err;

static void tear_down(void)
{
    bp_list_free(&checks);
}

TestSuite(verify_checks, .fini = tear_down);

static enum bp_code split(const char *text)
{
    bp_list_free(&checks);
    return bp_verify_checks(text, "checks.sql", &checks, &err);
}

Test(verify_checks, each_statement_is_one)
{
    cr_assert_eq(split("-- first\nSELECT 1;\n;; SELECT\n  2 -- ;\n;/* ; */ SELECT ';', $$;$$"),
                 BP_OK, "%s", err.msg);
    cr_assert_eq(checks.count, 3);
    cr_expect_str_eq(checks.at[0], "SELECT 1;");
    cr_expect_str_eq(checks.at[1], "SELECT\n  2 -- ;\n;");
    cr_expect_str_eq(checks.at[2], "SELECT ';', $$;$$;");
}

Test(verify_checks, nothing_to_ask_is_a_mistake)
{
    cr_expect_eq(split(""), BP_EUSAGE);
    cr_expect_eq(split("-- later\n;"), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "'checks.sql' holds no query");
}

Test(verify_checks, a_quote_without_an_end_and_psqls_commands_are_told)
{
    cr_expect_eq(split("SELECT 'x;"), BP_EUSAGE);
    cr_expect(strstr(err.msg, "quoted without an end") != NULL);
    cr_expect_eq(split("\\d users\n"), BP_EUSAGE);
    cr_expect(strstr(err.msg, "a command of psql") != NULL);
}
