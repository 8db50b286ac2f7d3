/* What a database holds beyond what every new one has, and how to remove it. */
#ifndef BP_SOURCE_POSTGRES_CLEAN_H
#define BP_SOURCE_POSTGRES_CLEAN_H

#include "source/postgres_conn.h"

/* See target.h: contents. */
enum bp_code bp_pg_contents(struct bp_pg *pg, struct bp_list *some, int64_t *count,
                            struct bp_err *err) BP_CHECK;

/* See target.h: clean. BP_EFAILED when there is a subscription: it cannot go in a transaction. */
enum bp_code bp_pg_clean(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

#endif
