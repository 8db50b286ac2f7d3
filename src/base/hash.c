/*
 * OpenSSL's libcrypto, which libpq and libcurl load anyway: it uses the processor's SHA
 * instructions where libsodium's portable code runs at a fifth of the speed, and every byte of a
 * backup passes here.
 */
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/mem.h"

struct bp_sha256 {
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (ok != 1)
        abort(); /* only an exhausted or broken libcrypto gets here */
}

struct bp_sha256 *bp_sha256_new(void)
{
    struct bp_sha256 *hash = bp_alloc(1, sizeof(*hash));

    hash->ctx = EVP_MD_CTX_new();
    must(hash->ctx != NULL);
    must(EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL));
    return hash;
}

void bp_sha256_add(struct bp_sha256 *hash, const void *data, size_t len)
{
    must(EVP_DigestUpdate(hash->ctx, data, len));
}

void bp_sha256_end_raw(struct bp_sha256 *hash, unsigned char out[BP_SHA256_SIZE])
{
    must(EVP_DigestFinal_ex(hash->ctx, out, NULL));
    must(EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL));
}

void bp_sha256_end(struct bp_sha256 *hash, char out[BP_SHA256_HEX_SIZE])
{
    unsigned char digest[BP_SHA256_SIZE];

    bp_sha256_end_raw(hash, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void bp_sha256_freep(struct bp_sha256 **hash)
{
    if (*hash != NULL)
        EVP_MD_CTX_free((*hash)->ctx);
    bp_free(*hash);
    *hash = NULL;
}

struct bp_sha1 {
    EVP_MD_CTX *ctx;
};

struct bp_sha1 *bp_sha1_new(void)
{
    struct bp_sha1 *hash = bp_alloc(1, sizeof(*hash));

    hash->ctx = EVP_MD_CTX_new();
    must(hash->ctx != NULL);
    must(EVP_DigestInit_ex(hash->ctx, EVP_sha1(), NULL));
    return hash;
}

void bp_sha1_add(struct bp_sha1 *hash, const void *data, size_t len)
{
    must(EVP_DigestUpdate(hash->ctx, data, len));
}

void bp_sha1_end(struct bp_sha1 *hash, unsigned char out[BP_SHA1_SIZE])
{
    must(EVP_DigestFinal_ex(hash->ctx, out, NULL));
    must(EVP_DigestInit_ex(hash->ctx, EVP_sha1(), NULL));
}

void bp_sha1_freep(struct bp_sha1 **hash)
{
    if (*hash != NULL)
        EVP_MD_CTX_free((*hash)->ctx);
    bp_free(*hash);
    *hash = NULL;
}

void bp_sha256_hex(const void *data, size_t len, char out[BP_SHA256_HEX_SIZE])
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();

    bp_sha256_add(hash, data, len);
    bp_sha256_end(hash, out);
}
