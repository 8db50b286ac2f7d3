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

/* ---- target ---- */

static enum bp_code target_open(struct bp_target *base, struct bp_target_info *info,
                                struct bp_err *err)
{
    struct fake_target *self = (struct fake_target *)base;

    (void)err;
    *info =
        (struct bp_target_info){.name = "new", .where = "here", .version_num = self->version_num};
    return BP_OK;
}

static enum bp_code target_contents(struct bp_target *base, struct bp_list *some, int64_t *count,
                                    struct bp_err *err)
{
    struct fake_target *self = (struct fake_target *)base;

    (void)err;
    *count = self->contents;
    for (int64_t i = 0; i < self->contents && i < 10; i++)
        bp_list_addf(some, "table public.t%d", (int)i);
    return BP_OK;
}

static enum bp_code target_lock(struct bp_target *base, struct bp_err *err)
{
    if (((struct fake_target *)base)->locked)
        return bp_fail(err, BP_ELOCKED, "another restore is running");
    return BP_OK;
}

static enum bp_code target_existing(struct bp_target *base, const struct bp_list *tables,
                                    struct bp_list *out, struct bp_err *err)
{
    const char *has = ((struct fake_target *)base)->has;

    (void)err;
    if (has != NULL && bp_list_has(tables, has))
        bp_list_add(out, has);
    return BP_OK;
}

static enum bp_code target_marks(struct bp_target *base, struct bp_target_marks *out,
                                 struct bp_err *err)
{
    struct fake_target *self = (struct fake_target *)base;

    (void)err;
    *out = (struct bp_target_marks){.found = self->marks_archive != NULL,
                                    .archive = bp_strdup(self->marks_archive),
                                    .plan = bp_strdup(self->marks_plan)};
    for (size_t i = 0; i < self->marks.count; i++)
        bp_list_add(&out->done, self->marks.at[i]);
    return BP_OK;
}

/* ---- its connections ---- */

struct fake_writer {
    struct bp_writer base;
    struct fake_target *target;
    struct bp_list marks; /* of the transaction */
    int64_t pending;
};

static struct fake_target *target_of(struct bp_writer *base)
{
    return ((struct fake_writer *)base)->target;
}

static void tell(struct bp_writer *base, const char *word, const char *what)
{
    struct fake_target *target = target_of(base);

    (void)pthread_mutex_lock(&target->lock);
    bp_buf_printf(&target->log, "%s%s%s\n", word, what[0] != '\0' ? " " : "", what);
    (void)pthread_mutex_unlock(&target->lock);
}

static enum bp_code may_refuse(struct bp_writer *base, const char *what, struct bp_err *err)
{
    struct fake_target *target = target_of(base);
    bool refused = false;

    (void)pthread_mutex_lock(&target->lock);
    refused = target->refuses != NULL && strstr(what, target->refuses) != NULL;
    if (refused && target->refusals > 0 && --target->refusals == 0)
        target->refuses = NULL;
    (void)pthread_mutex_unlock(&target->lock);
    if (!refused)
        return BP_OK;
    return bp_fail(err, target->refusal != BP_OK ? target->refusal : BP_EFAILED,
                   "%s: syntax error", what);
}

static void writer_use(struct bp_writer *base, struct bp_clock *clock)
{
    (void)base;
    (void)clock;
}

static enum bp_code writer_begin(struct bp_writer *base, bool durable, struct bp_err *err)
{
    (void)err;
    bp_list_free(&((struct fake_writer *)base)->marks);
    tell(base, durable ? "begin" : "begin loosely", "");
    target_of(base)->committed = false;
    return BP_OK;
}

static enum bp_code writer_commit(struct bp_writer *base, struct bp_err *err)
{
    struct fake_target *target = target_of(base);
    struct fake_writer *self = (struct fake_writer *)base;

    if (target->commit_result != BP_OK)
        return bp_fail(err, target->commit_result, "cannot commit");
    (void)pthread_mutex_lock(&target->lock);
    for (size_t i = 0; i < self->marks.count; i++)
        bp_list_add(&target->marks, self->marks.at[i]);
    target->committed = true;
    (void)pthread_mutex_unlock(&target->lock);
    bp_list_free(&self->marks);
    tell(base, "commit", "");
    return BP_OK;
}

static void writer_rollback(struct bp_writer *base)
{
    bp_list_free(&((struct fake_writer *)base)->marks);
    tell(base, "rollback", "");
}

static enum bp_code writer_clean(struct bp_writer *base, struct bp_err *err)
{
    (void)err;
    tell(base, "clean", "");
    return BP_OK;
}

static enum bp_code writer_define(struct bp_writer *base, const char *sql, const char *label,
                                  struct bp_err *err)
{
    (void)sql;
    tell(base, "define", label);
    return may_refuse(base, label, err);
}

static enum bp_code writer_run(struct bp_writer *base, const char *sql, const char *label,
                               struct bp_err *err)
{
    (void)sql;
    tell(base, "run", label);
    return may_refuse(base, label, err);
}

static enum bp_code writer_load(struct bp_writer *base, const char *table, const char *copy,
                                struct bp_err *err)
{
    (void)copy;
    return may_refuse(base, table, err);
}

static enum bp_code writer_copy_begin(struct bp_writer *base, const char *sql, struct bp_err *err)
{
    (void)err;
    ((struct fake_writer *)base)->pending = 0;
    tell(base, "copy", sql);
    return BP_OK;
}

static enum bp_code writer_copy_put(struct bp_writer *base, const char *data, size_t len,
                                    struct bp_err *err)
{
    struct fake_target *target = target_of(base);

    (void)err;
    for (size_t i = 0; i < len; i++)
        ((struct fake_writer *)base)->pending += data[i] == '\n';
    (void)pthread_mutex_lock(&target->lock);
    bp_buf_add(&target->rows, data, len);
    (void)pthread_mutex_unlock(&target->lock);
    return BP_OK;
}

static enum bp_code writer_copy_end(struct bp_writer *base, int64_t *rows, struct bp_err *err)
{
    (void)err;
    *rows = ((struct fake_writer *)base)->pending - target_of(base)->rows_lost;
    return BP_OK;
}

static enum bp_code writer_mark_begin(struct bp_writer *base, const char *archive,
                                      const char *plan, struct bp_err *err)
{
    struct fake_target *target = target_of(base);

    (void)err;
    bp_free(target->marks_archive);
    bp_free(target->marks_plan);
    bp_list_free(&target->marks);
    target->marks_archive = bp_strdup(archive);
    target->marks_plan = bp_strdup(plan);
    return BP_OK;
}

static enum bp_code writer_mark(struct bp_writer *base, const char *step, struct bp_err *err)
{
    (void)err;
    bp_list_add(&((struct fake_writer *)base)->marks, step);
    return BP_OK;
}

static enum bp_code writer_mark_end(struct bp_writer *base, struct bp_err *err)
{
    struct fake_target *target = target_of(base);

    (void)err;
    bp_free(target->marks_archive);
    target->marks_archive = NULL;
    return BP_OK;
}

static void writer_free(struct bp_writer *base)
{
    atomic_fetch_sub(&target_of(base)->writers, 1);
    bp_list_free(&((struct fake_writer *)base)->marks);
    bp_free(base);
}

static const struct bp_writer_ops writer_ops = {
    .use = writer_use,
    .begin = writer_begin,
    .commit = writer_commit,
    .rollback = writer_rollback,
    .clean = writer_clean,
    .define = writer_define,
    .run = writer_run,
    .load = writer_load,
    .copy_begin = writer_copy_begin,
    .copy_put = writer_copy_put,
    .copy_end = writer_copy_end,
    .mark_begin = writer_mark_begin,
    .mark = writer_mark,
    .mark_end = writer_mark_end,
    .free = writer_free,
};

static enum bp_code target_writer(struct bp_target *base, const struct bp_writer_want *want,
                                  struct bp_writer **out, struct bp_err *err)
{
    struct fake_target *self = (struct fake_target *)base;
    struct fake_writer *writer = NULL;

    if (self->most_writers > 0 && want->number >= (size_t)self->most_writers)
        return bp_fail(err, BP_EUNAVAILABLE, "too many connections");
    writer = bp_alloc(1, sizeof(*writer));
    writer->base.ops = &writer_ops;
    writer->target = self;
    atomic_fetch_add(&self->writers, 1);
    *out = &writer->base;
    return BP_OK;
}

static void target_no_free(struct bp_target *base)
{
    (void)base;
}

static const struct bp_target_ops target_ops = {
    .open = target_open,
    .lock = target_lock,
    .contents = target_contents,
    .existing = target_existing,
    .marks = target_marks,
    .writer = target_writer,
    .free = target_no_free,
};

struct fake_target fake_target(void)
{
    return (struct fake_target){.base.ops = &target_ops,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .version_num = 150008};
}

void fake_target_release(struct fake_target *target)
{
    bp_buf_free(&target->log);
    bp_buf_free(&target->rows);
    bp_list_free(&target->marks);
    bp_free(target->marks_archive);
    bp_free(target->marks_plan);
}
