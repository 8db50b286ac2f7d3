/*
 * All text leaves the program here: results on stdout, everything else on stderr. Each piece is
 * masked (base/secret.h), and on a GitHub runner it is made harmless: "::" at the start of a line
 * and "##[" anywhere would be taken for a workflow command.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
#ifndef BP_BASE_PRINT_H
#define BP_BASE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/secret.h"

enum bp_level { BP_LEVEL_QUIET, BP_LEVEL_NORMAL, BP_LEVEL_VERBOSE };
enum bp_severity { BP_SEVERITY_WARNING, BP_SEVERITY_ERROR };

struct bp_out {
    FILE *out;
    FILE *err;
    struct bp_clock *clock; /* paces progress lines */
    struct bp_secrets secrets;
    enum bp_level level;
    bool color;
    bool terminal; /* stderr is one: progress rewrites its line */
    bool runner;   /* a GitHub runner reads us */
    /* Called with each warning and error, unless NULL: the place for annotations. */
    void (*annotate)(struct bp_out *out, enum bp_severity severity, const char *message);
    int annotated[2]; /* how many of each severity annotate was given */

    bool progress_shown;
    int64_t progress_due_ms;
};

/* Results: to stdout, whatever the level. */
void bp_print(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);

/* To stderr with a line end: what is done (not with --quiet), and details (--verbose only). */
void bp_info(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);
void bp_debug(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);

/* To stderr as "backproof: warning: ..." and "backproof: error: ...", whatever the level. */
void bp_warn(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);
void bp_error(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);

/* How far the work is: one rewritten line on a terminal, a plain line every 10 s elsewhere. */
void bp_progress(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);

/* Remove the progress line, before the last words. */
void bp_progress_end(struct bp_out *out);

/* A question to the person at the terminal, without a line end. To stderr. */
void bp_ask(struct bp_out *out, const char *fmt, ...) BP_PRINTF(2, 3);

/*
 * A workflow command, already escaped by gha/: masked, but not made harmless. To stderr, which a
 * runner reads as well: stdout holds results alone.
 */
void bp_print_command(struct bp_out *out, const char *line);

#endif
