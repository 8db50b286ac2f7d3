#include "archive/chunk.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * A fast 64-bit hash of the row (multiply and fold, eight bytes a step). It decides nothing but
 * where a file ends: it needs to be well spread, the same for ever, and cheap.
 */
static uint64_t spread(const char *row, size_t len)
{
    const uint64_t k = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t h = k ^ len;

    for (; len >= 8; row += 8, len -= 8) {
        uint64_t word = 0;

        memcpy(&word, row, 8);
        h = (h ^ le64toh(word)) * k;
        h ^= h >> 29;
    }
    for (; len > 0; row++, len--)
        h = (h ^ (unsigned char)*row) * k;
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

bool bp_chunk_is_fence(const char *row, size_t row_len)
{
    return spread(row, row_len) <= chance(row_len, BP_CHUNK_FENCE_SPREAD);
}

bool bp_chunk_ends(size_t len, const char *row, size_t row_len, bool fences)
{
    uint64_t value = 0;

    if (len >= BP_CHUNK_MAX)
        return true;
    if (len < BP_CHUNK_MIN && !fences)
        return false;
    value = spread(row, row_len);
    return (len >= BP_CHUNK_MIN && value <= chance(row_len, BP_CHUNK_SPREAD)) ||
           (fences && value <= chance(row_len, BP_CHUNK_FENCE_SPREAD));
}
