#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"

TestSuite(stop, .timeout = 60);

/* install() keeps the address that it is given. */
static struct bp_stop global;

static void install_global(void)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_stop_install(&global, &err), BP_OK, "%s", err.msg);
}

static int64_t now_ms(void)
{
    struct bp_clock clock = bp_clock_system(NULL);

    return bp_clock_mono(&clock);
}

Test(stop, nothing_is_stopped_before_a_signal)
{
    struct bp_err err = {0};
    bool ready = true;

    install_global();
    cr_expect_eq(bp_stop_check(&global, &err), BP_OK);
    cr_expect_eq(bp_stop_check(NULL, &err), BP_OK);
    cr_expect_eq(bp_stop_wait(&global, -1, 0, 0, &ready, &err), BP_OK);
    cr_expect_not(ready);
}

Test(stop, a_signal_is_remembered_and_named)
{
    struct bp_err err = {0};

    install_global();
    (void)raise(SIGTERM);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM");
    cr_expect_eq(global.signal, SIGTERM);
    (void)raise(SIGINT);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGINT");
    (void)raise(SIGHUP);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGHUP");
    cr_expect_eq(global.signal, SIGHUP);
}

Test(stop, what_was_ignored_stays_ignored)
{
    struct bp_err err = {0};

    /* As nohup and a shell's background jobs leave them. */
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    install_global();
    (void)raise(SIGHUP);
    (void)raise(SIGINT);
    cr_expect_eq(bp_stop_check(&global, &err), BP_OK);
    (void)raise(SIGTERM);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED, "this one is never ignored");
}

Test(stop, a_signal_before_a_wait_ends_it_at_once)
{
    struct bp_err err = {0};
    bool ready = true;
    int64_t start = now_ms();

    install_global();
    (void)raise(SIGTERM);
    cr_expect_eq(bp_stop_wait(&global, -1, 0, 20000, &ready, &err), BP_ESTOPPED);
    cr_expect_not(ready);
    cr_expect_lt(now_ms() - start, 5000);
}

Test(stop, a_signal_wakes_a_wait)
{
    struct bp_err err = {0};
    bool ready = false;
    int64_t start = now_ms();
    pid_t pid = getpid();
    pid_t child = 0;

    install_global();
    child = fork();
    if (child == 0) {
        (void)usleep(100000);
        (void)kill(pid, SIGTERM);
        _exit(0);
    }
    cr_expect_eq(bp_stop_wait(&global, -1, 0, -1, &ready, &err), BP_ESTOPPED);
    cr_expect_lt(now_ms() - start, 5000);
    (void)waitpid(child, NULL, 0);
}

Test(stop, a_wait_tells_when_its_descriptor_is_ready)
{
    struct bp_err err = {0};
    bool ready = true;
    int fds[2] = {-1, -1};

    cr_assert_eq(pipe(fds), 0);
    cr_expect_eq(bp_stop_wait(NULL, fds[0], POLLIN, 0, &ready, &err), BP_OK);
    cr_expect_not(ready, "the pipe is empty");
    cr_expect_eq(bp_stop_wait(NULL, fds[1], POLLOUT, 1000, &ready, &err), BP_OK);
    cr_expect(ready);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    cr_expect_eq(bp_stop_wait(NULL, fds[0], POLLIN, -1, &ready, &err), BP_OK);
    cr_expect(ready);
}

Test(stop, a_thousand_signals_do_not_block)
{
    struct bp_err err = {0};

    install_global();
    for (int i = 0; i < 100000; i++)
        (void)raise(SIGINT);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED);
}

Test(stop, a_closed_pipe_does_not_end_the_program)
{
    int fds[2] = {-1, -1};

    install_global();
    cr_assert_eq(pipe(fds), 0);
    (void)close(fds[0]);
    cr_expect_eq(write(fds[1], "x", 1), -1);
}
