#include "archive/age.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "archive/age_header.h"
#include "archive/hkdf.h"
#include "base/mem.h"
#include "base/random.h"

enum { FILE_KEY = 16, NONCE = 16, STEP = 4096 };

/* Of one file; overwritten when it goes out of scope. */
struct keys {
    unsigned char file[FILE_KEY];
};

/* Where a stream is. */
struct stream {
    unsigned char key[BP_SEAL_KEY_SIZE];
    uint64_t chunk; /* the next one's number */
};

struct bp_age_writer {
    const struct bp_recipients *recipients;
    bp_seal_sink *sink;
    void *ctx;
    bool begun;
    struct stream stream;
    size_t filled;
    unsigned char chunk[BP_AGE_CHUNK];
    unsigned char sealed[BP_AGE_CHUNK + BP_AGE_TAG];
};

struct bp_age_reader {
    const struct bp_identities *identities;
    bp_seal_sink *sink;
    void *ctx;
    bool begun; /* the header and the nonce were read */
    struct bp_buf header;
    struct stream stream;
    size_t filled;
    unsigned char chunk[BP_AGE_CHUNK + BP_AGE_TAG];
    unsigned char opened[BP_AGE_CHUNK];
};

/* Cheap when it was done before; threads may do it at once. */
static void begin_sodium(void)
{
    if (sodium_init() < 0)
        abort();
}

static void wipe_keys(struct keys *keys)
{
    sodium_memzero(keys, sizeof(*keys));
}

/* ---- keys ---- */

void bp_age_public(const unsigned char secret[BP_SEAL_KEY_SIZE],
                   unsigned char out[BP_SEAL_KEY_SIZE])
{
    begin_sodium();
    if (crypto_scalarmult_base(out, secret) != 0)
        abort(); /* the base point is not of small order */
}

bool bp_age_is_public(const unsigned char key[BP_SEAL_KEY_SIZE])
{
    const unsigned char any[BP_SEAL_KEY_SIZE] = {1};
    unsigned char shared[BP_SEAL_KEY_SIZE];

    begin_sodium();
    return crypto_scalarmult(shared, any, key) == 0;
}

/* The key that wraps a file key: of what both sides know. */
static void wrap_key(const unsigned char shared[BP_SEAL_KEY_SIZE],
                     const unsigned char share[BP_SEAL_KEY_SIZE],
                     const unsigned char recipient[BP_SEAL_KEY_SIZE],
                     unsigned char out[BP_SEAL_KEY_SIZE])
{
    static const char info[] = "age-encryption.org/v1/X25519";
    unsigned char salt[2 * BP_SEAL_KEY_SIZE];

    memcpy(salt, share, BP_SEAL_KEY_SIZE);
    memcpy(salt + BP_SEAL_KEY_SIZE, recipient, BP_SEAL_KEY_SIZE);
    bp_hkdf((struct bp_bytes){shared, BP_SEAL_KEY_SIZE}, (struct bp_bytes){salt, sizeof(salt)},
            (struct bp_bytes){info, strlen(info)}, out);
}

/* false: the recipient's key is of small order. */
static bool wrap(const struct keys *keys, const unsigned char recipient[BP_SEAL_KEY_SIZE],
                 struct bp_age_stanza *out)
{
    static const unsigned char nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    unsigned char secret[BP_SEAL_KEY_SIZE];
    unsigned char shared[BP_SEAL_KEY_SIZE];
    unsigned char key[BP_SEAL_KEY_SIZE];
    bool good = false;

    bp_random(secret, sizeof(secret));
    bp_age_public(secret, out->share);
    good = crypto_scalarmult(shared, secret, recipient) == 0;
    if (good) {
        wrap_key(shared, out->share, recipient, key);
        (void)crypto_aead_chacha20poly1305_ietf_encrypt(out->body, NULL, keys->file, FILE_KEY, NULL,
                                                        0, NULL, nonce, key);
    }
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(key, sizeof(key));
    return good;
}

/* BP_EAUTH: it is somebody else's. */
static enum bp_code unwrap(const unsigned char identity[BP_SEAL_KEY_SIZE],
                           const struct bp_age_stanza *stanza, struct keys *keys,
                           struct bp_err *err)
{
    static const unsigned char nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    unsigned char recipient[BP_SEAL_KEY_SIZE];
    unsigned char shared[BP_SEAL_KEY_SIZE];
    unsigned char key[BP_SEAL_KEY_SIZE];
    bool opened = false;

    bp_age_public(identity, recipient);
    if (crypto_scalarmult(shared, identity, stanza->share) != 0)
        return bp_fail(err, BP_EINTEGRITY, "its age header is damaged");
    wrap_key(shared, stanza->share, recipient, key);
    opened =
        crypto_aead_chacha20poly1305_ietf_decrypt(keys->file, NULL, NULL, stanza->body,
                                                  sizeof(stanza->body), NULL, 0, nonce, key) == 0;
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(key, sizeof(key));
    return opened ? BP_OK : BP_EAUTH;
}

static void header_mac(const struct keys *keys, struct bp_bytes header,
                       unsigned char out[BP_AGE_PART_SIZE])
{
    unsigned char key[BP_SEAL_KEY_SIZE];

    bp_hkdf((struct bp_bytes){keys->file, FILE_KEY}, (struct bp_bytes){NULL, 0},
            (struct bp_bytes){"header", 6}, key);
    bp_hmac((struct bp_bytes){key, sizeof(key)}, header, out);
    sodium_memzero(key, sizeof(key));
}

static void begin_stream(const struct keys *keys, const void *nonce, struct stream *out)
{
    bp_hkdf((struct bp_bytes){keys->file, FILE_KEY}, (struct bp_bytes){nonce, NONCE},
            (struct bp_bytes){"payload", 7}, out->key);
    out->chunk = 0;
}

/* Its number in 11 bytes, the highest first, and whether it is the last one. */
static void chunk_nonce(const struct stream *stream, bool last,
                        unsigned char out[crypto_aead_chacha20poly1305_IETF_NPUBBYTES])
{
    memset(out, 0, crypto_aead_chacha20poly1305_IETF_NPUBBYTES);
    for (unsigned i = 0; i < 8; i++)
        out[10 - i] = (unsigned char)(stream->chunk >> (8 * i) & 0xFFU);
    out[11] = last;
}

/* ---- writing ---- */

struct bp_age_writer *bp_age_writer_new(const struct bp_recipients *recipients, bp_seal_sink *sink,
                                        void *ctx)
{
    struct bp_age_writer *w = bp_alloc(1, sizeof(*w));

    begin_sodium();
    w->recipients = recipients;
    w->sink = sink;
    w->ctx = ctx;
    return w;
}

static enum bp_code write_header(struct bp_age_writer *w, struct bp_err *err)
{
    BP_AUTO(wipe_keys) struct keys keys;
    BP_AUTO(bp_buf_free) struct bp_buf header = {0};
    struct bp_age_stanza stanza;
    unsigned char nonce[NONCE];
    unsigned char mac[BP_AGE_PART_SIZE];

    if (w->recipients->count == 0)
        return bp_fail(err, BP_EUSAGE, "there is no recipient to seal for");
    bp_random(keys.file, sizeof(keys.file));
    bp_random(nonce, sizeof(nonce));
    bp_age_header_begin(&header);
    for (size_t i = 0; i < w->recipients->count; i++) {
        if (!wrap(&keys, w->recipients->at[i], &stanza))
            return bp_fail(err, BP_EUSAGE, "a recipient's key is no public key");
        bp_age_header_stanza(&stanza, &header);
    }
    bp_age_header_end(&header);
    header_mac(&keys, (struct bp_bytes){header.data, header.len}, mac);
    bp_age_header_mac(mac, &header);
    bp_buf_add(&header, nonce, sizeof(nonce));
    begin_stream(&keys, nonce, &w->stream);
    w->begun = true;
    return w->sink(w->ctx, header.data, header.len, err);
}

static enum bp_code write_chunk(struct bp_age_writer *w, bool last, struct bp_err *err)
{
    unsigned char nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    size_t len = w->filled;

    chunk_nonce(&w->stream, last, nonce);
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(w->sealed, NULL, w->chunk, len, NULL, 0, NULL,
                                                    nonce, w->stream.key);
    w->stream.chunk++;
    w->filled = 0;
    return w->sink(w->ctx, w->sealed, len + BP_AGE_TAG, err);
}

enum bp_code bp_age_writer_add(struct bp_age_writer *writer, const void *data, size_t len,
                               struct bp_err *err)
{
    const unsigned char *p = data;

    if (!writer->begun && write_header(writer, err) != BP_OK)
        return err->code;
    while (len > 0) {
        size_t more = BP_AGE_CHUNK - writer->filled < len ? BP_AGE_CHUNK - writer->filled : len;

        /* Only now it is known not to be the last one. */
        if (writer->filled == BP_AGE_CHUNK) {
            if (write_chunk(writer, false, err) != BP_OK)
                return err->code;
            continue;
        }
        memcpy(writer->chunk + writer->filled, p, more);
        writer->filled += more;
        p += more;
        len -= more;
    }
    return BP_OK;
}

enum bp_code bp_age_writer_end(struct bp_age_writer *writer, struct bp_err *err)
{
    if (!writer->begun && write_header(writer, err) != BP_OK)
        return err->code;
    return write_chunk(writer, true, err);
}

void bp_age_writer_freep(struct bp_age_writer **writer)
{
    if (*writer != NULL)
        sodium_memzero(&(*writer)->stream, sizeof((*writer)->stream));
    bp_free(*writer);
    *writer = NULL;
}

/* ---- reading ---- */

struct bp_age_reader *bp_age_reader_new(const struct bp_identities *identities, bp_seal_sink *sink,
                                        void *ctx)
{
    struct bp_age_reader *r = bp_alloc(1, sizeof(*r));

    begin_sodium();
    r->identities = identities;
    r->sink = sink;
    r->ctx = ctx;
    return r;
}

static enum bp_code find_key(const struct bp_identities *identities,
                             const struct bp_age_header *header, struct keys *keys,
                             struct bp_err *err)
{
    for (size_t i = 0; i < identities->count; i++) {
        for (size_t j = 0; j < header->count; j++) {
            enum bp_code rc = unwrap(identities->at[i], &header->at[j], keys, err);

            if (rc != BP_EAUTH)
                return rc;
        }
    }
    if (identities->count == 0)
        return bp_fail(err, BP_EAUTH, "there is no identity to open it with");
    if (header->count == 0)
        return bp_fail(err, BP_EAUTH, "it is sealed for other kinds of age keys only");
    return bp_fail(err, BP_EAUTH, "it is sealed for other recipients: %s",
                   identities->count == 1 ? "the identity cannot open it"
                                          : "none of the identities can open it");
}

/* size bytes of header, then the nonce. */
static enum bp_code read_header(struct bp_age_reader *r, size_t size, struct bp_err *err)
{
    BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
    BP_AUTO(wipe_keys) struct keys keys = {{0}};
    unsigned char mac[BP_AGE_PART_SIZE];

    if (bp_age_header_parse(r->header.data, size, &header, err) != BP_OK ||
        find_key(r->identities, &header, &keys, err) != BP_OK)
        return err->code;
    header_mac(&keys, (struct bp_bytes){r->header.data, header.maced}, mac);
    if (sodium_memcmp(mac, header.mac, sizeof(mac)) != 0)
        return bp_fail(err, BP_EINTEGRITY, "its age header was tampered with");
    begin_stream(&keys, r->header.data + size, &r->stream);
    r->begun = true;
    return BP_OK;
}

/* Take what belongs to the header; *used is how much that is. */
static enum bp_code add_header(struct bp_age_reader *r, const unsigned char *data, size_t len,
                               size_t *used, struct bp_err *err)
{
    size_t before = r->header.len;
    size_t size = 0;

    *used = len < STEP ? len : STEP;
    bp_buf_add(&r->header, data, *used);
    if (!bp_age_header_begins(r->header.data, r->header.len))
        return bp_fail(err, BP_EINTEGRITY, "it is no age file");
    size = bp_age_header_size(r->header.data, r->header.len);
    if (size > BP_AGE_HEADER_LIMIT || (size == 0 && r->header.len > BP_AGE_HEADER_LIMIT))
        return bp_fail(err, BP_EINTEGRITY, "its age header is larger than the limit of %d bytes",
                       BP_AGE_HEADER_LIMIT);
    if (size == 0 || r->header.len < size + NONCE)
        return BP_OK;
    *used = size + NONCE - before;
    return read_header(r, size, err);
}

static enum bp_code read_chunk(struct bp_age_reader *r, bool last, struct bp_err *err)
{
    unsigned char nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];
    size_t len = r->filled - BP_AGE_TAG;

    chunk_nonce(&r->stream, last, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(r->opened, NULL, NULL, r->chunk, r->filled, NULL,
                                                  0, nonce, r->stream.key) != 0)
        return bp_fail(err, BP_EINTEGRITY, "it was tampered with, or is cut off");
    /* Only a file without any content ends in an empty chunk. */
    if (len == 0 && r->stream.chunk > 0)
        return bp_fail(err, BP_EINTEGRITY, "it ends in an empty chunk");
    r->stream.chunk++;
    r->filled = 0;
    return len > 0 ? r->sink(r->ctx, r->opened, len, err) : BP_OK;
}

static enum bp_code add_payload(struct bp_age_reader *r, const unsigned char *p, size_t len,
                                struct bp_err *err)
{
    while (len > 0) {
        size_t room = sizeof(r->chunk) - r->filled;
        size_t more = room < len ? room : len;

        if (room == 0) {
            if (read_chunk(r, false, err) != BP_OK)
                return err->code;
            continue;
        }
        memcpy(r->chunk + r->filled, p, more);
        r->filled += more;
        p += more;
        len -= more;
    }
    return BP_OK;
}

enum bp_code bp_age_reader_add(struct bp_age_reader *reader, const void *data, size_t len,
                               struct bp_err *err)
{
    const unsigned char *p = data;
    size_t used = 0;

    while (!reader->begun && len > 0) {
        if (add_header(reader, p, len, &used, err) != BP_OK)
            return err->code;
        p += used;
        len -= used;
    }
    return add_payload(reader, p, len, err);
}

enum bp_code bp_age_reader_end(struct bp_age_reader *reader, struct bp_err *err)
{
    if (!reader->begun || reader->filled < BP_AGE_TAG)
        return bp_fail(err, BP_EINTEGRITY, "it is cut off");
    return read_chunk(reader, true, err);
}

void bp_age_reader_freep(struct bp_age_reader **reader)
{
    if (*reader != NULL) {
        sodium_memzero(&(*reader)->stream, sizeof((*reader)->stream));
        bp_buf_free(&(*reader)->header);
    }
    bp_free(*reader);
    *reader = NULL;
}
