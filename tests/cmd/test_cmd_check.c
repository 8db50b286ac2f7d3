#include <criterion/criterion.h>
#include <string.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

static struct fake_clock fclock;
static struct fake_forge forge;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    forge = fake_forge(&fclock);
    fake = fake_app(&fclock.base);
}

static void tear_down(void)
{
    fake_app_release(&fake);
}

TestSuite(cmd_check, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.forge = &forge.base;
    return fake_app_run(&fake, line);
}

Test(cmd_check, says_of_each_thing_that_it_is_well)
{
    cr_expect_eq(run("check --repo o/r --branch main"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "the branch exists"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "Actions is on"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "failure"), "%s", fake.out);
    cr_expect_eq(run("check --repo o/r --format json"), 0);
    cr_expect_not_null(strstr(fake.out, "\"ok\": true"), "%s", fake.out);
}

Test(cmd_check, names_a_branch_that_is_not_there_and_looks_at_the_others)
{
    fake_forge_branch(&forge, "gone")->script_len = 1;
    fake_forge_branch(&forge, "gone")->script[0] = FAKE_NO_BRANCH;
    cr_expect_eq(run("check --repo o/r --branch gone --branch main"), 4);
    cr_expect_str_eq(fake.err,
                     "backproof: error: a dispatch would fail: no branch 'gone' in 'o/r'\n");
    cr_expect_not_null(strstr(fake.out, "o/r@main"), "%s", fake.out);
}

Test(cmd_check, gives_the_status_of_what_is_wrong)
{
    forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(run("check --repo o/r"), 4);
    forge.repo_result = BP_EAUTH;
    cr_expect_eq(run("check --repo o/r"), 3);
}

Test(cmd_check, changes_nothing_whatever_is_wrong)
{
    forge.state = "disabled_inactivity";
    cr_expect_eq(run("check --repo o/r --branch main"), 1);
    for (int i = 0; i < forge.asked; i++)
        cr_expect_not(bp_ask_changes(forge.log[i].kind));
}

Test(cmd_check, needs_a_repository)
{
    cr_expect_eq(run("check"), 2);
}
