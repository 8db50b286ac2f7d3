#include "support/fake_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static enum bp_code examine(struct bp_source *base, struct bp_findings *findings,
                            struct bp_err *err)
{
    struct fake_source *self = (struct fake_source *)base;

    if (self->examine_result == BP_ESTOPPED)
        return bp_fail(err, BP_ESTOPPED, "stopped");
    if (self->examine_result != BP_OK)
        bp_findings_refuse(findings, self->examine_result, "tables",
                           "user 'u' may not read t; hint: GRANT it");
    else
        bp_findings_add(findings, BP_FOUND_OK, "database", "connected");
    return BP_OK;
}

static enum bp_code snapshot(struct bp_source *base, struct bp_source_info *info,
                             struct bp_tables *tables, struct bp_err *err)
{
    struct fake_source *self = (struct fake_source *)base;

    if (self->snapshot_result != BP_OK)
        return bp_fail(err, self->snapshot_result, "no snapshot");
    info->name = bp_strdup("shop");
    info->server_version = bp_strdup("15.8");
    info->version_num = 150008;
    info->encoding = bp_strdup("UTF8");
    info->size_bytes = 1000;
    bp_list_add(&info->schemas, "public");
    for (const struct fake_source_table *t = self->tables; t->name != NULL; t++)
        tables->count++;
    tables->at = bp_alloc(tables->count, sizeof(*tables->at));
    for (size_t i = 0; i < tables->count; i++) {
        const struct fake_source_table *t = &self->tables[i];

        tables->at[i] = (struct bp_table){
            .schema = bp_strdup(t->schema),
            .name = bp_strdup(t->name),
            .copy_in = bp_format("COPY \"%s\".\"%s\" (\"id\") FROM stdin;", t->schema, t->name),
            .order = "primary key",
            .size_bytes = t->disk_bytes > 0 ? t->disk_bytes : t->rows * (int64_t)t->row_len,
            .all_differ = true,
            .slices = t->slices > 0 ? t->slices : 1};
    }
    return BP_OK;
}

struct fake_reader {
    struct bp_reader base;
    struct fake_source *source;
    size_t number;
    struct bp_clock *clock;
};

static struct fake_source *source_of(struct bp_reader *base)
{
    return ((struct fake_reader *)base)->source;
}

static enum bp_code ddl(struct bp_reader *base, struct bp_tables *tables, struct bp_ddl *out,
                        struct bp_err *err)
{
    if (source_of(base)->ddl_locked > 0) {
        source_of(base)->ddl_locked--;
        return bp_fail(err, BP_ELOCKED, "pg_dump could not lock a table");
    }
    out->roles = bp_strdup("-- roles\n");
    out->pre_data = bp_strdup("-- pre\n");
    out->sequences = bp_strdup("-- sequences\n");
    out->post_data = bp_strdup("-- post\n");
    for (size_t i = 0; i < tables->count; i++)
        tables->at[i].definition = bp_strdup("-- definition\n");
    return BP_OK;
}

static enum bp_code hold(struct bp_reader *base, const struct bp_table *table, struct bp_err *err)
{
    const struct fake_reader *reader = (const struct fake_reader *)base;

    if (reader->number > 0 && reader->source->awaited != NULL &&
        strcmp(reader->source->awaited, table->name) == 0)
        return bp_fail(err, BP_ELOCKED, "somebody waits to change it");
    return BP_OK;
}

/* The row of the table at which a slice begins. */
static int64_t cut_at(const struct fake_source_table *t, const struct bp_table *table,
                      size_t number)
{
    return t->cuts != NULL ? t->cuts[number] : t->rows * (int64_t)number / (int64_t)table->slices;
}

static void make_row(const struct fake_source *self, const struct fake_source_table *t, int64_t i,
                     char *row)
{
    int len = 0;

    if (self->make_row != NULL) {
        self->make_row(t, i, row);
        return;
    }
    len = snprintf(row, t->row_len, "%" PRId64 "\tvalue ", i);
    memset(row + len, 'x', t->row_len - 1 - (size_t)len);
    row[t->row_len - 1] = '\n';
}

static enum bp_code rows(struct bp_reader *base, const struct bp_slice *slice, bp_row_sink *sink,
                         void *ctx, struct bp_err *err)
{
    struct fake_source *self = source_of(base);
    struct fake_row at = {
        .source = self, .slice = slice, .clock = ((struct fake_reader *)base)->clock};
    const struct fake_source_table *t = self->tables;
    BP_AUTO(bp_freep) char *row = NULL;
    int64_t end = 0;

    while (strcmp(t->name, slice->table->name) != 0)
        t++;
    row = bp_alloc(t->row_len + 1, 1);
    at.number = cut_at(t, slice->table, slice->number);
    end = cut_at(t, slice->table, slice->number + 1);
    if (slice->limit > 0 && end > at.number + slice->limit + self->limit_lie)
        end = at.number + slice->limit + self->limit_lie;
    for (; at.number < end; at.number++) {
        if (self->on_row != NULL && self->on_row(&at, err) != BP_OK)
            return err->code;
        make_row(self, t, at.number, row);
        if (sink(ctx, row, t->row_len, err) != BP_OK)
            return err->code;
        if (self->copy_result != BP_OK)
            return bp_fail(err, self->copy_result, "the connection was lost");
    }
    return BP_OK;
}

static enum bp_code large_objects(struct bp_reader *base, bp_row_sink *sink, void *ctx,
                                  int64_t *count, struct bp_err *err)
{
    static const char line[] = "SELECT lo_put(1, 0, '');\n";
    struct fake_source *self = source_of(base);

    *count = self->large_object_lines;
    for (int i = 0; i < self->large_object_lines; i++) {
        if (sink(ctx, line, strlen(line), err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code schema_dump(struct bp_reader *base, const char *schema, bp_row_sink *sink,
                                void *ctx, struct bp_err *err)
{
    struct fake_source *self = source_of(base);
    BP_AUTO(bp_freep) char *piece = bp_alloc(self->dump_bytes + 1, 1);
    size_t len = self->dump_bytes;

    memset(piece, 'd', len);
    (void)schema;
    return len > 0 ? sink(ctx, piece, len, err) : BP_OK;
}

static void free_reader(struct bp_reader *base)
{
    atomic_fetch_sub(&source_of(base)->readers, 1);
    bp_free(base);
}

static const struct bp_reader_ops reader_ops = {
    .hold = hold,
    .rows = rows,
    .large_objects = large_objects,
    .ddl = ddl,
    .schema_dump = schema_dump,
    .free = free_reader,
};

static enum bp_code open_reader(struct bp_source *base, size_t number, struct bp_clock *clock,
                                struct bp_reader **out, struct bp_err *err)
{
    struct fake_source *self = (struct fake_source *)base;
    struct fake_reader *reader = NULL;

    atomic_fetch_add(&self->readers_asked, 1);
    if (number > 0 && self->most_readers > 0 && number >= (size_t)self->most_readers)
        return bp_fail(err, BP_EUNAVAILABLE, "too many connections");
    reader = bp_alloc(1, sizeof(*reader));
    *reader = (struct fake_reader){
        .base.ops = &reader_ops, .source = self, .number = number, .clock = clock};
    atomic_fetch_add(&self->readers, 1);
    *out = &reader->base;
    return BP_OK;
}

static enum bp_code take_lock(struct bp_source *base, const char *name, bool wait,
                              struct bp_err *err)
{
    struct fake_source *self = (struct fake_source *)base;

    if (self->lock_result != BP_OK)
        return bp_fail(err, self->lock_result, "no end of the wait");
    if (!self->locked || wait)
        return BP_OK;
    return bp_fail(err, BP_ELOCKED, "another backup to '%s' is running", name);
}

static enum bp_code alive(struct bp_source *base, struct bp_err *err)
{
    (void)base;
    (void)err;
    return BP_OK;
}

static enum bp_code confirm(struct bp_source *base, bool all_read, struct bp_err *err)
{
    struct fake_source *self = (struct fake_source *)base;

    if (all_read && self->confirm_result != BP_OK)
        return bp_fail(err, self->confirm_result, "the session that holds the locks is gone");
    return BP_OK;
}

static void count_close(struct bp_source *base)
{
    ((struct fake_source *)base)->closed++;
}

static void no_free(struct bp_source *base)
{
    (void)base;
}

static const struct bp_source_ops source_ops = {
    .lock = take_lock,
    .examine = examine,
    .snapshot = snapshot,
    .reader = open_reader,
    .alive = alive,
    .confirm = confirm,
    .close = count_close,
    .free = no_free,
};

struct fake_source fake_source(const struct fake_source_table *tables)
{
    return (struct fake_source){.base.ops = &source_ops, .tables = tables};
}
