#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_store *store;
static struct bp_err err;

/* Folders deeper than those that come at first. */
static void set_up(void)
{
    git_box_open(&box);
    bp_free(git_box_run(&box,
                        "git clone -q server.git w 2>&1 && cd w && git switch -q -c main && "
                        "mkdir -p l/m/a/deep l/m/b && echo 1 >l/m/a/one && echo 2 >l/m/a/two && "
                        "echo 3 >l/m/a/deep/three && echo 4 >l/m/b/four && git add . && "
                        "git commit -q -m 1 && git push -q origin main"));
}

static void tear_down(void)
{
    bp_store_freep(&store);
    git_box_close(&box);
}

TestSuite(store_git_fetch, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

static void expect_text(const char *path, const char *wanted)
{
    BP_AUTO(bp_freep) char *text = git_box_text(store, path);

    cr_expect_str_eq(text, wanted);
}

/* On the branch, by somebody else. */
static void somebody(const char *command)
{
    bp_free(git_box_run(&box, "cd w && %s", command));
}

static void allow_commits_without_trees(void)
{
    bp_free(git_box_run(&box, "cd server.git && git config uploadpackfilter.allow false && "
                              "git config uploadpackfilter.blob:none.allow true && "
                              "git config uploadpackfilter.tree.allow true && "
                              "git config uploadpackfilter.tree.maxDepth 0"));
}

/* As a server before protocol 2, with these options for its program. */
static void use_old_server(const char *options)
{
    BP_AUTO(bp_freep)
    char *value = bp_format("GIT_CONFIG_VALUE_0=env -u GIT_PROTOCOL git %s upload-pack", options);

    git_box_set(&box, "GIT_CONFIG_COUNT=1");
    git_box_set(&box, "GIT_CONFIG_KEY_0=remote.backproof.uploadpack");
    git_box_set(&box, value);
}

Test(store_git_fetch, a_server_that_refuses_every_filter_sends_all_of_the_tip)
{
    bp_free(git_box_run(&box, "git -C server.git config uploadpackfilter.allow false"));
    store = git_box_store(&box);
    cr_expect_eq(git_box_held(&box, "blob"), 4);
    cr_assert_eq(store->ops->base(store, "l/m", &err), BP_OK, "%s", err.msg);
    expect_text("l/m/a/one", "1\n");
    somebody("echo 5 >l/m/a/five && git add . && git commit -q -m 2 && git push -q origin main");
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    expect_text("l/m/a/five", "5\n");
    git_box_put(store, "c", "f", "6");
    expect_output("6", "git -C server.git ls-tree -r main | wc -l");
}

Test(store_git_fetch, a_server_that_ignores_filters_sends_all_of_the_tip)
{
    use_old_server("-c uploadpack.allowFilter=false");
    store = git_box_store(&box);
    cr_expect_eq(git_box_held(&box, "blob"), 4);
    git_box_put(store, "l/m/b", "f", "6");
    expect_text("l/m/b/f", "6");
}

Test(store_git_fetch, a_change_gets_the_folders_that_it_is_in)
{
    allow_commits_without_trees();
    store = git_box_store(&box);
    cr_expect_eq(git_box_held(&box, "tree"), 0);
    git_box_put(store, "l/m/c", "f", "6");
    expect_output("a b c", "git -C server.git ls-tree --name-only main:l/m | paste -sd ' '");
    expect_output("", "git -C server.git fsck --full --strict 2>&1");
}

Test(store_git_fetch, a_removal_gets_the_folder_that_it_is_in)
{
    const struct bp_edit edits[] = {{.kind = BP_EDIT_REMOVE, .to = "l/m/a/one"},
                                    {.kind = BP_EDIT_REMOVE, .to = "l/m/a/two"}};
    struct bp_store_commit commit;

    store = git_box_store(&box);
    cr_assert_eq(store->ops->commit(store, edits, 2, "less\n", &commit, &err), BP_OK, "%s",
                 err.msg);
    expect_output("l/m/a/deep/three l/m/b/four",
                  "git -C server.git ls-tree -r --name-only main | paste -sd ' '");
    expect_output("", "git -C server.git fsck --full --strict 2>&1");
}

Test(store_git_fetch, a_branch_that_is_another_one_by_now_is_a_lost_race)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    use_old_server("");
    store = git_box_store(&box);
    somebody("git rm -q -r l/m/a && echo 5 >five && git add . && git commit -q -m 2 && "
             "git push -q origin main");
    cr_expect_eq(store->ops->read(store, "l/m/a/one", 100, &text, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, "the branch 'main' in '"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "' was changed meanwhile"), "%s", err.msg);
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    expect_text("five", "5\n");
}

Test(store_git_fetch, a_branch_that_was_removed_meanwhile_is_a_lost_race)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    use_old_server("");
    store = git_box_store(&box);
    somebody("git -C ../server.git update-ref -d refs/heads/main");
    cr_expect_eq(store->ops->read(store, "l/m/a/one", 100, &text, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, "was removed from"), "%s", err.msg);
}

Test(store_git_fetch, what_was_known_and_is_gone_for_good_cannot_be_committed)
{
    store = git_box_store(&box);
    cr_assert_eq(store->ops->base(store, "l/m", &err), BP_OK, "%s", err.msg);
    git_box_stage(store, "one", "1\n");
    somebody("git rm -q l/m/a/one && git commit -q --amend -m 2 && git push -q -f origin main && "
             "git -C ../server.git gc -q --prune=now");
    cr_expect_eq(git_box_commit(store, "c", &err), BP_ELOCKED);
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_commit(store, "c", &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "was rewritten meanwhile"), "%s", err.msg);
    expect_output("l", "git -C server.git ls-tree --name-only main");
    expect_output("", "git -C server.git fsck --full --strict 2>&1");
}

Test(store_git_fetch, a_branch_is_weighed_with_its_history)
{
    int64_t before = 0;
    int64_t after = 0;

    store = git_box_store(&box);
    cr_assert_eq(store->ops->weigh(store, &before, &err), BP_OK, "%s", err.msg);
    somebody("head -c 40000 /dev/urandom >noise && git add . && git commit -q -m 2 && "
             "git rm -q noise && git commit -q -m 3 && git push -q origin main");
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(store->ops->weigh(store, &after, &err), BP_OK, "%s", err.msg);
    cr_expect_gt(after, before + 39000);
    cr_expect_lt(after, before + 50000);
    expect_output("1", "ls temp | wc -l");
}
