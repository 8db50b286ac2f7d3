/* The tables of a database: which of them have rows, and how those are read and loaded. */
#ifndef BP_SOURCE_POSTGRES_CATALOG_H
#define BP_SOURCE_POSTGRES_CATALOG_H

#include <stddef.h>

#include "source/postgres_conn.h"

/*
 * The end of a query over the tables that a backup has to hold still: c is pg_class, n its
 * pg_namespace. What an extension made comes back with the extension, unless the extension itself
 * says that the rows are the user's (pg_extension_config_dump()).
 */
#define BP_PG_FROM_TABLES                                                             \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"                  \
    " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"                      \
    " AND (EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))"       \
    " OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"                  \
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass" \
    " AND d.objid = c.oid AND d.deptype = 'e')))"

/*
 * Every table that has rows of its own, sorted by schema and name: ordinary ones, leaves of
 * partitioned ones, unlogged ones, tables of inheritance trees (each with its own rows only).
 * condition is "" or " AND ..." over c and n: which of them. Only inside the snapshot, after the
 * locks. tables is owned by the caller.
 */
enum bp_code bp_pg_catalog_read(struct bp_pg *pg, const char *condition, struct bp_tables *tables,
                                struct bp_err *err) BP_CHECK;

/* The schemas of the user's with any object that the condition lets through, and all others when
 * it is "": what a dump of each schema is made of. Sorted. */
enum bp_code bp_pg_catalog_schemas(struct bp_pg *pg, const char *condition, struct bp_list *out,
                                   struct bp_err *err) BP_CHECK;

#endif
