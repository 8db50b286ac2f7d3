#include "support/fake_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

static void set_file(struct fake_file *files, size_t *count, const char *path, const void *data,
                     size_t len)
{
    size_t i = 0;

    while (i < *count && strcmp(files[i].path, path) != 0)
        i++;
    if (i == *count) {
        if (*count == FAKE_FILES)
            abort();
        files[(*count)++].path = bp_strdup(path);
    } else {
        bp_free(files[i].data);
    }
    files[i].data = bp_strndup(data, len);
    files[i].len = len;
}

static void drop(struct fake_store *self, const char *prefix)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->tip_count; i++) {
        if (bp_text_starts_with(self->tip[i].path, prefix)) {
            bp_free(self->tip[i].path);
            bp_free(self->tip[i].data);
        } else {
            self->tip[kept++] = self->tip[i];
        }
    }
    self->tip_count = kept;
}

static enum bp_code store_open(struct bp_store *base, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    self->opens++;
    if (self->open_result != BP_OK)
        return bp_fail(err, self->open_result, "cannot open the store");
    return BP_OK;
}

static bool store_exists(struct bp_store *base)
{
    return !((struct fake_store *)base)->missing;
}

static enum bp_code store_refresh(struct bp_store *base, struct bp_err *err)
{
    (void)err;
    ((struct fake_store *)base)->refreshes++;
    return BP_OK;
}

static const char *store_message(struct bp_store *base)
{
    return ((struct fake_store *)base)->message;
}

static enum bp_code store_is_public(struct bp_store *base, bool *out, struct bp_err *err)
{
    (void)err;
    *out = ((struct fake_store *)base)->is_public;
    return BP_OK;
}

static enum bp_code store_list(struct bp_store *base, const char *path, struct bp_list *names,
                               struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;
    size_t len = strlen(path);

    (void)err;
    for (size_t i = 0; i < self->tip_count; i++) {
        const char *rest = self->tip[i].path + len;
        BP_AUTO(bp_freep) char *name = NULL;

        if (strncmp(self->tip[i].path, path, len) != 0 || *rest != '/')
            continue;
        name = bp_strndup(rest + 1, strcspn(rest + 1, "/"));
        if (!bp_list_has(names, name))
            bp_list_add(names, name);
    }
    bp_list_sort(names);
    return BP_OK;
}

static enum bp_code store_fetch(struct bp_store *base, const struct bp_list *paths,
                                struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    (void)paths;
    self->fetches++;
    if (self->fetch_outages > 0) {
        self->fetch_outages--;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 502");
    }
    return BP_OK;
}

static enum bp_code store_read(struct bp_store *base, const char *path, size_t limit,
                               struct bp_buf *out, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    if (self->unreadable != NULL && strstr(path, self->unreadable) != NULL)
        return bp_fail(err, BP_EFAILED, "no space left on device");
    for (size_t i = 0; i < self->tip_count; i++) {
        if (strcmp(self->tip[i].path, path) != 0)
            continue;
        if (self->tip[i].len > limit)
            return bp_fail(err, BP_EFAILED, "'%s' is too large", path);
        bp_buf_add(out, self->tip[i].data, self->tip[i].len);
        return BP_OK;
    }
    return bp_fail(err, BP_ENOTFOUND, "no file '%s'", path);
}

static enum bp_code store_find(struct bp_store *base, const char *path, struct bp_blob *out,
                               struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    for (size_t i = 0; i < self->tip_count; i++) {
        if (strcmp(self->tip[i].path, path) == 0)
            return base->ops->put(base, self->tip[i].data, self->tip[i].len, out, err);
    }
    return bp_fail(err, BP_ENOTFOUND, "no file '%s'", path);
}

static enum bp_code store_base(struct bp_store *base, const char *path, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    (void)err;
    (void)snprintf(self->base_path, sizeof(self->base_path), "%s", path);
    return BP_OK;
}

static enum bp_code store_hash(struct bp_store *base, const void *data, size_t len,
                               struct bp_blob *out, struct bp_err *err)
{
    char id[BP_SHA256_HEX_SIZE];

    (void)base;
    (void)err;
    *out = (struct bp_blob){0};
    bp_sha256_hex(data, len, id);
    memcpy(out->id, id, sizeof(id));
    return BP_OK;
}

static enum bp_code store_put(struct bp_store *base, const void *data, size_t len,
                              struct bp_blob *out, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    if (store_hash(base, data, len, out, err) != BP_OK)
        return err->code;
    (void)pthread_mutex_lock(&self->lock);
    if (self->put_result == BP_OK)
        set_file(self->blobs, &self->blob_count, out->id, data, len);
    (void)pthread_mutex_unlock(&self->lock);
    if (self->put_result != BP_OK)
        return bp_fail(err, self->put_result, "the disk is full");
    return BP_OK;
}

static int64_t store_held(struct bp_store *base)
{
    return ((struct fake_store *)base)->held;
}

static enum bp_code store_stage(struct bp_store *base, const char *path, const struct bp_blob *blob,
                                bool executable, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    (void)executable;
    for (size_t i = 0; i < self->blob_count; i++) {
        const struct fake_file *content = &self->blobs[i];

        if (strcmp(content->path, blob->id) != 0)
            continue;
        set_file(self->staged, &self->staged_count, path, content->data, content->len);
        return BP_OK;
    }
    return bp_fail(err, BP_ENOTFOUND, "no content '%s' for '%s'", blob->id, path);
}

static bool is_at(const struct fake_file *file, const char *path)
{
    size_t len = strlen(path);

    return strncmp(file->path, path, len) == 0 &&
           (file->path[len] == '/' || file->path[len] == '\0');
}

static void drop_at(struct fake_store *self, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->tip_count; i++) {
        if (is_at(&self->tip[i], path)) {
            bp_free(self->tip[i].path);
            bp_free(self->tip[i].data);
        } else {
            self->tip[kept++] = self->tip[i];
        }
    }
    self->tip_count = kept;
}

/* From a tree, which may be the tip itself, into the tip. */
static void copy(struct fake_store *self, const struct fake_file *tree, size_t count,
                 const struct bp_edit *edit)
{
    drop_at(self, edit->to);
    for (size_t i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *path = NULL;

        if (!is_at(&tree[i], edit->from))
            continue;
        path = bp_format("%s%s", edit->to, tree[i].path + strlen(edit->from));
        set_file(self->tip, &self->tip_count, path, tree[i].data, tree[i].len);
    }
}

static void move(struct fake_store *self, const struct bp_edit *edit)
{
    for (size_t i = 0; i < self->tip_count; i++) {
        char *old = self->tip[i].path;

        if (!is_at(&self->tip[i], edit->from))
            continue;
        self->tip[i].path = bp_format("%s%s", edit->to, old + strlen(edit->from));
        bp_free(old);
    }
}

static void take_staged(struct fake_store *self, const struct bp_edit *edit)
{
    drop_at(self, edit->to);
    for (size_t i = 0; i < self->staged_count; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("%s/%s", edit->to, self->staged[i].path);

        set_file(self->tip, &self->tip_count, path, self->staged[i].data, self->staged[i].len);
    }
}

/* was: the tip as it was before the first edit. */
static void apply(struct fake_store *self, const struct fake_file *was, size_t was_count,
                  const struct bp_edit *edit)
{
    switch (edit->kind) {
    case BP_EDIT_MOVE:
        move(self, edit);
        break;
    case BP_EDIT_STAGED:
        take_staged(self, edit);
        break;
    case BP_EDIT_COPY:
        copy(self, was, was_count, edit);
        break;
    case BP_EDIT_REMOVE:
        drop_at(self, edit->to);
        break;
    }
}

static void apply_all(struct fake_store *self, const struct bp_store_step *steps, size_t count)
{
    struct fake_file *was = bp_alloc(FAKE_FILES, sizeof(*was));
    size_t was_count = self->tip_count;

    for (size_t i = 0; i < was_count; i++)
        was[i] =
            (struct fake_file){bp_strdup(self->tip[i].path),
                               bp_strndup(self->tip[i].data, self->tip[i].len), self->tip[i].len};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < steps[i].count; j++)
            apply(self, was, was_count, &steps[i].edits[j]);
    }
    for (size_t i = 0; i < was_count; i++) {
        bp_free(was[i].path);
        bp_free(was[i].data);
    }
    bp_free(was);
}

static enum bp_code push(struct fake_store *self, struct bp_err *err)
{
    if (self->on_commit != NULL)
        self->on_commit(self->ctx);
    if (self->push_outages > 0) {
        self->push_outages--;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 502");
    }
    if (self->lost_races > 0) {
        self->lost_races--;
        return bp_fail(err, BP_ELOCKED, "somebody else was faster");
    }
    if (self->commit_result != BP_OK)
        return bp_fail(err, self->commit_result, "the server refused");
    return BP_OK;
}

static void forget_staged(struct fake_store *self)
{
    for (size_t i = 0; i < self->staged_count; i++) {
        bp_free(self->staged[i].path);
        bp_free(self->staged[i].data);
    }
    self->staged_count = 0;
}

static enum bp_code store_commit(struct bp_store *base, const struct bp_edit *edits, size_t count,
                                 const char *message, struct bp_store_commit *out,
                                 struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;
    const struct bp_store_step step = {.edits = edits, .count = count};
    enum bp_code rc = push(self, err);

    (void)snprintf(out->id, sizeof(out->id), "c0ffee%d", self->commits + 1);
    if (rc != BP_OK && (rc != BP_EUNAVAILABLE || !self->late))
        return rc;
    apply_all(self, &step, 1);
    if (rc == BP_OK)
        forget_staged(self);
    self->commits++;
    self->missing = false;
    (void)snprintf(self->message, sizeof(self->message), "%s", message);
    return rc;
}

static enum bp_code store_rewrite(struct bp_store *base, const struct bp_store_step *steps,
                                  size_t count, struct bp_store_commit *out, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;
    size_t used = 0;

    if (push(self, err) != BP_OK)
        return err->code;
    apply_all(self, steps, count);
    self->rewrites++;
    for (size_t i = 0; i < count && used < sizeof(self->steps); i++)
        used += (size_t)snprintf(self->steps + used, sizeof(self->steps) - used, "%lld %.*s\n",
                                 (long long)steps[i].time_ms, (int)strcspn(steps[i].message, "\n"),
                                 steps[i].message);
    if (count > 0)
        (void)snprintf(self->message, sizeof(self->message), "%s", steps[count - 1].message);
    (void)snprintf(out->id, sizeof(out->id), "5caa5b%d", self->rewrites);
    return BP_OK;
}

static enum bp_code store_weigh(struct bp_store *base, int64_t *bytes, struct bp_err *err)
{
    struct fake_store *self = (struct fake_store *)base;

    self->weighings++;
    *bytes = self->weights[self->rewrites > 0];
    return *bytes >= 0 ? BP_OK : bp_fail(err, BP_EFAILED, "no space left on device");
}

static void no_free(struct bp_store *base)
{
    (void)base;
}

static const struct bp_store_ops ops = {
    .open = store_open,
    .exists = store_exists,
    .refresh = store_refresh,
    .message = store_message,
    .is_public = store_is_public,
    .list = store_list,
    .fetch = store_fetch,
    .read = store_read,
    .find = store_find,
    .base = store_base,
    .put = store_put,
    .hash = store_hash,
    .held = store_held,
    .stage = store_stage,
    .commit = store_commit,
    .rewrite = store_rewrite,
    .weigh = store_weigh,
    .free = no_free,
};

struct fake_store fake_store(void)
{
    return (struct fake_store){.base.ops = &ops, .lock = PTHREAD_MUTEX_INITIALIZER};
}

void fake_store_put(struct fake_store *store, const char *path, const char *text)
{
    set_file(store->tip, &store->tip_count, path, text, strlen(text));
}

const char *fake_store_get(const struct fake_store *store, const char *path)
{
    for (size_t i = 0; i < store->tip_count; i++) {
        if (strcmp(store->tip[i].path, path) == 0)
            return store->tip[i].data;
    }
    return NULL;
}

size_t fake_store_count(const struct fake_store *store, const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < store->tip_count; i++)
        count += bp_text_starts_with(store->tip[i].path, prefix);
    return count;
}

void fake_store_release(struct fake_store *store)
{
    drop(store, "");
    forget_staged(store);
    for (size_t i = 0; i < store->blob_count; i++) {
        bp_free(store->blobs[i].path);
        bp_free(store->blobs[i].data);
    }
    store->blob_count = 0;
}
