#include "archive/seal.h"

#include <string.h>

#include <zstd.h>

#include "archive/age.h"
#include "base/mem.h"

enum { LEVEL = 3 };

/* ---- sealing ---- */

struct bp_sealer {
    ZSTD_CCtx *zstd;
    struct bp_age_writer *age;
    struct bp_err why; /* of the error that ended the work */
    size_t size;
    unsigned char *block; /* compressed */
};

/* With room for so much compressed text at once. */
static struct bp_sealer *new_sealer(const struct bp_recipients *recipients, bp_seal_sink *sink,
                                    void *ctx, size_t room)
{
    struct bp_sealer *s = bp_alloc(1, sizeof(*s));

    s->age = bp_age_writer_new(recipients, sink, ctx);
    s->zstd = ZSTD_createCCtx();
    s->size = room;
    s->block = bp_alloc(s->size, 1);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_checksumFlag, 1)))
        bp_fail(&s->why, BP_EFAILED, "cannot begin to compress");
    return s;
}

struct bp_sealer *bp_sealer_new(const struct bp_recipients *recipients, bp_seal_sink *sink,
                                void *ctx)
{
    return new_sealer(recipients, sink, ctx, ZSTD_CStreamOutSize());
}

/* Compress, and seal what comes of it. */
static enum bp_code deflate(struct bp_sealer *s, const void *data, size_t len,
                            ZSTD_EndDirective mode, struct bp_err *err)
{
    ZSTD_inBuffer in = {data, len, 0};
    size_t left = 0;

    do {
        ZSTD_outBuffer out = {s->block, s->size, 0};

        left = ZSTD_compressStream2(s->zstd, &out, &in, mode);
        if (ZSTD_isError(left))
            return bp_fail(err, BP_EFAILED, "cannot compress: %s", ZSTD_getErrorName(left));
        if (out.pos > 0 && bp_age_writer_add(s->age, s->block, out.pos, err) != BP_OK)
            return err->code;
    } while (in.pos < in.size || (mode == ZSTD_e_end && left > 0));
    return BP_OK;
}

static enum bp_code give_up_sealing(struct bp_sealer *s, struct bp_err *err)
{
    if (s->why.code == BP_OK)
        s->why = *err;
    *err = s->why;
    return err->code;
}

enum bp_code bp_sealer_add(struct bp_sealer *sealer, const void *data, size_t len,
                           struct bp_err *err)
{
    if (sealer->why.code != BP_OK || deflate(sealer, data, len, ZSTD_e_continue, err) != BP_OK)
        return give_up_sealing(sealer, err);
    return BP_OK;
}

enum bp_code bp_sealer_end(struct bp_sealer *sealer, struct bp_err *err)
{
    if (sealer->why.code != BP_OK || deflate(sealer, "", 0, ZSTD_e_end, err) != BP_OK ||
        bp_age_writer_end(sealer->age, err) != BP_OK)
        return give_up_sealing(sealer, err);
    return BP_OK;
}

void bp_sealer_freep(struct bp_sealer **sealer)
{
    if (*sealer != NULL) {
        (void)ZSTD_freeCCtx((*sealer)->zstd);
        bp_age_writer_freep(&(*sealer)->age);
        bp_free((*sealer)->block);
    }
    bp_free(*sealer);
    *sealer = NULL;
}

/* ---- opening ---- */

struct bp_unsealer {
    ZSTD_DCtx *zstd;
    struct bp_age_reader *age;
    bp_seal_sink *sink;
    void *ctx;
    struct bp_err why;
    bool whole;   /* what came so far is a whole text */
    size_t limit; /* of the text */
    size_t total;
    size_t size;
    unsigned char *block; /* of the text */
};

/* Takes what age has opened. */
static enum bp_code inflate(void *ctx, const void *data, size_t len, struct bp_err *err)
{
    struct bp_unsealer *u = ctx;
    ZSTD_inBuffer in = {data, len, 0};
    ZSTD_outBuffer out = {0};

    do {
        size_t left = 0;

        out = (ZSTD_outBuffer){u->block, u->size, 0};
        left = ZSTD_decompressStream(u->zstd, &out, &in);
        if (ZSTD_isError(left))
            return bp_fail(err, BP_EINTEGRITY, "what is sealed is no good zstd text: %s",
                           ZSTD_getErrorName(left));
        u->whole = left == 0;
        u->total += out.pos;
        if (u->total > u->limit)
            return bp_fail(err, BP_EFAILED, "what is sealed is larger than the limit of %zu bytes",
                           u->limit);
        if (out.pos > 0 && u->sink(u->ctx, u->block, out.pos, err) != BP_OK)
            return err->code;
        /* Asking again behind the end of a text would begin another one. */
    } while (in.pos < in.size || (!u->whole && out.pos == out.size));
    return BP_OK;
}

struct bp_unsealer *bp_unsealer_new(const struct bp_identities *identities, size_t limit,
                                    bp_seal_sink *sink, void *ctx)
{
    struct bp_unsealer *u = bp_alloc(1, sizeof(*u));

    u->age = bp_age_reader_new(identities, inflate, u);
    u->zstd = ZSTD_createDCtx();
    u->sink = sink;
    u->ctx = ctx;
    u->limit = limit;
    u->size = ZSTD_DStreamOutSize();
    u->block = bp_alloc(u->size, 1);
    return u;
}

static enum bp_code give_up_opening(struct bp_unsealer *u, struct bp_err *err)
{
    if (u->why.code == BP_OK)
        u->why = *err;
    *err = u->why;
    return err->code;
}

enum bp_code bp_unsealer_add(struct bp_unsealer *unsealer, const void *data, size_t len,
                             struct bp_err *err)
{
    if (unsealer->why.code != BP_OK || bp_age_reader_add(unsealer->age, data, len, err) != BP_OK)
        return give_up_opening(unsealer, err);
    return BP_OK;
}

enum bp_code bp_unsealer_end(struct bp_unsealer *unsealer, struct bp_err *err)
{
    if (unsealer->why.code != BP_OK || bp_age_reader_end(unsealer->age, err) != BP_OK)
        return give_up_opening(unsealer, err);
    if (!unsealer->whole) {
        bp_fail(err, BP_EINTEGRITY, "what is sealed is no whole zstd text");
        return give_up_opening(unsealer, err);
    }
    return BP_OK;
}

void bp_unsealer_freep(struct bp_unsealer **unsealer)
{
    if (*unsealer != NULL) {
        (void)ZSTD_freeDCtx((*unsealer)->zstd);
        bp_age_reader_freep(&(*unsealer)->age);
        bp_free((*unsealer)->block);
    }
    bp_free(*unsealer);
    *unsealer = NULL;
}

/* ---- whole texts ---- */

static enum bp_code append(void *ctx, const void *data, size_t len, struct bp_err *err)
{
    (void)err;
    bp_buf_add(ctx, data, len);
    return BP_OK;
}

enum bp_code bp_seal(const struct bp_recipients *recipients, const void *data, size_t len,
                     struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_sealer_freep) struct bp_sealer *s = NULL;

    bp_buf_cut(out, 0);
    /* With room for all of it, and all of it at once, zstd reads the text where it is; and a small
     * text gets small tables. */
    s = new_sealer(recipients, append, out, ZSTD_compressBound(len));
    if (s->why.code != BP_OK || deflate(s, data, len, ZSTD_e_end, err) != BP_OK ||
        bp_age_writer_end(s->age, err) != BP_OK) {
        bp_buf_cut(out, 0);
        return give_up_sealing(s, err);
    }
    return BP_OK;
}

enum bp_code bp_unseal(const struct bp_identities *identities, const void *data, size_t len,
                       size_t limit, struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_unsealer_freep) struct bp_unsealer *u = NULL;

    bp_buf_cut(out, 0);
    u = bp_unsealer_new(identities, limit, append, out);
    if (bp_unsealer_add(u, data, len, err) != BP_OK || bp_unsealer_end(u, err) != BP_OK) {
        bp_buf_cut(out, 0);
        return err->code;
    }
    return BP_OK;
}
