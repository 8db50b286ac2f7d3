/* Where to dispatch: a workflow of a repository, on a branch. */
#ifndef BP_FLOW_DISPATCH_TARGETS_H
#define BP_FLOW_DISPATCH_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/json.h"
#include "base/list.h"

struct bp_dispatch_target {
    char *repo; /* "owner/name" */
    char *workflow;
    char *branch;
};

enum { BP_DISPATCH_TARGETS_MAX = 100 };

/* A growing list that owns its texts. A zeroed struct is an empty list. */
struct bp_dispatch_targets {
    struct bp_dispatch_target *at;
    size_t count;
};

/* What the options say. All lent; repo may be NULL when no branch is given. */
struct bp_dispatch_targets_spec {
    const char *repo;
    const char *workflow;
    const struct bp_list *branches; /* of repo */
    const struct bp_list *targets;  /* "owner/name@branch" or "owner/name@branch:workflow" */
    bool or_default;                /* without any: the default branch of repo, named "" */
};

/*
 * Fills out, which must be empty. At least one target, at most BP_DISPATCH_TARGETS_MAX, none twice;
 * a repository's name has the characters that GitHub allows. BP_EUSAGE.
 */
enum bp_code bp_dispatch_targets_read(const struct bp_dispatch_targets_spec *spec,
                                      struct bp_dispatch_targets *out, struct bp_err *err) BP_CHECK;

/* Whether both are of the same workflow: the case of a repository's name does not matter. */
bool bp_dispatch_targets_share_workflow(const struct bp_dispatch_target *a,
                                        const struct bp_dispatch_target *b);

void bp_dispatch_targets_free(struct bp_dispatch_targets *targets); /* for BP_AUTO */

/*
 * The inputs of a dispatch from text: a JSON object of at most 25 values. BP_EUSAGE. Owned by the
 * caller.
 */
enum bp_code bp_dispatch_targets_inputs(const char *text, struct bp_json **out,
                                        struct bp_err *err) BP_CHECK;

#endif
