#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/init_place.h"
#include "cmd/test_init_repo.h"

static void set_up(void)
{
    init_repo_set_up();
    init_repo.fake.environment.vars = init_repo.fake.env;
    init_repo.fake.app.env = &init_repo.fake.environment;
    init_repo.fake.app.out = &init_repo.fake.output;
}

TestSuite(init_place, .init = set_up, .fini = init_repo_tear_down);

Test(init_place, is_the_repository_that_one_stands_in)
{
    struct bp_init_place place = {0};
    struct bp_err err;

    cr_assert_eq(mkdir("deep", 0700), 0);
    cr_assert_eq(chdir("deep"), 0);
    cr_assert_eq(bp_init_place_find(&init_repo.fake.app, &place, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(place.top, init_repo.folder);
    cr_expect_str_eq(place.server, "https://github.com");
    cr_expect_str_eq(place.repo, "myorg/myapp");
    cr_expect_str_eq(place.branch, "trunk");
    bp_init_place_free(&place);
}

Test(init_place, without_a_remote_the_repository_is_not_known)
{
    struct bp_init_place place = {0};
    struct bp_err err;

    cr_assert_eq(system("git remote remove origin"), 0);
    cr_assert_eq(bp_init_place_find(&init_repo.fake.app, &place, &err), BP_OK, "%s", err.msg);
    cr_expect_null(place.repo);
    cr_expect_null(place.server);
    bp_init_place_free(&place);
}

Test(init_place, needs_a_git_repository_to_write_into)
{
    cr_assert_eq(system("rm -rf .git"), 0);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --repo o/n --backup-repo o/vault"), 2);
    cr_expect_not_null(strstr(init_repo.fake.err, "this folder is in no Git repository"), "%s",
                       init_repo.fake.err);
    cr_expect_eq(fake_app_run(&init_repo.fake, "init --repo o/n --backup-repo o/vault --print"), 0);
    cr_expect_not_null(strstr(init_repo.fake.out, "BRANCHES: '[\"main\"]'"));
}
