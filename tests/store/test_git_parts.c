#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "store/git_internal.h"
#include "test_git_box.h"

static struct git_box box;
static struct bp_store *store;
static struct bp_err err;

static void set_up(void)
{
    git_box_open(&box);
}

static void tear_down(void)
{
    bp_store_freep(&store);
    git_box_close(&box);
}

TestSuite(store_git_parts, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_output(const char *wanted, const char *command)
{
    BP_AUTO(bp_freep) char *got = git_box_run(&box, "%s", command);

    cr_expect_str_eq(got, wanted, "%s gave '%s', not '%s'", command, got, wanted);
}

/* Files that cannot be compressed. */
static void stage_noise(int count, size_t size)
{
    BP_AUTO(bp_freep) char *noise = bp_alloc(1, size);

    for (int i = 0; i < count; i++) {
        struct bp_blob blob = {0};
        BP_AUTO(bp_freep) char *path = bp_format("d/%03d", i);

        bp_random(noise, size);
        cr_assert_eq(store->ops->put(store, noise, size, &blob, &err), BP_OK, "%s", err.msg);
        cr_assert_eq(store->ops->stage(store, path, &blob, false, &err), BP_OK, "%s", err.msg);
    }
}

/* The largest pack that one push has brought to the server. */
static long largest_pack(void)
{
    BP_AUTO(bp_freep)
    char *size =
        git_box_run(&box, "stat -c %%s server.git/objects/pack/*.pack | sort -n | tail -1");

    return atol(size);
}

static void expect_whole(void)
{
    expect_output("", "git -C server.git for-each-ref refs/backproof");
    expect_output("", "git -C server.git fsck --full --strict --no-dangling 2>&1");
    expect_output("20", "git -C server.git ls-tree -r main | wc -l");
    expect_output("1", "git -C server.git rev-list --count main");
}

Test(store_git_parts, more_than_the_limit_is_sent_in_several_pushes)
{
    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    git_box_hook(&box, "pre-receive", "cat >>../pushes");
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    cr_expect_lt(largest_pack(), 200000);
    expect_output("20", "cd server.git && for i in objects/pack/*.idx; do git verify-pack -v $i; "
                        "done | grep -c ' blob '");
    /* Six full packs, the branch, and the end of the reference. */
    expect_output("7 refs/backproof/upload\n1 refs/heads/main",
                  "sed 's/.* //; s,/[0-9].*,,' pushes | sort | uniq -c | sed 's/^ *//'");
    expect_whole();
}

Test(store_git_parts, more_than_the_limit_is_sent_once_also_to_a_branch_that_exists)
{
    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    store = git_box_store(&box);
    git_box_put(store, "old", "f", "text");
    bp_store_freep(&store);
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    cr_expect_lt(largest_pack(), 200000);
    expect_output("21", "cd server.git && for i in objects/pack/*.idx; do git verify-pack -v $i; "
                        "done | grep -c ' blob '");
    expect_output("old x", "git -C server.git ls-tree --name-only main | paste -sd ' '");
    expect_output("", "git -C server.git fsck --full --strict --no-dangling 2>&1");
}

Test(store_git_parts, what_is_put_is_sent_before_the_commit)
{
    struct bp_git_store *git = NULL;

    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    box.options.part_size = 100000;
    store = git_box_store(&box);
    git = (struct bp_git_store *)store;
    stage_noise(4, 40000);
    bp_git_parts_join(git->parts);
    expect_output("1", "git -C server.git for-each-ref refs/backproof/upload | wc -l");
    expect_output("", "git -C server.git for-each-ref refs/heads");
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_whole();
}

Test(store_git_parts, a_part_that_would_never_come_together_within_the_limit_is_smaller)
{
    box.options.part_size = 1000000;
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(5, 20000);
    bp_git_parts_join(((struct bp_git_store *)store)->parts);
    expect_output("1", "git -C server.git for-each-ref refs/backproof/upload | wc -l");
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_whole();
}

Test(store_git_parts, what_is_given_up_leaves_no_reference)
{
    struct bp_git_store *git = NULL;

    box.options.part_size = 100000;
    store = git_box_store(&box);
    git = (struct bp_git_store *)store;
    stage_noise(4, 40000);
    bp_git_parts_join(git->parts);
    expect_output("1", "git -C server.git for-each-ref refs/backproof | wc -l");
    bp_store_freep(&store);
    expect_output("", "git -C server.git for-each-ref");
    expect_output("0", "ls temp | wc -l");
}

Test(store_git_parts, a_server_that_takes_no_such_reference_gets_it_all_with_the_branch)
{
    git_box_hook(&box, "update", "case $1 in refs/heads/*) ;; *) echo no >&2; exit 1;; esac");
    box.options.part_size = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_whole();
}

Test(store_git_parts, a_part_that_is_refused_when_it_has_to_be_one_is_an_error)
{
    git_box_hook(&box, "update",
                 "case $1 in refs/heads/*) ;; *) echo the door is closed >&2; "
                 "exit 1;; esac");
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_neq(git_box_commit(store, "x", &err), BP_OK);
    cr_expect_not_null(strstr(err.msg, "part 1 of a push in parts"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "the door is closed"), "%s", err.msg);
    expect_output("", "git -C server.git for-each-ref");
}

Test(store_git_parts, a_lost_race_does_not_send_parts_again)
{
    bp_free(git_box_run(&box, "git -C server.git config receive.unpackLimit 1"));
    git_box_hook(&box, "pre-receive", "cat >>../pushes");
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1; cd w && git switch -q -c main && "
                              "echo 1 >f && git add f && git commit -q -m 1 && "
                              "git push -q origin main"));
    cr_assert_eq(git_box_commit(store, "x", &err), BP_ELOCKED, "%s", err.msg);
    cr_assert_eq(store->ops->refresh(store, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_output("7", "grep -c refs/backproof pushes");
    expect_output("21", "git -C server.git ls-tree -r main | wc -l");
    expect_output("", "git -C server.git for-each-ref refs/backproof");
}

Test(store_git_parts, what_a_killed_run_left_goes_after_a_day)
{
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1; cd w && git commit -q "
                              "--allow-empty -m 1 && for t in 1000-a $(date +%%s)-b; do "
                              "git push -q origin HEAD:refs/backproof/upload/$t; done"));
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_output("b", "git -C server.git for-each-ref --format='%(refname)' refs/backproof | "
                       "sed 's/.*-//'");
}

Test(store_git_parts, what_many_killed_runs_left_goes_in_one_push)
{
    bp_free(git_box_run(&box, "git clone -q server.git w 2>&1; cd w && git commit -q "
                              "--allow-empty -m 1 && for t in 1000-a 1000-b 1001-c; do "
                              "git push -q origin HEAD:refs/backproof/upload/$t; done"));
    git_box_hook(&box, "pre-receive", "grep -c ' 0000000000*.*upload/100' >>../removals || true");
    box.options.push_limit = 100000;
    store = git_box_store(&box);
    stage_noise(20, 40000);
    cr_assert_eq(git_box_commit(store, "x", &err), BP_OK, "%s", err.msg);
    expect_whole();
    expect_output("3", "grep -v '^0' removals");
}
