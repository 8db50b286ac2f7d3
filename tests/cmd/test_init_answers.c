#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/test_init_repo.h"

TestSuite(init_answers, .init = init_repo_set_up, .fini = init_repo_tear_down);

Test(init_answers, asks_a_person_and_asks_again)
{
    cr_expect_eq(run_answering("init", "\nmain, dev\n99 8 * * *\n5 3 * * *\n\n\n"), 0, "%s",
                 init_repo.fake.err);
    cr_expect_not_null(strstr(init_repo.fake.err,
                              "repository of the application, owner/name [myorg/myapp]: "
                              "branches to back up [trunk]: "
                              "schedule in UTC [16 8 * * *]: backproof: warning: '99' is "
                              "no minute of a schedule"),
                       "%s", init_repo.fake.err);
    cr_expect_not_null(strstr(init_repo.fake.err, "backups [myorg/myapp-backups]: "), "%s",
                       init_repo.fake.err);
    cr_expect(file_holds(SCHEDULED, "BRANCHES: '[\"main\", \"dev\"]'"));
    cr_expect(file_holds(SCHEDULED, "- cron: '5 3 * * *'"));
    cr_expect(file_holds(BACKUP, "https://github.com/myorg/myapp-backups"));
}

Test(init_answers, writes_nothing_when_a_person_gives_up)
{
    cr_expect_eq(run_answering("init", "\nmain\n"), 2);
    cr_expect_not_null(
        strstr(init_repo.fake.err, "the questions were not answered, nothing was written"));
    cr_expect_eq(run_answering("init", "a b\nc\nd\n"), 2);
    cr_expect_not_null(strstr(init_repo.fake.err, "error: 'd' is no repository"), "%s",
                       init_repo.fake.err);
    cr_expect_eq(access(".github", F_OK), -1);
}

Test(init_answers, needs_what_it_cannot_guess)
{
    cr_expect_eq(fake_app_run(&init_repo.fake, "init"), 2);
    cr_expect_str_eq(init_repo.fake.err,
                     "backproof: error: init needs --backup-repo or BACKPROOF_BACKUP_REPO\n");
    cr_assert_eq(system("git remote remove origin"), 0);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --backup-repo myorg/vault"), 2);
    cr_expect_str_eq(init_repo.fake.err, "backproof: error: init needs --repo or BACKPROOF_REPO\n");
}
