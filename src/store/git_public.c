#include "store/git_internal.h"

enum bp_code bp_git_is_public(struct bp_store *self, bool *out, struct bp_err *err)
{
    (void)self;
    (void)err;
    *out = false;
    return BP_OK;
}
