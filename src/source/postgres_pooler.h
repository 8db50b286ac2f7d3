/*
 * Poolers: what stands between us and the server, and whether it keeps one session for us.
 *
 * A pooler hands out process ids of its own. In session mode a connection keeps its server session
 * until it ends, and everything works. In transaction or statement mode the next statement may run
 * in another session: settings are lost or, worse, land in somebody else's session, locks and the
 * snapshot have no home, and pg_dump writes something else.
 */
#ifndef BP_SOURCE_POSTGRES_POOLER_H
#define BP_SOURCE_POSTGRES_POOLER_H

#include "source/postgres_conn.h"

/*
 * Find out with a second connection whether sessions are shared, and refuse that (BP_EUSAGE). pg is
 * connected and outside a transaction, and nothing was set in it yet. BP_EUNAVAILABLE: there is no
 * second session, which a backup needs.
 */
enum bp_code bp_pg_pooler_check(struct bp_pg *pg, const struct bp_postgres_options *options,
                                struct bp_err *err) BP_CHECK;

#endif
