#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* A signal handler has no argument: this is the one stop that signals reach. */
static struct bp_stop *installed;

static void ask(struct bp_stop *stop, int number)
{
    atomic_store(&stop->signal, number);
    if (write(stop->write_fd, "", 1) < 0) {
        /* The pipe is full: it is readable already, which is all we want. */
    }
}

static void on_signal(int number)
{
    int saved = errno;

    ask(installed, number);
    errno = saved;
}

static bool is_ignored(int number)
{
    struct sigaction now = {0};

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* What was ignored stays so, except SIGTERM. false when the system refuses. */
static bool catch_signal(int number)
{
    struct sigaction action = {.sa_handler = on_signal};

    if (number != SIGTERM && is_ignored(number))
        return true;
    (void)sigemptyset(&action.sa_mask);
    return sigaction(number, &action, NULL) == 0;
}

static const char *signal_name(int number)
{
    switch (number) {
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    default:
        return "SIGTERM";
    }
}

enum bp_code bp_stop_open(struct bp_stop *stop, struct bp_err *err)
{
    int fds[2] = {-1, -1};

    *stop = (struct bp_stop){.fd = -1, .write_fd = -1};
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return bp_fail(err, BP_EFAILED, "cannot make a pipe: %m");
    stop->fd = fds[0];
    stop->write_fd = fds[1];
    return BP_OK;
}

void bp_stop_ask(struct bp_stop *stop)
{
    ask(stop, SIGTERM);
}

void bp_stop_close(struct bp_stop *stop)
{
    if (stop->fd >= 0)
        (void)close(stop->fd);
    if (stop->write_fd >= 0)
        (void)close(stop->write_fd);
    stop->fd = -1;
    stop->write_fd = -1;
}

enum bp_code bp_stop_install(struct bp_stop *stop, struct bp_err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (bp_stop_open(stop, err) != BP_OK)
        return err->code;
    installed = stop;
    if (!catch_signal(SIGINT) || !catch_signal(SIGTERM) || !catch_signal(SIGHUP) ||
        sigaction(SIGPIPE, &ignore, NULL) != 0)
        return bp_fail(err, BP_EFAILED, "cannot catch signals: %m");
    return BP_OK;
}

struct bp_stop bp_stop_limited(const struct bp_stop *parent, int64_t limit_ms)
{
    return (struct bp_stop){.fd = -1,
                            .write_fd = -1,
                            .parent = parent,
                            .deadline_ms = limit_ms > 0 ? bp_clock_system_mono() + limit_ms : 0,
                            .limit_ms = limit_ms};
}

const struct bp_stop *bp_stop_unlimited(const struct bp_stop *stop)
{
    while (stop != NULL && stop->deadline_ms != 0)
        stop = stop->parent;
    return stop;
}

int bp_stop_fd(const struct bp_stop *stop)
{
    while (stop != NULL && stop->fd < 0)
        stop = stop->parent;
    return stop != NULL ? stop->fd : -1;
}

int bp_stop_signal(const struct bp_stop *stop)
{
    for (; stop != NULL; stop = stop->parent) {
        int number = atomic_load(&stop->signal);

        if (number != 0)
            return number;
    }
    return 0;
}

/* How long until the first deadline; -1: there is none. */
static int64_t time_left(const struct bp_stop *stop)
{
    int64_t least = -1;

    for (; stop != NULL; stop = stop->parent) {
        int64_t left = stop->deadline_ms - bp_clock_system_mono();

        if (stop->deadline_ms != 0 && (least < 0 || left < least))
            least = left > 0 ? left : 0;
    }
    return least;
}

enum bp_code bp_stop_check(const struct bp_stop *stop, struct bp_err *err)
{
    int number = bp_stop_signal(stop);

    if (number != 0)
        return bp_fail(err, BP_ESTOPPED, "stopped by %s", signal_name(number));
    for (; stop != NULL; stop = stop->parent) {
        BP_AUTO(bp_buf_free) struct bp_buf limit = {0};

        if (stop->deadline_ms == 0 || bp_clock_system_mono() < stop->deadline_ms)
            continue;
        bp_put_duration(&limit, stop->limit_ms);
        return bp_fail(err, BP_ETIMEOUT, "the time limit of %s is over", bp_buf_str(&limit));
    }
    return BP_OK;
}

enum bp_code bp_stop_wait(const struct bp_stop *stop, int fd, short events, int64_t timeout_ms,
                          bool *ready, struct bp_err *err)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = bp_stop_fd(stop), .events = POLLIN}};
    int64_t left = time_left(stop);
    int64_t wait_ms = left >= 0 && (timeout_ms < 0 || left < timeout_ms) ? left : timeout_ms;
    int timeout = wait_ms < 0 ? -1 : (int)(wait_ms > INT_MAX ? INT_MAX : wait_ms);

    *ready = false;
    if (poll(fds, 2, timeout) < 0 && errno != EINTR)
        return bp_fail(err, BP_EFAILED, "cannot wait: %m");
    *ready = fds[0].revents != 0;
    return bp_stop_check(stop, err);
}
