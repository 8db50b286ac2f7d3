/* Large tables in slices, so that several readers can share them. */
#ifndef BP_SOURCE_POSTGRES_SPLIT_H
#define BP_SOURCE_POSTGRES_SPLIT_H

#include "source/postgres_conn.h"

/*
 * Choose where tables are cut: only where one of them would keep a reader busy when all others
 * have nothing left to do. The keys come from the server's statistics; a table without any stays
 * whole. Where the cuts are changes nothing in the archive.
 */
enum bp_code bp_pg_split(struct bp_pg *pg, size_t readers, struct bp_tables *tables,
                         struct bp_err *err) BP_CHECK;

/* The statement that reads a slice: COPY (SELECT ...) TO STDOUT. */
void bp_pg_put_copy_out(struct bp_buf *out, const struct bp_slice *slice);

#endif
