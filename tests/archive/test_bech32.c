#include <criterion/criterion.h>
#include <string.h>

#include "archive/bech32.h"

/* The key pair of age's specification. */
static const char secret[] =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
static const char public[] = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

Test(bech32, reads_and_writes_the_keys_of_the_specification)
{
    unsigned char expected[BP_BECH32_KEY_SIZE];
    unsigned char key[BP_BECH32_KEY_SIZE];
    char text[80];

    memset(expected, 0x42, sizeof(expected));
    cr_assert(bp_bech32_parse(secret, "AGE-SECRET-KEY-", key));
    cr_expect_arr_eq(key, expected, sizeof(key));
    bp_bech32_put(key, "AGE-SECRET-KEY-", text, sizeof(text));
    cr_expect_str_eq(text, secret);
    cr_assert(bp_bech32_parse(public, "age", key));
    bp_bech32_put(key, "age", text, sizeof(text));
    cr_expect_str_eq(text, public);
}

Test(bech32, notices_each_letter_that_was_changed_or_is_missing)
{
    unsigned char key[BP_BECH32_KEY_SIZE];
    char text[80];

    for (size_t i = 0; i < strlen(public); i++) {
        memcpy(text, public, sizeof(public));
        text[i] = text[i] == 'q' ? 'p' : 'q';
        cr_expect_not(bp_bech32_parse(text, "age", key), "letter %zu", i);
        memcpy(text, public, sizeof(public));
        text[i] = '\0';
        cr_expect_not(bp_bech32_parse(text, "age", key), "%zu letters", i);
        memcpy(text, public, sizeof(public));
        memmove(text + i, text + i + 1, sizeof(public) - i - 1);
        cr_expect_not(bp_bech32_parse(text, "age", key), "without letter %zu", i);
    }
}

Test(bech32, wants_one_case_and_the_right_prefix)
{
    static const char *const wrong[] = {
        "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
        "age1Zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj ",
        "age2zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "age1",
        "age",
        "",
        "agf1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"};
    unsigned char key[BP_BECH32_KEY_SIZE];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_not(bp_bech32_parse(wrong[i], "age", key), "%s", wrong[i]);
    cr_expect_not(bp_bech32_parse(public, "AGE-SECRET-KEY-", key));
    cr_expect_not(bp_bech32_parse(secret, "age", key));
}

Test(bech32, what_is_written_can_be_read)
{
    unsigned char key[BP_BECH32_KEY_SIZE];
    unsigned char again[BP_BECH32_KEY_SIZE];
    char text[80];

    for (unsigned round = 0; round < 256; round++) {
        for (unsigned i = 0; i < sizeof(key); i++)
            key[i] = (unsigned char)(round * 31 + i * (round | 1));
        bp_bech32_put(key, "age", text, sizeof(text));
        cr_assert(bp_bech32_parse(text, "age", again), "%s", text);
        cr_expect_arr_eq(key, again, sizeof(key));
    }
}
