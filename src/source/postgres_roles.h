/* The roles that a database cannot be restored without. */
#ifndef BP_SOURCE_POSTGRES_ROLES_H
#define BP_SOURCE_POSTGRES_ROLES_H

#include "source/postgres_conn.h"

/*
 * SQL that makes the roles that this database needs and that are missing: those that own something
 * in it, have rights in it or a setting for it, and all that these are members of, each with its
 * attributes, memberships, settings and comment. Their passwords, as the server keeps them, are in
 * it only if they are asked for; that takes a superuser. Other roles of the cluster and those of
 * the server itself (pg_*) are left out. The settings of the database (ALTER DATABASE ... SET)
 * follow, for a user who owns the database. Nothing is changed in a role that exists, except that
 * missing memberships are granted.
 */
enum bp_code bp_pg_roles(struct bp_pg *pg, bool passwords, struct bp_buf *out,
                         struct bp_err *err) BP_CHECK;

#endif
