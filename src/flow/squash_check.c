/* Before a squash lets go of the history, all that it keeps must be whole. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/backup_message.h"
#include "flow/prune_internal.h"

/* Archives that are fetched at once; the longest file that an archive may hold. */
enum { BATCH = 8, FILE_LIMIT = 128 << 20 };

static enum bp_code refuse(const struct bp_catalog_entry *entry, const char *path, const char *why,
                           struct bp_err *err)
{
    return bp_fail(err, BP_EINTEGRITY,
                   "nothing was changed, because archive '%s' would be kept and its '%s' %s; hint: "
                   "without --squash the history stays as it is; to give this archive up, remove "
                   "the folder '%s' from the branch",
                   entry->name.id, path, why, entry->path);
}

static enum bp_code refuse_unread(const struct bp_catalog_entry *entry, const char *path,
                                  const struct bp_err *inner, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *why = bp_format("cannot be read (%.400s)", inner->msg);

    return refuse(entry, path, why, err);
}

static enum bp_code check_file(struct bp_prune *p, const struct bp_catalog_entry *entry,
                               const struct bp_manifest_file *file, struct bp_buf *text,
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", entry->path, file->path);
    struct bp_store *store = p->job->store;
    char hash[BP_SHA256_HEX_SIZE];

    bp_buf_cut(text, 0);
    if (bp_stop_check(p->job->clock->stop, err) != BP_OK)
        return err->code;
    if (store->ops->read(store, path, FILE_LIMIT, text, err) != BP_OK) {
        const struct bp_err inner = *err;

        if (!bp_catalog_is_damage(inner.code))
            return inner.code;
        if (inner.code == BP_ENOTFOUND)
            return refuse(entry, file->path, "is missing", err);
        return refuse_unread(entry, file->path, &inner, err);
    }
    bp_sha256_hex(bp_buf_str(text), text->len, hash);
    if ((int64_t)text->len != file->bytes || strcmp(hash, file->sha256) != 0)
        return refuse(entry, file->path, "does not have the checksum of its manifest", err);
    return BP_OK;
}

/* The manifest is let go of again: they may be large, and they may be many. */
static enum bp_code check_archive(struct bp_prune *p, struct bp_catalog_entry *entry,
                                  struct bp_list *messages, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    enum bp_code rc = bp_catalog_describe(p->job->store, entry, err);

    if (rc != BP_OK && bp_catalog_is_damage(rc)) {
        const struct bp_err inner = *err;

        return refuse_unread(entry, BP_MANIFEST_NAME, &inner, err);
    }
    for (size_t i = 0; rc == BP_OK && i < entry->manifest.file_count; i++)
        rc = check_file(p, entry, &entry->manifest.files[i], &text, err);
    if (rc != BP_OK)
        return rc;
    bp_backup_message(entry->name.id, p->job->branch, &entry->manifest, &message);
    bp_list_take(messages, bp_buf_take(&message));
    bp_manifest_free(&entry->manifest);
    entry->described = false;
    return BP_OK;
}

/* All files of the kept ones of the next archives, in one go. */
static enum bp_code fetch_batch(struct bp_prune *p, size_t from, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    enum bp_code rc = BP_OK;

    for (size_t i = from; i < p->catalog.count && i < from + BATCH; i++) {
        if (p->items[i].kept && p->catalog.at[i].path[0] != '\0')
            bp_list_add(&paths, p->catalog.at[i].path);
    }
    if (paths.count > 0)
        rc = p->job->store->ops->fetch(p->job->store, &paths, err);
    /* What the server has lost shows, with its name, when it is read alone. */
    return bp_catalog_is_damage(rc) ? BP_OK : rc;
}

enum bp_code bp_squash_check(struct bp_prune *p, struct bp_list *messages, struct bp_err *err)
{
    for (size_t i = 0; i < p->catalog.count; i++) {
        struct bp_catalog_entry *entry = &p->catalog.at[i];

        if (i % BATCH == 0 && fetch_batch(p, i, err) != BP_OK)
            return err->code;
        if (!p->items[i].kept || entry->path[0] == '\0')
            bp_list_add(messages, "");
        else if (check_archive(p, entry, messages, err) != BP_OK)
            return err->code;
        bp_progress(p->job->out, "checking: archive %zu of %zu", i + 1, p->catalog.count);
    }
    bp_progress_end(p->job->out);
    return BP_OK;
}
