/*
 * Memory. Allocation never fails for the caller: the program ends with a message when the system
 * has none left. Nothing else in the project calls malloc, strdup or free.
 */
#ifndef BP_BASE_MEM_H
#define BP_BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"

/* Zeroed memory for count things of size bytes; owned by the caller. */
void *bp_alloc(size_t count, size_t size) BP_CHECK;

/* Grow or shrink; new bytes are not zeroed. */
void *bp_realloc(void *old, size_t count, size_t size) BP_CHECK;

/* Copies, owned by the caller. bp_strdup(NULL) is NULL. */
char *bp_strdup(const char *text) BP_CHECK;
char *bp_strndup(const char *text, size_t len) BP_CHECK;

/* A formatted string, owned by the caller. */
char *bp_format(const char *fmt, ...) BP_PRINTF(1, 2) BP_CHECK;

void bp_free(void *memory);

/* For BP_AUTO on a char * or any other plain pointer; pass the address of the pointer. */
void bp_freep(void *address_of_pointer);

/* Frees a secret after overwriting it; for BP_AUTO on char *. */
void bp_free_secretp(char **secret);

#endif
