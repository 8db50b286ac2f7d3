/* One backup of a database and branch at a time. */
#ifndef BP_SOURCE_POSTGRES_LOCK_H
#define BP_SOURCE_POSTGRES_LOCK_H

#include "source/postgres_conn.h"

/*
 * Take the advisory lock that stands for this name in this database; it lasts as long as the
 * session. Outside a transaction. See bp_source_ops.lock.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
enum bp_code bp_pg_lock(struct bp_pg *pg, const struct bp_postgres_options *options,
                        const char *name, bool wait, struct bp_err *err) BP_CHECK;

#endif
