#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/seal.h"
#include "base/mem.h"

#define SECRET "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
#define PUBLIC "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

static struct bp_recipients recipients;
static struct bp_identities identities;
static struct bp_err err;

static void tear_down(void)
{
    bp_recipients_free(&recipients);
    bp_identities_free(&identities);
}

TestSuite(seal_keys, .fini = tear_down);

Test(seal_keys, the_recipient_of_an_identity_is_what_age_says)
{
    char text[BP_IDENTITY_SIZE];

    cr_assert_eq(bp_identities_add(&identities, SECRET, "k", &err), BP_OK, "%s", err.msg);
    bp_identity_text(&identities, 0, text);
    cr_expect_str_eq(text, SECRET);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_recipient_text(&recipients, 0, text);
    cr_expect_str_eq(text, PUBLIC);
    bp_identity_recipient(&identities, 0, &recipients);
    cr_expect_eq(recipients.count, 1, "it is there already");
}

Test(seal_keys, files_have_comments_and_empty_lines_and_may_come_from_windows)
{
    BP_AUTO(bp_identities_free) struct bp_identities made = {0};
    BP_AUTO(bp_recipients_free) struct bp_recipients theirs = {0};
    BP_AUTO(bp_freep) char *text = NULL;
    char second[BP_RECIPIENT_SIZE];

    bp_identities_make(&made);
    bp_identity_recipient(&made, 0, &theirs);
    bp_recipient_text(&theirs, 0, second);
    text = bp_format("# ops\r\n" PUBLIC "\r\n\r\n  %s\n" PUBLIC, second);
    cr_assert_eq(bp_recipients_add(&recipients, text, "r", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(recipients.count, 2, "one is there twice");
    cr_assert_eq(
        bp_identities_add(&identities, "# x\n# public key: " PUBLIC "\n" SECRET "\n", "k", &err),
        BP_OK, "%s", err.msg);
    cr_expect_eq(identities.count, 1);
}

Test(seal_keys, two_new_identities_are_different)
{
    bp_identities_make(&identities);
    bp_identities_make(&identities);
    cr_assert_eq(identities.count, 2);
    cr_expect_neq(memcmp(identities.at[0], identities.at[1], BP_SEAL_KEY_SIZE), 0);
}

Test(seal_keys, what_is_no_recipient_is_named_by_its_line_and_never_shown)
{
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"", "'f' holds no key"},
        {"# only\n\n", "'f' holds no key"},
        {PUBLIC "\nnonsense\n", "'f', line 2 is no age recipient"},
        {"\n" SECRET "\n", "'f', line 2 is a secret key"},
        {"age-secret-key-1gfpyy", "line 1 is a secret key"},
        {"ssh-ed25519 AAAAC3Nza", "line 1 is an SSH key"},
        {"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwk", "is no age recipient"},
        /* Zero: of small order. */
        {"age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z", "is no age recipient"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(bp_recipients_add(&recipients, wrong[i].text, "'f'", &err), BP_EUSAGE);
        cr_expect_not_null(strstr(err.msg, wrong[i].words), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "nonsense"), "%s", err.msg);
        cr_expect_null(strcasestr(err.msg, "gfpyy"), "%s", err.msg);
    }
}

Test(seal_keys, what_is_no_identity_is_named_by_its_line_and_never_shown)
{
    static const struct {
        const char *text;
        const char *words;
    } wrong[] = {
        {"", "'f' holds no key"},
        {PUBLIC, "'f', line 1 is a recipient, which opens nothing"},
        {"# x\n" SECRET "X", "'f', line 2 is no age identity"},
        {"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEQ",
         "is no age identity"},
        {"age-encryption.org/v1\n-> scrypt a 18\n", "'f' is locked with a passphrase"},
        {"-----BEGIN AGE ENCRYPTED FILE-----\n", "'f' is locked with a passphrase"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(bp_identities_add(&identities, wrong[i].text, "'f'", &err), BP_EUSAGE);
        cr_expect_not_null(strstr(err.msg, wrong[i].words), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "GFPYY"), "%s", err.msg);
    }
    cr_expect_null(identities.at);
}

Test(seal_keys, there_is_a_limit_of_recipients)
{
    BP_AUTO(bp_recipients_free) struct bp_recipients many = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (int i = 0; i <= BP_RECIPIENTS_LIMIT; i++)
        bp_identities_make(&identities);
    for (size_t i = 0; i <= BP_RECIPIENTS_LIMIT; i++) {
        char one[BP_RECIPIENT_SIZE];

        bp_identity_recipient(&identities, i, &many);
        bp_recipient_text(&many, i, one);
        bp_buf_printf(&text, "%s\n", one);
    }
    cr_expect_eq(bp_recipients_add(&recipients, text.data, "r", &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "more than 64 recipients"), "%s", err.msg);
}

Test(seal_keys, a_chunk_key_is_64_hex_digits)
{
    static const char *const wrong[] = {
        "",
        "00",
        "xyz",
        "g000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000000000000000000000000000000000000000000",
        "00000000000000000000000000000000000000000000000000000000000000000"};
    struct bp_chunk_key key;
    struct bp_chunk_key again;
    char text[BP_SEAL_NAME_SIZE];
    BP_AUTO(bp_freep) char *file = NULL;

    bp_chunk_key_make(text);
    file = bp_format("# created\n%s\n", text);
    cr_expect_eq(bp_chunk_key_parse(text, &key, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_chunk_key_parse(file, &again, &err), BP_OK, "%s", err.msg);
    cr_expect(key.given && memcmp(key.bytes, again.bytes, sizeof(key.bytes)) == 0);
    cr_expect_eq(
        bp_chunk_key_parse("AbcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCDEF01234567", &key,
                           &err),
        BP_OK);
    cr_expect_eq(key.bytes[0], 0xab);
    cr_expect_eq(key.bytes[31], 0x67);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(bp_chunk_key_parse(wrong[i], &key, &err), BP_EUSAGE, "%s", wrong[i]);
        cr_expect_not(key.given);
        cr_expect_null(strstr(err.msg, "000"), "%s", err.msg);
    }
}

static void name(const struct bp_chunk_key *key, const struct bp_recipients *for_whom,
                 const char *text, char out[BP_SEAL_NAME_SIZE])
{
    bp_seal_name(key, for_whom, text, strlen(text), out);
    cr_expect_eq(strspn(out, "0123456789abcdef"), 64, "%s", out);
}

Test(seal_keys, a_name_depends_on_the_content_the_key_and_the_recipients)
{
    const struct bp_chunk_key key = {.bytes = {1}, .given = true};
    const struct bp_chunk_key other = {.bytes = {2}, .given = true};
    const struct bp_chunk_key none = {.given = false};
    struct bp_recipients turned = {0};
    struct bp_recipients fewer = {0};
    char one[BP_SEAL_NAME_SIZE];
    char two[BP_SEAL_NAME_SIZE];

    bp_identities_make(&identities);
    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
    bp_identity_recipient(&identities, 0, &fewer);
    bp_identity_recipient(&identities, 1, &recipients);
    bp_identity_recipient(&identities, 1, &turned);
    bp_identity_recipient(&identities, 0, &turned);
    name(&key, &recipients, "text", one);
    name(&key, &recipients, "text", two);
    cr_expect_str_eq(one, two);
    name(&key, &turned, "text", two);
    cr_expect_str_eq(one, two, "the order of the recipients says nothing");
    name(&key, &recipients, "texT", two);
    cr_expect_str_neq(one, two);
    name(&other, &recipients, "text", two);
    cr_expect_str_neq(one, two);
    name(&key, &fewer, "text", two);
    cr_expect_str_neq(one, two);
    name(&none, &recipients, "text", one);
    name(&none, &recipients, "text", two);
    cr_expect_str_neq(one, two, "without a key names are random");
    bp_recipients_free(&turned);
    bp_recipients_free(&fewer);
}

/* Changing it makes every sealed archive be sent anew. */
Test(seal_keys, names_stay_what_they_were)
{
    struct bp_chunk_key key = {.given = true};
    char text[BP_SEAL_NAME_SIZE];

    for (unsigned i = 0; i < BP_SEAL_KEY_SIZE; i++)
        key.bytes[i] = (unsigned char)i;
    cr_assert_eq(bp_recipients_add(&recipients, PUBLIC, "r", &err), BP_OK);
    name(&key, &recipients, "text", text);
    cr_expect_str_eq(text, "443daececf3991c6228f24357e6326b4940d2112d101b9082706fb7aca6c9d58");
}
