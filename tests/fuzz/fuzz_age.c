/*
 * archive/age_header.h and archive/seal.h: of a header that is read every byte is known; what an
 * unsealer gives does not depend on the pieces it came in, and is the same as all at once. The
 * identity is that of age's specification.
 */
#include <string.h>

#include "archive/age_header.h"
#include "archive/seal.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

enum { LIMIT = 1 << 20, PIECE = 7 };

static const char identity[] =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

static void check_header(const char *text, size_t size)
{
    size_t len = bp_age_header_size(text, size);
    BP_AUTO(bp_age_header_free) struct bp_age_header header = {0};
    struct bp_err err = {0};

    must(len <= size);
    if (len == 0)
        return;
    if (bp_age_header_parse(text, len, &header, &err) != BP_OK) {
        must(err.code == BP_EINTEGRITY && fuzz_is_plain(err.msg) && header.at == NULL);
        return;
    }
    must(bp_age_header_begins(text, len) && header.count <= header.all);
    must(header.all <= BP_AGE_STANZAS_LIMIT && header.maced < len);
    must(memcmp(text + header.maced - 3, "---", 3) == 0);
}

static enum bp_code collect(void *ctx, const void *data, size_t len, struct bp_err *err)
{
    (void)err;
    bp_buf_add(ctx, data, len);
    return BP_OK;
}

static enum bp_code in_pieces(const struct bp_identities *identities, const uint8_t *data,
                              size_t size, struct bp_buf *out)
{
    BP_AUTO(bp_unsealer_freep)
    struct bp_unsealer *u = bp_unsealer_new(identities, LIMIT, collect, out);
    struct bp_err err = {0};

    for (size_t at = 0; at < size; at += PIECE) {
        if (bp_unsealer_add(u, data + at, size - at < PIECE ? size - at : PIECE, &err) != BP_OK)
            break;
    }
    return bp_unsealer_end(u, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_buf_free) struct bp_buf whole = {0};
    BP_AUTO(bp_buf_free) struct bp_buf pieces = {0};
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;

    check_header((const char *)data, size);
    must(bp_identities_add(&identities, identity, "k", &err) == BP_OK);
    rc = bp_unseal(&identities, data, size, LIMIT, &whole, &err);
    must(rc == BP_OK || whole.len == 0);
    must(rc == in_pieces(&identities, data, size, &pieces));
    must(rc != BP_OK || (whole.len == pieces.len &&
                         memcmp(bp_buf_str(&whole), bp_buf_str(&pieces), whole.len) == 0));
    return 0;
}
