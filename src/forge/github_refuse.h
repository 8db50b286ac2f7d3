/* What it means that a question was refused, for the person who asked. */
#ifndef BP_FORGE_GITHUB_REFUSE_H
#define BP_FORGE_GITHUB_REFUSE_H

#include "forge/forge.h"
#include "forge/github_api.h"

/* What became of a dispatch that was not accepted. */
enum bp_dispatch_outcome bp_github_outcome(const struct bp_github_answer *answer,
                                           const struct bp_reply *reply, const struct bp_err *err);

/* Says in err, which tells what failed, about what; for what is known well, in words of its own. */
void bp_github_explain(const struct bp_ask *ask, const struct bp_github_answer *answer,
                       struct bp_err *err);

#endif
