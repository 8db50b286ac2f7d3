/* The last step of a backup: what is staged becomes one commit. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/backup_internal.h"
#include "flow/backup_message.h"
#include "flow/catalog.h"
#include "flow/push_again.h"

/* The first free id for this moment, and the path that an entry of that name would have. */
static void choose_id(const struct bp_catalog *catalog, int64_t time_ms,
                      struct bp_archive_name *name)
{
    bool taken = true;

    *name = (struct bp_archive_name){.latest = true, .time_ms = time_ms};
    while (taken) {
        taken = false;
        bp_archive_id(time_ms, ++name->copy, name->id);
        for (size_t i = 0; i < catalog->count; i++)
            taken = taken || strcmp(catalog->at[i].name.id, name->id) == 0;
    }
}

static bool has_folder(const struct bp_catalog *catalog, const char *folder)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->at[i].folder, folder) == 0)
            return true;
    }
    return false;
}

/* Where the archive that is the latest now goes. Its manifest knows what the name needs. */
static void choose_archive_path(const struct bp_catalog *catalog,
                                const struct bp_catalog_entry *old, char *out, size_t size)
{
    struct bp_archive_name name = old->name;
    const struct bp_manifest *m = &old->manifest;
    char folder[BP_ARCHIVE_NAME_SIZE];

    name.latest = false;
    bp_archive_name_describe(&name, old->described ? m->source.repository : NULL,
                             old->described ? m->source.event : NULL,
                             old->described ? m->source.sha : NULL);
    bp_archive_name_format(&name, folder);
    while (has_folder(catalog, folder)) {
        name.copy++;
        bp_archive_name_format(&name, folder);
    }
    (void)snprintf(out, size, "%s/%s", BP_PATH_ARCHIVE, folder);
}

/* Stage the manifest, the last file: the archive is whole now. */
static enum bp_code stage_manifest(struct bp_backup *b, const struct bp_archive_name *name,
                                   struct bp_buf *text, struct bp_err *err)
{
    bp_free(b->manifest.id);
    b->manifest.id = bp_strdup(name->id);
    bp_buf_cut(text, 0);
    if (bp_backup_stage_manifest(b, text, err) != BP_OK)
        return err->code;
    /* Not again when the push is tried again: only the manifest may be another one then. */
    if (b->added == 0)
        b->added = b->job->store->ops->held(b->job->store) - b->held;
    return BP_OK;
}

/* The moves of what is the latest now; paths owns the new names. */
static enum bp_code move_latest(struct bp_backup *b, struct bp_catalog *catalog,
                                struct bp_edit *edits, size_t *count, struct bp_list *paths,
                                struct bp_err *err)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct bp_catalog_entry *old = &catalog->at[i];
        struct bp_err why = {0};
        enum bp_code rc = BP_OK;
        char to[BP_ARCHIVE_NAME_SIZE + 32];

        if (!old->name.latest)
            continue;
        rc = bp_catalog_describe(b->job->store, old, &why);
        if (rc != BP_OK && !bp_catalog_is_damage(rc)) {
            *err = why;
            return bp_wrap(err, "the latest archive so far");
        }
        /* A damaged one moves too: the new backup must not fail because of it. */
        if (rc != BP_OK)
            bp_warn(b->job->out, "the latest archive so far: %s", why.msg);
        choose_archive_path(catalog, old, to, sizeof(to));
        bp_list_add(paths, to);
        edits[(*count)++] = (struct bp_edit){
            .kind = BP_EDIT_MOVE, .from = old->path, .to = paths->at[paths->count - 1]};
    }
    return BP_OK;
}

struct change {
    struct bp_backup *b;
    struct bp_backup_result *result;
    struct bp_buf manifest;        /* of the last try; none before the first one */
    struct bp_store_commit commit; /* of the last try that may arrive yet */
};

/* Whether this archive of the branch is what was tried to push. */
static enum bp_code is_tried(const struct change *change, const struct bp_catalog_entry *entry,
                             bool *out, struct bp_err *err)
{
    struct bp_store *store = change->b->job->store;
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err why = {0};
    enum bp_code rc = BP_OK;

    bp_list_addf(&paths, "%s/%s", entry->path, BP_MANIFEST_NAME);
    rc = store->ops->fetch(store, &paths, err);
    if (rc != BP_OK)
        return rc;
    rc = store->ops->read(store, paths.at[0], BP_MANIFEST_LIMIT, &text, &why);
    *out = rc == BP_OK && text.len == change->manifest.len &&
           memcmp(bp_buf_str(&text), change->manifest.data, text.len) == 0;
    return BP_OK;
}

/* A server may have gone on with a push that seemed lost: once in the branch is enough. NULL: it is
 * not there. */
static enum bp_code find_tried(const struct change *change, const struct bp_catalog *catalog,
                               const struct bp_catalog_entry **out, struct bp_err *err)
{
    *out = NULL;
    for (size_t i = 0; change->manifest.len > 0 && i < catalog->count; i++) {
        bool same = false;

        if (strcmp(catalog->at[i].name.id, change->b->manifest.id) != 0)
            continue;
        if (is_tried(change, &catalog->at[i], &same, err) != BP_OK)
            return err->code;
        if (same)
            *out = &catalog->at[i];
    }
    return BP_OK;
}

/* It is in the branch, which held so many archives before. */
static void tell(const struct change *change, size_t archives)
{
    struct bp_backup *b = change->b;
    struct bp_backup_result *result = change->result;

    b->archives = archives;
    result->pushed_bytes = b->added;
    result->full_ms = bp_growth_full_ms(&result->growth, bp_clock_wall(b->job->clock),
                                        bp_growth_next(&result->growth));
    (void)snprintf(result->id, sizeof(result->id), "%s", b->manifest.id);
    (void)snprintf(result->commit, sizeof(result->commit), "%s", change->commit.id);
}

static enum bp_code add_archive(struct change *change, struct bp_catalog *catalog,
                                struct bp_err *err)
{
    struct bp_backup *b = change->b;
    struct bp_backup_result *result = change->result;
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    BP_AUTO(bp_freep) struct bp_edit *edits = NULL;
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    struct bp_store_commit commit = {0};
    enum bp_code rc = BP_OK;
    struct bp_archive_name name = {0};
    char folder[BP_ARCHIVE_NAME_SIZE];
    size_t count = 0;

    choose_id(catalog, b->manifest.started_ms, &name);
    edits = bp_alloc(catalog->count + 2, sizeof(*edits));
    if (stage_manifest(b, &name, &change->manifest, err) != BP_OK ||
        move_latest(b, catalog, edits, &count, &paths, err) != BP_OK)
        return err->code;
    bp_archive_name_format(&name, folder);
    (void)snprintf(result->path, sizeof(result->path), "%s/%s", BP_PATH_LATEST, folder);
    edits[count++] = (struct bp_edit){.kind = BP_EDIT_STAGED, .to = result->path};
    edits[count++] = (struct bp_edit){.kind = BP_EDIT_STAGED, .to = BP_PATH_CURRENT};
    bp_backup_grow(b, &result->growth);
    bp_backup_message(name.id, b->job->branch,
                      bp_sealing_is_on(b->sealing) ? &b->outer : &b->manifest, &message);
    bp_growth_write(&result->growth, &message);
    rc =
        b->job->store->ops->commit(b->job->store, edits, count, bp_buf_str(&message), &commit, err);
    if (rc != BP_ELOCKED)
        change->commit = commit;
    if (rc == BP_OK)
        tell(change, catalog->count);
    return rc;
}

static enum bp_code commit_once(void *ctx, struct bp_err *err)
{
    struct change *change = ctx;
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    const struct bp_catalog_entry *tried = NULL;

    if (bp_catalog_load(change->b->job->store, &catalog, err) != BP_OK ||
        find_tried(change, &catalog, &tried, err) != BP_OK)
        return err->code;
    if (tried == NULL)
        return add_archive(change, &catalog, err);
    (void)snprintf(change->result->path, sizeof(change->result->path), "%s", tried->path);
    tell(change, catalog.count - 1);
    return BP_OK;
}

enum bp_code bp_backup_commit(struct bp_backup *b, struct bp_backup_result *result,
                              struct bp_err *err)
{
    struct change change = {.b = b, .result = result};
    const struct bp_push_again push = {.store = b->job->store,
                                       .clock = b->job->clock,
                                       .out = b->job->out,
                                       .change = commit_once,
                                       .ctx = &change};
    enum bp_code rc = bp_push_again(&push, err);

    bp_buf_free(&change.manifest);
    return rc;
}
