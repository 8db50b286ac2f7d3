/* SHA-256 for proofs, SHA-1 for the names that Git gives; as streams or in one call. */
#ifndef BP_BASE_HASH_H
#define BP_BASE_HASH_H

#include <stddef.h>

#include "base/compiler.h"

enum { BP_SHA256_SIZE = 32, BP_SHA256_HEX_SIZE = 65 };

struct bp_sha256; /* a running hash */

struct bp_sha256 *bp_sha256_new(void) BP_CHECK;
void bp_sha256_add(struct bp_sha256 *hash, const void *data, size_t len);
/* Lower-case hex of all that was added; the hash starts afresh. */
void bp_sha256_end(struct bp_sha256 *hash, char out[BP_SHA256_HEX_SIZE]);
/* The same as bytes, for those who make very many. */
void bp_sha256_end_raw(struct bp_sha256 *hash, unsigned char out[BP_SHA256_SIZE]);
void bp_sha256_freep(struct bp_sha256 **hash); /* for BP_AUTO */

enum { BP_SHA1_SIZE = 20 };

struct bp_sha1; /* a running hash */

struct bp_sha1 *bp_sha1_new(void) BP_CHECK;
void bp_sha1_add(struct bp_sha1 *hash, const void *data, size_t len);
/* The bytes of the hash of all that was added; it starts afresh. */
void bp_sha1_end(struct bp_sha1 *hash, unsigned char out[BP_SHA1_SIZE]);
void bp_sha1_freep(struct bp_sha1 **hash); /* for BP_AUTO */

void bp_sha256_hex(const void *data, size_t len, char out[BP_SHA256_HEX_SIZE]);

#endif
