/*
 * Bech32 (BIP 173) of keys of 32 bytes, as age writes them: "age1...", "AGE-SECRET-KEY-1...".
 * https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki
 */
#ifndef BP_ARCHIVE_BECH32_H
#define BP_ARCHIVE_BECH32_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum { BP_BECH32_KEY_SIZE = 32 };

/* The prefix ("age", "AGE-SECRET-KEY-") and all that follows are of one case. false: it is none. */
bool bp_bech32_parse(const char *text, const char *prefix,
                     unsigned char out[BP_BECH32_KEY_SIZE]) BP_CHECK;

/* out has room for the prefix, 59 letters and a NUL. */
void bp_bech32_put(const unsigned char key[BP_BECH32_KEY_SIZE], const char *prefix, char *out,
                   size_t size);

#endif
