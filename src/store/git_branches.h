/* Which branches a backup repository has. */
#ifndef BP_STORE_GIT_BRANCHES_H
#define BP_STORE_GIT_BRANCHES_H

#include "store/git.h"

/*
 * Their names, sorted, added to out. options->branch does not count. A clone that was never pushed
 * to has what it got from its origin. BP_EUNAVAILABLE, BP_EAUTH, BP_ENOTFOUND (no such repository).
 */
enum bp_code bp_git_branches(const struct bp_git_options *options, struct bp_list *out,
                             struct bp_err *err) BP_CHECK;

#endif
