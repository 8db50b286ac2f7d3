/* Definitions that pg_dump does not write, or not in the form that we want: made in the server. */
#ifndef BP_SOURCE_POSTGRES_DDL_H
#define BP_SOURCE_POSTGRES_DDL_H

#include "source/postgres_conn.h"

/*
 * SQL that makes the roles that are missing: attributes, memberships, settings and comments, but
 * no passwords. Roles of the server itself (pg_*) are left out. The settings of the database
 * (ALTER DATABASE ... SET) follow, for a user who owns the database. Nothing is changed in a role
 * that exists, except that missing memberships are granted.
 */
enum bp_code bp_pg_ddl_roles(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* setval() for every sequence of the user's. BP_EAUTH names those that may not be read. */
enum bp_code bp_pg_ddl_sequences(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* REFRESH of every populated materialised view, after those that it reads. */
enum bp_code bp_pg_ddl_refresh(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err) BP_CHECK;

#endif
