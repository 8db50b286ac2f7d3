/* The part of the manifest that a verification leaves: how far the archive was proved. */
#ifndef BP_ARCHIVE_MANIFEST_VERIFICATION_H
#define BP_ARCHIVE_MANIFEST_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/list.h"

struct bp_manifest_verification {
    char *level; /* "L0" to "L5"; NULL or "": never verified, and the others mean nothing */
    int64_t at_ms;
    int64_t took_ms;
    struct bp_list except; /* what could not be proved to this level, in words: an extension that
                              the scratch server lacks ... Then it is never plain "verified" */
};

bool bp_manifest_is_verified(const struct bp_manifest_verification *verification);

/* An object; without a key when never verified. Owned by the caller. */
struct bp_json *
bp_manifest_verification_render(const struct bp_manifest_verification *verification) BP_CHECK;

/* Fill verification from such an object (or NULL). BP_EINTEGRITY: a level that there is not, or
 * one without its time. */
enum bp_code bp_manifest_verification_parse(const struct bp_json *object,
                                            struct bp_manifest_verification *verification,
                                            struct bp_err *err) BP_CHECK;

/*
 * Append the text of a manifest with another verification (NULL: an empty one), and each other byte
 * as it was, whoever wrote it. BP_EINTEGRITY: there is no such line.
 */
enum bp_code bp_manifest_set_verification(const char *text, size_t len,
                                          const struct bp_manifest_verification *verification,
                                          struct bp_buf *out, struct bp_err *err) BP_CHECK;

void bp_manifest_verification_free(struct bp_manifest_verification *verification);

#endif
