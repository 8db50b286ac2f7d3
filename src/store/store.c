#include "store/store.h"

void bp_store_freep(struct bp_store **store)
{
    if (*store != NULL)
        (*store)->ops->free(*store);
    *store = NULL;
}
