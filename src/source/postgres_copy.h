/* Rows out of the snapshot, line by line. */
#ifndef BP_SOURCE_POSTGRES_COPY_H
#define BP_SOURCE_POSTGRES_COPY_H

#include "source/postgres_conn.h"

/*
 * Run a COPY ... TO STDOUT and hand every line to the sink. What the server says it sent is
 * compared with what arrived: BP_EFAILED. An error of the sink ends the copy; the connection is
 * then closed, because there is no cheaper way to make the server stop.
 */
enum bp_code bp_pg_copy_out(struct bp_pg *pg, const char *sql, bp_row_sink *sink, void *ctx,
                            struct bp_err *err) BP_CHECK;

/*
 * The rows of a slice. A statement names its table, and renaming a schema needs no lock on the
 * tables in it; so the name is looked up again behind the rows, in the same round trip.
 * BP_ELOCKED: it means another table by now.
 */
enum bp_code bp_pg_copy_slice(struct bp_pg *pg, const struct bp_slice *slice, bp_row_sink *sink,
                              void *ctx, struct bp_err *err) BP_CHECK;

/* The large objects as SQL, one statement a line: see source.h. */
enum bp_code bp_pg_copy_large_objects(struct bp_pg *pg, bp_row_sink *sink, void *ctx,
                                      int64_t *count, struct bp_err *err) BP_CHECK;

#endif
