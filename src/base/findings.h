/* What a look before the work finds: one line each, with its fix. */
#ifndef BP_BASE_FINDINGS_H
#define BP_BASE_FINDINGS_H

#include <stddef.h>

#include "base/err.h"

enum bp_finding_level {
    BP_FOUND_OK,
    BP_FOUND_UNKNOWN, /* it could not be looked at */
    BP_FOUND_WARNING,
    BP_FOUND_FAILURE
};

/* Plain values but for the texts, which the list owns. */
struct bp_finding {
    enum bp_finding_level level;
    enum bp_code code; /* of a failure */
    char *about;       /* "token", "octo-org/app", "octo-org/app@main" */
    char *what;        /* "expires in 3 days" */
    char *fix;         /* what to do; "" when nothing is */
};

/* A zeroed struct is an empty list. */
struct bp_findings {
    struct bp_finding *at;
    size_t count;
};

/* text may end with "; hint: ...", which becomes the fix. Printf-style. */
void bp_findings_add(struct bp_findings *findings, enum bp_finding_level level, const char *about,
                     const char *fmt, ...) BP_PRINTF(4, 5);

/* The same, for a failure: an error's message may be too short for a long text. Printf-style. */
void bp_findings_refuse(struct bp_findings *findings, enum bp_code code, const char *about,
                        const char *fmt, ...) BP_PRINTF(4, 5);

/* A failure, from an error. */
void bp_findings_fail(struct bp_findings *findings, const char *about, const struct bp_err *err);

/* Bring together what is about the same, in the order in which it was first spoken of. */
void bp_findings_group(struct bp_findings *findings);

/* BP_OK without a failure; else the code that all failures share, or BP_EFAILED. */
enum bp_code bp_findings_verdict(const struct bp_findings *findings);

/* "ok", "unknown", "warning", "failure" */
const char *bp_findings_level_name(enum bp_finding_level level);

void bp_findings_free(struct bp_findings *findings); /* for BP_AUTO */

#endif
