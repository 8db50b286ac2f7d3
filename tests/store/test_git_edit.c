#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_store *store;
static struct bp_err err;

static void set_up(void)
{
    git_box_open(&box);
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1 && cd w && "
                              "mkdir -p b/archive/1/d b/archive/2/d b/archive/3/d b/current/d && "
                              "for i in 1 2 3; do echo $i >b/archive/$i/d/f; done && "
                              "echo 4 >b/current/d/f && echo about >README && git add . && "
                              "git commit -q -m 1 && git push -q origin HEAD:main"));
    store = git_box_store(&box);
}

static void tear_down(void)
{
    bp_store_freep(&store);
    git_box_close(&box);
}

TestSuite(store_git_edit, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

static enum bp_code commit(const struct bp_edit *edits, size_t count)
{
    struct bp_store_commit made = {0};

    return store->ops->commit(store, edits, count, "m\n", &made, &err);
}

Test(store_git_edit, folders_are_removed_without_getting_what_is_in_them)
{
    const struct bp_edit edits[] = {{.kind = BP_EDIT_REMOVE, .to = "b/archive/1"},
                                    {.kind = BP_EDIT_REMOVE, .to = "b/archive/3"},
                                    {.kind = BP_EDIT_REMOVE, .to = "README"}};

    cr_assert_eq(commit(edits, 3), BP_OK, "%s", err.msg);
    expect_output("b/archive/2/d/f b/current/d/f",
                  "git -C server.git ls-tree -r --name-only main | paste -sd ' '");
    cr_expect_eq(git_box_held(&box, "blob"), 1, "README came with the first level");
}

Test(store_git_edit, a_folder_that_becomes_empty_vanishes)
{
    const struct bp_edit edits[] = {{.kind = BP_EDIT_REMOVE, .to = "b/archive/1"},
                                    {.kind = BP_EDIT_REMOVE, .to = "b/archive/2"},
                                    {.kind = BP_EDIT_REMOVE, .to = "b/archive/3"}};

    cr_assert_eq(commit(edits, 3), BP_OK, "%s", err.msg);
    expect_output("current", "git -C server.git ls-tree --name-only main:b");
}

Test(store_git_edit, what_is_not_there_cannot_be_removed_or_copied)
{
    const struct bp_edit one[] = {{.kind = BP_EDIT_REMOVE, .to = "b/archive/9"}};
    const struct bp_edit several[] = {{.kind = BP_EDIT_REMOVE, .to = "b/archive/1"},
                                      {.kind = BP_EDIT_REMOVE, .to = "b/archive/9"}};
    const struct bp_edit elsewhere[] = {{.kind = BP_EDIT_REMOVE, .to = "c/1"},
                                        {.kind = BP_EDIT_REMOVE, .to = "c/2"}};
    const struct bp_edit copy[] = {{.kind = BP_EDIT_COPY, .from = "b/none", .to = "c"}};

    cr_expect_eq(commit(one, 1), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "nothing to remove at 'b/archive/9'");
    cr_expect_eq(commit(several, 2), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "nothing to remove at 'b/archive/9'");
    cr_expect_eq(commit(elsewhere, 2), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "nothing to remove at 'c/1'");
    cr_expect_eq(commit(copy, 1), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "nothing to copy at 'b/none'");
    expect_output("1", "git -C server.git rev-list --count main");
}

Test(store_git_edit, a_copy_takes_from_the_tip_and_replaces_what_is_there)
{
    const struct bp_edit edits[] = {
        {.kind = BP_EDIT_MOVE, .from = "b/archive/1", .to = "b/archive/0"},
        {.kind = BP_EDIT_COPY, .from = "b/archive/1", .to = "b/current"}};

    cr_assert_eq(commit(edits, 2), BP_OK, "%s", err.msg);
    expect_output("1", "git -C server.git show main:b/current/d/f");
    expect_output("1", "git -C server.git show main:b/archive/0/d/f");
    expect_output("", "git -C server.git fsck --full --strict --no-dangling 2>&1");
}

Test(store_git_edit, a_history_is_rewritten_without_getting_or_sending_files)
{
    const struct bp_edit first[] = {
        {.kind = BP_EDIT_REMOVE, .to = "b/archive"},
        {.kind = BP_EDIT_COPY, .from = "b/archive/2", .to = "b/current"},
    };
    const struct bp_edit second[] = {
        {.kind = BP_EDIT_COPY, .from = "b/archive/2", .to = "b/archive/2"},
        {.kind = BP_EDIT_COPY, .from = "b/current", .to = "b/current"},
    };
    const struct bp_store_step steps[] = {{first, 2, "one\n", 1700000000000},
                                          {second, 2, "two\n", 1700000001000}};
    struct bp_store_commit made = {0};
    int64_t before = 0;
    int64_t after = 0;

    cr_assert_eq(store->ops->weigh(store, &before, &err), BP_OK, "%s", err.msg);
    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    cr_assert_eq(store->ops->rewrite(store, steps, 2, &made, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "blob"), 1, "README came with the first level");
    expect_output("1700000001 two\n1700000000 one", "git -C server.git log --format='%ct %s' main");
    expect_output("4", "git -C server.git show main:b/current/d/f");
    expect_output("2", "git -C server.git show main~1:b/current/d/f");
    expect_output("README b/archive/2/d/f b/current/d/f",
                  "git -C server.git ls-tree -r --name-only main | paste -sd ' '");
    expect_output("0", "git -C server.git verify-pack -v objects/pack/*.idx | grep -c ' blob ' || "
                       "true");
    expect_output("", "git -C server.git fsck --full --strict --no-dangling 2>&1");
    cr_expect_str_eq(store->ops->message(store), "two\n");
    cr_assert_eq(store->ops->weigh(store, &after, &err), BP_OK, "%s", err.msg);
    cr_expect_gt(before, 0);
    cr_expect_gt(after, 0);
}

Test(store_git_edit, a_history_that_somebody_added_to_is_not_rewritten)
{
    const struct bp_edit edits[] = {{.kind = BP_EDIT_REMOVE, .to = "b/archive"}};
    const struct bp_store_step step = {edits, 1, "one\n", 1700000000000};
    struct bp_store_commit made = {0};

    bp_free(git_box_run(&box, "cd w && git commit -q --allow-empty -m other && "
                              "git push -q origin HEAD:main"));
    cr_expect_eq(store->ops->rewrite(store, &step, 1, &made, &err), BP_ELOCKED, "%s", err.msg);
    expect_output("other", "git -C server.git log -1 --format=%s main");
    expect_output("2", "git -C server.git rev-list --count main");
}

Test(store_git_edit, what_is_held_here_grows_with_what_is_put)
{
    BP_AUTO(bp_freep) char *text = bp_alloc(1, 100000);
    struct bp_blob blob = {0};
    int64_t before = store->ops->held(store);

    for (size_t i = 0; i < 100000; i++)
        text[i] = (char)((i * i) % 251);
    cr_assert_eq(store->ops->put(store, text, 100000, &blob, &err), BP_OK);
    cr_expect_gt(store->ops->held(store), before);
}

Test(store_git_edit, a_file_where_a_folder_has_to_be_is_told_with_the_path)
{
    git_box_stage(store, "f", "text");
    cr_expect_eq(git_box_commit(store, "b/current/d/f/x", &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "at 'b/current/d/f/x': 'f' is a file, not a folder");
}
