/* The PostgreSQL driver of source.h: it puts the parts in postgres_*.c together. */
#include "base/mem.h"
#include "source/postgres.h"
#include "source/postgres_catalog.h"
#include "source/postgres_conn.h"
#include "source/postgres_copy.h"
#include "source/postgres_ddl.h"
#include "source/postgres_definition.h"
#include "source/postgres_dump.h"
#include "source/postgres_roles.h"
#include "source/postgres_snapshot.h"

struct postgres_source {
    struct bp_source base; /* must be first */
    struct bp_postgres_options options;
    struct bp_pg pg;
    struct bp_pg_programs programs;
    char *snapshot;
};

static struct postgres_source *from_base(struct bp_source *self)
{
    return (struct postgres_source *)self;
}

static enum bp_code take_snapshot(struct bp_source *self, struct bp_source_info *info,
                                  struct bp_tables *tables, struct bp_err *err)
{
    struct postgres_source *s = from_base(self);
    enum bp_code rc = bp_pg_open(&s->pg, &s->options, err);

    if (rc != BP_OK)
        return rc;
    /* Before the locks: a missing program is better found while nobody waits for us. */
    rc = bp_pg_programs_find(&s->options, PQserverVersion(s->pg.conn), &s->programs, err);
    if (rc == BP_OK)
        rc = bp_pg_snapshot_begin(&s->pg, s->options.lock_timeout_ms, err);
    if (rc == BP_OK)
        rc = bp_pg_snapshot_info(&s->pg, info, err);
    if (rc == BP_OK)
        rc = bp_pg_catalog_read(&s->pg, tables, err);
    if (rc != BP_OK)
        return rc;
    s->snapshot = bp_strdup(info->snapshot);
    info->pg_dump_version = bp_strdup(s->programs.version);
    return BP_OK;
}

static enum bp_code read_ddl(struct bp_source *self, struct bp_tables *tables, struct bp_ddl *out,
                             struct bp_err *err)
{
    struct postgres_source *s = from_base(self);
    BP_AUTO(bp_pg_dump_texts_free) struct bp_pg_dump_texts texts = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sequences = {0};
    BP_AUTO(bp_buf_free) struct bp_buf refresh = {0};
    enum bp_code rc = bp_pg_dump_run(&s->options, &s->pg, &s->programs, s->snapshot, &texts, err);

    if (rc == BP_OK)
        rc = bp_pg_roles(&s->pg, &roles, err);
    if (rc == BP_OK)
        rc = bp_pg_ddl_sequences(&s->pg, &sequences, err);
    if (rc == BP_OK)
        rc = bp_pg_ddl_refresh(&s->pg, &refresh, err);
    if (rc != BP_OK)
        return rc;
    bp_pg_definitions_set(&texts.verbose, tables);
    *out = (struct bp_ddl){.roles = bp_buf_take(&roles),
                           .pre_data = bp_buf_take(&texts.pre_data),
                           .sequences = bp_buf_take(&sequences),
                           .post_data = bp_buf_take(&texts.post_data),
                           .refresh = bp_buf_take(&refresh)};
    return BP_OK;
}

static enum bp_code copy_table(struct bp_source *self, const struct bp_table *table,
                               bp_row_sink *sink, void *ctx, struct bp_err *err)
{
    return bp_pg_copy_out(&from_base(self)->pg, table->copy_out, sink, ctx, err);
}

static enum bp_code copy_large_objects(struct bp_source *self, bp_row_sink *sink, void *ctx,
                                       int64_t *count, struct bp_err *err)
{
    return bp_pg_copy_large_objects(&from_base(self)->pg, sink, ctx, count, err);
}

static void close_source(struct bp_source *self)
{
    bp_pg_close(&from_base(self)->pg);
}

static void free_source(struct bp_source *self)
{
    struct postgres_source *s = from_base(self);

    bp_pg_close(&s->pg);
    bp_pg_programs_free(&s->programs);
    bp_free(s->snapshot);
    bp_free(s);
}

static const struct bp_source_ops ops = {
    .snapshot = take_snapshot,
    .ddl = read_ddl,
    .copy = copy_table,
    .large_objects = copy_large_objects,
    .close = close_source,
    .free = free_source,
};

struct bp_source *bp_postgres_source_new(const struct bp_postgres_options *options)
{
    struct postgres_source *s = bp_alloc(1, sizeof(*s));

    s->base.ops = &ops;
    s->options = *options;
    return &s->base;
}
