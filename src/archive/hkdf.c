#include "archive/hkdf.h"

#include <string.h>

#include "base/buf.h"

enum { BLOCK = 64 };

static void add_pad(struct bp_sha256 *hash, const unsigned char block[BLOCK], unsigned char pad)
{
    unsigned char mixed[BLOCK];

    for (size_t i = 0; i < BLOCK; i++)
        mixed[i] = block[i] ^ pad;
    bp_sha256_add(hash, mixed, BLOCK);
    explicit_bzero(mixed, BLOCK);
}

void bp_hmac(struct bp_bytes key, struct bp_bytes text, unsigned char out[BP_SHA256_SIZE])
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();
    unsigned char block[BLOCK] = {0};
    unsigned char inner[BP_SHA256_SIZE];

    if (key.len > BLOCK) {
        bp_sha256_add(hash, key.at, key.len);
        bp_sha256_end_raw(hash, block);
    } else if (key.len > 0) {
        memcpy(block, key.at, key.len);
    }
    add_pad(hash, block, 0x36);
    bp_sha256_add(hash, text.at, text.len);
    bp_sha256_end_raw(hash, inner);
    add_pad(hash, block, 0x5c);
    bp_sha256_add(hash, inner, sizeof(inner));
    bp_sha256_end_raw(hash, out);
    explicit_bzero(block, sizeof(block));
    explicit_bzero(inner, sizeof(inner));
}

void bp_hkdf(struct bp_bytes secret, struct bp_bytes salt, struct bp_bytes info,
             unsigned char out[BP_SHA256_SIZE])
{
    BP_AUTO(bp_buf_free) struct bp_buf expand = {0};
    unsigned char key[BP_SHA256_SIZE];

    bp_hmac(salt, secret, key);
    bp_buf_add(&expand, info.at, info.len);
    bp_buf_putc(&expand, 1); /* the first block is all that is needed */
    bp_hmac((struct bp_bytes){key, sizeof(key)}, (struct bp_bytes){expand.data, expand.len}, out);
    explicit_bzero(key, sizeof(key));
}
