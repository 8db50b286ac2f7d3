/*
 * The one error type.
 *
 * A function that can fail takes a `struct bp_err *` as its last parameter and returns a code;
 * BP_OK is zero. The struct lives on the caller's stack. Messages are lower case without a full
 * stop, name the thing and the reason, and may end with a "hint: ..." sentence that tells the fix:
 *
 *     return bp_fail(err, BP_ENOTFOUND, "no workflow '%s' in %s", file, repo);
 *
 * Running out of memory is not an error that callers handle: base/mem.c ends the program.
 */
#ifndef BP_BASE_ERR_H
#define BP_BASE_ERR_H

#include <stdbool.h>

#include "base/compiler.h"

/* Each code has one exit status: README has the table. */
enum bp_code {
    BP_OK = 0,
    BP_EFAILED,      /* the work failed */
    BP_EUSAGE,       /* usage or configuration */
    BP_EAUTH,        /* token, password or permission */
    BP_ENOTFOUND,    /* repository, workflow, branch, archive */
    BP_EUNAVAILABLE, /* unreachable, outage or rate limit */
    BP_ETIMEOUT,     /* a deadline passed */
    BP_ELOCKED,      /* locked by somebody else, or a race was lost */
    BP_EINTEGRITY,   /* a checksum, signature or restore proof failed */
    BP_ESTOPPED,     /* a signal asked the program to end */
    BP_CODE_COUNT
};

struct bp_err {
    enum bp_code code;
    char msg[1024];
};

/* Fill err (which may be NULL) and return code. */
enum bp_code bp_fail(struct bp_err *err, enum bp_code code, const char *fmt, ...) BP_PRINTF(3, 4);

/* Put "context: " in front of the message that err holds; return its code. */
enum bp_code bp_wrap(struct bp_err *err, const char *fmt, ...) BP_PRINTF(2, 3);

/* "not-found", "timeout", ...; never NULL. */
const char *bp_code_name(enum bp_code code);

/* The exit status of README's table. BP_ESTOPPED gives 130; cmd/app.c refines it by the signal. */
int bp_code_exit_status(enum bp_code code);

#endif
