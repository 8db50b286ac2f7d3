/* A dry run of target.h: the real target is looked at, what would change it is only counted. */
#include <string.h>

#include "base/mem.h"
#include "source/target.h"

struct dry {
    struct bp_target base;
    struct bp_target *inner;
};

struct dry_writer {
    struct bp_writer base;
    int64_t rows;
};

static enum bp_code dry_open(struct bp_target *self, struct bp_target_info *info,
                             struct bp_err *err)
{
    struct bp_target *inner = ((struct dry *)self)->inner;

    return inner->ops->open(inner, info, err);
}

static enum bp_code dry_contents(struct bp_target *self, struct bp_list *some, int64_t *count,
                                 struct bp_err *err)
{
    struct bp_target *inner = ((struct dry *)self)->inner;

    return inner->ops->contents(inner, some, count, err);
}

static enum bp_code dry_existing(struct bp_target *self, const struct bp_list *tables,
                                 struct bp_list *out, struct bp_err *err)
{
    struct bp_target *inner = ((struct dry *)self)->inner;

    return inner->ops->existing(inner, tables, out, err);
}

static enum bp_code dry_marks(struct bp_target *self, struct bp_target_marks *out,
                              struct bp_err *err)
{
    struct bp_target *inner = ((struct dry *)self)->inner;

    return inner->ops->marks(inner, out, err);
}

static enum bp_code dry_lock(struct bp_target *self, struct bp_err *err)
{
    (void)self;
    (void)err;
    return BP_OK;
}

static void dry_free(struct bp_target *self)
{
    bp_target_freep(&((struct dry *)self)->inner);
    bp_free(self);
}

/* ---- its writers ---- */

static void dry_use(struct bp_writer *self, struct bp_clock *clock)
{
    (void)self;
    (void)clock;
}

static enum bp_code dry_begin(struct bp_writer *self, bool durable, struct bp_err *err)
{
    (void)self;
    (void)durable;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_nothing(struct bp_writer *self, struct bp_err *err)
{
    (void)self;
    (void)err;
    return BP_OK;
}

static void dry_rollback(struct bp_writer *self)
{
    (void)self;
}

static enum bp_code dry_run(struct bp_writer *self, const char *sql, const char *label,
                            struct bp_err *err)
{
    (void)self;
    (void)sql;
    (void)label;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_word(struct bp_writer *self, const char *word, struct bp_err *err)
{
    (void)self;
    (void)word;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_copy_begin(struct bp_writer *self, const char *sql, struct bp_err *err)
{
    (void)sql;
    (void)err;
    ((struct dry_writer *)self)->rows = 0;
    return BP_OK;
}

static enum bp_code dry_copy_put(struct bp_writer *self, const char *data, size_t len,
                                 struct bp_err *err)
{
    (void)err;
    for (const char *p = data; (p = memchr(p, '\n', len - (size_t)(p - data))) != NULL; p++)
        ((struct dry_writer *)self)->rows++;
    return BP_OK;
}

static enum bp_code dry_copy_end(struct bp_writer *self, int64_t *rows, struct bp_err *err)
{
    (void)err;
    *rows = ((struct dry_writer *)self)->rows;
    return BP_OK;
}

static void dry_free_writer(struct bp_writer *self)
{
    bp_free(self);
}

static const struct bp_writer_ops writer_ops = {
    .use = dry_use,
    .begin = dry_begin,
    .commit = dry_nothing,
    .rollback = dry_rollback,
    .clean = dry_nothing,
    .define = dry_run,
    .run = dry_run,
    .load = dry_run,
    .copy_begin = dry_copy_begin,
    .copy_put = dry_copy_put,
    .copy_end = dry_copy_end,
    .mark_begin = dry_run,
    .mark = dry_word,
    .mark_end = dry_nothing,
    .free = dry_free_writer,
};

static enum bp_code dry_writer(struct bp_target *self, const struct bp_writer_want *want,
                               struct bp_writer **out, struct bp_err *err)
{
    struct dry_writer *writer = bp_alloc(1, sizeof(*writer));

    (void)self;
    (void)want;
    (void)err;
    writer->base.ops = &writer_ops;
    *out = &writer->base;
    return BP_OK;
}

static const struct bp_target_ops ops = {
    .open = dry_open,
    .lock = dry_lock,
    .contents = dry_contents,
    .existing = dry_existing,
    .marks = dry_marks,
    .writer = dry_writer,
    .free = dry_free,
};

struct bp_target *bp_target_dry_new(struct bp_target *inner)
{
    struct dry *self = bp_alloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->inner = inner;
    return &self->base;
}
