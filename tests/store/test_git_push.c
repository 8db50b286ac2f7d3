/* How the push of git_wire.c ends, whatever happens to it: did the change arrive? */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "test_git_box.h"

static const char unknown[] = "it is not known whether the change arrived";

static struct git_box box;

static void set_up(void)
{
    git_box_open(&box);
}

static void tear_down(void)
{
    git_box_close(&box);
}

TestSuite(store_git_push, .init = set_up, .fini = tear_down, .timeout = 60);

/*
 * From now on `git COMMAND ...` runs this script first, with $git as the real one; another script
 * may be there for `git ls-remote`, the second look. NULL: nothing but the real one.
 */
static void fake_git(const char *push, const char *ls_remote)
{
    BP_AUTO(bp_freep) char *real = git_box_run(&box, "command -v git");
    BP_AUTO(bp_freep) char *path = bp_format("%s/bin:%s", box.dir, getenv("PATH"));

    bp_free(git_box_run(&box,
                        "mkdir bin && cat > bin/git <<'END'\n#!/bin/sh\ngit=%s\ncd %s\n"
                        "case $1 in\npush)\n%s\n;;\nls-remote)\n%s\n;;\nesac\n"
                        "exec $git \"$@\"\nEND\nchmod 755 bin/git",
                        real, box.dir, push != NULL ? push : ":",
                        ls_remote != NULL ? ls_remote : ":"));
    cr_assert_eq(setenv("PATH", path, 1), 0);
}

/* A store with one commit and another staged; then its push meets these scripts. */
static enum bp_code push_with(const char *push, const char *ls_remote, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);

    git_box_put(store, "x", "f", "1");
    git_box_stage(store, "f", "2");
    fake_git(push, ls_remote);
    return git_box_commit(store, "y", err);
}

static void expect_in(const char *words, const char *text)
{
    cr_expect_not_null(strstr(text, words), "'%s' is not in '%s'", words, text);
}

static void expect_not_in(const char *words, const char *text)
{
    cr_expect_null(strstr(text, words), "'%s' is in '%s'", words, text);
}

static const char refused_connection[] =
    "echo \"fatal: unable to access 'https://h/': Failed to connect to h port 443: Connection "
    "refused\" >&2; exit 128";
static const char broken_connection[] =
    "echo 'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502' >&2;"
    "echo 'fatal: the remote end hung up unexpectedly' >&2; exit 128";

Test(store_git_push, what_was_never_sent_surely_did_not_arrive)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with(refused_connection, refused_connection, &err), BP_EUNAVAILABLE);
    expect_in("Connection refused", err.msg);
    expect_not_in(unknown, err.msg);
}

Test(store_git_push, a_login_that_is_refused_is_told_as_it_is)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with("echo \"fatal: Authentication failed for 'https://h/'\" >&2; exit 128",
                           refused_connection, &err),
                 BP_EAUTH);
    expect_not_in(unknown, err.msg);
}

Test(store_git_push, the_words_of_a_hook_do_not_tell_that_nothing_was_sent)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with("echo \"remote: fatal: unable to access 'x'\" >&2; exit 128",
                           refused_connection, &err),
                 BP_EFAILED);
    expect_in(unknown, err.msg);
}

Test(store_git_push, a_second_look_may_tell_that_it_did_not_arrive)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with(broken_connection, NULL, &err), BP_EUNAVAILABLE);
    expect_in("502", err.msg);
    expect_not_in(unknown, err.msg);
}

Test(store_git_push, a_second_look_may_tell_that_it_arrived)
{
    struct bp_err err = {0};
    BP_AUTO(bp_freep) char *then = bp_format("$git \"$@\" >/dev/null 2>&1; %s", broken_connection);

    cr_expect_eq(push_with(then, NULL, &err), BP_OK, "%s", err.msg);
}

Test(store_git_push, what_a_second_look_cannot_tell_is_not_known)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with(broken_connection, refused_connection, &err), BP_EFAILED);
    expect_in(unknown, err.msg);
    expect_in("502", err.msg);
}

Test(store_git_push, a_branch_that_somebody_else_moved_meanwhile_tells_nothing)
{
    struct bp_err err = {0};
    BP_AUTO(bp_freep)
    char *then = bp_format(
        "c=$($git --git-dir=server.git -c user.name=a -c user.email=b commit-tree -m other -p main "
        "main^{tree}); $git --git-dir=server.git update-ref refs/heads/main $c;"
        "%s",
        broken_connection);

    cr_expect_eq(push_with(then, NULL, &err), BP_EFAILED);
    expect_in(unknown, err.msg);
}

Test(store_git_push, a_branch_of_a_longer_name_is_another_one)
{
    struct bp_err err = {0};
    BP_AUTO(bp_freep)
    char *then = bp_format("$git --git-dir=server.git update-ref refs/heads/a/refs/heads/main "
                           "main; %s",
                           broken_connection);

    cr_expect_eq(push_with(then, NULL, &err), BP_EUNAVAILABLE, "%s", err.msg);
}

Test(store_git_push, a_killed_git_is_told)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with("kill -9 $$", NULL, &err), BP_EFAILED);
    expect_in("git push was ended by signal 9; hint: out of memory?", err.msg);
    expect_not_in(unknown, err.msg);
}

Test(store_git_push, a_git_that_says_nothing_is_told_by_its_status)
{
    struct bp_err err = {0};

    cr_expect_eq(push_with("exit 3", NULL, &err), BP_EFAILED);
    expect_in("git push ended with status 3", err.msg);
}

Test(store_git_push, a_time_out_is_settled_as_well)
{
    struct bp_err err = {0};

    box.options.timeout_ms = 5000;
    cr_expect_eq(push_with("exec sleep 30", NULL, &err), BP_ETIMEOUT);
    expect_not_in(unknown, err.msg);
}

struct stopper {
    struct bp_stop stop;
    const char *when; /* this file is there */
};

static void *stop_when(void *ctx)
{
    struct stopper *stopper = ctx;

    while (access(stopper->when, F_OK) != 0)
        (void)usleep(5000);
    stopper->stop.signal = SIGTERM;
    (void)!write(stopper->stop.write_fd, "", 1);
    return NULL;
}

static enum bp_code push_until_stopped(const char *push, struct bp_err *err)
{
    struct stopper stopper = {0};
    BP_AUTO(bp_freep) char *when = bp_format("%s/now", box.dir);
    pthread_t thread;
    int fds[2];
    enum bp_code rc = BP_OK;

    cr_assert_eq(pipe(fds), 0);
    stopper.stop.fd = fds[0];
    stopper.stop.write_fd = fds[1];
    stopper.when = when;
    box.clock.stop = &stopper.stop;
    cr_assert_eq(pthread_create(&thread, NULL, stop_when, &stopper), 0);
    rc = push_with(push, NULL, err);
    (void)pthread_join(thread, NULL);
    box.clock.stop = NULL;
    (void)close(fds[0]);
    (void)close(fds[1]);
    return rc;
}

Test(store_git_push, a_stop_while_pushing_says_that_the_end_is_not_known)
{
    struct bp_err err = {0};

    cr_expect_eq(push_until_stopped("touch now; exec sleep 30", &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM while pushing; it is not known whether the "
                              "change arrived");
}

Test(store_git_push, a_stop_after_the_server_has_answered_is_a_success)
{
    struct bp_err err = {0};

    cr_expect_eq(push_until_stopped("$git \"$@\"; touch now; exec sleep 30", &err), BP_OK, "%s",
                 err.msg);
}

Test(store_git_push, a_stop_during_the_second_look_is_a_stop)
{
    struct bp_err err = {0};
    BP_AUTO(bp_freep) char *then = bp_format("touch now; sleep 1; %s", broken_connection);

    cr_expect_eq(push_until_stopped(then, &err), BP_ESTOPPED);
    expect_in(unknown, err.msg);
}

Test(store_git_push, a_change_that_arrived_is_a_success_whatever_happens_here)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = git_box_store(&box);
    BP_AUTO(bp_freep) char *names = NULL;
    BP_AUTO(bp_freep) char *text = NULL;
    struct bp_err err = {0};

    git_box_put(store, "x", "f", "1");
    /* Nothing can be noted in the working copy any more. */
    bp_free(git_box_run(&box, "cd temp/backproof-*/refs && rm -r backproof && "
                              "touch backproof"));
    git_box_stage(store, "f", "2");
    cr_expect_eq(git_box_commit(store, "y", &err), BP_OK, "%s", err.msg);
    names = git_box_names(store, "");
    cr_expect_str_eq(names, "x y");
    text = git_box_text(store, "y/f");
    cr_expect_str_eq(text, "2");
    git_box_stage(store, "f", "3");
    cr_expect_eq(git_box_commit(store, "z", &err), BP_OK, "%s", err.msg);
    bp_free(names);
    names = git_box_run(&box, "git -C server.git log --format=%%s main | wc -l");
    cr_expect_str_eq(names, "3");
}
