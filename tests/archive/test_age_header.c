#include <criterion/criterion.h>
#include <string.h>

#include "archive/age_header.h"
#include "base/mem.h"

#define MAGIC "age-encryption.org/v1\n"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#define BODY  "EREREREREREREREREREREREREREREREREREREREREQ"
#define MAC   "--- VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU\n"
#define MINE  "-> X25519 " SHARE "\n" BODY "E\n"
#define LINE  "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKL"

static enum bp_code parse(const char *text, struct bp_age_header *out, struct bp_err *err)
{
    return bp_age_header_parse(text, strlen(text), out, err);
}

Test(age_header, reads_what_it_writes)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
    struct bp_age_stanza stanza = {.share = {1, 2, 3}, .body = {4, 5, 6}};
    unsigned char mac[BP_AGE_PART_SIZE] = {7, 8, 9};
    struct bp_err err = {0};
    size_t maced = 0;

    bp_age_header_begin(&text);
    bp_age_header_stanza(&stanza, &text);
    stanza.share[31] = 0xff;
    bp_age_header_stanza(&stanza, &text);
    bp_age_header_end(&text);
    maced = text.len;
    bp_age_header_mac(mac, &text);
    cr_expect_eq(bp_age_header_size(text.data, text.len), text.len);
    cr_assert_eq(bp_age_header_parse(text.data, text.len, &header, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(header.count, 2);
    cr_expect_eq(header.all, 2);
    cr_expect_eq(header.maced, maced);
    cr_expect_arr_eq(header.mac, mac, sizeof(mac));
    cr_expect_arr_eq(header.at[1].share, stanza.share, sizeof(stanza.share));
    cr_expect_arr_eq(header.at[1].body, stanza.body, sizeof(stanza.body));
}

Test(age_header, passes_over_what_others_wrote)
{
    static const char *const others[] = {
        "-> grease\n\n",
        "-> x25519 " SHARE "\n" BODY "E\n",
        "-> ssh-ed25519 xk+TSA xSh4cYHalYztTjXKULvJhGWIEp8gCSIQ/zx13jGzalw\n" BODY "E\n",
        "-> ~!#-grease a b c d\n" LINE "\n" LINE "\n\n",
        "-> a\n" LINE "\nAA\n",
        "-> scrypt salt 18\n" BODY "E\n"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
        BP_AUTO(bp_freep) char *before = bp_format(MAGIC "%s" MINE MAC, others[i]);
        BP_AUTO(bp_freep) char *alone = bp_format(MAGIC "%s" MAC, others[i]);
        struct bp_err err = {0};

        cr_assert_eq(parse(alone, &header, &err), BP_OK, "%s%s", alone, err.msg);
        cr_expect_eq(header.all, 1);
        cr_expect_eq(header.count, 0);
        bp_age_header_free(&header);
        if (strstr(others[i], "scrypt") != NULL) {
            cr_expect_eq(parse(before, &header, &err), BP_EINTEGRITY, "a passphrase stands alone");
            continue;
        }
        cr_assert_eq(parse(before, &header, &err), BP_OK, "%s%s", before, err.msg);
        cr_expect_eq(header.all, 2);
        cr_expect_eq(header.count, 1);
        cr_expect_eq(header.at[0].share[31], 1);
    }
}

Test(age_header, refuses_what_is_not_as_the_specification_says)
{
    static const char *const wrong[] = {
        "",
        MAGIC,
        MAGIC MINE,
        MAGIC MAC,
        MINE MAC,
        "age-encryption.org/v2\n" MINE MAC,
        "age-encryption.org/v1\r\n" MINE MAC,
        MAGIC "\n" MINE MAC,
        MAGIC "->\n\n" MAC,
        MAGIC "-> \n\n" MAC,
        MAGIC "->a\n\n" MAC,
        MAGIC "-> a \n\n" MAC,
        MAGIC "-> a  b\n\n" MAC,
        MAGIC "->  a\n\n" MAC,
        MAGIC "-> a\tb\n\n" MAC,
        MAGIC "-> \xc3\xa4\n\n" MAC,
        MAGIC "-> a\n" LINE "A\n\n" MAC, /* too long a line */
        MAGIC "-> a\n" LINE "\n" MAC,    /* no end of the body */
        MAGIC "-> a\nA\n" MAC,           /* a digit too many */
        MAGIC "-> a\nAB\n" MAC,          /* bits that are left over */
        MAGIC "-> a\nAA==\n" MAC,        /* padding */
        MAGIC "-> a\nA-\n" MAC,
        MAGIC "-> a\nA A\n" MAC,
        MAGIC "-> X25519\n" BODY "E\n" MAC,
        MAGIC "-> X25519 " SHARE " a\n" BODY "E\n" MAC,
        MAGIC "-> X25519 " SHARE "A\n" BODY "E\n" MAC,
        MAGIC "-> X25519 AAAA\n" BODY "E\n" MAC,
        MAGIC "-> X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAF\n" BODY "E\n" MAC,
        MAGIC "-> X25519 " SHARE "\n" BODY "\n" MAC,
        MAGIC "-> X25519 " SHARE "\n" LINE "\n" BODY "E\n" MAC,
        MAGIC "-> X25519 " SHARE "\n\n" MAC,
        MAGIC MINE "---\n",
        MAGIC MINE "--- \n",
        MAGIC MINE "---VVVV\n",
        MAGIC MINE "--- VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV\n",
        MAGIC MINE "--- VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU=\n",
        MAGIC MINE "--- VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU \n",
        MAGIC MINE MAC "x"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
        struct bp_err err = {0};

        cr_expect_eq(parse(wrong[i], &header, &err), BP_EINTEGRITY, "%zu: %s", i, wrong[i]);
        cr_expect_null(header.at);
    }
}

Test(age_header, has_a_limit_of_recipients)
{
    BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    bp_buf_puts(&text, MAGIC);
    for (int i = 0; i <= BP_AGE_STANZAS_LIMIT; i++)
        bp_buf_puts(&text, "-> a\n\n");
    bp_buf_puts(&text, MAC);
    cr_expect_eq(parse(text.data, &header, &err), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "more than 256 recipients"), "%s", err.msg);
}

Test(age_header, its_end_is_found_when_it_is_there)
{
    static const char whole[] = MAGIC MINE MAC "payload\n--- no header\n";
    size_t end = strlen(MAGIC MINE MAC);

    for (size_t len = 0; len < strlen(whole); len++)
        cr_expect_eq(bp_age_header_size(whole, len), len < end ? 0 : end, "%zu", len);
    cr_expect(bp_age_header_begins("", 0));
    cr_expect(bp_age_header_begins("age-enc", 7));
    cr_expect_not(bp_age_header_begins("age_enc", 7));
    cr_expect_not(bp_age_header_begins("-----BEGIN AGE ENCRYPTED FILE-----\n", 35));
}
