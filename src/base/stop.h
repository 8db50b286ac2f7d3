/*
 * Being asked to end. SIGINT, SIGTERM and SIGHUP (the terminal is gone) set a flag and make a file
 * descriptor readable, so that whatever waits wakes up at once, cleans up and returns BP_ESTOPPED.
 * Nothing happens in the signal handler itself. A stop is given to those who wait; tests make one
 * without signals. All but making and closing one may be done by several threads at once.
 */
#ifndef BP_BASE_STOP_H
#define BP_BASE_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct bp_stop {
    atomic_int signal;            /* 0 until asked */
    int fd;                       /* readable once asked; -1: never */
    int write_fd;                 /* -1: none */
    const struct bp_stop *parent; /* when that one is asked, so is this one; NULL: none */
    int64_t deadline_ms;          /* of the monotonic clock: the time is over then; 0: never */
    int64_t limit_ms;             /* how much time there was, for the message */
};

/*
 * Catch SIGINT, SIGTERM and SIGHUP, ignore SIGPIPE. SIGINT and SIGHUP stay ignored when whoever
 * started us had them ignored, as nohup does. Call once, from main().
 */
enum bp_code bp_stop_install(struct bp_stop *stop, struct bp_err *err) BP_CHECK;

/*
 * A stop that is asked for by the program itself: bp_stop_ask() makes every wait of every thread
 * end. It knows nothing of signals. Close it when nobody waits for it any more.
 */
enum bp_code bp_stop_open(struct bp_stop *stop, struct bp_err *err) BP_CHECK;
void bp_stop_ask(struct bp_stop *stop);
void bp_stop_close(struct bp_stop *stop); /* for BP_AUTO */

/* A stop like parent (which may be NULL) that also ends limit_ms from now; 0: without a limit. */
struct bp_stop bp_stop_limited(const struct bp_stop *parent, int64_t limit_ms);

/* The one above that has no limit, for what has to be done even when the time is over; may be
 * NULL. */
const struct bp_stop *bp_stop_unlimited(const struct bp_stop *stop);

/* What poll() has to look at; -1: nothing. */
int bp_stop_fd(const struct bp_stop *stop);

/* The signal that came, here or above; 0: none. */
int bp_stop_signal(const struct bp_stop *stop);

/* BP_ESTOPPED once a signal came, BP_ETIMEOUT once the time is over, else BP_OK. */
enum bp_code bp_stop_check(const struct bp_stop *stop, struct bp_err *err) BP_CHECK;

/*
 * Wait until fd is ready for events (POLLIN, POLLOUT), at most timeout_ms (-1: for ever).
 * fd -1 waits for the time or the stop only. *ready tells whether fd is; BP_ESTOPPED, BP_ETIMEOUT.
 */
enum bp_code bp_stop_wait(const struct bp_stop *stop, int fd, short events, int64_t timeout_ms,
                          bool *ready, struct bp_err *err) BP_CHECK;

#endif
