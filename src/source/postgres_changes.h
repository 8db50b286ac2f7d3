/*
 * Whether definitions were changed while they were read. Locks hold tables still and nothing else:
 * a function, a type, a view or a schema may be dropped, replaced or renamed. pg_dump reads most of
 * a definition in the snapshot and some of it as of now, and rows are read by name.
 */
#ifndef BP_SOURCE_POSTGRES_CHANGES_H
#define BP_SOURCE_POSTGRES_CHANGES_H

#include "source/postgres_conn.h"

/* What is looked at: what a backup takes. */
struct bp_pg_changes_scope {
    const struct bp_list *schemas; /* lent */
    const char *relations;         /* " AND ..." over c and n, or ""; lent */
};

/*
 * A line for each object, sorted, with what changes when it does. With names_only what rows are
 * read and loaded by: schemas, relations, types and their values; they have to be the same until
 * all is read. The rest (functions, views ...) matters while pg_dump runs.
 */
enum bp_code bp_pg_changes_list(struct bp_pg *pg, const struct bp_pg_changes_scope *scope,
                                bool names_only, struct bp_list *out, struct bp_err *err) BP_CHECK;

/* What there is now, seen by a session of its own, compared with before; see below. */
enum bp_code bp_pg_changes_look(const struct bp_postgres_options *options,
                                const struct bp_pg_changes_scope *scope, bool names_only,
                                const struct bp_list *before, struct bp_err *err) BP_CHECK;

/* BP_ELOCKED names an object of before that is not as it was. New ones do not matter. */
enum bp_code bp_pg_changes_check(const struct bp_list *before, const struct bp_list *now,
                                 struct bp_err *err) BP_CHECK;

#endif
