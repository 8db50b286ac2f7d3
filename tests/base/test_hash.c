#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* FIPS 180-2, appendix B, and the empty message. */
Test(hash, gives_the_published_results)
{
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char hex[BP_SHA256_HEX_SIZE];

        bp_sha256_hex(rows[i].text, strlen(rows[i].text), hex);
        cr_expect_str_eq(hex, rows[i].hex, "'%s'", rows[i].text);
    }
}

Test(hash, a_stream_gives_the_same_whatever_its_pieces)
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();
    BP_AUTO(bp_freep) char *million = bp_alloc(1000000, 1);
    char hex[BP_SHA256_HEX_SIZE];

    memset(million, 'a', 1000000);
    for (size_t at = 0, step = 1; at < 1000000; step = step * 3 % 1009) {
        size_t len = step < 1000000 - at ? step : 1000000 - at;

        bp_sha256_add(hash, million + at, len);
        at += len;
    }
    bp_sha256_end(hash, hex);
    cr_expect_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(hash, starts_afresh_after_its_end)
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();
    char hex[BP_SHA256_HEX_SIZE];

    bp_sha256_add(hash, "something else", 14);
    bp_sha256_end(hash, hex);
    bp_sha256_add(hash, "a", 1);
    bp_sha256_add(hash, NULL, 0);
    bp_sha256_add(hash, "bc", 2);
    bp_sha256_end(hash, hex);
    cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    bp_sha256_end(hash, hex);
    cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* FIPS 180-1, appendix A, and the empty message. */
Test(hash, sha1_gives_the_published_results)
{
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    };
    BP_AUTO(bp_sha1_freep) struct bp_sha1 *hash = bp_sha1_new();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char raw[BP_SHA1_SIZE];
        char hex[2 * BP_SHA1_SIZE + 1];

        for (const char *p = rows[i].text; *p != '\0'; p++)
            bp_sha1_add(hash, p, 1);
        bp_sha1_end(hash, raw);
        for (size_t j = 0; j < sizeof(raw); j++)
            (void)snprintf(hex + 2 * j, 3, "%02x", raw[j]);
        cr_expect_str_eq(hex, rows[i].hex, "'%s'", rows[i].text);
    }
}

Test(hash, the_bytes_are_those_of_the_digits)
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();
    unsigned char raw[BP_SHA256_SIZE];
    char hex[BP_SHA256_HEX_SIZE];

    for (int round = 0; round < 2; round++) {
        char got[BP_SHA256_HEX_SIZE];

        bp_sha256_add(hash, "abc", 3);
        bp_sha256_end_raw(hash, raw);
        bp_sha256_hex("abc", 3, hex);
        for (size_t i = 0; i < sizeof(raw); i++)
            (void)snprintf(got + 2 * i, 3, "%02x", raw[i]);
        cr_expect_str_eq(got, hex, "it starts afresh");
    }
}
