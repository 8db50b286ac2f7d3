/*
 * What would keep a backup from working, or make it worse, found without taking a lock on any
 * table: the source's examine operation.
 */
#ifndef BP_SOURCE_POSTGRES_CHECK_H
#define BP_SOURCE_POSTGRES_CHECK_H

#include "base/findings.h"
#include "source/postgres_conn.h"

/* source.h, examine. */
enum bp_code bp_pg_check(const struct bp_postgres_options *options, struct bp_findings *findings,
                         struct bp_err *err) BP_CHECK;

/* One look: what all its parts need. */
struct bp_pg_look {
    struct bp_pg *pg;
    const struct bp_postgres_options *options;
    struct bp_findings *findings;
};

/*
 * Ask for rows. What cannot be asked becomes a finding, and *rows stays NULL then: unknown, or a
 * failure when the connection is lost. An error only for a stop.
 */
enum bp_code bp_pg_look_ask(struct bp_pg_look *look, const char *about, const char *sql,
                            PGresult **rows, struct bp_err *err) BP_CHECK;

/* The first names of a column, at most eight, and how many rows there are. */
void bp_pg_look_names(const PGresult *rows, int column, struct bp_buf *out);

/* The parts: each adds its findings. An error only for a stop. */

/* Tables, sequences and large objects that may not be read; rows that are hidden; roles. */
enum bp_code bp_pg_check_rights(struct bp_pg_look *look, struct bp_err *err) BP_CHECK;

/* Standby, extensions, locks, prepared transactions, collations, free connections. */
enum bp_code bp_pg_check_server(struct bp_pg_look *look, struct bp_err *err) BP_CHECK;

#endif
