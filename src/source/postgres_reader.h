/* The connections that read: bp_source_ops.reader. */
#ifndef BP_SOURCE_POSTGRES_READER_H
#define BP_SOURCE_POSTGRES_READER_H

#include "source/postgres_changes.h"
#include "source/postgres_conn.h"
#include "source/postgres_dump.h"

/* What all readers of a source share and none of them changes. */
struct bp_pg_shared {
    struct bp_postgres_options options;
    struct bp_pg_programs programs;
    char *snapshot;
    struct bp_pg_changes_scope changes;
    struct bp_list names;       /* of the snapshot: postgres_changes.h */
    struct bp_list definitions; /* these and all others */
    bool narrow;                /* a selection leaves out what belongs to no schema */
    struct bp_list dump_args;   /* for pg_dump: what is left out */
    struct bp_list dump_rows;   /* the same for the rows, in dumps that have rows */
};

/*
 * Connect and join the snapshot. With holder, the connection that has the locks and the snapshot is
 * used instead, and waits with this clock as long as the reader lives. All are lent for that time.
 */
enum bp_code bp_pg_reader_open(const struct bp_pg_shared *shared, struct bp_pg *holder,
                               struct bp_clock *clock, struct bp_reader **out,
                               struct bp_err *err) BP_CHECK;

#endif
