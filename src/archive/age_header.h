/*
 * The header of an age file: text, read strictly, as https://c2sp.org/age asks. Nothing here knows
 * a key.
 */
#ifndef BP_ARCHIVE_AGE_HEADER_H
#define BP_ARCHIVE_AGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    BP_AGE_PART_SIZE = 32, /* of a share, of a wrapped file key, of the MAC */
    BP_AGE_HEADER_LIMIT = 128 << 10,
    BP_AGE_STANZAS_LIMIT = 256
};

struct bp_age_header {
    struct bp_age_stanza {
        unsigned char share[BP_AGE_PART_SIZE];
        unsigned char body[BP_AGE_PART_SIZE];
    } * at;       /* those for X25519; owned */
    size_t count; /* of these */
    size_t all;   /* of whatever kind */
    unsigned char mac[BP_AGE_PART_SIZE];
    size_t maced; /* how many bytes of the text it covers */
};

/* Append what every header begins with, a stanza, and the end without the MAC. */
void bp_age_header_begin(struct bp_buf *out);
void bp_age_header_stanza(const struct bp_age_stanza *stanza, struct bp_buf *out);
void bp_age_header_end(struct bp_buf *out);
/* Append the MAC of what there is up to here. */
void bp_age_header_mac(const unsigned char mac[BP_AGE_PART_SIZE], struct bp_buf *out);

/* Whether this can be the beginning of an age file. */
bool bp_age_header_begins(const char *text, size_t len);

/* How many bytes of the text are its header; 0: it does not end here. */
size_t bp_age_header_size(const char *text, size_t len);

/* Read one: that many bytes. BP_EINTEGRITY. */
enum bp_code bp_age_header_parse(const char *text, size_t len, struct bp_age_header *out,
                                 struct bp_err *err) BP_CHECK;
void bp_age_header_free(struct bp_age_header *header); /* for BP_AUTO */

#endif
