/* One transaction that holds every table still, and the snapshot that all others read in. */
#ifndef BP_SOURCE_POSTGRES_SNAPSHOT_H
#define BP_SOURCE_POSTGRES_SNAPSHOT_H

#include "source/postgres_conn.h"

/*
 * Lock every table that the condition (" AND ..." over c and n of BP_PG_FROM_TABLES, or "") lets
 * through (ACCESS SHARE), then start the snapshot. The order matters: TRUNCATE and
 * ALTER TABLE replace a table's file, and a snapshot taken before the lock would then read an
 * empty table without any error. See "Caveats" in
 * https://www.postgresql.org/docs/current/mvcc-caveats.html
 *
 * A table that is locked is waited for as long as options say, then all are given back and tried
 * again a little later: whoever queues behind us must not wait for ever. BP_ELOCKED names the
 * table and who holds it; BP_EAUTH names what may not be read; BP_EFAILED
 * when there is no table at all, which almost always is the wrong database.
 */
enum bp_code bp_pg_snapshot_begin(struct bp_pg *pg, const struct bp_postgres_options *options,
                                  const char *condition, struct bp_err *err) BP_CHECK;

/* For a session that reads: the text of a time shall not depend on who makes the backup. Not for
 * one that loads, where expressions are computed in the database's own time zone. */
enum bp_code bp_pg_snapshot_prepare(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

/* Join the snapshot of this name, in a transaction of one's own. */
enum bp_code bp_pg_snapshot_join(struct bp_pg *pg, const char *snapshot,
                                 struct bp_err *err) BP_CHECK;

/* Inside the transaction: what the snapshot is of, and its name for other sessions. */
enum bp_code bp_pg_snapshot_info(struct bp_pg *pg, struct bp_source_info *out,
                                 struct bp_err *err) BP_CHECK;

/* BP_ELOCKED that names a table which somebody holds or waits for, and who that is. */
enum bp_code bp_pg_name_holder(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

#endif
