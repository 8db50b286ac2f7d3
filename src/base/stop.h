/*
 * Being asked to end. SIGINT, SIGTERM and SIGHUP (the terminal is gone) set a flag and make a file
 * descriptor readable, so that whatever waits wakes up at once, cleans up and returns BP_ESTOPPED.
 * Nothing happens in the signal handler itself. A stop is given to those who wait; tests make one
 * without signals.
 */
#ifndef BP_BASE_STOP_H
#define BP_BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bp_stop {
    volatile int signal; /* 0 until asked */
    int fd;              /* readable once asked; -1: never */
    int write_fd;
};

/*
 * Catch SIGINT, SIGTERM and SIGHUP, ignore SIGPIPE. SIGINT and SIGHUP stay ignored when whoever
 * started us had them ignored, as nohup does. Call once, from main().
 */
enum bp_code bp_stop_install(struct bp_stop *stop, struct bp_err *err) BP_CHECK;

/* BP_ESTOPPED with a message once a signal came, else BP_OK. */
enum bp_code bp_stop_check(const struct bp_stop *stop, struct bp_err *err) BP_CHECK;

/*
 * Wait until fd is ready for events (POLLIN, POLLOUT), at most timeout_ms (-1: for ever).
 * fd -1 waits for the time or the stop only. *ready tells whether fd is; BP_ESTOPPED.
 */
enum bp_code bp_stop_wait(const struct bp_stop *stop, int fd, short events, int64_t timeout_ms,
                          bool *ready, struct bp_err *err) BP_CHECK;

#endif
