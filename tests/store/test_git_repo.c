#include <criterion/criterion.h>
#include <signal.h>
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

TestSuite(store_git_repo, .init = set_up, .fini = tear_down, .timeout = 60);

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

static enum bp_code open_at(const char *url, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;

    box.options.url = url;
    store = bp_git_store_new(&box.options);
    return store->ops->open(store, err);
}

Test(store_git_repo, an_empty_repository_gets_its_first_commit)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect_not(store->ops->exists(store));
    git_box_put(store, "backups/latest", "a.txt", "hello\n");
    cr_expect(store->ops->exists(store));
    expect_text(store, "backups/latest/a.txt", "hello\n");
    expect_output("hello", "git -C server.git show main:backups/latest/a.txt");
    expect_output("backproof <backproof@localhost>",
                  "git -C server.git log -1 --format='%an <%ae>' main");
}

Test(store_git_repo, a_commit_says_its_own_name)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    const struct bp_edit edit = {.kind = BP_EDIT_STAGED, .to = "x"};
    struct bp_store_commit commit = {0};
    struct bp_err err = {0};

    git_box_stage(store, "f", "1");
    cr_assert_eq(store->ops->commit(store, &edit, 1, "subject\n\nKey: value\n", &commit, &err),
                 BP_OK, "%s", err.msg);
    expect_output(commit.id, "git -C server.git rev-parse main");
    expect_output("subject", "git -C server.git log -1 --format=%s main");
    expect_output("Key: value", "git -C server.git log -1 --format=%b main");
}

Test(store_git_repo, a_branch_that_does_not_exist_is_an_empty_tree)
{
    BP_AUTO(bp_store_freep) struct bp_store *first = git_box_store(&box);

    git_box_put(first, "x", "f", "1");
    bp_store_freep(&first);
    box.options.branch = "feature/other";
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    BP_AUTO(bp_freep) char *names = git_box_names(store, "");

    cr_expect_not(store->ops->exists(store));
    cr_expect_str_empty(names);
    git_box_put(store, "y", "f", "2");
    expect_output("2", "git -C server.git show feature/other:y/f");
    expect_output("1", "git -C server.git rev-list --count feature/other");
    expect_output("1", "git -C server.git show main:x/f");
}

Test(store_git_repo, a_branch_that_was_removed_is_an_empty_tree_again)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_put(store, "x", "f", "1");
    bp_free(git_box_run(&box, "git -C server.git update-ref -d refs/heads/main"));
    git_box_stage(store, "f", "2");
    cr_expect_eq(git_box_commit(store, "y", &err), BP_ELOCKED, "%s", err.msg);
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    cr_expect_not(store->ops->exists(store));
    cr_assert_eq(git_box_commit(store, "y", &err), BP_OK, "%s", err.msg);
    expect_output("y", "git -C server.git ls-tree --name-only main");
}

Test(store_git_repo, a_missing_repository_is_not_found)
{
    struct bp_err err = {0};
    BP_AUTO(bp_freep) char *missing = bp_format("%s/nothing.git", box.dir);
    BP_AUTO(bp_freep) char *missing_url = bp_format("file://%s/nothing.git", box.dir);

    cr_expect_eq(open_at(missing, &err), BP_ENOTFOUND, "%s", err.msg);
    cr_expect_eq(open_at(missing_url, &err), BP_ENOTFOUND, "%s", err.msg);
    cr_expect_eq(open_at(box.temp, &err), BP_ENOTFOUND, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "does not appear to be a git repository"), "%s", err.msg);
}

Test(store_git_repo, an_impossible_branch_is_refused)
{
    struct bp_err err = {0};

    box.options.branch = "a..b";
    cr_expect_eq(open_at(box.bare, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "'a..b' is not a name that a branch can have");
}

Test(store_git_repo, a_lost_race_is_told_and_trying_again_keeps_both_changes)
{
    BP_AUTO(bp_store_freep) struct bp_store *fast = git_box_store(&box);
    BP_AUTO(bp_store_freep) struct bp_store *slow = git_box_store(&box);
    struct bp_err err = {0};

    git_box_stage(slow, "f", "slow");
    git_box_put(fast, "fast", "f", "fast");
    cr_assert_eq(git_box_commit(slow, "slow", &err), BP_ELOCKED, "creating: %s", err.msg);
    cr_assert_eq(slow->ops->refresh(slow, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(slow, "slow", &err), BP_OK, "%s", err.msg);

    git_box_stage(fast, "g", "fast again");
    cr_assert_eq(git_box_commit(fast, "again", &err), BP_ELOCKED, "moving on: %s", err.msg);
    cr_assert_eq(fast->ops->refresh(fast, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(fast, "again", &err), BP_OK, "%s", err.msg);
    expect_output("again\nfast\nslow", "git -C server.git ls-tree --name-only main");
    expect_output("3", "git -C server.git rev-list --count main");
}

Test(store_git_repo, a_branch_that_moves_while_the_server_takes_the_push_is_a_lost_race)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_put(store, "x", "f", "1");
    git_box_hook(
        &box, "pre-receive",
        "unset GIT_QUARANTINE_PATH\n"
        "other=$(git -c user.name=a -c user.email=b commit-tree -m other -p main main^{tree})\n"
        "git update-ref refs/heads/main $other");
    git_box_stage(store, "f", "2");
    cr_expect_eq(git_box_commit(store, "y", &err), BP_ELOCKED, "%s", err.msg);
    expect_output("other", "git -C server.git log -1 --format=%s main");
}

Test(store_git_repo, the_servers_refusal_is_told_in_its_own_words)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_hook(&box, "pre-receive", "echo 'no backups on Mondays' >&2\nexit 1");
    git_box_stage(store, "f", "1");
    cr_expect_eq(git_box_commit(store, "x", &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "no backups on Mondays"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "pre-receive hook declined"), "%s", err.msg);
    cr_expect_null(strchr(err.msg, '\n'));
}

Test(store_git_repo, a_server_that_dies_before_the_change_leaves_the_branch_alone)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_put(store, "x", "f", "1");
    git_box_hook(&box, "pre-receive", "kill -9 $PPID");
    git_box_stage(store, "f", "2");
    cr_expect_eq(git_box_commit(store, "y", &err), BP_EUNAVAILABLE, "%s", err.msg);
    expect_output("x", "git -C server.git ls-tree --name-only main");
    git_box_hook(&box, "pre-receive", "exit 0");
    cr_expect_eq(git_box_commit(store, "y", &err), BP_OK, "%s", err.msg);
    expect_output("x\ny", "git -C server.git ls-tree --name-only main");
}

Test(store_git_repo, a_push_that_arrived_before_the_connection_broke_is_a_success)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    struct bp_err err = {0};

    git_box_hook(&box, "post-receive", "kill -9 $PPID");
    git_box_hook(&box, "post-update", "kill -9 $PPID");
    git_box_hook(&box, "reference-transaction", "test $1 != committed || kill -9 $PPID");
    git_box_stage(store, "f", "1");
    cr_expect_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_output("x", "git -C server.git ls-tree --name-only main");
}

Test(store_git_repo, a_checked_out_branch_is_refused_with_advice)
{
    BP_AUTO(bp_freep) char *clone = bp_format("%s/clone", box.dir);
    struct bp_err err = {0};

    bp_free(git_box_run(&box, "git init -q -b main clone && cd clone && echo 1 > f && "
                              "git add f && git commit -q -m 1"));
    box.options.url = clone;
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    expect_text(store, "f", "1\n");
    git_box_stage(store, "g", "2");
    cr_expect_eq(git_box_commit(store, "x", &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "checked out"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "use a bare repository"), "%s", err.msg);
}

Test(store_git_repo, a_clone_that_knows_the_branch_only_from_its_origin_can_be_read_and_written)
{
    BP_AUTO(bp_freep) char *clone = bp_format("%s/clone", box.dir);
    BP_AUTO(bp_store_freep) struct bp_store *first = git_box_store(&box);

    git_box_put(first, "x", "f", "1");
    bp_store_freep(&first);
    bp_free(git_box_run(&box, "git clone -q server.git clone && cd clone && "
                              "git checkout -q -b work && git branch -q -D main"));
    box.options.url = clone;
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    cr_expect(store->ops->exists(store));
    expect_text(store, "x/f", "1");
    git_box_put(store, "y", "f", "2");
    git_box_put(store, "z", "f", "3");
    expect_output("x\ny\nz", "git -C clone ls-tree --name-only refs/heads/main");
    expect_output("3", "git -C clone rev-list --count refs/heads/main");
}

Test(store_git_repo, a_path_with_odd_characters_works)
{
    BP_AUTO(bp_freep) char *odd = bp_format("%s/a b%%41#?\xC3\xBC:'.git", box.dir);

    bp_free(git_box_run(&box, "mv server.git \"%s\"", odd));
    box.options.url = odd;
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_put(store, "x", "f", "1");
    expect_text(store, "x/f", "1");
}

Test(store_git_repo, several_commits_pass_gits_own_strict_check)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    const struct bp_edit edits[] = {
        {.kind = BP_EDIT_MOVE, .from = "latest/one", .to = "archive/2024/one"},
        {.kind = BP_EDIT_STAGED, .to = "latest/two"},
        {.kind = BP_EDIT_STAGED, .to = "current"},
    };
    struct bp_store_commit commit;
    struct bp_err err = {0};

    git_box_stage(store, "a.b", "1");
    git_box_stage(store, "a/c", "2");
    git_box_put(store, "latest/one", "a-b", "3");
    git_box_stage(store, "a.b", "1");
    git_box_stage(store, "a/d", "4");
    cr_assert_eq(store->ops->commit(store, edits, 3, "second\n", &commit, &err), BP_OK, "%s",
                 err.msg);
    git_box_put(store, "other", "deep/er/than/that/file", "5");
    expect_output("", "git -C server.git fsck --full --strict --no-dangling 2>&1");
    expect_output("archive/2024/one/a-b\narchive/2024/one/a.b\narchive/2024/one/a/c\n"
                  "current/a.b\ncurrent/a/d\nlatest/two/a.b\nlatest/two/a/d\n"
                  "other/deep/er/than/that/file",
                  "git -C server.git ls-tree -r --name-only main");
}

Test(store_git_repo, nothing_is_left_in_the_temporary_folder)
{
    struct bp_err err = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_put(store, "x", "f", "1");
    expect_output("1", "ls temp | wc -l");
    bp_store_freep(&store);
    expect_output("0", "ls temp | wc -l");
    box.options.branch = "a..b";
    cr_expect_neq(open_at(box.bare, &err), BP_OK);
    box.options.branch = "main";
    cr_expect_neq(open_at(box.dir, &err), BP_OK);
    expect_output("0", "ls temp | wc -l");
}

Test(store_git_repo, the_callers_git_variables_do_not_disturb)
{
    git_box_set(&box, "GIT_DIR=/nowhere");
    git_box_set(&box, "GIT_WORK_TREE=/nowhere");
    git_box_set(&box, "GIT_INDEX_FILE=/nowhere/index");
    git_box_set(&box, "GIT_OBJECT_DIRECTORY=/nowhere/objects");
    git_box_set(&box, "GIT_TRACE=1");
    git_box_set(&box, "GIT_CONFIG_PARAMETERS='core.bare'='maybe'");
    git_box_set(&box, "LC_ALL=de_DE.UTF-8");
    git_box_set(&box, "GIT_CONFIG_COUNT=2");
    git_box_set(&box, "GIT_CONFIG_KEY_0=gc.auto");
    git_box_set(&box, "GIT_CONFIG_VALUE_0=1");
    git_box_set(&box, "GIT_CONFIG_KEY_1=push.gpgSign");
    git_box_set(&box, "GIT_CONFIG_VALUE_1=true");
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_put(store, "x", "f", "1");
    expect_text(store, "x/f", "1");
}

Test(store_git_repo, the_callers_own_settings_reach_git)
{
    struct bp_err err = {0};

    git_box_set(&box, "GIT_CONFIG_COUNT=1");
    git_box_set(&box, "GIT_CONFIG_KEY_0=protocol.file.allow");
    git_box_set(&box, "GIT_CONFIG_VALUE_0=never");
    cr_expect_eq(open_at(box.bare, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "transport 'file' not allowed"), "%s", err.msg);
}

Test(store_git_repo, a_server_that_does_not_answer_is_a_time_out)
{
    struct bp_err err = {0};

    git_box_set(&box, "GIT_CONFIG_COUNT=1");
    git_box_set(&box, "GIT_CONFIG_KEY_0=remote.backproof.uploadpack");
    git_box_set(&box, "GIT_CONFIG_VALUE_0=sleep 30 #");
    box.options.timeout_ms = 500;
    cr_expect_eq(open_at(box.bare, &err), BP_ETIMEOUT, "%s", err.msg);
}

Test(store_git_repo, a_stop_ends_the_work)
{
    struct bp_stop stop = {.signal = SIGTERM, .fd = -1, .write_fd = -1};
    struct bp_err err = {0};

    box.clock.stop = &stop;
    cr_expect_eq(open_at(box.bare, &err), BP_ESTOPPED, "%s", err.msg);
    box.clock.stop = NULL;
    expect_output("0", "ls temp | wc -l");
}
