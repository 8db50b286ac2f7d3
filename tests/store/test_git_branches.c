#include <criterion/criterion.h>

#include "base/mem.h"
#include "store/git_internal.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_list names;
static struct bp_err err;

static void set_up(void)
{
    git_box_open(&box);
}

static void tear_down(void)
{
    bp_list_free(&names);
    git_box_close(&box);
}

TestSuite(store_git_branches, .init = set_up, .fini = tear_down, .timeout = 60);

/* With commits on main and feature/x. */
static void make_branches(void)
{
    bp_free(git_box_run(&box,
                        "git init -q -b main work && cd work && "
                        "git -c user.name=x -c user.email=x@y commit -q --allow-empty -m 1 && "
                        "git branch feature/x && git tag v1 && git push -q ../server.git "
                        "main feature/x v1"));
}

Test(store_git_branches, all_of_a_repository_are_listed_and_nothing_else)
{
    make_branches();
    cr_assert_eq(bp_git_branches(&box.options, &names, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(names.count, 2);
    cr_expect_str_eq(names.at[0], "feature/x");
    cr_expect_str_eq(names.at[1], "main");
}

Test(store_git_branches, a_clone_has_those_of_its_origin)
{
    make_branches();
    BP_AUTO(bp_freep) char *clone = bp_format("%s/clone", box.dir);
    bp_free(git_box_run(&box, "git clone -q -b main server.git clone"));
    box.options.url = clone;
    cr_assert_eq(bp_git_branches(&box.options, &names, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(names.count, 2);
    cr_expect_str_eq(names.at[0], "feature/x");
}

Test(store_git_branches, a_new_repository_has_none)
{
    cr_assert_eq(bp_git_branches(&box.options, &names, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(names.count, 0);
}

Test(store_git_branches, a_repository_that_there_is_not_is_told)
{
    box.options.url = "/no/such/repository";
    cr_expect_eq(bp_git_branches(&box.options, &names, &err), BP_ENOTFOUND);
}
