/* Files that are made here by hand: good ones, and those that only somebody with a key could make.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <sodium.h>

#include "archive/age.h"
#include "archive/age_header.h"
#include "archive/hkdf.h"
#include "base/mem.h"

enum { WHOLE = BP_AGE_CHUNK };

static struct bp_identities identities;
static struct bp_recipients recipients;
static struct bp_buf file;
static struct bp_buf opened;
static struct bp_err err;

/* Of the file that is being made. */
static const unsigned char file_key[16] = {1, 2, 3};
static unsigned char stream_key[32];
static unsigned number;

static void tear_down(void)
{
    bp_identities_free(&identities);
    bp_recipients_free(&recipients);
    bp_buf_free(&file);
    bp_buf_free(&opened);
}

static void set_up(void)
{
    cr_assert_geq(sodium_init(), 0);
    bp_identities_make(&identities);
    bp_identity_recipient(&identities, 0, &recipients);
}

TestSuite(age, .init = set_up, .fini = tear_down);

static enum bp_code append(void *ctx, const void *data, size_t len, struct bp_err *e)
{
    (void)e;
    bp_buf_add(ctx, data, len);
    return BP_OK;
}

static enum bp_code open_file(size_t step)
{
    BP_AUTO(bp_age_reader_freep)
    struct bp_age_reader *reader = bp_age_reader_new(&identities, append, &opened);

    bp_buf_cut(&opened, 0);
    for (size_t at = 0; at < file.len; at += step) {
        size_t len = file.len - at < step ? file.len - at : step;

        if (bp_age_reader_add(reader, file.data + at, len, &err) != BP_OK)
            return err.code;
    }
    return bp_age_reader_end(reader, &err);
}

static struct bp_age_stanza wrapped(void)
{
    static const unsigned char nonce[12];
    static const char info[] = "age-encryption.org/v1/X25519";
    struct bp_age_stanza stanza;
    unsigned char secret[32] = {9};
    unsigned char shared[32];
    unsigned char salt[64];
    unsigned char key[32];

    bp_age_public(secret, stanza.share);
    cr_assert_eq(crypto_scalarmult(shared, secret, recipients.at[0]), 0);
    memcpy(salt, stanza.share, 32);
    memcpy(salt + 32, recipients.at[0], 32);
    bp_hkdf((struct bp_bytes){shared, 32}, (struct bp_bytes){salt, 64},
            (struct bp_bytes){info, strlen(info)}, key);
    crypto_aead_chacha20poly1305_ietf_encrypt(stanza.body, NULL, file_key, 16, NULL, 0, NULL, nonce,
                                              key);
    return stanza;
}

/* The header up to its end, with these texts around our stanza. */
static void begin(const char *before, const char *after)
{
    static const unsigned char nonce[16] = {7};
    const struct bp_age_stanza stanza = wrapped();
    unsigned char key[32];
    unsigned char mac[32];

    bp_age_header_begin(&file);
    bp_buf_puts(&file, before);
    bp_age_header_stanza(&stanza, &file);
    bp_buf_puts(&file, after);
    bp_age_header_end(&file);
    bp_hkdf((struct bp_bytes){file_key, 16}, (struct bp_bytes){NULL, 0},
            (struct bp_bytes){"header", 6}, key);
    bp_hmac((struct bp_bytes){key, 32}, (struct bp_bytes){file.data, file.len}, mac);
    bp_age_header_mac(mac, &file);
    bp_buf_add(&file, nonce, 16);
    bp_hkdf((struct bp_bytes){file_key, 16}, (struct bp_bytes){nonce, 16},
            (struct bp_bytes){"payload", 7}, stream_key);
    number = 0;
}

static void chunk(size_t len, bool last)
{
    static unsigned char text[WHOLE + 1];
    static unsigned char sealed[WHOLE + 1 + BP_AGE_TAG];
    unsigned char nonce[12] = {0};

    memset(text, (int)('a' + number), len);
    nonce[10] = (unsigned char)number++;
    nonce[11] = last;
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, text, len, NULL, 0, NULL, nonce,
                                              stream_key);
    bp_buf_add(&file, sealed, len + BP_AGE_TAG);
}

Test(age, opens_chunks_of_all_sizes_in_pieces_of_all_sizes)
{
    static const size_t steps[] = {1, 63, 4096, WHOLE + BP_AGE_TAG, SIZE_MAX};

    begin("", "");
    chunk(WHOLE, false);
    chunk(WHOLE, false);
    chunk(1, true);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        cr_expect_eq(open_file(steps[i]), BP_OK, "%s", err.msg);
        cr_expect_eq(opened.len, 2 * WHOLE + 1);
        cr_expect_eq(opened.data[WHOLE], 'b');
        cr_expect_eq(opened.data[2 * WHOLE], 'c');
    }
}

Test(age, a_last_chunk_may_be_whole_and_an_empty_text_is_one_empty_chunk)
{
    begin("", "");
    chunk(WHOLE, true);
    cr_expect_eq(open_file(1000), BP_OK, "%s", err.msg);
    cr_expect_eq(opened.len, WHOLE);
    bp_buf_cut(&file, 0);
    begin("", "");
    chunk(0, true);
    cr_expect_eq(open_file(1000), BP_OK, "%s", err.msg);
    cr_expect_eq(opened.len, 0);
}

Test(age, passes_over_stanzas_of_other_kinds)
{
    BP_AUTO(bp_buf_free) struct bp_buf many = {0};

    for (int i = 0; i < 100; i++)
        bp_buf_puts(&many, "-> grease-x a b\nAAAA\n");
    begin(many.data, "-> other\n\n");
    chunk(5, true);
    cr_expect_eq(open_file(100), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&opened), "aaaaa");
}

Test(age, refuses_an_end_that_is_none)
{
    static const struct {
        size_t first;
        bool first_last;
        size_t second;
        bool second_last;
        size_t good; /* bytes that were proved all the same */
    } ends[] = {
        {WHOLE, false, 0, true, WHOLE},  /* an empty chunk behind another one */
        {WHOLE, false, 5, false, WHOLE}, /* none is the last one */
        {WHOLE, true, 5, true, 0},       /* two are */
        {10, false, 5, true, 0},         /* a short one in the middle */
        {WHOLE, false, WHOLE + 1, true, WHOLE},
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        bp_buf_cut(&file, 0);
        begin("", "");
        chunk(ends[i].first, ends[i].first_last);
        chunk(ends[i].second, ends[i].second_last);
        cr_expect_eq(open_file(SIZE_MAX), BP_EINTEGRITY, "%zu", i);
        cr_expect_eq(opened.len, ends[i].good, "%zu", i);
    }
}

Test(age, refuses_chunks_that_changed_places_are_missing_or_come_twice)
{
    size_t start = 0;
    const size_t size = WHOLE + BP_AGE_TAG;
    BP_AUTO(bp_buf_free) struct bp_buf whole = {0};

    begin("", "");
    start = file.len;
    chunk(WHOLE, false);
    chunk(WHOLE, false);
    chunk(WHOLE, true);
    bp_buf_add(&whole, file.data, file.len);
    memcpy(file.data + start, whole.data + start + size, size);
    memcpy(file.data + start + size, whole.data + start, size);
    cr_expect_eq(open_file(SIZE_MAX), BP_EINTEGRITY, "the first two changed places");
    cr_expect_eq(opened.len, 0);
    bp_buf_cut(&file, start);
    bp_buf_add(&file, whole.data + start, 2 * size);
    cr_expect_eq(open_file(SIZE_MAX), BP_EINTEGRITY, "the last one is missing");
    cr_expect_eq(opened.len, WHOLE);
    bp_buf_cut(&file, start);
    bp_buf_add(&file, whole.data + start, size);
    bp_buf_add(&file, whole.data + start, 3 * size);
    cr_expect_eq(open_file(SIZE_MAX), BP_EINTEGRITY, "the first one comes twice");
    cr_expect_eq(opened.len, WHOLE);
    bp_buf_cut(&file, 0);
    bp_buf_add(&file, whole.data, whole.len);
    bp_buf_puts(&file, "x");
    cr_expect_eq(open_file(SIZE_MAX), BP_EINTEGRITY, "something comes behind");
    cr_expect_eq(opened.len, 2 * WHOLE);
}

Test(age, refuses_a_share_that_gives_everybody_the_same_secret)
{
    struct bp_age_stanza zero = {.body = {0}};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_age_header_stanza(&zero, &text);
    begin(text.data, "");
    chunk(5, true);
    cr_expect_eq(open_file(100), BP_EINTEGRITY);
    cr_expect_eq(opened.len, 0);
    cr_expect_not(bp_age_is_public(zero.share));
    cr_expect(bp_age_is_public(recipients.at[0]));
}

Test(age, refuses_a_header_that_somebody_added_to)
{
    size_t end = 0;
    BP_AUTO(bp_buf_free) struct bp_buf changed = {0};

    begin("", "");
    chunk(5, true);
    end = (size_t)((const char *)memmem(file.data, file.len, "\n---", 4) - file.data) + 1;
    bp_buf_add(&changed, file.data, end);
    bp_buf_puts(&changed, "-> grease\n\n");
    bp_buf_add(&changed, file.data + end, file.len - end);
    bp_buf_cut(&file, 0);
    bp_buf_add(&file, changed.data, changed.len);
    cr_expect_eq(open_file(100), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "its age header was tampered with");
}

Test(age, has_a_limit_for_the_header)
{
    bp_age_header_begin(&file);
    while (file.len <= BP_AGE_HEADER_LIMIT)
        bp_buf_puts(&file, "-> a\n\n");
    cr_expect_eq(open_file(1 << 20), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "limit of 131072 bytes"), "%s", err.msg);
    bp_buf_puts(&file, "--- end\n");
    cr_expect_eq(open_file(1 << 20), BP_EINTEGRITY);
}

Test(age, says_what_it_is_not)
{
    bp_buf_puts(&file, "-----BEGIN AGE ENCRYPTED FILE-----\n");
    cr_expect_eq(open_file(1), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "it is no age file");
    bp_buf_cut(&file, 0);
    cr_expect_eq(open_file(1), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "it is cut off");
}

Test(age, what_is_written_is_read_and_needs_a_recipient)
{
    static const size_t sizes[] = {0, 1, WHOLE - 1, WHOLE, WHOLE + 1, 2 * WHOLE, 3 * WHOLE + 5};
    BP_AUTO(bp_freep) char *text = bp_alloc(4 * WHOLE, 1);
    struct bp_recipients none = {0};
    struct bp_age_writer *writer = bp_age_writer_new(&none, append, &file);

    cr_expect_eq(bp_age_writer_add(writer, "x", 1, &err), BP_EUSAGE);
    bp_age_writer_freep(&writer);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        bp_buf_cut(&file, 0);
        writer = bp_age_writer_new(&recipients, append, &file);
        cr_assert_eq(bp_age_writer_add(writer, text, sizes[i] / 3, &err), BP_OK);
        cr_assert_eq(bp_age_writer_add(writer, text, sizes[i] - sizes[i] / 3, &err), BP_OK);
        cr_assert_eq(bp_age_writer_end(writer, &err), BP_OK);
        bp_age_writer_freep(&writer);
        cr_expect_eq(open_file(10000), BP_OK, "%zu: %s", sizes[i], err.msg);
        cr_expect_eq(opened.len, sizes[i]);
    }
}
