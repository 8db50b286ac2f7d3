/*
 * The rows of all tables, in slices that several readers share. The files that come out are the
 * same whoever reads what: a slice begins behind its first fence (archive/chunk.h), and whoever
 * reads the one before it goes on to that fence.
 */
#ifndef BP_FLOW_SLICES_H
#define BP_FLOW_SLICES_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"
#include "flow/stage.h"
#include "source/source.h"

struct bp_slices; /* what is known of each slice */

/* How far all readers are; for a progress line. */
struct bp_slices_progress {
    atomic_llong rows;
    atomic_llong bytes;
    atomic_llong size; /* of what is read, as it lies on the server's disk: bp_table.size_bytes */
};

/* tables, store, sealing (may be NULL) and progress are lent for its life. Owned by the caller. */
struct bp_slices *bp_slices_new(const struct bp_tables *tables, struct bp_store *store,
                                struct bp_sealing *sealing,
                                struct bp_slices_progress *progress) BP_CHECK;

size_t bp_slices_count(const struct bp_slices *slices);

/* The table of slice i in the order in which they are best read: the largest first. */
const struct bp_table *bp_slices_table(const struct bp_slices *slices, size_t i);

/* Whether this reader can hold the table of slice i: BP_ELOCKED when not. */
enum bp_code bp_slices_claim(struct bp_slices *slices, size_t i, struct bp_reader *reader,
                             struct bp_err *err) BP_CHECK;

/* Read slice i, by a reader that holds its table. For several threads, each with another i; nothing
 * happens when another reader has read on into this slice already. clock ends the wait for another
 * reader. */
enum bp_code bp_slices_read(struct bp_slices *slices, size_t i, struct bp_reader *reader,
                            struct bp_clock *clock, struct bp_err *err) BP_CHECK;

/* After all were read: the files of a table. BP_EFAILED when rows are missing or double. */
enum bp_code bp_slices_take(struct bp_slices *slices, const struct bp_table *table,
                            struct bp_stage_files *out, struct bp_err *err) BP_CHECK;

void bp_slices_freep(struct bp_slices **slices); /* for BP_AUTO */

#endif
