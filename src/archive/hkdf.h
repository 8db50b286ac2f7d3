/*
 * HMAC (RFC 2104) and HKDF (RFC 5869) of SHA-256, over base/hash.h: the names of sealed files need
 * an HMAC of each byte of a backup, and libsodium's runs at a fifth of the speed.
 */
#ifndef BP_ARCHIVE_HKDF_H
#define BP_ARCHIVE_HKDF_H

#include <stddef.h>

#include "base/hash.h"

/* Bytes that somebody else holds. */
struct bp_bytes {
    const void *at;
    size_t len;
};

void bp_hmac(struct bp_bytes key, struct bp_bytes text, unsigned char out[BP_SHA256_SIZE]);

/* 32 bytes of key that come of the secret; an empty salt is none. */
void bp_hkdf(struct bp_bytes secret, struct bp_bytes salt, struct bp_bytes info,
             unsigned char out[BP_SHA256_SIZE]);

#endif
