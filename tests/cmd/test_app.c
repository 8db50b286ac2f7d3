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

TestSuite(app, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.forge = &forge.base;
    return fake_app_run(&fake, line);
}

Test(app, prints_the_error_and_gives_its_status)
{
    cr_expect_eq(run("dispatch --repo o/r"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: no branch is given; hint: --branch main, or a "
                               "line per branch in BACKPROOF_BRANCH\n");
    cr_expect_str_eq(fake.out, "");
}

Test(app, refuses_a_secret_on_the_command_line)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main --token s3cr3t"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: --token would show in the process list; set "
                               "BACKPROOF_TOKEN instead\n");
    cr_expect_eq(forge.branch_count, 0, "nothing may be started");
}

Test(app, shows_warnings_as_annotations_on_a_runner_and_leaves_stdout_to_results)
{
    fake.env[0] = "GITHUB_ACTIONS=true";
    fake_forge_branch(&forge, "gone")->script_len = 1;
    fake_forge_branch(&forge, "gone")->script[0] = FAKE_NO_BRANCH;
    cr_expect_eq(run("dispatch --repo o/r --branch gone --branch main --format json"), 0);
    cr_expect(strstr(fake.err, "::warning title=backproof::branch 'gone' failed: no "
                               "branch 'gone' in 'o/r'\n") != NULL,
              "%s", fake.err);
    cr_expect(fake.out[0] == '{' && strstr(fake.out, "::") == NULL, "%s", fake.out);
}

Test(app, quiet_leaves_the_result_only)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main --quiet"), 0);
    cr_expect_str_eq(fake.err, "");
    cr_expect(strstr(fake.out, "main    started") != NULL, "%s", fake.out);
}

Test(app, help_goes_to_stdout)
{
    cr_expect_eq(run("dispatch --help"), 0);
    cr_expect(strstr(fake.out, "Usage: backproof dispatch") == fake.out);
    cr_expect_eq(run("help list"), 0);
    cr_expect(strstr(fake.out, "Usage: backproof list") == fake.out);
}
