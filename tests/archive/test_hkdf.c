#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/hkdf.h"

static struct bp_bytes text(const char *t)
{
    return (struct bp_bytes){t, strlen(t)};
}

static void expect(const unsigned char got[BP_SHA256_SIZE], const char *hex)
{
    char shown[BP_SHA256_HEX_SIZE];

    for (size_t i = 0; i < BP_SHA256_SIZE; i++)
        (void)snprintf(shown + 2 * i, 3, "%02x", got[i]);
    cr_expect_str_eq(shown, hex);
}

/* RFC 4231, cases 1, 2 and 6. */
Test(hkdf, hmac_gives_what_the_rfc_says)
{
    unsigned char key[131];
    unsigned char out[BP_SHA256_SIZE];

    memset(key, 0x0b, 20);
    bp_hmac((struct bp_bytes){key, 20}, text("Hi There"), out);
    expect(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    bp_hmac(text("Jefe"), text("what do ya want for nothing?"), out);
    expect(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, 131);
    bp_hmac((struct bp_bytes){key, 131},
            text("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    expect(out, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, the first 32 bytes of cases 1 and 3. */
Test(hkdf, keys_are_what_the_rfc_says)
{
    unsigned char secret[22];
    unsigned char salt[13];
    unsigned char info[10];
    unsigned char out[BP_SHA256_SIZE];

    memset(secret, 0x0b, sizeof(secret));
    for (unsigned i = 0; i < sizeof(salt); i++)
        salt[i] = (unsigned char)i;
    for (unsigned i = 0; i < sizeof(info); i++)
        info[i] = (unsigned char)(0xf0 + i);
    bp_hkdf((struct bp_bytes){secret, sizeof(secret)}, (struct bp_bytes){salt, sizeof(salt)},
            (struct bp_bytes){info, sizeof(info)}, out);
    expect(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    bp_hkdf((struct bp_bytes){secret, sizeof(secret)}, (struct bp_bytes){NULL, 0},
            (struct bp_bytes){NULL, 0}, out);
    expect(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}
