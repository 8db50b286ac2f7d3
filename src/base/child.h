/*
 * Run another program and wait for it. The child leads a process group of its own, so that it and
 * its own children end with us: on a stop, on a time-out, and (the child itself) when we are
 * killed. Secrets reach it through its environment or standard input, never through its arguments.
 */
#ifndef BP_BASE_CHILD_H
#define BP_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/* Somebody else to run a program as; only root can. */
struct bp_child_user {
    uid_t uid;
    gid_t gid;
};

struct bp_child_job {
    const char *const *argv;          /* argv[0] is looked up in PATH; NULL at the end */
    const char *const *env;           /* the whole environment, "NAME=value"; NULL at the end */
    const char *dir;                  /* working folder; NULL: ours */
    const struct bp_child_user *user; /* NULL: as ourselves */
    const char *input;                /* standard input; NULL: /dev/null */
    size_t input_len;
    size_t output_limit; /* of standard output, in bytes; more is an error; 0: 1 MiB */
    int64_t timeout_ms;  /* 0: none */
    struct bp_clock *clock;
};

struct bp_child_result {
    int exit_status;    /* 128 + N when signal N ended it */
    struct bp_buf out;  /* standard output */
    struct bp_buf errs; /* the last 8 KiB of standard error */
};

/*
 * BP_OK when the program ran, whatever its exit status. BP_ENOTFOUND when there is no such
 * program; BP_ETIMEOUT, BP_ESTOPPED after ending it; BP_EFAILED when output_limit was passed.
 */
enum bp_code bp_child_run(const struct bp_child_job *job, struct bp_child_result *result,
                          struct bp_err *err) BP_CHECK;

void bp_child_result_free(struct bp_child_result *result); /* for BP_AUTO */

/*
 * A program that goes on while we do other things: a server. It ends when we do, however that
 * happens, and when the thread that started it ends.
 */
struct bp_child;

/*
 * Start one; of the job argv, env, dir and user count. Its output goes into the file at
 * log, which is made for it alone. end_signal is what ends it at once, and it is sent by the kernel
 * when we are gone. Owned by the caller.
 */
enum bp_code bp_child_start(const struct bp_child_job *job, const char *log, int end_signal,
                            struct bp_child **out, struct bp_err *err) BP_CHECK;

/* Whether it has ended by itself. */
bool bp_child_ended(struct bp_child *child);

/* Send end_signal, wait, and after ten seconds kill it. It is gone afterwards. For BP_AUTO. */
void bp_child_stopp(struct bp_child **child);

/* The user of this name; false: there is none. */
bool bp_child_user_find(const char *name, struct bp_child_user *out);

#endif
