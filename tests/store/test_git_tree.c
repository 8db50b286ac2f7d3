#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test_git_box.h"

static struct git_box box;

static void set_up(void)
{
    git_box_open(&box);
}

static void tear_down(void)
{
    git_box_close(&box);
}

TestSuite(store_git_tree, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

static void expect_text(struct bp_store *store, const char *path, const char *wanted)
{
    BP_AUTO(bp_freep) char *got = git_box_text(store, path);

    cr_expect_str_eq(got, wanted, "%s is '%s', not '%s'", path, got, wanted);
}

static void expect_names(struct bp_store *store, const char *path, const char *wanted)
{
    BP_AUTO(bp_freep) char *got = git_box_names(store, path);

    cr_expect_str_eq(got, wanted, "%s holds '%s', not '%s'", path, got, wanted);
}

/* Three files below a/, one below b/, each of another content. */
static void fill_server(void)
{
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1 && cd w && mkdir -p a/deep b && "
                              "echo 1 > a/one && echo 2 > a/two && echo 3 > a/deep/three && "
                              "echo 4 > b/four && git add . && git commit -q -m 1 && "
                              "git push -q origin HEAD:main"));
}

/* The same below l/m/, deeper than what opening brings. */
static void fill_deep(void)
{
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1 && cd w && mkdir -p l/m/a/deep l/m/b "
                              "&& cd l/m && echo 1 > a/one && echo 2 > a/two && "
                              "echo 3 > a/deep/three && echo 4 > b/four && git add . && "
                              "git commit -q -m 1 && git push -q origin HEAD:main"));
}

static enum bp_code fetch_path(struct bp_store *store, const char *path, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    bp_list_add(&paths, path);
    return store->ops->fetch(store, &paths, err);
}

/* A store that fetches as from another machine: what lies plainly on this one is read in place, but
 * of the repository behind a .git file only the git program knows where it is. */
static struct bp_store *remote_store(void)
{
    static char url[512];

    bp_free(git_box_run(&box, "mkdir -p linked && echo 'gitdir: ../server.git' >linked/.git"));
    (void)snprintf(url, sizeof(url), "%s/linked", box.dir);
    box.options.url = url;
    return git_box_store(&box);
}

Test(store_git_tree, names_are_listed_in_byte_order)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_stage(store, "a/x", "1");
    git_box_stage(store, "a.b", "2");
    git_box_stage(store, "a-b", "3");
    git_box_put(store, "top", "B", "4");
    expect_names(store, "top", "B a a-b a.b");
    expect_names(store, "top/a", "x");
    expect_names(store, "", "top");
    expect_names(store, "top/B", "");
    expect_names(store, "top/B/c", "");
    expect_names(store, "nothing/here", "");
}

Test(store_git_tree, a_missing_file_and_a_folder_are_told_apart)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    expect_text(store, "top/f", "not-found");
    git_box_put(store, "top", "f", "1");
    expect_text(store, "top/g", "not-found");
    expect_text(store, "top/f/g", "not-found");
    expect_text(store, "top", "failed");
}

Test(store_git_tree, a_file_larger_than_the_limit_is_not_read)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    git_box_put(store, "top", "f", "0123456789");
    cr_expect_eq(store->ops->read(store, "top/f", 9, &text, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'top/f' has 10 bytes, more than the limit of 9");
    cr_expect_eq(text.len, 0);
    cr_expect_eq(store->ops->read(store, "top/f", 10, &text, &err), BP_OK);
    cr_expect_eq(text.len, 10);
}

Test(store_git_tree, opening_brings_the_first_levels_only)
{
    fill_deep();
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect_eq(git_box_held(&box, "commit"), 1);
    cr_expect_eq(git_box_held(&box, "tree"), 3, "the root, l and l/m");
    cr_expect_eq(git_box_held(&box, "blob"), 0);
    expect_names(store, "l/m", "a b");
    cr_expect_eq(git_box_held(&box, "tree"), 3);
    expect_names(store, "l/m/a", "deep one two");
    cr_expect_eq(git_box_held(&box, "tree"), 4, "list() fetches the one that is missing");
    expect_names(store, "l/m/a/deep", "three");
    expect_names(store, "l/m/a/nothing/there", "");
    cr_expect_eq(git_box_held(&box, "tree"), 5);
    cr_expect_eq(git_box_held(&box, "blob"), 0);
}

Test(store_git_tree, a_server_that_restricts_filters_works)
{
    struct bp_err err = {0};

    fill_deep();
    bp_free(git_box_run(&box, "cd server.git && git config uploadpackfilter.allow false && "
                              "git config uploadpackfilter.blob:none.allow true && "
                              "git config uploadpackfilter.tree.allow true && "
                              "git config uploadpackfilter.tree.maxDepth 0"));
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect_eq(git_box_held(&box, "tree"), 0, "only the commit");
    cr_assert_eq(store->ops->base(store, "l/m", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "tree"), 6);
    expect_text(store, "l/m/a/one", "1\n");
    cr_expect_eq(git_box_held(&box, "blob"), 1);
    git_box_put(store, "c", "f", "5");
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    expect_names(store, "", "c l");
}

Test(store_git_tree, a_server_that_knows_no_filter_of_trees_works)
{
    fill_deep();
    bp_free(git_box_run(&box, "cd server.git && git config uploadpackfilter.allow false && "
                              "git config uploadpackfilter.blob:none.allow true"));
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect_eq(git_box_held(&box, "tree"), 6);
    cr_expect_eq(git_box_held(&box, "blob"), 0);
    expect_text(store, "l/m/a/one", "1\n");
}

Test(store_git_tree, only_what_was_asked_for_is_fetched)
{
    struct bp_err err = {0};

    fill_deep();
    BP_AUTO(bp_store_freep) struct bp_store *store = remote_store();

    cr_assert_eq(fetch_path(store, "l/m/a", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "blob"), 3);
    cr_assert_eq(fetch_path(store, "not/there", &err), BP_OK, "%s", err.msg);
    expect_text(store, "l/m/a/deep/three", "3\n");
    cr_expect_eq(git_box_held(&box, "blob"), 3);
    expect_text(store, "l/m/b/four", "4\n");
    cr_expect_eq(git_box_held(&box, "blob"), 4, "read() fetches the one that is missing");
}

Test(store_git_tree, what_lies_on_this_machine_is_read_in_place)
{
    struct bp_err err = {0};

    fill_deep();
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_assert_eq(fetch_path(store, "l/m/a", &err), BP_OK, "%s", err.msg);
    expect_text(store, "l/m/a/deep/three", "3\n");
    cr_expect_eq(git_box_held(&box, "blob"), 0, "nothing was copied");
}

Test(store_git_tree, a_server_without_filters_works)
{
    fill_server();
    bp_free(git_box_run(&box, "git -C server.git config --unset uploadpack.allowFilter"));
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    expect_text(store, "a/one", "1\n");
    git_box_put(store, "c", "f", "5");
    expect_names(store, "", "a b c");
}

Test(store_git_tree, a_server_that_sends_no_single_files_works)
{
    struct bp_err err = {0};

    fill_deep();
    git_box_set(&box, "GIT_CONFIG_COUNT=1");
    git_box_set(&box, "GIT_CONFIG_KEY_0=remote.backproof.uploadpack");
    git_box_set(&box, "GIT_CONFIG_VALUE_0=env -u GIT_PROTOCOL git-upload-pack");
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect_eq(git_box_held(&box, "blob"), 0);
    cr_assert_eq(fetch_path(store, "l/m/a", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "blob"), 4, "all of the tip came");
    expect_text(store, "l/m/a/one", "1\n");
    git_box_put(store, "c", "f", "5");
    expect_text(store, "c/f", "5");
}

Test(store_git_tree, three_hundred_files_come_in_one_go)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    for (int i = 0; i < 300; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("tables/t%03d/data.sql", i);

        git_box_stage(store, path, path);
    }
    git_box_put(store, "latest", "manifest.json", "{}");
    bp_store_freep(&store);
    store = remote_store();
    cr_assert_eq(fetch_path(store, "latest", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "blob"), 301);
    expect_text(store, "latest/tables/t299/data.sql", "tables/t299/data.sql");
    expect_output("301", "git -C server.git ls-tree -r --name-only main | wc -l");
}

Test(store_git_tree, what_the_base_holds_is_neither_written_nor_fetched_nor_sent)
{
    const struct bp_edit edits[] = {
        {.kind = BP_EDIT_MOVE, .from = "l/m/a", .to = "archive/a"},
        {.kind = BP_EDIT_STAGED, .to = "latest"},
    };
    struct bp_store_commit commit;
    struct bp_err err = {0};

    fill_deep();
    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_assert_eq(store->ops->base(store, "l/m/a", &err), BP_OK, "%s", err.msg);
    git_box_stage(store, "same/one", "1\n");
    git_box_stage(store, "same/two", "2\n");
    git_box_stage(store, "changed/three", "new\n");
    cr_expect_eq(git_box_held(&box, "blob"), 0);
    cr_assert_eq(store->ops->commit(store, edits, 2, "m\n", &commit, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(git_box_held(&box, "blob"), 1);
    expect_output("1", "cd server.git/objects/pack && git -C ../.. verify-pack -v "
                       "objects/pack/$(ls -t *.idx | head -1) | grep -c ' blob '");
    expect_text(store, "archive/a/deep/three", "3\n");
    expect_text(store, "latest/same/two", "2\n");
    expect_output("", "git -C server.git fsck --full --strict 2>&1");
}

Test(store_git_tree, a_new_version_of_a_file_is_sent_without_fetching_the_old_one)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_err err = {0};

    fill_deep();
    store = git_box_store(&box);
    cr_assert_eq(store->ops->base(store, "l/m", &err), BP_OK, "%s", err.msg);
    git_box_stage(store, "one", "1 and more\n");
    git_box_put(store, "l/m/a", "two", "2 and more\n");
    cr_expect_eq(git_box_held(&box, "blob"), 2);
    expect_output("1 and more", "git -C server.git show main:l/m/a/one");
    expect_output("", "git -C server.git ls-tree --name-only main:l/m/a/ deep");
}

Test(store_git_tree, a_file_that_left_the_branch_after_it_was_staged_still_arrives)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    struct bp_err err = {0};

    fill_deep();
    store = git_box_store(&box);
    cr_assert_eq(store->ops->base(store, "l/m", &err), BP_OK, "%s", err.msg);
    git_box_stage(store, "one", "1\n");
    bp_free(git_box_run(&box, "cd w && git rm -q l/m/a/one && git commit -q -m 2 && "
                              "git push -q origin HEAD:main"));
    cr_expect_eq(git_box_commit(store, "c", &err), BP_ELOCKED);
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(store, "c", &err), BP_OK, "%s", err.msg);
    expect_text(store, "c/one", "1\n");
    expect_output("", "git -C server.git fsck --full --strict 2>&1");
}

Test(store_git_tree, an_executable_file_stays_one)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_blob blob = {0};
    struct bp_err err = {0};

    cr_assert_eq(store->ops->put(store, "#!/bin/sh\n", 10, &blob, &err), BP_OK);
    cr_assert_eq(store->ops->stage(store, "run.sh", &blob, true, &err), BP_OK);
    git_box_put(store, "x", "plain", "");
    expect_output("100644 plain\n100755 run.sh",
                  "git -C server.git ls-tree main:x | sed 's/ .*\\t/ /'");
}

Test(store_git_tree, the_last_of_two_files_with_one_path_counts)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_stage(store, "f", "first");
    git_box_stage(store, "f", "second");
    git_box_put(store, "x", "g", "other");
    expect_text(store, "x/f", "second");
    expect_names(store, "x", "f g");
}

Test(store_git_tree, what_is_staged_replaces_what_was_there)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_put(store, "x/y", "old", "1");
    git_box_put(store, "x/y", "new", "2");
    expect_names(store, "x/y", "new");
}

Test(store_git_tree, a_folder_that_becomes_empty_vanishes)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    const struct bp_edit move = {.kind = BP_EDIT_MOVE, .from = "x/y/z", .to = "q"};
    struct bp_store_commit commit;
    struct bp_err err = {0};

    git_box_put(store, "x/y/z", "f", "1");
    cr_assert_eq(store->ops->commit(store, &move, 1, "m\n", &commit, &err), BP_OK, "%s", err.msg);
    expect_names(store, "", "q");
    expect_text(store, "q/f", "1");
}

Test(store_git_tree, a_move_never_covers_what_is_there)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    const struct bp_edit cover = {.kind = BP_EDIT_MOVE, .from = "x", .to = "y"};
    const struct bp_edit nothing = {.kind = BP_EDIT_MOVE, .from = "z", .to = "w"};
    const struct bp_edit below = {.kind = BP_EDIT_MOVE, .from = "x", .to = "y/f/g"};
    struct bp_store_commit commit;
    struct bp_err err = {0};

    git_box_put(store, "x", "f", "1");
    git_box_put(store, "y", "f", "2");
    cr_expect_eq(store->ops->commit(store, &cover, 1, "m\n", &commit, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "cannot move 'x' to 'y': something is there already");
    cr_expect_eq(store->ops->commit(store, &nothing, 1, "m\n", &commit, &err), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "nothing to move at 'z'");
    cr_expect_eq(store->ops->commit(store, &below, 1, "m\n", &commit, &err), BP_EFAILED);
    expect_output("2", "git -C server.git rev-list --count main");
}

Test(store_git_tree, paths_that_would_harm_a_checkout_are_refused)
{
    static const char *const bad[] = {"",       "/etc/passwd", "a//b", "a/",           "..",
                                      "a/../b", "./a",         ".git", ".GIT/hooks/x", "a/.git/b",
                                      "git~1",  "a\nb",        "a\\b"};
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_blob blob = {0};
    struct bp_err put_err = {0};
    char long_name[300];

    cr_assert_eq(store->ops->put(store, "1", 1, &blob, &put_err), BP_OK);
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        const char *path = i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : long_name;
        struct bp_err err = {0};

        cr_expect_eq(store->ops->stage(store, path, &blob, false, &err), BP_EFAILED, "'%s'", path);
        cr_expect_not_null(strstr(err.msg, "is not a path that a branch can hold"), "%s", err.msg);
    }
}

Test(store_git_tree, a_path_cannot_be_both_a_file_and_a_folder)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_stage(store, "a", "1");
    git_box_stage(store, "a-b", "1");
    git_box_stage(store, "a/b", "2");
    cr_expect_eq(git_box_commit(store, "x", &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'a' is staged both as a file and as a folder");
}

Test(store_git_tree, a_link_is_not_read_as_a_file)
{
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1 && cd w && ln -s /etc/passwd l && "
                              "git add . && git commit -q -m 1 && git push -q origin HEAD:main"));
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    expect_text(store, "l", "failed");
}
