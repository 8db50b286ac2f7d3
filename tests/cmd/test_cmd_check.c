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
    forge = fake_forge(&fclock.base);
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

Test(cmd_check, says_ok)
{
    cr_expect_eq(run("check --repo o/r --branch main"), 0);
    cr_expect_str_eq(fake.out,
                     "ok: the token sees o/r, workflow backup.yml is active, 1 branches exist\n");
    cr_expect_eq(run("check --repo o/r --format json"), 0);
    cr_expect_str_eq(fake.out,
                     "{\"ok\": true, \"repository\": \"o/r\", \"workflow\": \"backup.yml\"}\n");
}

Test(cmd_check, names_a_branch_that_is_not_there)
{
    fake_forge_branch(&forge, "gone")->script_len = 1;
    fake_forge_branch(&forge, "gone")->script[0] = FAKE_NO_BRANCH;
    cr_expect_eq(run("check --repo o/r --branch main --branch gone"), 4);
    cr_expect_str_eq(fake.err, "backproof: error: no branch 'gone' in 'o/r'\n");
    cr_expect_str_eq(fake.out, "");
}

Test(cmd_check, gives_the_status_of_what_is_wrong)
{
    forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(run("check --repo o/r"), 4);
    forge.repo_result = BP_EAUTH;
    cr_expect_eq(run("check --repo o/r"), 3);
}
