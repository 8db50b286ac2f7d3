#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/test_init_repo.h"

TestSuite(cmd_init, .init = init_repo_set_up, .fini = init_repo_tear_down);

Test(cmd_init, writes_both_files_and_says_what_is_left)
{
    cr_assert_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault"), 0, "%s",
                 init_repo.fake.err);
    cr_expect(file_holds(BACKUP, "backup-repo: 'https://github.com/myorg/vault'"));
    cr_expect(file_holds(SCHEDULED, "BRANCHES: '[\"trunk\"]'"));
    cr_expect(strstr(init_repo.fake.out, "wrote " BACKUP "\nwrote " SCHEDULED "\n") ==
                  init_repo.fake.out,
              "%s", init_repo.fake.out);
    cr_expect_not_null(strstr(init_repo.fake.out, "gh secret set DATABASE_URL -R myorg/myapp\n"));
    cr_expect_not_null(strstr(init_repo.fake.out,
                              "next: export WORKFLOW_TRIGGER_TOKEN=... && backproof check "
                              "--repo myorg/myapp --branch trunk\n"),
                       "%s", init_repo.fake.out);
    cr_expect_str_eq(init_repo.fake.err, "");
}

Test(cmd_init, replaces_nothing_unless_it_is_told_to)
{
    struct bp_err err;

    cr_assert_eq(bp_file_put(BACKUP, "mine\n", false, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault"), 2);
    cr_expect_str_eq(init_repo.fake.err,
                     "backproof: error: there is already " BACKUP
                     ", nothing was written; hint: --force replaces, --print shows what "
                     "would be written\n");
    cr_expect(file_holds(BACKUP, "mine"));
    cr_expect_eq(access(SCHEDULED, F_OK), -1);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault --force"), 0, "%s",
                 init_repo.fake.err);
    cr_expect(strstr(init_repo.fake.out, "replaced " BACKUP "\nwrote ") == init_repo.fake.out, "%s",
              init_repo.fake.out);
    cr_expect(file_holds(BACKUP, "myorg/vault"));
}

Test(cmd_init, the_same_answers_again_change_nothing)
{
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault"), 0);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault"), 0, "%s",
                 init_repo.fake.err);
    cr_expect(strstr(init_repo.fake.out, "unchanged " BACKUP "\nunchanged ") == init_repo.fake.out,
              "%s", init_repo.fake.out);
}

Test(cmd_init, print_and_dry_run_write_nothing)
{
    static const char *const lines[] = {"init --backup-repo myorg/vault --print",
                                        "init --backup-repo myorg/vault --dry-run",
                                        "init --backup-repo myorg/vault --print --format json"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_expect_eq(fake_app_run(&init_repo.fake, lines[i]), 0, "%s", init_repo.fake.err);
        cr_expect_not_null(strstr(init_repo.fake.out, "https://github.com/myorg/vault"));
        cr_expect_eq(access(".github", F_OK), -1);
    }
    cr_expect_not_null(strstr(init_repo.fake.out, "\"state\": \"would write\""), "%s",
                       init_repo.fake.out);
}

Test(cmd_init, runs_the_check_when_there_is_a_token)
{
    init_repo.fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    init_repo.fake.app.forge = &init_repo.forge.base;
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault --branch main"), 0,
                 "%s", init_repo.fake.err);
    cr_expect_not_null(
        strstr(init_repo.fake.out, "backproof check --repo myorg/myapp --branch main:\n"));
    cr_expect_not_null(strstr(init_repo.fake.out, "the branch exists"), "%s", init_repo.fake.out);
    cr_expect_null(strstr(init_repo.fake.out, "ghp_secret22"));
}

Test(cmd_init, a_check_that_fails_is_a_warning_because_the_files_are_not_pushed)
{
    init_repo.fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    init_repo.fake.app.forge = &init_repo.forge.base;
    init_repo.forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault --branch main"), 0,
                 "%s", init_repo.fake.err);
    cr_expect_not_null(strstr(init_repo.fake.err, "warning: not ready yet: a dispatch would fail"),
                       "%s", init_repo.fake.err);
    cr_expect_not_null(
        strstr(init_repo.fake.out, "next: when the files are pushed, backproof check "));
}

/* Its server is a guess. */
Test(cmd_init, the_token_does_not_go_to_another_server_unasked)
{
    cr_assert_eq(system("git remote set-url origin https://git.example.org/o/n"), 0);
    init_repo.fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo o/vault"), 0, "%s",
                 init_repo.fake.err);
    cr_expect_not_null(strstr(init_repo.fake.out,
                              "next: export WORKFLOW_TRIGGER_TOKEN=... && backproof check "
                              "--repo o/n --branch trunk --api-url "
                              "https://git.example.org/api/v3\n"),
                       "%s", init_repo.fake.out);
    cr_expect(file_holds(BACKUP, "https://git.example.org/o/vault"));
}

Test(cmd_init, warns_of_the_full_hour)
{
    cr_expect_eq(
        run_answering("init --backup-repo o/vault --branch main --repo o/n", "0 3 * * *\n\n"), 0,
        "%s", init_repo.fake.err);
    cr_expect_not_null(strstr(init_repo.fake.err, "warning: '0 3 * * *' is at the full hour"), "%s",
                       init_repo.fake.err);
}
