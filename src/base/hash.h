/* SHA-256, in one call or as a stream. */
#ifndef BP_BASE_HASH_H
#define BP_BASE_HASH_H

#include <stddef.h>

#include "base/compiler.h"

enum { BP_SHA256_HEX_SIZE = 65 };

struct bp_sha256; /* a running hash */

struct bp_sha256 *bp_sha256_new(void) BP_CHECK;
void bp_sha256_add(struct bp_sha256 *hash, const void *data, size_t len);
/* Lower-case hex of all that was added; the hash starts afresh. */
void bp_sha256_end(struct bp_sha256 *hash, char out[BP_SHA256_HEX_SIZE]);
void bp_sha256_freep(struct bp_sha256 **hash); /* for BP_AUTO */

void bp_sha256_hex(const void *data, size_t len, char out[BP_SHA256_HEX_SIZE]);

#endif
