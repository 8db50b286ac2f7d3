/*
 * archive/sign.h: a key that is read signs so that its public half accepts it, and a signature is
 * accepted only of the text that it was made for.
 */
#include <string.h>

#include "archive/sign.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

static const char trusted_key[] = "RWQkeHaYfez68OPgEIwRkw+t0bJepQQ7GjA2N/gXhI2Hn3Wk0pqz+Rff";

static void check_secret(const char *text)
{
    BP_AUTO(bp_sign_key_wipe) struct bp_sign_key key;
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    struct bp_trusted_key own;
    const struct bp_trusted_keys keys = {.at = &own, .count = 1};
    struct bp_err err = {0};

    if (bp_sign_key_parse(text, "f", &key, &err) != BP_OK) {
        must(err.code == BP_EUSAGE && fuzz_is_plain(err.msg));
        return;
    }
    memcpy(own.id, key.id, sizeof(own.id));
    memcpy(own.public, key.secret + 32, sizeof(own.public));
    bp_sign(&key, text, strlen(text), "fuzz", &signature);
    must(bp_sign_check(&keys, text, strlen(text), signature.data, &err) == BP_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys keys = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys read = {0};
    struct bp_err err = {0};

    check_secret(text);
    if (bp_trusted_keys_add(&read, text, "f", &err) != BP_OK)
        must(err.code == BP_EUSAGE && read.count == 0 && fuzz_is_plain(err.msg));
    must(bp_trusted_keys_add(&keys, trusted_key, "k", &err) == BP_OK);
    if (bp_sign_check(&keys, "hello\n", 6, text, &err) != BP_OK)
        must(err.code == BP_EINTEGRITY && fuzz_is_plain(err.msg));
    must(bp_sign_check(&keys, "other\n", 6, text, &err) == BP_EINTEGRITY);
    return 0;
}
