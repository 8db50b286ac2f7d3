/*
 * The age format, version 1, with X25519: a file key, wrapped for each recipient in the header,
 * and the text in chunks of 64 KiB, each authenticated together with its place and with whether it
 * is the last one. https://c2sp.org/age
 */
#ifndef BP_ARCHIVE_AGE_H
#define BP_ARCHIVE_AGE_H

#include "archive/seal.h"

enum { BP_AGE_CHUNK = 64 << 10, BP_AGE_TAG = 16 };

/* The public key of a secret one. */
void bp_age_public(const unsigned char secret[BP_SEAL_KEY_SIZE],
                   unsigned char out[BP_SEAL_KEY_SIZE]);

/* Whether it can be one: those of small order give everybody the same secret. */
bool bp_age_is_public(const unsigned char key[BP_SEAL_KEY_SIZE]);

/* Encrypts a stream; as struct bp_sealer. BP_EUSAGE: there is no recipient. */
struct bp_age_writer;
struct bp_age_writer *bp_age_writer_new(const struct bp_recipients *recipients, bp_seal_sink *sink,
                                        void *ctx) BP_CHECK;
enum bp_code bp_age_writer_add(struct bp_age_writer *writer, const void *data, size_t len,
                               struct bp_err *err) BP_CHECK;
enum bp_code bp_age_writer_end(struct bp_age_writer *writer, struct bp_err *err) BP_CHECK;
void bp_age_writer_freep(struct bp_age_writer **writer); /* for BP_AUTO */

/* Decrypts one; errors as those of struct bp_unsealer, after which nothing more is added. */
struct bp_age_reader;
struct bp_age_reader *bp_age_reader_new(const struct bp_identities *identities, bp_seal_sink *sink,
                                        void *ctx) BP_CHECK;
enum bp_code bp_age_reader_add(struct bp_age_reader *reader, const void *data, size_t len,
                               struct bp_err *err) BP_CHECK;
enum bp_code bp_age_reader_end(struct bp_age_reader *reader, struct bp_err *err) BP_CHECK;
void bp_age_reader_freep(struct bp_age_reader **reader); /* for BP_AUTO */

#endif
