#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
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

/* ---- a stop that is asked for by the program itself ---- */

static struct bp_stop own;

static void open_own(void)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_stop_open(&own, &err), BP_OK, "%s", err.msg);
}

static bool is_readable(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    return poll(&look, 1, 0) == 1;
}

Test(stop, one_of_ones_own_is_asked_and_closed)
{
    struct bp_err err = {0};

    open_own();
    cr_expect_eq(bp_stop_check(&own, &err), BP_OK);
    cr_expect_eq(bp_stop_signal(&own), 0);
    cr_expect_not(is_readable(bp_stop_fd(&own)));
    bp_stop_ask(&own);
    cr_expect_eq(bp_stop_check(&own, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM");
    cr_expect_eq(bp_stop_signal(&own), SIGTERM);
    cr_expect(is_readable(bp_stop_fd(&own)));
    bp_stop_close(&own);
    bp_stop_close(&own);
    cr_expect_eq(bp_stop_fd(&own), -1);
    cr_expect_eq(bp_stop_check(&own, &err), BP_ESTOPPED, "it stays asked");
}

Test(stop, asking_again_and_again_does_not_block)
{
    struct bp_err err = {0};

    open_own();
    for (int i = 0; i < 100000; i++)
        bp_stop_ask(&own);
    cr_expect_eq(bp_stop_check(&own, &err), BP_ESTOPPED);
    bp_stop_close(&own);
}

Test(stop, signals_do_not_reach_one_of_ones_own)
{
    struct bp_err err = {0};

    install_global();
    open_own();
    (void)raise(SIGTERM);
    cr_expect_eq(bp_stop_check(&global, &err), BP_ESTOPPED);
    cr_expect_eq(bp_stop_check(&own, &err), BP_OK);
    bp_stop_close(&own);
}

static void *wait_for_own(void *arg)
{
    struct bp_err err = {0};
    bool ready = false;

    *(enum bp_code *)arg = bp_stop_wait(&own, -1, 0, -1, &ready, &err);
    return NULL;
}

Test(stop, asking_wakes_every_thread_that_waits)
{
    enum bp_code codes[4] = {BP_OK};
    pthread_t threads[4];

    open_own();
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, wait_for_own, &codes[i]), 0);
    bp_stop_ask(&own);
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
        cr_expect_eq(codes[i], BP_ESTOPPED);
    }
    bp_stop_close(&own);
}

/* ---- limits ---- */

Test(stop, without_a_limit_the_time_is_never_over)
{
    struct bp_stop limited = bp_stop_limited(NULL, 0);
    struct bp_err err = {0};
    bool ready = true;

    cr_expect_eq(bp_stop_check(&limited, &err), BP_OK);
    cr_expect_eq(bp_stop_wait(&limited, -1, 0, 1, &ready, &err), BP_OK);
    cr_expect_not(ready);
    cr_expect_eq(bp_stop_fd(&limited), -1);
    cr_expect_eq(bp_stop_unlimited(&limited), &limited);
}

Test(stop, a_wait_ends_when_the_time_is_over)
{
    struct bp_stop limited = bp_stop_limited(NULL, 30);
    struct bp_err err = {0};
    bool ready = true;

    cr_expect_eq(bp_stop_check(&limited, &err), BP_OK);
    cr_expect_eq(bp_stop_wait(&limited, -1, 0, -1, &ready, &err), BP_ETIMEOUT);
    cr_expect_not(ready);
    cr_expect_str_eq(err.msg, "the time limit of 30 ms is over");
    cr_expect_eq(bp_stop_check(&limited, &err), BP_ETIMEOUT, "it stays over");
    cr_expect_eq(bp_stop_wait(&limited, -1, 0, -1, &ready, &err), BP_ETIMEOUT, "at once");
    cr_expect_eq(bp_stop_signal(&limited), 0);
}

Test(stop, a_shorter_wait_ends_before_the_limit)
{
    struct bp_stop limited = bp_stop_limited(NULL, 3600 * 1000);
    struct bp_err err = {0};
    bool ready = true;

    cr_expect_eq(bp_stop_wait(&limited, -1, 0, 1, &ready, &err), BP_OK);
    cr_expect_not(ready);
}

Test(stop, what_is_ready_when_the_time_is_over_is_told_as_well)
{
    struct bp_stop limited = bp_stop_limited(NULL, 1);
    struct bp_err err = {0};
    bool ready = true;
    int fds[2] = {-1, -1};

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(bp_stop_wait(&limited, -1, 0, -1, &ready, &err), BP_ETIMEOUT);
    cr_expect_eq(bp_stop_wait(&limited, fds[1], POLLOUT, -1, &ready, &err), BP_ETIMEOUT);
    cr_expect(ready);
}

Test(stop, the_one_above_is_heard_through_all_limits)
{
    struct bp_stop outer;
    struct bp_stop inner;
    struct bp_err err = {0};
    bool ready = true;

    open_own();
    outer = bp_stop_limited(&own, 3600 * 1000);
    inner = bp_stop_limited(&outer, 3600 * 1000);
    cr_expect_eq(bp_stop_fd(&inner), own.fd);
    cr_expect_eq(bp_stop_unlimited(&inner), &own);
    cr_expect_eq(bp_stop_check(&inner, &err), BP_OK);
    bp_stop_ask(&own);
    cr_expect_eq(bp_stop_check(&inner, &err), BP_ESTOPPED);
    cr_expect_eq(bp_stop_signal(&inner), SIGTERM);
    cr_expect_eq(bp_stop_wait(&inner, -1, 0, -1, &ready, &err), BP_ESTOPPED);
    bp_stop_close(&own);
}

Test(stop, the_first_of_several_limits_counts)
{
    struct bp_stop outer = bp_stop_limited(NULL, 20);
    struct bp_stop inner = bp_stop_limited(&outer, 7200 * 1000);
    struct bp_stop shorter = bp_stop_limited(&inner, 10);
    struct bp_err err = {0};
    bool ready = true;

    cr_expect_eq(bp_stop_wait(&inner, -1, 0, -1, &ready, &err), BP_ETIMEOUT);
    cr_expect_str_eq(err.msg, "the time limit of 20 ms is over", "%s", err.msg);
    cr_expect_eq(bp_stop_check(&shorter, &err), BP_ETIMEOUT);
    cr_expect_str_eq(err.msg, "the time limit of 10 ms is over", "%s", err.msg);
    cr_expect_null(bp_stop_unlimited(&shorter));
}

Test(stop, a_signal_counts_more_than_a_limit)
{
    struct bp_stop limited;
    struct bp_err err = {0};
    bool ready = true;

    open_own();
    limited = bp_stop_limited(&own, 1);
    cr_expect_eq(bp_stop_wait(&limited, -1, 0, -1, &ready, &err), BP_ETIMEOUT);
    cr_expect_eq(bp_stop_check(bp_stop_unlimited(&limited), &err), BP_OK,
                 "what has to be done at the end still can be");
    bp_stop_ask(&own);
    cr_expect_eq(bp_stop_check(&limited, &err), BP_ESTOPPED);
    bp_stop_close(&own);
}
