/*
 * The file of a workflow, as far as a dispatch depends on it: its trigger, its inputs, its
 * run-name. Somebody else wrote it, so size, depth and number of its nodes are limited, and an
 * alias is never expanded.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
 */
#ifndef BP_FORGE_GITHUB_WORKFLOW_H
#define BP_FORGE_GITHUB_WORKFLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"

enum { BP_WORKFLOW_INPUTS_MAX = 25 }; /* more, and GitHub refuses the file */

enum bp_workflow_type {
    BP_WORKFLOW_TEXT,
    BP_WORKFLOW_CHOICE,
    BP_WORKFLOW_BOOLEAN,
    BP_WORKFLOW_NUMBER,
    BP_WORKFLOW_OTHER /* an environment, or what a later GitHub brings */
};

struct bp_workflow_input {
    char *name;
    enum bp_workflow_type type;
    bool required;
    bool has_default;       /* one that is not empty */
    struct bp_list options; /* of a choice; empty: unknown */
};

struct bp_workflow_file {
    bool dispatchable;  /* it has a workflow_dispatch trigger */
    size_t input_count; /* declared; when there are more than the limit, inputs holds none */
    struct bp_workflow_input inputs[BP_WORKFLOW_INPUTS_MAX];
    char *run_name; /* NULL: none */
};

/*
 * To be freed whatever comes back. BP_EFAILED: it is no YAML, or it is written in a way that is
 * not understood here; GitHub may understand it all the same.
 */
enum bp_code bp_workflow_read(const char *text, size_t len, struct bp_workflow_file *out,
                              struct bp_err *err) BP_CHECK;

void bp_workflow_free(struct bp_workflow_file *file); /* for BP_AUTO */

#endif
