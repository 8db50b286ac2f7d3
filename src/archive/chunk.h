/*
 * Where a large table is cut into files. A cut falls between two rows and is chosen by the
 * content of the row before it, so that an insert or a delete changes one or two files and not
 * all that follow. Of a row with a primary key that alone counts: an update of the other columns
 * moves no cut, and a file stays the same file with a few other bytes, of which Git stores the
 * difference. Files are about 4 MiB: at least 2, at most 16 (a longer row stays whole).
 *
 * In a table whose rows are all different there is a fence about every 16 MiB: a row that ends its
 * file wherever that began, even when it is shorter than 2 MiB. Behind a fence the cuts depend on
 * nothing that came before; so several connections can read parts of one table, from fence to
 * fence, and make the same files as one.
 */
#ifndef BP_ARCHIVE_CHUNK_H
#define BP_ARCHIVE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BP_CHUNK_MIN = 2 << 20,
    BP_CHUNK_SPREAD = 2 << 20,
    BP_CHUNK_MAX = 16 << 20,
    BP_CHUNK_FENCE_SPREAD = 16 << 20
};

/* A row of COPY text, with its line end. */
struct bp_chunk_row {
    const char *text;
    size_t len;
    uint64_t key; /* bit i: column i, from 0, belongs to the primary key; 0: the whole row counts */
};

/* Whether a file that now holds len bytes, the last of them this row, ends here. fences: the
 * table's rows are all different. */
bool bp_chunk_ends(size_t len, const struct bp_chunk_row *row, bool fences);

/* Whether this row is a fence, in a table that has them. */
bool bp_chunk_is_fence(const struct bp_chunk_row *row);

#endif
