/*
 * The outputs of a step, for later steps and jobs of the workflow.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
#ifndef BP_GHA_OUTPUTS_H
#define BP_GHA_OUTPUTS_H

#include "base/env.h"
#include "base/err.h"
#include "base/list.h"
#include "base/secret.h"

/*
 * Set outputs: pairs has a name and a value in turn. A value may have line ends; secrets in it are
 * hidden. Without GITHUB_OUTPUT nothing happens. BP_EFAILED names the file or the name that cannot
 * be one; then nothing is set, except when the disk is full in between.
 */
enum bp_code bp_gha_outputs(const struct bp_env *env, const struct bp_secrets *secrets,
                            const struct bp_list *pairs, struct bp_err *err) BP_CHECK;

#endif
