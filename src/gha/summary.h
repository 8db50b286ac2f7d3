/* The summary of a step: Markdown on the page of the workflow's run. */
#ifndef BP_GHA_SUMMARY_H
#define BP_GHA_SUMMARY_H

#include "base/env.h"
#include "base/err.h"
#include "base/secret.h"

/* GitHub shows nothing at all of a step that writes more bytes than this. */
enum { BP_GHA_SUMMARY_LIMIT = 1048576 };

/*
 * Add Markdown (base/markdown.h for what others wrote) to the step's summary; secrets are hidden.
 * With what the step has written before, it is cut at the end of a line to stay within the limit,
 * and says so. Without GITHUB_STEP_SUMMARY nothing happens. BP_EFAILED names the file.
 */
enum bp_code bp_gha_summary(const struct bp_env *env, const struct bp_secrets *secrets,
                            const char *markdown, struct bp_err *err) BP_CHECK;

#endif
