/* The PostgreSQL drivers of scratch.h: a cluster of their own, and a database that somebody gives.
 */
#ifndef BP_SOURCE_POSTGRES_SCRATCH_H
#define BP_SOURCE_POSTGRES_SCRATCH_H

#include "source/postgres.h"
#include "source/postgres_conn.h"
#include "source/scratch.h"

struct bp_pg_scratch {
    struct bp_scratch base;           /* must be first */
    struct bp_postgres_options reach; /* of its database; url is NULL before start() */
};

struct bp_target *bp_pg_scratch_target(struct bp_scratch *self);
struct bp_source *bp_pg_scratch_source(struct bp_scratch *self, const struct bp_scope *scope);
enum bp_code bp_pg_scratch_missing(struct bp_scratch *self, const struct bp_list *extensions,
                                   struct bp_list *out, struct bp_err *err);
enum bp_code bp_pg_scratch_ask(struct bp_scratch *self, const char *sql, bool *yes,
                               struct bp_buf *why, struct bp_err *err);

/* Fill info from a connection to it. */
enum bp_code bp_pg_scratch_describe(struct bp_pg *pg, const struct bp_scratch_want *want,
                                    struct bp_scratch_info *info, struct bp_err *err) BP_CHECK;

/* The programs of a server of this version (150008), or the next newer one: the folder that holds
 * them is owned by the caller. BP_ENOTFOUND. */
enum bp_code bp_pg_server_programs(const struct bp_postgres_options *options, int version_num,
                                   char **dir, struct bp_err *err) BP_CHECK;

#endif
