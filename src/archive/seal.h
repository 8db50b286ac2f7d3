/*
 * Sealing: zstd, then the age format, version 1, with X25519 recipients. What seals holds public
 * keys only, and `age -d -i KEY FILE | zstd -d` opens it without this program.
 *
 * https://c2sp.org/age and RFC 8878. Not here: passphrases, SSH keys, ASCII armor, plugins.
 */
#ifndef BP_ARCHIVE_SEAL_H
#define BP_ARCHIVE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    BP_SEAL_KEY_SIZE = 32,
    BP_RECIPIENT_SIZE = 80, /* of "age1...", with its NUL */
    BP_IDENTITY_SIZE = 80,  /* of "AGE-SECRET-KEY-1...", with its NUL */
    BP_SEAL_NAME_SIZE = 65, /* of a name in hex, with its NUL */
    BP_RECIPIENTS_LIMIT = 64
};

/* Public keys; zeroed: none. at[i] is the key, in the order in which they were added. */
struct bp_recipients {
    unsigned char (*at)[BP_SEAL_KEY_SIZE];
    size_t count;
};

/* Secret keys; zeroed: none. Freed memory is overwritten. */
struct bp_identities {
    unsigned char (*at)[BP_SEAL_KEY_SIZE];
    size_t count;
};

/*
 * Add the recipients in a text: one "age1..." a line, with empty lines and "# comments", as in
 * age's own recipient files; one that is there already is passed over. name is where the text comes
 * from, for messages, which name the line too and never show the text itself (somebody may have
 * given a secret key by mistake; that is said). BP_EUSAGE.
 */
enum bp_code bp_recipients_add(struct bp_recipients *recipients, const char *text, const char *name,
                               struct bp_err *err) BP_CHECK;
/* "age1..." of recipient i. */
void bp_recipient_text(const struct bp_recipients *recipients, size_t i,
                       char out[BP_RECIPIENT_SIZE]);
void bp_recipients_free(struct bp_recipients *recipients); /* for BP_AUTO */

/* The same for "AGE-SECRET-KEY-1...". No part of the text is ever in a message. */
enum bp_code bp_identities_add(struct bp_identities *identities, const char *text, const char *name,
                               struct bp_err *err) BP_CHECK;
/* Make a new one and add it. */
void bp_identities_make(struct bp_identities *identities);
/* "AGE-SECRET-KEY-1..." of identity i. The caller overwrites it. */
void bp_identity_text(const struct bp_identities *identities, size_t i, char out[BP_IDENTITY_SIZE]);
/* Add the recipient of identity i to recipients. */
void bp_identity_recipient(const struct bp_identities *identities, size_t i,
                           struct bp_recipients *recipients);
void bp_identities_free(struct bp_identities *identities); /* for BP_AUTO */

/* Gets the next bytes of the result; lent for the call. An error ends the work and is returned. */
typedef enum bp_code bp_seal_sink(void *ctx, const void *data, size_t len, struct bp_err *err);

/*
 * Seal a stream: add() any number of times, then end() once. Memory does not grow with it. All
 * pointers are lent for its life. A sealer is one thread's; several threads may each have one.
 */
struct bp_sealer;
struct bp_sealer *bp_sealer_new(const struct bp_recipients *recipients, bp_seal_sink *sink,
                                void *ctx) BP_CHECK;
enum bp_code bp_sealer_add(struct bp_sealer *sealer, const void *data, size_t len,
                           struct bp_err *err) BP_CHECK;
enum bp_code bp_sealer_end(struct bp_sealer *sealer, struct bp_err *err) BP_CHECK;
void bp_sealer_freep(struct bp_sealer **sealer); /* for BP_AUTO */

/*
 * Open a stream. The sink gets bytes of chunks (64 KiB) that were authenticated, each after the one
 * before it, so they are a true beginning of the text; that it is all of it is known only when
 * end() says BP_OK: whoever must not act on a part waits for that.
 *
 * BP_EINTEGRITY: it is no age file, was tampered with, cut off, reordered, or is no zstd inside.
 * BP_EAUTH: none of the identities can open it. BP_EFAILED: it becomes larger than limit.
 */
struct bp_unsealer;
struct bp_unsealer *bp_unsealer_new(const struct bp_identities *identities, size_t limit,
                                    bp_seal_sink *sink, void *ctx) BP_CHECK;
enum bp_code bp_unsealer_add(struct bp_unsealer *unsealer, const void *data, size_t len,
                             struct bp_err *err) BP_CHECK;
enum bp_code bp_unsealer_end(struct bp_unsealer *unsealer, struct bp_err *err) BP_CHECK;
void bp_unsealer_freep(struct bp_unsealer **unsealer); /* for BP_AUTO */

/* Whole texts: replace out by the sealed, or by the opened one (never by a part of it). */
enum bp_code bp_seal(const struct bp_recipients *recipients, const void *data, size_t len,
                     struct bp_buf *out, struct bp_err *err) BP_CHECK;
enum bp_code bp_unseal(const struct bp_identities *identities, const void *data, size_t len,
                       size_t limit, struct bp_buf *out, struct bp_err *err) BP_CHECK;

/*
 * The chunk key: a secret that gives a content the same name each time, so that what has not
 * changed is found again without being read. Who has it can tell whether an archive holds a text
 * that he knows; he can read nothing.
 */
struct bp_chunk_key {
    unsigned char bytes[BP_SEAL_KEY_SIZE];
    bool given; /* without it names are random */
};

/* From 64 hex digits. BP_EUSAGE; the message does not show the text. */
enum bp_code bp_chunk_key_parse(const char *text, struct bp_chunk_key *out,
                                struct bp_err *err) BP_CHECK;
/* A new one, as text. */
void bp_chunk_key_make(char out[BP_SEAL_NAME_SIZE]);

/*
 * The name of a sealed file, in hex: HMAC-SHA256 of the content under a key that comes of the chunk
 * key and the set of recipients (with another set everything is sealed anew, so that a new
 * recipient can open it all). Random without a chunk key. For several threads at once.
 */
void bp_seal_name(const struct bp_chunk_key *key, const struct bp_recipients *recipients,
                  const void *data, size_t len, char out[BP_SEAL_NAME_SIZE]);

#endif
