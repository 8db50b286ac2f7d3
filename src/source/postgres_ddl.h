/* Definitions that pg_dump does not write, or not in the form that we want: made in the server. */
#ifndef BP_SOURCE_POSTGRES_DDL_H
#define BP_SOURCE_POSTGRES_DDL_H

#include "source/postgres_conn.h"
#include "source/postgres_toc.h"

/*
 * In both, whole: the whole database was dumped, and with it what belongs to no schema.
 *
 * setval() for every sequence that was dumped and for those of extensions that are the user's.
 * BP_EAUTH names those that may not be read.
 */
enum bp_code bp_pg_ddl_sequences(struct bp_pg *pg, const struct bp_pg_relations *dumped, bool whole,
                                 struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* REFRESH of every populated materialized view that was dumped, after those that it reads. */
enum bp_code bp_pg_ddl_refresh(struct bp_pg *pg, const struct bp_pg_relations *dumped, bool whole,
                               struct bp_buf *out, struct bp_err *err) BP_CHECK;

#endif
