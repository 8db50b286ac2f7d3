#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* A signal handler has no argument: this is the one stop that signals reach. */
static struct bp_stop *installed;

static void on_signal(int number)
{
    int saved = errno;

    installed->signal = number;
    if (write(installed->write_fd, "", 1) < 0) {
        /* The pipe is full: it is readable already, which is all we want. */
    }
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

enum bp_code bp_stop_install(struct bp_stop *stop, struct bp_err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int fds[2] = {-1, -1};

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return bp_fail(err, BP_EFAILED, "cannot make a pipe: %m");
    *stop = (struct bp_stop){.fd = fds[0], .write_fd = fds[1]};
    installed = stop;
    if (!catch_signal(SIGINT) || !catch_signal(SIGTERM) || !catch_signal(SIGHUP) ||
        sigaction(SIGPIPE, &ignore, NULL) != 0)
        return bp_fail(err, BP_EFAILED, "cannot catch signals: %m");
    return BP_OK;
}

enum bp_code bp_stop_check(const struct bp_stop *stop, struct bp_err *err)
{
    if (stop != NULL && stop->signal != 0)
        return bp_fail(err, BP_ESTOPPED, "stopped by %s", signal_name(stop->signal));
    return BP_OK;
}

enum bp_code bp_stop_wait(const struct bp_stop *stop, int fd, short events, int64_t timeout_ms,
                          bool *ready, struct bp_err *err)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = stop != NULL ? stop->fd : -1, .events = POLLIN}};
    int timeout = timeout_ms < 0 ? -1 : (int)(timeout_ms > INT_MAX ? INT_MAX : timeout_ms);

    *ready = false;
    if (poll(fds, 2, timeout) < 0 && errno != EINTR)
        return bp_fail(err, BP_EFAILED, "cannot wait: %m");
    *ready = fds[0].revents != 0;
    return bp_stop_check(stop, err);
}
