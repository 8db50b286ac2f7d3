/*
 * Whether definitions were changed while they were read. Locks hold tables still and nothing else:
 * a function, a type, a view or a schema may be dropped, replaced or renamed. pg_dump reads most of
 * a definition in the snapshot and some of it as of now, and rows are read by name.
 */
#ifndef BP_SOURCE_POSTGRES_CHANGES_H
#define BP_SOURCE_POSTGRES_CHANGES_H

#include "source/postgres_conn.h"

/* A line for each of the user's objects, sorted, with what changes when it does. */
enum bp_code bp_pg_changes_list(struct bp_pg *pg, struct bp_list *out, struct bp_err *err) BP_CHECK;

/* BP_ELOCKED names an object of before that is not as it was. New ones do not matter. */
enum bp_code bp_pg_changes_check(const struct bp_list *before, const struct bp_list *now,
                                 struct bp_err *err) BP_CHECK;

#endif
