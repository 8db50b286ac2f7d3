#include "support/fake_sealed.h"

#include <stdlib.h>
#include <string.h>

#include "archive/manifest.h"
#include "base/mem.h"

static void stage(struct fake_store *store, const char *path, const struct bp_buf *content)
{
    struct bp_store *base = &store->base;
    struct bp_blob blob;
    struct bp_err err;

    if (base->ops->put(base, content->data, content->len, &blob, &err) != BP_OK ||
        base->ops->stage(base, path, &blob, false, &err) != BP_OK)
        abort();
}

static void seal(struct fake_store *store, const struct bp_recipients *recipients, const char *text,
                 const char *path, struct bp_manifest *outer)
{
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    struct bp_manifest_file *file = NULL;
    struct bp_err err;

    if (bp_seal(recipients, text, strlen(text), &sealed, &err) != BP_OK)
        abort();
    file = bp_manifest_add_file(outer, path, (int64_t)sealed.len);
    bp_sha256_hex(sealed.data, sealed.len, file->sha256);
    stage(store, path, &sealed);
}

static void add_file(struct bp_manifest *inner, const char *path, const char *text,
                     const char *sealed)
{
    struct bp_manifest_file *file = bp_manifest_add_file(inner, path, (int64_t)strlen(text));

    bp_sha256_hex(text, strlen(text), file->sha256);
    file->sealed = bp_strdup(sealed);
}

void fake_sealed(struct fake_store *store, const struct bp_recipients *recipients,
                 const struct bp_sign_key *key)
{
    static const struct bp_edit edit = {.kind = BP_EDIT_STAGED, .to = FAKE_SEALED_PATH};
    BP_AUTO(bp_manifest_free) struct bp_manifest outer = {.sealed = true};
    BP_AUTO(bp_manifest_free) struct bp_manifest inner = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf signature = {0};
    struct bp_store_commit commit;
    struct bp_err err;

    outer.id = bp_strdup("2024-01-16T14-30-45Z");
    inner.id = bp_strdup(outer.id);
    seal(store, recipients, "one\n", FAKE_SEALED_FILE, &outer);
    seal(store, recipients, "two\n", "sealed/two", &outer);
    add_file(&inner, "roles.sql", "one\n", FAKE_SEALED_FILE);
    add_file(&inner, "database/pre-data.sql", "two\n", "sealed/two");
    bp_manifest_render(&inner, &text);
    seal(store, recipients, text.data, BP_MANIFEST_PRIVATE, &outer);
    bp_buf_cut(&text, 0);
    bp_manifest_render(&outer, &text);
    stage(store, BP_MANIFEST_NAME, &text);
    if (key != NULL) {
        bp_sign(key, text.data, text.len, "test", &signature);
        stage(store, BP_SIGNATURE_NAME, &signature);
    }
    if (store->base.ops->commit(&store->base, &edit, 1, "backup", &commit, &err) != BP_OK)
        abort();
}

void fake_sealed_damage(struct fake_store *store, const char *path)
{
    for (size_t i = 0; i < store->tip_count; i++) {
        struct fake_file *file = &store->tip[i];

        if (strcmp(file->path, path) == 0) {
            file->data[file->len - 1] ^= 1;
            return;
        }
    }
    abort();
}
