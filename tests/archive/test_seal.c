#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/age.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"

enum { NO_LIMIT = 1 << 30, CHUNK = BP_AGE_CHUNK };

static struct bp_identities mine;
static struct bp_identities others;
static struct bp_recipients recipients; /* both */
static struct bp_buf sealed;
static struct bp_buf opened;
static struct bp_err err;

static void set_up(void)
{
    bp_identities_make(&mine);
    bp_identities_make(&others);
    bp_identity_recipient(&others, 0, &recipients);
    bp_identity_recipient(&mine, 0, &recipients);
}

static void tear_down(void)
{
    bp_identities_free(&mine);
    bp_identities_free(&others);
    bp_recipients_free(&recipients);
    bp_buf_free(&sealed);
    bp_buf_free(&opened);
}

TestSuite(seal, .init = set_up, .fini = tear_down);

static void seal(const void *text, size_t len)
{
    cr_assert_eq(bp_seal(&recipients, text, len, &sealed, &err), BP_OK, "%s", err.msg);
}

static enum bp_code unseal(const struct bp_identities *identities)
{
    return bp_unseal(identities, sealed.data, sealed.len, NO_LIMIT, &opened, &err);
}

Test(seal, what_is_sealed_is_opened_by_each_recipient)
{
    static const size_t sizes[] = {0, 1, 100, CHUNK, 4 * CHUNK + 1, 5000000};
    BP_AUTO(bp_freep) char *text = bp_alloc(5000000, 1);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        bp_random(text, sizes[i] / 2); /* half of it cannot be compressed */
        seal(text, sizes[i]);
        cr_assert_eq(unseal(&mine), BP_OK, "%zu: %s", sizes[i], err.msg);
        cr_expect(opened.len == sizes[i] && memcmp(bp_buf_str(&opened), text, sizes[i]) == 0);
        cr_assert_eq(unseal(&others), BP_OK, "%zu: %s", sizes[i], err.msg);
        cr_expect(opened.len == sizes[i] && memcmp(bp_buf_str(&opened), text, sizes[i]) == 0);
    }
}

Test(seal, a_stranger_opens_nothing)
{
    BP_AUTO(bp_identities_free) struct bp_identities stranger = {0};
    const struct bp_identities none = {0};

    bp_identities_make(&stranger);
    seal("text", 4);
    bp_buf_puts(&opened, "before");
    cr_expect_eq(unseal(&stranger), BP_EAUTH);
    cr_expect_eq(opened.len, 0);
    cr_expect_eq(unseal(&none), BP_EAUTH);
}

Test(seal, notices_each_byte_that_was_changed_and_each_cut)
{
    seal("a text that nobody may change", 29);
    for (size_t i = 0; i < sealed.len; i++) {
        size_t len = sealed.len;

        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            sealed.data[i] = (char)(sealed.data[i] ^ (char)bit);
            cr_expect_neq(unseal(&mine), BP_OK, "bit %u of byte %zu", bit, i);
            cr_expect_eq(opened.len, 0, "byte %zu", i);
            sealed.data[i] = (char)(sealed.data[i] ^ (char)bit);
        }
        sealed.len = i;
        cr_expect_eq(unseal(&mine), BP_EINTEGRITY, "%zu bytes", i);
        cr_expect_eq(opened.len, 0, "%zu bytes", i);
        sealed.len = len;
    }
    bp_buf_puts(&sealed, "x");
    cr_expect_eq(unseal(&mine), BP_EINTEGRITY, "a byte more");
}

/* What a sink has got, and when it has had enough. */
struct got {
    struct bp_buf text;
    size_t enough;
};

static enum bp_code collect(void *ctx, const void *data, size_t len, struct bp_err *e)
{
    struct got *got = ctx;

    bp_buf_add(&got->text, data, len);
    if (got->enough > 0 && got->text.len >= got->enough)
        return bp_fail(e, BP_EFAILED, "the disk is full");
    return BP_OK;
}

/* Feed it in pieces; what the sink got must be a true beginning. */
static enum bp_code feed(const char *text, size_t len, size_t step, struct got *got)
{
    BP_AUTO(bp_unsealer_freep)
    struct bp_unsealer *u = bp_unsealer_new(&mine, NO_LIMIT, collect, got);
    enum bp_code rc = BP_OK;

    for (size_t at = 0; at < sealed.len && rc == BP_OK; at += step)
        rc = bp_unsealer_add(u, sealed.data + at, sealed.len - at < step ? sealed.len - at : step,
                             &err);
    rc = bp_unsealer_end(u, &err); /* also after an error: it stays one */
    cr_expect(got->text.len <= len && memcmp(bp_buf_str(&got->text), text, got->text.len) == 0);
    return rc;
}

Test(seal, a_stream_gives_only_a_true_beginning)
{
    const size_t len = 6 * CHUNK;
    BP_AUTO(bp_freep) char *text = bp_alloc(len, 1);

    bp_random(text, len);
    seal(text, len);
    for (size_t at = 300; at < sealed.len; at += CHUNK / 2) {
        BP_AUTO(bp_buf_free) struct bp_buf whole = {0};
        struct got got = {0};

        bp_buf_add(&whole, sealed.data, sealed.len);
        sealed.data[at] ^= 1;
        cr_expect_neq(feed(text, len, 10007, &got), BP_OK, "byte %zu", at);
        cr_expect_leq(got.text.len, at);
        bp_buf_free(&got.text);
        memcpy(sealed.data, whole.data, whole.len);
        sealed.len = at;
        cr_expect_eq(feed(text, len, 10007, &got), BP_EINTEGRITY, "%zu bytes", at);
        bp_buf_free(&got.text);
        sealed.len = whole.len;
    }
}

Test(seal, streams_in_pieces_of_all_sizes)
{
    static const size_t steps[] = {1, 100, CHUNK, 1 << 20};
    const size_t len = 3 * CHUNK + 17;
    BP_AUTO(bp_freep) char *text = bp_alloc(len, 1);

    bp_random(text, len / 2);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct got all = {0};
        struct got got = {0};
        struct bp_sealer *s = bp_sealer_new(&recipients, collect, &all);

        for (size_t at = 0; at < len; at += steps[i])
            cr_assert_eq(
                bp_sealer_add(s, text + at, len - at < steps[i] ? len - at : steps[i], &err),
                BP_OK);
        cr_assert_eq(bp_sealer_end(s, &err), BP_OK);
        bp_sealer_freep(&s);
        bp_buf_free(&sealed);
        sealed = all.text;
        cr_expect_eq(feed(text, len, steps[i], &got), BP_OK, "%s", err.msg);
        cr_expect_eq(got.text.len, len);
        bp_buf_free(&got.text);
    }
}

Test(seal, an_error_of_the_sink_ends_the_work)
{
    const size_t len = 4 * CHUNK;
    BP_AUTO(bp_freep) char *text = bp_alloc(len, 1);
    struct got full = {.enough = 1000};
    struct bp_sealer *s = bp_sealer_new(&recipients, collect, &full);

    bp_random(text, len);
    cr_expect_eq(bp_sealer_add(s, text, len, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the disk is full");
    err = (struct bp_err){0};
    cr_expect_eq(bp_sealer_end(s, &err), BP_EFAILED, "it is not forgotten");
    cr_expect_str_eq(err.msg, "the disk is full");
    bp_sealer_freep(&s);
    bp_buf_free(&full.text);
    seal(text, len);
    cr_expect_eq(feed(text, len, 100, &full), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the disk is full");
    bp_buf_free(&full.text);
}

Test(seal, opens_no_more_than_the_limit)
{
    BP_AUTO(bp_freep) char *text = bp_alloc(100 << 20, 1);

    seal(text, 100 << 20);
    cr_expect_lt(sealed.len, 100000, "it is a bomb");
    cr_expect_eq(bp_unseal(&mine, sealed.data, sealed.len, (100 << 20) - 1, &opened, &err),
                 BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "larger than the limit of 104857599 bytes"), "%s", err.msg);
    cr_expect_eq(opened.len, 0);
    cr_expect_eq(bp_unseal(&mine, sealed.data, sealed.len, 100 << 20, &opened, &err), BP_OK);
}

/* Sealed by age alone, without zstd. */
static void only_age(const void *text, size_t len)
{
    struct got all = {0};
    struct bp_age_writer *w = bp_age_writer_new(&recipients, collect, &all);

    cr_assert_eq(bp_age_writer_add(w, text, len, &err), BP_OK);
    cr_assert_eq(bp_age_writer_end(w, &err), BP_OK);
    bp_age_writer_freep(&w);
    bp_buf_free(&sealed);
    sealed = all.text;
}

Test(seal, what_is_inside_must_be_a_whole_zstd_text)
{
    /* "hello\n" by zstd 1.5.4, then a frame that zstd passes over. */
    static const unsigned char hello[] = {
        0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x06, 0x31, 0x00, 0x00, 'h',  'e',  'l',  'l',  'o',
        '\n', 0x53, 0x88, 0xbd, 0x91, 0x50, 0x2a, 0x4d, 0x18, 0x01, 0x00, 0x00, 0x00, 'x'};
    const size_t frame = 19;

    only_age("plain text", 10);
    cr_expect_eq(unseal(&mine), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "no good zstd text"), "%s", err.msg);
    only_age("", 0);
    cr_expect_eq(unseal(&mine), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "no whole zstd text"), "%s", err.msg);
    only_age(hello, frame - 1);
    cr_expect_eq(unseal(&mine), BP_EINTEGRITY);
    cr_expect_not_null(strstr(err.msg, "no whole zstd text"), "%s", err.msg);
    only_age(hello, frame);
    cr_expect_eq(unseal(&mine), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&opened), "hello\n");
    only_age(hello, sizeof(hello));
    cr_expect_eq(unseal(&mine), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&opened), "hello\n");
    only_age(hello, frame + 1);
    cr_expect_eq(unseal(&mine), BP_EINTEGRITY);
}

struct crew {
    pthread_t thread;
    bool good;
};

static void *work(void *ctx)
{
    struct crew *self = ctx;
    BP_AUTO(bp_buf_free) struct bp_buf one = {0};
    BP_AUTO(bp_buf_free) struct bp_buf two = {0};
    struct bp_err e = {0};

    self->good = true;
    for (int i = 0; i < 50; i++)
        self->good = self->good && bp_seal(&recipients, "text", 4, &one, &e) == BP_OK &&
                     bp_unseal(&mine, one.data, one.len, 100, &two, &e) == BP_OK && two.len == 4;
    return NULL;
}

Test(seal, threads_seal_at_once)
{
    struct crew crew[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&crew[i].thread, NULL, work, &crew[i]), 0);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(pthread_join(crew[i].thread, NULL), 0);
        cr_expect(crew[i].good);
    }
}

static void read_data(const char *name, struct bp_buf *out)
{
    const char *folder = getenv("BP_TEST_DATA");
    BP_AUTO(bp_freep) char *path = NULL;

    if (folder == NULL)
        cr_skip_test("BP_TEST_DATA is not set");
    path = bp_format("%s/age/%s", folder, name);
    bp_buf_cut(out, 0);
    cr_assert_eq(bp_file_read(path, 1 << 20, out, &err), BP_OK, "%s", err.msg);
}

Test(seal, opens_what_age_and_zstd_made)
{
    BP_AUTO(bp_identities_free) struct bp_identities published = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};

    read_data("identity.txt", &text);
    cr_assert_eq(bp_identities_add(&published, text.data, "k", &err), BP_OK, "%s", err.msg);
    read_data("rows.sql", &rows);
    read_data("one.zst.age", &sealed);
    cr_expect_eq(unseal(&published), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&opened), rows.data);
    read_data("two.zst.age", &sealed);
    cr_expect_eq(unseal(&published), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&opened), rows.data);
    read_data("empty.zst.age", &sealed);
    cr_expect_eq(unseal(&published), BP_OK, "%s", err.msg);
    cr_expect_eq(opened.len, 0);
    read_data("other.zst.age", &sealed);
    cr_expect_eq(unseal(&published), BP_EAUTH);
    read_data("nothing.age", &sealed);
    cr_expect_eq(unseal(&published), BP_EINTEGRITY);
}
