#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"

#define BACKUP    ".github/workflows/backup.yml"
#define SCHEDULED ".github/workflows/scheduled-backup.yml"

static struct fake_clock fclock;
static struct bp_stop no_stop = {.fd = -1};
static struct bp_clock clock_here;
static struct fake_forge forge;
static struct fake_app fake;
static char *folder;
static char *path_var;

/* A new Git repository is the current folder. Git runs for real, so the clock is real too. */
static void set_up(void)
{
    struct bp_err err;

    fclock = fake_clock_new();
    clock_here = bp_clock_system(&no_stop);
    forge = fake_forge(&fclock);
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(chdir(folder), 0);
    cr_assert_eq(system("git init -q -b trunk . && "
                        "git remote add origin git@github.com:myorg/myapp.git"),
                 0);
    path_var = bp_format("PATH=%s", getenv("PATH"));
    fake = fake_app(&clock_here);
    fake.env[0] = path_var;
    fake.env[1] = "HOME=/nonexistent";
}

static void tear_down(void)
{
    fake_app_release(&fake);
    cr_expect_eq(chdir("/"), 0);
    bp_tempdir_removep(&folder);
    bp_freep(&path_var);
}

TestSuite(cmd_init, .init = set_up, .fini = tear_down);

/* Whether the file is there and holds these words. */
static bool holds(const char *path, const char *words)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    return bp_file_read(path, 1000000, &text, NULL) == BP_OK &&
           strstr(bp_buf_str(&text), words) != NULL;
}

static int run_answering(const char *line, const char *answers)
{
    BP_AUTO(bp_freep) char *text = bp_strdup(answers);
    int status = 0;

    fake.app.in = fmemopen(text, strlen(text), "r");
    fake.app.in_terminal = true;
    status = fake_app_run(&fake, line);
    (void)fclose(fake.app.in);
    fake.app.in_terminal = false;
    return status;
}

Test(cmd_init, writes_both_files_and_says_what_is_left)
{
    cr_assert_eq(fake_app_run(&fake, "init --backup-repo myorg/vault"), 0, "%s", fake.err);
    cr_expect(holds(BACKUP, "backup-repo: 'https://github.com/myorg/vault'"));
    cr_expect(holds(SCHEDULED, "BRANCHES: '[\"trunk\"]'"));
    cr_expect(strstr(fake.out, "wrote " BACKUP "\nwrote " SCHEDULED "\n") == fake.out, "%s",
              fake.out);
    cr_expect_not_null(strstr(fake.out, "gh secret set DATABASE_URL -R myorg/myapp\n"));
    cr_expect_not_null(strstr(fake.out,
                              "next: export WORKFLOW_TRIGGER_TOKEN=... && backproof check "
                              "--repo myorg/myapp --branch trunk\n"),
                       "%s", fake.out);
    cr_expect_str_eq(fake.err, "");
}

Test(cmd_init, replaces_nothing_unless_it_is_told_to)
{
    struct bp_err err;

    cr_assert_eq(bp_file_put(BACKUP, "mine\n", false, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: there is already " BACKUP
                               ", nothing was written; hint: --force replaces, --print shows what "
                               "would be written\n");
    cr_expect(holds(BACKUP, "mine"));
    cr_expect_eq(access(SCHEDULED, F_OK), -1);
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault --force"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "replaced " BACKUP "\nwrote ") == fake.out, "%s", fake.out);
    cr_expect(holds(BACKUP, "myorg/vault"));
}

Test(cmd_init, the_same_answers_again_change_nothing)
{
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault"), 0);
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "unchanged " BACKUP "\nunchanged ") == fake.out, "%s", fake.out);
}

Test(cmd_init, print_and_dry_run_write_nothing)
{
    static const char *const lines[] = {"init --backup-repo myorg/vault --print",
                                        "init --backup-repo myorg/vault --dry-run",
                                        "init --backup-repo myorg/vault --print --format json"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_expect_eq(fake_app_run(&fake, lines[i]), 0, "%s", fake.err);
        cr_expect_not_null(strstr(fake.out, "https://github.com/myorg/vault"));
        cr_expect_eq(access(".github", F_OK), -1);
    }
    cr_expect_not_null(strstr(fake.out, "\"state\": \"would write\""), "%s", fake.out);
}

Test(cmd_init, asks_a_person_and_asks_again)
{
    cr_expect_eq(run_answering("init", "\nmain, dev\n99 8 * * *\n5 3 * * *\n\n"), 0, "%s",
                 fake.err);
    cr_expect_not_null(strstr(fake.err, "repository of the application, owner/name [myorg/myapp]: "
                                        "branches to back up [trunk]: "
                                        "schedule in UTC [16 8 * * *]: backproof: warning: '99' is "
                                        "no minute of a schedule"),
                       "%s", fake.err);
    cr_expect_not_null(strstr(fake.err, "backups [myorg/myapp-backups]: "), "%s", fake.err);
    cr_expect(holds(SCHEDULED, "BRANCHES: '[\"main\", \"dev\"]'"));
    cr_expect(holds(SCHEDULED, "- cron: '5 3 * * *'"));
    cr_expect(holds(BACKUP, "https://github.com/myorg/myapp-backups"));
}

Test(cmd_init, writes_nothing_when_a_person_gives_up)
{
    cr_expect_eq(run_answering("init", "\nmain\n"), 2);
    cr_expect_not_null(strstr(fake.err, "the questions were not answered, nothing was written"));
    cr_expect_eq(run_answering("init", "a b\nc\nd\n"), 2);
    cr_expect_not_null(strstr(fake.err, "error: 'd' is no repository"), "%s", fake.err);
    cr_expect_eq(access(".github", F_OK), -1);
}

Test(cmd_init, needs_what_it_cannot_guess)
{
    cr_expect_eq(fake_app_run(&fake, "init"), 2);
    cr_expect_str_eq(fake.err,
                     "backproof: error: init needs --backup-repo or BACKPROOF_BACKUP_REPO\n");
    cr_assert_eq(system("git remote remove origin"), 0);
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: init needs --repo or BACKPROOF_REPO\n");
}

Test(cmd_init, runs_the_check_when_there_is_a_token)
{
    fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    fake.app.forge = &forge.base;
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault --branch main"), 0, "%s",
                 fake.err);
    cr_expect_not_null(strstr(fake.out, "backproof check --repo myorg/myapp --branch main:\n"));
    cr_expect_not_null(strstr(fake.out, "the branch exists"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "ghp_secret22"));
}

Test(cmd_init, a_check_that_fails_is_a_warning_because_the_files_are_not_pushed)
{
    fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    fake.app.forge = &forge.base;
    forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo myorg/vault --branch main"), 0, "%s",
                 fake.err);
    cr_expect_not_null(strstr(fake.err, "warning: not ready yet: a dispatch would fail"), "%s",
                       fake.err);
    cr_expect_not_null(strstr(fake.out, "next: when the files are pushed, backproof check "));
}

/* Its server is a guess. */
Test(cmd_init, the_token_does_not_go_to_another_server_unasked)
{
    cr_assert_eq(system("git remote set-url origin https://git.example.org/o/n"), 0);
    fake.env[2] = "WORKFLOW_TRIGGER_TOKEN=ghp_secret22";
    cr_expect_eq(fake_app_run(&fake, "init --backup-repo o/vault"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out,
                              "next: export WORKFLOW_TRIGGER_TOKEN=... && backproof check "
                              "--repo o/n --branch trunk --api-url "
                              "https://git.example.org/api/v3\n"),
                       "%s", fake.out);
    cr_expect(holds(BACKUP, "https://git.example.org/o/vault"));
}

Test(cmd_init, warns_of_the_full_hour)
{
    cr_expect_eq(
        run_answering("init --backup-repo o/vault --branch main --repo o/n", "0 3 * * *\n"), 0,
        "%s", fake.err);
    cr_expect_not_null(strstr(fake.err, "warning: '0 3 * * *' is at the full hour"), "%s",
                       fake.err);
}

Test(cmd_init, needs_a_git_repository_to_write_into)
{
    cr_assert_eq(system("rm -rf .git"), 0);
    cr_expect_eq(fake_app_run(&fake, "init --repo o/n --backup-repo o/vault"), 2);
    cr_expect_not_null(strstr(fake.err, "this folder is in no Git repository"), "%s", fake.err);
    cr_expect_eq(fake_app_run(&fake, "init --repo o/n --backup-repo o/vault --print"), 0);
    cr_expect_not_null(strstr(fake.out, "BRANCHES: '[\"main\"]'"));
}
