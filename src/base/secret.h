/*
 * Secrets that must never be shown. A secret is registered the moment it is read; every text that
 * leaves the program passes bp_secrets_mask(), which replaces each form of it: as it is, trimmed,
 * URL-escaped, percent-decoded, in a JSON string, base64 (alone and as the password of
 * "x-access-token"), and each line of a multi-line one. Forms shorter than 4 bytes are not masked:
 * they would hide ordinary words.
 */
#ifndef BP_BASE_SECRET_H
#define BP_BASE_SECRET_H

#include "base/buf.h"
#include "base/list.h"

struct bp_secrets {
    struct bp_list forms; /* longest first */
};

void bp_secrets_add(struct bp_secrets *secrets, const char *secret);

/* Append text with every known form replaced by "***". */
void bp_secrets_mask(const struct bp_secrets *secrets, const char *text, struct bp_buf *out);

void bp_secrets_free(struct bp_secrets *secrets); /* overwrites the forms */

#endif
