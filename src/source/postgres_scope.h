/*
 * What a backup takes (source.h: struct bp_scope), as conditions for queries of our own and as
 * arguments for pg_dump. It means what the same options mean to pg_dump 15:
 *
 *   - with tables, exactly those, of whatever kind; schemas then have no effect
 *   - else the schemas given, without those excluded, and without the tables excluded
 *   - a pattern without a schema means what a session finds without naming a schema
 *   - the partitions of an excluded table, or of one that is named, are tables of their own
 *   - a sequence that belongs to a column comes with its table
 *
 * Unlike pg_dump, the server's own schemas are never meant.
 */
#ifndef BP_SOURCE_POSTGRES_SCOPE_H
#define BP_SOURCE_POSTGRES_SCOPE_H

#include "source/postgres_conn.h"

/*
 * The conditions are "" when nothing is left out, else they begin with " AND ". They are over the
 * aliases c (pg_class) and n (its pg_namespace), and make sense for tables, views, materialised
 * views, sequences and foreign tables.
 */
struct bp_pg_scope {
    char *relations; /* which are dumped at all */
    char *rows;      /* which of these with their rows */
    char *path;      /* SQL: the schemas that a session searches by default, as an array */
    bool narrow;     /* schemas or tables were given: what belongs to no schema, and everything
                        that an extension made, is left out */
};

/*
 * Right after bp_pg_open() and outside a transaction. Asks what sessions search by default, which
 * is pg_dump's search path but not ours. BP_EUSAGE names a pattern that is none.
 */
enum bp_code bp_pg_scope_open(struct bp_pg *pg, const struct bp_scope *scope,
                              struct bp_pg_scope *out, struct bp_err *err) BP_CHECK;

void bp_pg_scope_free(struct bp_pg_scope *out); /* for BP_AUTO */

/*
 * Inside the snapshot. BP_EUSAGE when a pattern of what to take matches nothing: a mistyped name
 * must not make a smaller backup. What else is odd goes into warnings, a line each: patterns of
 * what to leave out that match nothing, options without effect, and tables that cannot be restored
 * because one that they depend on is left out.
 */
enum bp_code bp_pg_scope_check(struct bp_pg *pg, const struct bp_scope *scope,
                               const struct bp_pg_scope *pg_scope, struct bp_list *warnings,
                               struct bp_err *err) BP_CHECK;

/*
 * Inside the snapshot: append arguments that make pg_dump take the same, by exact names, so that
 * it has no pattern to interpret. BP_EUSAGE when nothing would be left: pg_dump would then take
 * everything.
 */
enum bp_code bp_pg_scope_args(struct bp_pg *pg, const struct bp_scope *scope,
                              const struct bp_pg_scope *pg_scope, struct bp_list *args,
                              struct bp_err *err) BP_CHECK;

/* The same for a dump with rows: --exclude-table-data=... for what comes without them. */
enum bp_code bp_pg_scope_data_args(struct bp_pg *pg, const struct bp_scope *scope,
                                   const struct bp_pg_scope *pg_scope, struct bp_list *args,
                                   struct bp_err *err) BP_CHECK;

#endif
