/* Adding to the files that a runner gives to each step. */
#ifndef BP_GHA_APPEND_H
#define BP_GHA_APPEND_H

#include "base/err.h"

/*
 * Add text to the end of the file, on a line of its own, never instead of what is there: other
 * commands of the same step write to it too. variable names the file in errors. BP_EFAILED.
 */
enum bp_code bp_gha_append(const char *variable, const char *path, const char *text,
                           struct bp_err *err) BP_CHECK;

#endif
