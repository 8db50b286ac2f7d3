#include <criterion/criterion.h>
#include <string.h>

#include "base/findings.h"

static struct bp_findings findings;

static void tear_down(void)
{
    bp_findings_free(&findings);
}

TestSuite(findings, .fini = tear_down);

static void fail(enum bp_code code)
{
    struct bp_err err = {0};

    (void)bp_fail(&err, code, "no workflow 'x'; hint: add it");
    bp_findings_fail(&findings, "o/r", &err);
}

Test(findings, a_hint_becomes_the_fix)
{
    bp_findings_add(&findings, BP_FOUND_WARNING, "token", "expires in %d days; hint: make one", 3);
    fail(BP_ENOTFOUND);
    cr_assert_eq(findings.count, 2u);
    cr_expect_str_eq(findings.at[0].what, "expires in 3 days");
    cr_expect_str_eq(findings.at[0].fix, "make one");
    cr_expect_str_eq(findings.at[1].what, "no workflow 'x'");
    cr_expect_str_eq(findings.at[1].fix, "add it");
    cr_expect_eq(findings.at[1].level, BP_FOUND_FAILURE);
}

Test(findings, a_failure_may_be_longer_than_an_error)
{
    char names[2000] = "";

    memset(names, 'n', sizeof(names) - 1);
    bp_findings_refuse(&findings, BP_EAUTH, "tables", "%s; hint: GRANT it", names);
    cr_expect_str_eq(findings.at[0].what, names);
    cr_expect_str_eq(findings.at[0].fix, "GRANT it");
    cr_expect_eq(bp_findings_verdict(&findings), BP_EAUTH);
}

Test(findings, what_needs_no_fix_has_none)
{
    bp_findings_add(&findings, BP_FOUND_OK, "token", "valid");
    cr_expect_str_eq(findings.at[0].fix, "");
}

Test(findings, the_verdict_is_what_all_failures_share)
{
    bp_findings_add(&findings, BP_FOUND_WARNING, "token", "soon");
    bp_findings_add(&findings, BP_FOUND_UNKNOWN, "token", "who knows");
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK);
    fail(BP_ENOTFOUND);
    fail(BP_ENOTFOUND);
    cr_expect_eq(bp_findings_verdict(&findings), BP_ENOTFOUND);
    fail(BP_EAUTH);
    cr_expect_eq(bp_findings_verdict(&findings), BP_EFAILED);
}

Test(findings, what_is_about_the_same_stands_together)
{
    static const char *const order[][2] = {{"a", "1"}, {"b", "2"}, {"c", "3"},
                                           {"b", "4"}, {"a", "5"}, {"b", "6"}};

    for (size_t i = 0; i < 6; i++)
        bp_findings_add(&findings, BP_FOUND_OK, order[i][0], "%s", order[i][1]);
    bp_findings_group(&findings);
    for (size_t i = 0; i < 6; i++) {
        static const char *const expected[] = {"1", "5", "2", "4", "6", "3"};

        cr_expect_str_eq(findings.at[i].what, expected[i], "%zu", i);
    }
}
