#include "source/postgres_reader.h"

#include <inttypes.h>

#include "base/mem.h"
#include "source/postgres_copy.h"
#include "source/postgres_ddl.h"
#include "source/postgres_definition.h"
#include "source/postgres_roles.h"
#include "source/postgres_snapshot.h"
#include "source/postgres_toc.h"

struct postgres_reader {
    struct bp_reader base; /* must be first */
    const struct bp_pg_shared *shared;
    struct bp_postgres_options options; /* with the reader's own clock */
    struct bp_pg *pg;                   /* own, or that of the holder of the locks */
    struct bp_pg own;
    struct bp_clock *lent_clock; /* the holder's, which it gets back; NULL: it is no holder */
};

static struct postgres_reader *from_base(struct bp_reader *self)
{
    return (struct postgres_reader *)self;
}

static enum bp_code read_rows(struct bp_reader *self, const struct bp_slice *slice,
                              bp_row_sink *sink, void *ctx, struct bp_err *err)
{
    return bp_pg_copy_slice(from_base(self)->pg, slice, sink, ctx, err);
}

static enum bp_code read_large_objects(struct bp_reader *self, bp_row_sink *sink, void *ctx,
                                       int64_t *count, struct bp_err *err)
{
    struct postgres_reader *r = from_base(self);

    *count = 0;
    if (r->shared->narrow)
        return BP_OK;
    return bp_pg_copy_large_objects(r->pg, sink, ctx, count, err);
}

static struct bp_pg_dump_job dump_job(struct postgres_reader *r, const struct bp_list *args)
{
    return (struct bp_pg_dump_job){.options = &r->options,
                                   .pg = r->pg,
                                   .programs = &r->shared->programs,
                                   .snapshot = r->shared->snapshot,
                                   .args = args};
}

/* While pg_dump ran, nobody may have changed what it wrote down. Its connection is free again. */
static enum bp_code check_definitions(struct postgres_reader *r, struct bp_err *err)
{
    return bp_pg_changes_look(&r->options, &r->shared->changes, false, &r->shared->definitions,
                              err);
}

/* What pg_dump wrote decides which sequences and views there are: a selection may leave some out.
 */
static enum bp_code read_ddl(struct bp_reader *self, struct bp_tables *tables, struct bp_ddl *out,
                             struct bp_err *err)
{
    struct postgres_reader *r = from_base(self);
    const struct bp_pg_dump_job job = dump_job(r, &r->shared->dump_args);
    BP_AUTO(bp_pg_dump_texts_free) struct bp_pg_dump_texts texts = {0};
    BP_AUTO(bp_pg_relations_free) struct bp_pg_relations dumped = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sequences = {0};
    BP_AUTO(bp_buf_free) struct bp_buf refresh = {0};

    if (bp_pg_dump_run(&job, &texts, err) != BP_OK) {
        /* Whoever is in the way waits for us, so he is still there. */
        return err->code == BP_ELOCKED ? bp_pg_name_holder(r->pg, err) : err->code;
    }
    bp_pg_relations_read(bp_buf_str(&texts.list), &dumped);
    if (bp_pg_relations_check(&dumped, tables, err) != BP_OK ||
        bp_pg_roles(r->pg, r->options.role_passwords, &roles, err) != BP_OK ||
        bp_pg_ddl_sequences(r->pg, &dumped, !r->shared->narrow, &sequences, err) != BP_OK ||
        bp_pg_ddl_refresh(r->pg, &dumped, !r->shared->narrow, &refresh, err) != BP_OK)
        return err->code;
    if (check_definitions(r, err) != BP_OK)
        return err->code;
    bp_pg_definitions_set(&texts.verbose, tables);
    *out = (struct bp_ddl){.roles = bp_buf_take(&roles),
                           .pre_data = bp_buf_take(&texts.pre_data),
                           .sequences = bp_buf_take(&sequences),
                           .post_data = bp_buf_take(&texts.post_data),
                           .refresh = bp_buf_take(&refresh)};
    return BP_OK;
}

static enum bp_code dump_schema(struct bp_reader *self, const char *schema, bp_row_sink *sink,
                                void *ctx, struct bp_err *err)
{
    struct postgres_reader *r = from_base(self);
    const struct bp_pg_dump_job job = dump_job(r, &r->shared->dump_rows);

    if (bp_pg_dump_schema(&job, schema, sink, ctx, err) != BP_OK)
        return err->code;
    return check_definitions(r, err);
}

/*
 * The holder has all locks. For others, a lock that cannot be had at once cannot be had at all:
 * whoever waits for his lock waits for the holder, and the holder waits for us.
 */
static enum bp_code hold(struct bp_reader *self, const struct bp_table *table, struct bp_err *err)
{
    struct postgres_reader *r = from_base(self);
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_err ignored;

    if (r->lent_clock != NULL)
        return BP_OK;
    sql = bp_format("SAVEPOINT backproof;"
                    "LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT;"
                    "RELEASE backproof",
                    table->quoted);
    if (bp_pg_run(r->pg, sql, err) == BP_OK)
        return BP_OK;
    /* Also when the server has no room for one more lock. */
    if (err->code == BP_EUNAVAILABLE && r->pg->conn != NULL)
        err->code = BP_ELOCKED;
    if (err->code == BP_ELOCKED &&
        bp_pg_run(r->pg, "ROLLBACK TO backproof; RELEASE backproof", &ignored) != BP_OK)
        *err = ignored;
    return bp_wrap(err, "table '%s.%s'", table->schema, table->name);
}

static void free_reader(struct bp_reader *self)
{
    struct postgres_reader *r = from_base(self);

    if (r->lent_clock != NULL)
        r->pg->clock = r->lent_clock;
    bp_pg_close(&r->own);
    bp_free(r);
}

static const struct bp_reader_ops ops = {
    .hold = hold,
    .rows = read_rows,
    .large_objects = read_large_objects,
    .ddl = read_ddl,
    .schema_dump = dump_schema,
    .free = free_reader,
};

/* The holder has seen whether there is a pooler, and in which mode it is. */
static enum bp_code join(struct postgres_reader *r, struct bp_err *err)
{
    if (bp_pg_connect(r->pg, &r->options, err) != BP_OK ||
        bp_pg_apply_settings(r->pg, err) != BP_OK || bp_pg_snapshot_prepare(r->pg, err) != BP_OK)
        return err->code;
    r->pg->deadline = 0;
    return bp_pg_snapshot_join(r->pg, r->shared->snapshot, err);
}

enum bp_code bp_pg_reader_open(const struct bp_pg_shared *shared, struct bp_pg *holder,
                               struct bp_clock *clock, struct bp_reader **out, struct bp_err *err)
{
    struct postgres_reader *r = bp_alloc(1, sizeof(*r));
    BP_AUTO(bp_reader_freep) struct bp_reader *self = &r->base;
    BP_AUTO(bp_freep) char *limit = NULL;

    r->base.ops = &ops;
    r->shared = shared;
    r->options = shared->options;
    r->options.clock = clock;
    /* A reader is no place to speak from: it runs in a thread of its own. */
    r->options.tell = NULL;
    r->pg = holder != NULL ? holder : &r->own;
    if (holder != NULL) {
        r->lent_clock = holder->clock;
        holder->clock = clock;
    } else if (join(r, err) != BP_OK) {
        return err->code;
    }
    /* Indexes can be locked by others. Who holds one may wait for a table of ours, and the server
     * does not see that its holder waits for this reader. */
    limit = bp_format("SET LOCAL statement_timeout = %" PRId64 ";SET LOCAL lock_timeout = %" PRId64,
                      shared->options.statement_timeout_ms, shared->options.lock_timeout_ms);
    if (bp_pg_run(r->pg, limit, err) != BP_OK)
        return err->code;
    *out = self;
    self = NULL;
    return BP_OK;
}
