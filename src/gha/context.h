/* What the environment of a workflow says of the run that we are part of. */
#ifndef BP_GHA_CONTEXT_H
#define BP_GHA_CONTEXT_H

#include "base/env.h"

struct bp_gha_context {
    const char *repository; /* lent; NULL outside a workflow */
    const char *ref;        /* the branch's name */
    const char *sha;
    const char *event;  /* push, pr, schedule, manual or standalone */
    const char *run_id; /* NULL outside a workflow */
    char run_url[512];  /* "" outside a workflow */
};

void bp_gha_context_read(const struct bp_env *env, struct bp_gha_context *out);

#endif
