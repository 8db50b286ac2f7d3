/* The target of fake_source.h. */
#include <string.h>

#include "base/mem.h"
#include "support/fake_source.h"

static enum bp_code target_open(struct bp_target *base, struct bp_target_info *info,
                                struct bp_err *err)
{
    struct fake_target *self = (struct fake_target *)base;

    (void)err;
    *info = (struct bp_target_info){
        .name = "new", .where = "here", .version_num = self->version_num, .marks = "marks"};
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
    return bp_fail(err, target->refusal != BP_OK ? target->refusal : BP_EFAILED, "%s: syntax error",
                   what);
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
    struct fake_target *target = target_of(base);

    (void)sql;
    tell(base, "define", label);
    if (target->on_define != NULL)
        target->on_define(target, label);
    if (target->fails != NULL && strstr(label, target->fails) != NULL)
        return bp_fail(err, BP_EFAILED, "%s: already exists", label);
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
    if (target_of(base)->on_copy != NULL)
        target_of(base)->on_copy(target_of(base), sql);
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

static enum bp_code writer_mark_begin(struct bp_writer *base, const char *archive, const char *plan,
                                      struct bp_err *err)
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
    return (struct fake_target){
        .base.ops = &target_ops, .lock = PTHREAD_MUTEX_INITIALIZER, .version_num = 150008};
}

void fake_target_release(struct fake_target *target)
{
    bp_buf_free(&target->log);
    bp_buf_free(&target->rows);
    bp_list_free(&target->marks);
    bp_free(target->marks_archive);
    bp_free(target->marks_plan);
}
