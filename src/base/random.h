/* Randomness from the system: for marks that nobody guesses, and for the seeds of jitter. */
#ifndef BP_BASE_RANDOM_H
#define BP_BASE_RANDOM_H

#include <stddef.h>

/*
 * Fill out with len random bytes. It never fails for the caller: the program ends with a message
 * when the system has none.
 */
void bp_random(void *out, size_t len);

#endif
