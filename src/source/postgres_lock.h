/* One backup of a database and branch at a time. */
#ifndef BP_SOURCE_POSTGRES_LOCK_H
#define BP_SOURCE_POSTGRES_LOCK_H

#include <stdint.h>

#include "base/buf.h"
#include "source/postgres_conn.h"

/*
 * Take the advisory lock that stands for this name in this database; it lasts as long as the
 * session. Outside a transaction. See bp_source_ops.lock.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
enum bp_code bp_pg_lock(struct bp_pg *pg, const struct bp_postgres_options *options,
                        const char *name, bool wait, struct bp_err *err) BP_CHECK;

/*
 * Append who holds the advisory lock of these two halves: " (process 7, user ann, from 10.0.0.1,
 * for 00:01:02)"; nothing when it is free by now.
 */
enum bp_code bp_pg_put_holder(struct bp_pg *pg, int32_t first, int32_t second, struct bp_buf *out,
                              struct bp_err *err) BP_CHECK;

#endif
