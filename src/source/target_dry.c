/* A dry run of target.h: the real target is looked at, what would change it is only counted. */
#include <string.h>

#include "base/mem.h"
#include "source/target.h"

struct dry {
    struct bp_target base;
    struct bp_target *inner;
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

static enum bp_code dry_begin(struct bp_target *self, const char *encoding, struct bp_err *err)
{
    (void)self;
    (void)encoding;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_nothing(struct bp_target *self, struct bp_err *err)
{
    (void)self;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_run(struct bp_target *self, const char *sql, const char *label,
                            struct bp_err *err)
{
    (void)self;
    (void)sql;
    (void)label;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_copy_begin(struct bp_target *self, const char *sql, struct bp_err *err)
{
    (void)sql;
    (void)err;
    ((struct dry *)self)->rows = 0;
    return BP_OK;
}

static enum bp_code dry_copy_put(struct bp_target *self, const char *data, size_t len,
                                 struct bp_err *err)
{
    (void)err;
    for (const char *p = data; (p = memchr(p, '\n', len - (size_t)(p - data))) != NULL; p++)
        ((struct dry *)self)->rows++;
    return BP_OK;
}

static enum bp_code dry_copy_end(struct bp_target *self, int64_t *rows, struct bp_err *err)
{
    (void)err;
    *rows = ((struct dry *)self)->rows;
    return BP_OK;
}

static void dry_free(struct bp_target *self)
{
    bp_target_freep(&((struct dry *)self)->inner);
    bp_free(self);
}

static const struct bp_target_ops ops = {
    .open = dry_open,
    .contents = dry_contents,
    .begin = dry_begin,
    .clean = dry_nothing,
    .run = dry_run,
    .copy_begin = dry_copy_begin,
    .copy_put = dry_copy_put,
    .copy_end = dry_copy_end,
    .commit = dry_nothing,
    .free = dry_free,
};

struct bp_target *bp_target_dry_new(struct bp_target *inner)
{
    struct dry *self = bp_alloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->inner = inner;
    return &self->base;
}
