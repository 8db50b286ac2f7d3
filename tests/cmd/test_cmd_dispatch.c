#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
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

TestSuite(cmd_dispatch, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.forge = &forge.base;
    return fake_app_run(&fake, line);
}

static void script(const char *branch, enum fake_answer answer)
{
    fake_forge_branch(&forge, branch)->script_len = 1;
    fake_forge_branch(&forge, branch)->script[0] = answer;
}

Test(cmd_dispatch, prints_a_row_for_each_branch)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main --branch dev --quiet"), 0, "%s", fake.err);
    cr_expect_str_eq(
        fake.out,
        "BRANCH  RESULT   ATTEMPTS  RUN  URL                                      REASON\n"
        "main    started  1         100  https://forge.test/o/r/actions/runs/100  in_progress\n"
        "dev     started  1         101  https://forge.test/o/r/actions/runs/101  in_progress\n");
}

Test(cmd_dispatch, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;
    int64_t succeeded = 0;

    script("gone", FAKE_NO_BRANCH);
    cr_expect_eq(run("dispatch --repo o/r --branch gone --branch main --format json"), 0);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect(bp_json_get_int(json, "succeeded", &succeeded) && succeeded == 1);
    cr_expect_eq(bp_json_count(bp_json_get(json, "results")), 2u);
}

Test(cmd_dispatch, warns_of_a_branch_that_failed_beside_others)
{
    script("gone", FAKE_NO_BRANCH);
    cr_expect_eq(run("dispatch --repo o/r --branch gone --branch main"), 0);
    cr_expect_not_null(
        strstr(fake.err, "backproof: warning: branch 'gone' failed: no branch 'gone' in 'o/r'\n"));
}

Test(cmd_dispatch, gives_the_status_that_all_failures_share)
{
    script("main", FAKE_FORBIDDEN);
    cr_expect_eq(run("dispatch --repo o/r --branch main"), 3);
    script("gone", FAKE_NO_BRANCH);
    cr_expect_eq(run("dispatch --repo o/r --branch gone"), 4);
    cr_expect_eq(run("dispatch --repo o/r --branch main --branch gone"), 1);
}

Test(cmd_dispatch, with_require_all_fails_when_one_does)
{
    script("gone", FAKE_NO_BRANCH);
    cr_expect_eq(run("dispatch --repo o/r --branch gone --branch main --require all"), 4);
    cr_expect_not_null(strstr(fake.err, "error: gone: no branch 'gone' in 'o/r'\n"));
}

Test(cmd_dispatch, a_dry_run_starts_nothing)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main --dry-run"), 0);
    cr_expect_eq(fake_forge_branch(&forge, "main")->dispatches, 0);
    cr_expect_not_null(strstr(fake.out, "dry-run"));
}

Test(cmd_dispatch, looks_at_its_input_before_it_asks_the_server)
{
    forge.repo_result = BP_EAUTH;
    cr_expect_eq(run("dispatch --repo o/r"), 2);
    cr_expect_eq(run("dispatch --repo nothing --branch main"), 2);
    cr_expect_eq(run("dispatch --repo o/r --branch main --inputs x"), 2);
    cr_expect_eq(run("dispatch --repo o/r --branch main"), 3);
}

Test(cmd_dispatch, takes_branches_of_other_repositories)
{
    cr_expect_eq(run("dispatch --target o/r@main --target o/other@dev:nightly.yml"), 0, "%s",
                 fake.err);
    cr_expect_not_null(strstr(fake.out, "o/other@dev:nightly.yml"), "%s", fake.out);
}

Test(cmd_dispatch, waits_as_long_as_until_says)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main --until appeared"), 0);
    cr_expect_not_null(strstr(fake.out, "appeared"), "%s", fake.out);
    cr_expect_eq(run("dispatch --repo o/r --branch main --until finished"), 0);
    cr_expect_not_null(strstr(fake.out, "finished"), "%s", fake.out);
    cr_expect_eq(run("dispatch --repo o/r --branch main --until later"), 2);
}

Test(cmd_dispatch, warns_of_what_the_look_before_the_work_found)
{
    forge.token.expires_ms = bp_clock_wall(&fclock.base) + 3600000;
    cr_expect_eq(run("dispatch --repo o/r --branch main"), 0);
    cr_expect_not_null(strstr(fake.err, "backproof: warning: token: token, expires in 0 days"),
                       "%s", fake.err);
}

Test(cmd_dispatch, puts_a_status_on_the_commit_when_that_is_asked_for)
{
    cr_expect_eq(run("dispatch --repo o/r --branch main"), 0);
    cr_expect_eq(fake_forge_asked(&forge, BP_ASK_STATUS), 0);
    cr_expect_eq(run("dispatch --repo o/r --branch main --commit-status"), 0);
    cr_expect_eq(fake_forge_asked(&forge, BP_ASK_STATUS), 1);
}
