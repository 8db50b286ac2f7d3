#include "archive/chunk.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * A fast 64-bit hash (multiply and fold, eight bytes a step). It decides nothing but where a file
 * ends: it needs to be well spread, the same for ever, and cheap.
 */
static const uint64_t k = UINT64_C(0x9E3779B97F4A7C15);

static uint64_t mix(uint64_t h, const char *text, size_t len)
{
    h ^= len;
    for (; len >= 8; text += 8, len -= 8) {
        uint64_t word = 0;

        memcpy(&word, text, 8);
        h = (h ^ le64toh(word)) * k;
        h ^= h >> 29;
    }
    for (; len > 0; text++, len--)
        h = (h ^ (unsigned char)*text) * k;
    return h;
}

/* Of the columns of the key. A tab in a value is written \\t, so a tab ends a column. */
static uint64_t mix_key(const struct bp_chunk_row *row)
{
    const char *at = row->text;
    const char *end = at + row->len - (row->len > 0); /* before the line end */
    uint64_t h = k;

    for (uint64_t key = row->key; key != 0; key >>= 1) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        const char *stop = tab != NULL ? tab : end;

        if ((key & 1) != 0)
            h = mix(h, at, (size_t)(stop - at));
        if (tab == NULL)
            break;
        at = tab + 1;
    }
    return h;
}

static uint64_t spread(const struct bp_chunk_row *row)
{
    uint64_t h = row->key != 0 ? mix_key(row) : mix(k, row->text, row->len);

    h ^= h >> 32;
    h *= k;
    return h ^ h >> 29;
}

/*
 * A row has a chance of its own share of the spread, so that files come out equally long whether
 * rows are short or long.
 */
static uint64_t chance(size_t row_len, size_t spread_len)
{
    return row_len >= spread_len ? UINT64_MAX : UINT64_MAX / spread_len * row_len;
}

bool bp_chunk_is_fence(const struct bp_chunk_row *row)
{
    return spread(row) <= chance(row->len, BP_CHUNK_FENCE_SPREAD);
}

bool bp_chunk_ends(size_t len, const struct bp_chunk_row *row, bool fences)
{
    uint64_t value = 0;

    if (len >= BP_CHUNK_MAX)
        return true;
    if (len < BP_CHUNK_MIN && !fences)
        return false;
    value = spread(row);
    return (len >= BP_CHUNK_MIN && value <= chance(row->len, BP_CHUNK_SPREAD)) ||
           (fences && value <= chance(row->len, BP_CHUNK_FENCE_SPREAD));
}
