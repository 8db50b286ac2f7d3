/*
 * Run another program and wait for it. The child leads a process group of its own, so that it and
 * its own children end with us: on a stop, on a time-out, and (the child itself) when we are
 * killed. Secrets reach it through its environment or standard input, never through its arguments.
 */
#ifndef BP_BASE_CHILD_H
#define BP_BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

struct bp_child_job {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL at the end */
    const char *const *env;  /* the whole environment, "NAME=value"; NULL at the end */
    const char *dir;         /* working folder; NULL: ours */
    const char *input;       /* standard input; NULL: /dev/null */
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

#endif
