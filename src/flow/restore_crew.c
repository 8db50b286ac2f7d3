/* All of it by several connections: each part is a transaction of its own, with a mark. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/restore_internal.h"

/* ---- what all crews share ---- */

enum bp_code bp_restore_sit(struct bp_restore *r, size_t seat, struct bp_clock *clock,
                            struct bp_err *err)
{
    struct bp_restore_seat *s = &r->seats[seat];
    bool raw = strcmp(r->manifest->database.encoding, "SQL_ASCII") == 0;
    const struct bp_writer_want want = {.number = seat,
                                        .encoding = raw ? "SQL_ASCII" : "UTF8",
                                        .preamble = r->plan.preamble,
                                        .clock = clock};

    s->clock = clock;
    if (s->writer == NULL)
        return r->job->target->ops->writer(r->job->target, &want, &s->writer, err);
    s->writer->ops->use(s->writer, clock);
    return BP_OK;
}

static struct bp_restore *restore_of(void *ctx)
{
    return *(struct bp_restore **)ctx;
}

static enum bp_code begin(void *ctx, size_t worker, struct bp_clock *clock, struct bp_err *err)
{
    return bp_restore_sit(restore_of(ctx), worker, clock, err);
}

/* The crew's clock ends with it. */
static void end(void *ctx, size_t worker)
{
    struct bp_restore *r = restore_of(ctx);

    r->seats[worker].clock = r->job->clock;
    r->seats[worker].writer->ops->use(r->seats[worker].writer, r->job->clock);
}

enum bp_code bp_restore_share(struct bp_restore *r, struct bp_crew_job *job, struct bp_err *err)
{
    struct bp_err why = {0};
    size_t began = 0;
    enum bp_code rc = BP_OK;

    if (job->tasks == 0)
        return BP_OK;
    job->workers = r->workers;
    job->begin = begin;
    job->end = end;
    job->clock = r->job->clock;
    rc = bp_crew_run(job, &began, &why, err);
    bp_progress_end(r->job->out);
    if (rc != BP_OK || why.code == BP_OK)
        return rc;
    bp_info(r->job->out, "going on with %zu of %zu connections: %s", began, r->workers, why.msg);
    r->workers = began;
    return BP_OK;
}

bool bp_restore_is_done(const struct bp_restore *r, const char *mark)
{
    return bp_list_has(&r->marks.done, mark);
}

/* A connection that is gone, or the end of the time, is no object's failure. */
bool bp_restore_goes_on(struct bp_restore *r, const struct bp_err *err)
{
    if (!r->job->continue_on_error || err->code == BP_EUNAVAILABLE || err->code == BP_ESTOPPED ||
        err->code == BP_ETIMEOUT)
        return false;
    (void)pthread_mutex_lock(&r->lock);
    bp_list_add(&r->result->failures, err->msg);
    (void)pthread_mutex_unlock(&r->lock);
    return true;
}

enum bp_code bp_restore_do(struct bp_restore *r, struct bp_restore_seat *seat,
                           const struct bp_restore_part *part, bool *locked, struct bp_err *err)
{
    struct bp_writer *writer = seat->writer;
    enum bp_code rc = bp_stop_check(seat->clock->stop, err);

    if (rc != BP_OK || (part->mark != NULL && bp_restore_is_done(r, part->mark)))
        return rc;
    rc = writer->ops->begin(writer, false, err);
    if (rc == BP_OK)
        rc = part->work(r, seat, part->what, err);
    if (rc == BP_OK && part->mark != NULL)
        rc = writer->ops->mark(writer, part->mark, err);
    if (rc == BP_OK)
        rc = writer->ops->commit(writer, err);
    if (rc == BP_OK)
        return rc;
    writer->ops->rollback(writer);
    if (rc == BP_ELOCKED && locked != NULL) {
        *locked = true;
        return BP_OK;
    }
    return bp_restore_goes_on(r, err) ? BP_OK : rc;
}

enum bp_code bp_restore_make_room(struct bp_restore *r, struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    if (r->must_clean)
        return writer->ops->clean(writer, err);
    if (r->replace.count == 0)
        return BP_OK;
    /* By one statement: they may need each other, and some be partitions of others. */
    for (size_t i = 0; i < r->replace.count; i++)
        bp_buf_printf(&sql, "%s%s", i == 0 ? "DROP TABLE " : ", ", r->replace.at[i]);
    return writer->ops->run(writer, bp_buf_str(&sql), "what is replaced", err);
}

/* ---- the rows ---- */

struct rows {
    struct bp_restore *r;                   /* first */
    const struct bp_restore_table **tables; /* the largest first */
    bool objects;                           /* before them, the large objects */
};

static enum bp_code load_objects(struct bp_restore *r, struct bp_restore_seat *seat,
                                 const void *what, struct bp_err *err)
{
    (void)what;
    return bp_restore_load_objects(r, seat, err);
}

static enum bp_code load_table(struct bp_restore *r, struct bp_restore_seat *seat, const void *what,
                               struct bp_err *err)
{
    return bp_restore_load_table(r, seat, what, err);
}

static enum bp_code load_task(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    const struct rows *rows = ctx;
    struct bp_restore_seat *seat = &rows->r->seats[worker];
    const struct bp_restore_table *table = NULL;
    BP_AUTO(bp_freep) char *mark = NULL;

    if (rows->objects && task == 0)
        return bp_restore_do(rows->r, seat,
                             &(struct bp_restore_part){.mark = "objects", .work = load_objects},
                             NULL, err);
    table = rows->tables[task - (rows->objects ? 1 : 0)];
    mark = bp_format("rows %s", table->target);
    return bp_restore_do(rows->r, seat,
                         &(struct bp_restore_part){.mark = mark, .work = load_table, .what = table},
                         NULL, err);
}

static int largest_first(const void *left, const void *right)
{
    const struct bp_restore_table *a = *(const struct bp_restore_table *const *)left;
    const struct bp_restore_table *b = *(const struct bp_restore_table *const *)right;

    if (a->table->bytes != b->table->bytes)
        return a->table->bytes < b->table->bytes ? 1 : -1;
    return strcmp(a->target, b->target);
}

static const struct bp_restore_table *table_of_task(void *ctx, size_t task)
{
    const struct rows *rows = ctx;

    if (rows->objects && task == 0)
        return NULL;
    return rows->tables[task - (rows->objects ? 1 : 0)];
}

static enum bp_code load_rows(struct bp_restore *r, struct bp_err *err)
{
    size_t count = r->plan.table_count;
    BP_AUTO(bp_freep)
    const struct bp_restore_table **tables =
        bp_alloc(count + 1, sizeof(const struct bp_restore_table *));
    struct rows rows = {.r = r, .tables = tables, .objects = bp_restore_has_objects(r)};
    const struct bp_restore_loads loads = {.count = count + (rows.objects ? 1 : 0),
                                           .work = load_task,
                                           .table = table_of_task,
                                           .ctx = &rows};

    for (size_t i = 0; i < count; i++)
        tables[i] = &r->plan.tables[i];
    qsort(tables, count, sizeof(const struct bp_restore_table *), largest_first);
    /* When only large tables are left, the others are not kept waiting for their indexes. */
    r->built = bp_restore_early_steps(r);
    return bp_restore_group(r, 0, r->built, &loads, err);
}

static enum bp_code set_sequences(struct bp_restore *r, struct bp_restore_seat *seat,
                                  const void *what, struct bp_err *err)
{
    (void)r;
    return seat->writer->ops->run(seat->writer, what, "database/sequences.sql", err);
}

/* ---- the statistics ---- */

struct analysis {
    struct bp_restore *r; /* first */
    struct bp_list names; /* the partitions of a table tell nothing of the table itself */
    struct bp_list warnings;
    atomic_size_t done;
};

static void list_names(const struct bp_restore_plan *plan, struct bp_list *out)
{
    BP_AUTO(bp_list_free) struct bp_list all = {0};

    for (size_t i = 0; i < plan->table_count; i++)
        bp_list_add(&all, plan->tables[i].target);
    for (size_t i = 0; i < plan->made.count; i++)
        bp_list_add(&all, plan->made.at[i]);
    for (size_t i = 0; i < plan->views.count; i++)
        bp_list_add(&all, plan->views.at[i]);
    bp_list_sort(&all);
    for (size_t i = 0; i < all.count; i++) {
        if (i == 0 || strcmp(all.at[i], all.at[i - 1]) != 0)
            bp_list_add(out, all.at[i]);
    }
}

static enum bp_code analyze_task(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct analysis *a = ctx;
    struct bp_writer *writer = a->r->seats[worker].writer;
    BP_AUTO(bp_freep) char *sql = bp_format("ANALYZE %s", a->names.at[task]);
    enum bp_code rc = writer->ops->define(writer, sql, "statistics", err);

    atomic_fetch_add(&a->done, 1);
    if (rc == BP_OK || rc == BP_EUNAVAILABLE || rc == BP_ESTOPPED)
        return rc;
    (void)pthread_mutex_lock(&a->r->lock);
    bp_list_add(&a->warnings, err->msg);
    (void)pthread_mutex_unlock(&a->r->lock);
    return BP_OK;
}

static enum bp_code watch_analysis(void *ctx, struct bp_err *err)
{
    struct analysis *a = ctx;

    (void)err;
    bp_progress(a->r->job->out, "statistics: %zu of %zu tables", atomic_load(&a->done),
                a->names.count);
    return BP_OK;
}

enum bp_code bp_restore_analyze(struct bp_restore *r, struct bp_err *err)
{
    struct analysis a = {.r = r};
    struct bp_crew_job job = {.work = analyze_task, .watch = watch_analysis, .ctx = &a};
    enum bp_code rc = BP_OK;

    list_names(&r->plan, &a.names);
    job.tasks = a.names.count;
    rc = bp_restore_share(r, &job, err);
    /* All that the archive holds is there. */
    if (rc == BP_EUNAVAILABLE) {
        bp_list_add(&a.warnings, err->msg);
        rc = BP_OK;
    }
    for (size_t i = 0; i < a.warnings.count; i++)
        bp_warn(r->job->out, "%s", a.warnings.at[i]);
    bp_list_free(&a.warnings);
    bp_list_free(&a.names);
    return rc;
}

/* ---- all of it ---- */

/* What an earlier run has loaded. */
static void count_loaded(struct bp_restore *r)
{
    for (size_t i = 0; r->marks.found && i < r->plan.table_count; i++) {
        const struct bp_restore_table *table = &r->plan.tables[i];
        BP_AUTO(bp_freep) char *mark = bp_format("rows %s", table->target);

        if (!bp_restore_is_done(r, mark))
            continue;
        atomic_fetch_add(&r->rows, table->table->rows);
        r->all_bytes -= table->table->bytes;
    }
}

enum bp_code bp_restore_crew(struct bp_restore *r, struct bp_err *err)
{
    /* Those of unlogged tables are as new when the server has broken down since. */
    const struct bp_restore_part sequences = {.work = set_sequences, .what = r->plan.sequences};

    r->began = r->marks.found;
    count_loaded(r);
    if (bp_restore_sit(r, 0, r->job->clock, err) != BP_OK || bp_restore_pre_data(r, err) != BP_OK ||
        load_rows(r, err) != BP_OK)
        return err->code;
    if (r->plan.sequences[0] != '\0' &&
        bp_restore_do(r, &r->seats[0], &sequences, NULL, err) != BP_OK)
        return err->code;
    if (bp_restore_post_data(r, err) != BP_OK || bp_restore_refresh(r, err) != BP_OK ||
        bp_restore_analyze(r, err) != BP_OK)
        return err->code;
    return bp_restore_finish(r, err);
}
