/*
 * Signatures over a manifest in minisign's format (Ed25519 over BLAKE2b-512):
 * https://jedisct1.github.io/minisign/. Encryption to a public key tells nothing about who did it;
 * this does.
 *
 * What is signed is the manifest as it was when the backup was made: with an empty
 * "verification", because that is written later, by others (bp_manifest_set_verification()).
 */
#ifndef BP_ARCHIVE_SIGN_H
#define BP_ARCHIVE_SIGN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define BP_SIGNATURE_NAME "manifest.json.minisig"

enum { BP_SIGNATURE_LIMIT = 4096, BP_TRUSTED_KEYS_LIMIT = 64 };

struct bp_sign_key {
    unsigned char id[8];
    unsigned char secret[64];
};

struct bp_trusted_keys {
    struct bp_trusted_key {
        unsigned char id[8];
        unsigned char public[32];
    } * at; /* owned */
    size_t count;
};

/* From minisign's secret key file without a password (minisign -G -W), or the one line of it that
 * counts. BP_EUSAGE, also for one with a password; the text is never shown. */
enum bp_code bp_sign_key_parse(const char *text, const char *name, struct bp_sign_key *out,
                               struct bp_err *err) BP_CHECK;

/* A new key pair as the two files of minisign. */
void bp_sign_key_make(struct bp_buf *secret_file, struct bp_buf *public_file);
void bp_sign_key_wipe(struct bp_sign_key *key); /* for BP_AUTO */

/* Add a public key: minisign's file or its one line "RW...". BP_EUSAGE. */
enum bp_code bp_trusted_keys_add(struct bp_trusted_keys *keys, const char *text, const char *name,
                                 struct bp_err *err) BP_CHECK;
/* Add the public half of a signing key. */
void bp_trusted_keys_add_own(struct bp_trusted_keys *keys, const struct bp_sign_key *key);
void bp_trusted_keys_free(struct bp_trusted_keys *keys); /* for BP_AUTO */

/* Append the signature file of a text; comment is the trusted comment, one line. */
void bp_sign(const struct bp_sign_key *key, const void *text, size_t len, const char *comment,
             struct bp_buf *out);

/* BP_EINTEGRITY: the signature is damaged, by a key that is not trusted (its id is named), or of
 * another text. */
enum bp_code bp_sign_check(const struct bp_trusted_keys *keys, const void *text, size_t len,
                           const char *signature, struct bp_err *err) BP_CHECK;

#endif
