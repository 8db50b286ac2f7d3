/*
 * Speaking to a GitHub runner: workflow commands in what a step prints.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
#ifndef BP_GHA_COMMAND_H
#define BP_GHA_COMMAND_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/print.h"

/* Whether a runner reads what we print. */
bool bp_gha_is_runner(const struct bp_env *env);

/* Append text as the data of a command: "%", line ends are escaped. */
void bp_gha_put_data(struct bp_buf *out, const char *text);

/* The same for the value of a command's property, such as title: ":" and "," as well. */
void bp_gha_put_property(struct bp_buf *out, const char *text);

/*
 * For bp_out.annotate: shows a warning or an error on the run's page. A runner keeps ten of each
 * kind per step; further ones are counted in bp_out.annotated but not sent, so a caller that has
 * more to say sums it up in one.
 */
void bp_gha_annotate(struct bp_out *out, enum bp_severity severity, const char *message);

#endif
