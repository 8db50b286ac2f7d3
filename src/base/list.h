/* A growing list of strings that it owns. A zeroed struct is an empty list. */
#ifndef BP_BASE_LIST_H
#define BP_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct bp_list {
    char **at;
    size_t count;
    size_t size; /* allocated */
};

void bp_list_add(struct bp_list *list, const char *text); /* copies text */
void bp_list_addf(struct bp_list *list, const char *fmt, ...) BP_PRINTF(2, 3);
void bp_list_take(struct bp_list *list, char *text); /* takes over text */
bool bp_list_has(const struct bp_list *list, const char *text);
void bp_list_sort(struct bp_list *list); /* by byte value */
void bp_list_free(struct bp_list *list); /* for BP_AUTO */

#endif
