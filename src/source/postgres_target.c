/* The PostgreSQL driver of target.h. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/tunnel.h"
#include "source/postgres.h"
#include "source/postgres_clean.h"
#include "source/postgres_conn.h"
#include "source/postgres_params.h"
#include "source/postgres_target_marks.h"
#include "source/postgres_target_writer.h"

struct postgres_target {
    struct bp_target base; /* must be first */
    struct bp_postgres_options options;
    struct bp_pg pg;
};

static struct postgres_target *from_base(struct bp_target *self)
{
    return (struct postgres_target *)self;
}

static enum bp_code open_target(struct bp_target *self, struct bp_target_info *info,
                                struct bp_err *err)
{
    struct postgres_target *t = from_base(self);
    enum bp_code rc = bp_pg_tunnel_open(&t->options, err);

    if (rc == BP_OK)
        rc = bp_pg_open(&t->pg, &t->options, err);
    if (rc != BP_OK)
        return rc;
    *info = (struct bp_target_info){.version_num = PQserverVersion(t->pg.conn),
                                    .marks = BP_PG_MARKS_SCHEMA};
    bp_pg_where(&t->pg, info->where);
    (void)snprintf(info->name, sizeof(info->name), "%s", PQdb(t->pg.conn));
    (void)snprintf(info->encoding, sizeof(info->encoding), "%s",
                   PQparameterStatus(t->pg.conn, "server_encoding"));
    return BP_OK;
}

static enum bp_code lock(struct bp_target *self, struct bp_err *err)
{
    return bp_pg_target_lock(&from_base(self)->pg, err);
}

static enum bp_code list_contents(struct bp_target *self, struct bp_list *some, int64_t *count,
                                  struct bp_err *err)
{
    return bp_pg_contents(&from_base(self)->pg, some, count, err);
}

static enum bp_code is_there(struct bp_pg *pg, const char *table, bool *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    char *quoted = NULL;
    enum bp_code rc = bp_pg_look(pg, err);

    if (rc != BP_OK)
        return rc;
    quoted = PQescapeLiteral(pg->conn, table, strlen(table));
    sql = bp_format("SELECT to_regclass(%s) IS NOT NULL", quoted != NULL ? quoted : "''");
    PQfreemem(quoted);
    rc = bp_pg_query(pg, sql, &row, err);
    *out = rc == BP_OK && bp_pg_is_true(row, 0, 0);
    return rc;
}

static enum bp_code list_existing(struct bp_target *self, const struct bp_list *tables,
                                  struct bp_list *out, struct bp_err *err)
{
    for (size_t i = 0; i < tables->count; i++) {
        bool there = false;

        if (is_there(&from_base(self)->pg, tables->at[i], &there, err) != BP_OK)
            return bp_wrap(err, "cannot look for table %s", tables->at[i]);
        if (there)
            bp_list_add(out, tables->at[i]);
    }
    return BP_OK;
}

static enum bp_code read_marks(struct bp_target *self, struct bp_target_marks *out,
                               struct bp_err *err)
{
    return bp_pg_marks_read(&from_base(self)->pg, out, err);
}

static enum bp_code open_writer(struct bp_target *self, const struct bp_writer_want *want,
                                struct bp_writer **out, struct bp_err *err)
{
    struct postgres_target *t = from_base(self);

    return bp_pg_writer_open(&t->options, &t->pg, want, out, err);
}

static void free_target(struct bp_target *self)
{
    struct postgres_target *t = from_base(self);

    bp_pg_close(&t->pg);
    bp_tunnel_closep(&t->options.tunnel);
    bp_free(t);
}

static const struct bp_target_ops ops = {
    .open = open_target,
    .lock = lock,
    .contents = list_contents,
    .existing = list_existing,
    .marks = read_marks,
    .writer = open_writer,
    .free = free_target,
};

struct bp_target *bp_postgres_target_new(const struct bp_postgres_options *options)
{
    struct postgres_target *t = bp_alloc(1, sizeof(*t));

    t->base.ops = &ops;
    t->options = *options;
    return &t->base;
}
