/* A dry run of store.h: the real store is read, what would be written is dropped. */
#include "base/mem.h"
#include "store/store.h"

struct dry {
    struct bp_store base;
    struct bp_store *inner;
};

static struct bp_store *inner_of(struct bp_store *self)
{
    return ((struct dry *)self)->inner;
}

static enum bp_code dry_open(struct bp_store *self, struct bp_err *err)
{
    return inner_of(self)->ops->open(inner_of(self), err);
}

static bool dry_exists(struct bp_store *self)
{
    return inner_of(self)->ops->exists(inner_of(self));
}

static enum bp_code dry_refresh(struct bp_store *self, struct bp_err *err)
{
    return inner_of(self)->ops->refresh(inner_of(self), err);
}

static const char *dry_message(struct bp_store *self)
{
    return inner_of(self)->ops->message(inner_of(self));
}

static enum bp_code dry_is_public(struct bp_store *self, bool *out, struct bp_err *err)
{
    return inner_of(self)->ops->is_public(inner_of(self), out, err);
}

static enum bp_code dry_list(struct bp_store *self, const char *path, struct bp_list *names,
                             struct bp_err *err)
{
    return inner_of(self)->ops->list(inner_of(self), path, names, err);
}

static enum bp_code dry_fetch(struct bp_store *self, const struct bp_list *paths,
                              struct bp_err *err)
{
    return inner_of(self)->ops->fetch(inner_of(self), paths, err);
}

static enum bp_code dry_read(struct bp_store *self, const char *path, size_t limit,
                             struct bp_buf *out, struct bp_err *err)
{
    return inner_of(self)->ops->read(inner_of(self), path, limit, out, err);
}

static enum bp_code dry_find(struct bp_store *self, const char *path, struct bp_blob *out,
                             struct bp_err *err)
{
    return inner_of(self)->ops->find(inner_of(self), path, out, err);
}

static enum bp_code dry_base(struct bp_store *self, const char *path, struct bp_err *err)
{
    return inner_of(self)->ops->base(inner_of(self), path, err);
}

static enum bp_code dry_put(struct bp_store *self, const void *data, size_t len,
                            struct bp_blob *out, struct bp_err *err)
{
    return inner_of(self)->ops->hash(inner_of(self), data, len, out, err);
}

static int64_t dry_held(struct bp_store *self)
{
    return inner_of(self)->ops->held(inner_of(self));
}

static enum bp_code dry_stage(struct bp_store *self, const char *path, const struct bp_blob *blob,
                              bool executable, struct bp_err *err)
{
    (void)self;
    (void)path;
    (void)blob;
    (void)executable;
    (void)err;
    return BP_OK;
}

static enum bp_code dry_commit(struct bp_store *self, const struct bp_edit *edits, size_t count,
                               const char *message, struct bp_store_commit *out, struct bp_err *err)
{
    (void)self;
    (void)edits;
    (void)count;
    (void)message;
    (void)err;
    *out = (struct bp_store_commit){0};
    return BP_OK;
}

static enum bp_code dry_rewrite(struct bp_store *self, const struct bp_store_step *steps,
                                size_t count, struct bp_store_commit *out, struct bp_err *err)
{
    (void)self;
    (void)steps;
    (void)count;
    (void)err;
    *out = (struct bp_store_commit){0};
    return BP_OK;
}

static enum bp_code dry_weigh(struct bp_store *self, int64_t *bytes, struct bp_err *err)
{
    return inner_of(self)->ops->weigh(inner_of(self), bytes, err);
}

static void dry_free(struct bp_store *self)
{
    bp_store_freep(&((struct dry *)self)->inner);
    bp_free(self);
}

static const struct bp_store_ops ops = {
    .open = dry_open,
    .exists = dry_exists,
    .refresh = dry_refresh,
    .message = dry_message,
    .is_public = dry_is_public,
    .list = dry_list,
    .fetch = dry_fetch,
    .read = dry_read,
    .find = dry_find,
    .base = dry_base,
    .put = dry_put,
    .hash = dry_put,
    .held = dry_held,
    .stage = dry_stage,
    .commit = dry_commit,
    .rewrite = dry_rewrite,
    .weigh = dry_weigh,
    .free = dry_free,
};

struct bp_store *bp_store_dry_new(struct bp_store *inner)
{
    struct dry *self = bp_alloc(1, sizeof(*self));

    self->base.ops = &ops;
    self->inner = inner;
    return &self->base;
}
