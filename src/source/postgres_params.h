/* Where to connect: from the options to libpq's parameters, and from a connection to its children.
 */
#ifndef BP_SOURCE_POSTGRES_PARAMS_H
#define BP_SOURCE_POSTGRES_PARAMS_H

#include <libpq-fe.h>

#include "base/list.h"
#include "source/postgres.h"

/* What PQconnectStartParams() takes: both lists have the same length. */
struct bp_pg_params {
    struct bp_list keywords;
    struct bp_list values;
};

/*
 * The way through options->proxy, if there is one, is opened unless it is; it is the caller's to
 * close. A database on this machine needs none. BP_EUSAGE: the proxy cannot lead to what the URL
 * names, which is no single host.
 */
enum bp_code bp_pg_tunnel_open(struct bp_postgres_options *options, struct bp_err *err) BP_CHECK;

/*
 * The URL's values, else libpq's environment variables taken from options->env, then our own. A
 * service (pg_service.conf) and a password file are left to libpq. BP_EUSAGE: the URL is no URL;
 * the message does not repeat it, because it may hold a password.
 */
enum bp_code bp_pg_params_make(const struct bp_postgres_options *options, struct bp_pg_params *out,
                               struct bp_err *err) BP_CHECK;

void bp_pg_params_free(struct bp_pg_params *params); /* for BP_AUTO; overwrites the values */

/*
 * The environment with which pg_dump reaches the very server that conn is connected to: base
 * without libpq's variables, and new ones. It holds the password.
 */
void bp_pg_child_env(PGconn *conn, const struct bp_env *base, struct bp_list *out);
void bp_pg_child_env_free(struct bp_list *env); /* for BP_AUTO; overwrites the values */

#endif
