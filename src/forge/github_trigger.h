/* Whether the file of a workflow would take a dispatch: what GitHub says only after sending it. */
#ifndef BP_FORGE_GITHUB_TRIGGER_H
#define BP_FORGE_GITHUB_TRIGGER_H

#include "forge/forge.h"

/*
 * BP_ASK_TRIGGER, for the file's text. BP_EFAILED: it would not, and why. BP_EUNAVAILABLE: it
 * cannot be known, the file is not understood.
 */
enum bp_code bp_github_judge(const struct bp_ask *ask, const char *text, size_t len,
                             struct bp_err *err) BP_CHECK;

/* The file has no trigger for a dispatch: BP_EFAILED. */
enum bp_code bp_github_no_trigger(const struct bp_ask *ask, struct bp_err *err);

#endif
