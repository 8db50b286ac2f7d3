#include "source/scratch.h"

void bp_scratch_freep(struct bp_scratch **scratch)
{
    if (*scratch != NULL)
        (*scratch)->ops->free(*scratch);
    *scratch = NULL;
}
