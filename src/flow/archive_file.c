#include "flow/archive_file.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "flow/sealing.h"

enum { FILE_LIMIT = 128 << 20 };

static enum bp_code check(const struct bp_catalog_entry *entry, const struct bp_manifest_file *file,
                          const struct bp_buf *content, struct bp_err *err)
{
    char hash[BP_SHA256_HEX_SIZE];

    bp_sha256_hex(bp_buf_str(content), content->len, hash);
    if ((int64_t)content->len == file->bytes && strcmp(hash, file->sha256) == 0)
        return BP_OK;
    return bp_fail(err, BP_EINTEGRITY,
                   "archive '%s': the checksum of '%s' is wrong; hint: use another archive, "
                   "'backproof list' shows them",
                   entry->name.id, file->path);
}

/* A file as it lies in the store. */
static enum bp_code read_stored(struct bp_store *store, const struct bp_catalog_entry *entry,
                                const struct bp_manifest_file *file, struct bp_buf *out,
                                struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", entry->path, file->path);

    bp_buf_cut(out, 0);
    if (store->ops->read(store, path, FILE_LIMIT, out, err) != BP_OK) {
        if (err->code == BP_ENOTFOUND)
            return bp_fail(
                err, BP_EINTEGRITY,
                "archive '%s' lacks the file '%s'; hint: use another archive, 'backproof "
                "list' shows them",
                entry->name.id, file->path);
        return bp_wrap(err, "archive '%s', '%s'", entry->name.id, file->path);
    }
    return check(entry, file, out, err);
}

/*
 * What an earlier backup sealed was opened by its own run, and its checksum says that it is still
 * the same; the content was kept here when this run read it from the database again.
 */
static enum bp_code read_spooled(const struct bp_catalog_entry *entry,
                                 const struct bp_manifest_file *file, struct bp_buf *out,
                                 struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_sealing_spooled(entry->spool, file->sealed);
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};

    if (bp_file_read(path, FILE_LIMIT, &sealed, err) != BP_OK)
        return err->code;
    return bp_unseal(entry->identities, bp_buf_str(&sealed), sealed.len, FILE_LIMIT, out, err);
}

static enum bp_code read_sealed(struct bp_store *store, const struct bp_catalog_entry *entry,
                                const struct bp_manifest_file *file, struct bp_buf *out,
                                struct bp_err *err)
{
    const struct bp_manifest_file *stored = bp_manifest_file(&entry->outer, file->sealed);
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    enum bp_code rc = BP_OK;

    if (stored == NULL)
        return bp_fail(err, BP_EINTEGRITY, "archive '%s': its manifest does not list '%s'",
                       entry->name.id, file->sealed);
    if (read_stored(store, entry, stored, &sealed, err) != BP_OK)
        return err->code;
    rc = bp_unseal(entry->identities, bp_buf_str(&sealed), sealed.len, FILE_LIMIT, out, err);
    if (rc == BP_EAUTH && entry->spool != NULL)
        rc = read_spooled(entry, file, out, err);
    if (rc != BP_OK)
        return bp_wrap(err, "archive '%s', '%s' (of '%s')", entry->name.id, file->sealed,
                       file->path);
    return check(entry, file, out, err);
}

const char *bp_archive_file_place(const struct bp_manifest_file *file)
{
    return file->sealed != NULL ? file->sealed : file->path;
}

enum bp_code bp_archive_file_read(struct bp_store *store, const struct bp_catalog_entry *entry,
                                  const struct bp_manifest_file *file, struct bp_buf *out,
                                  struct bp_err *err)
{
    if (file->sealed != NULL && entry->identities != NULL)
        return read_sealed(store, entry, file, out, err);
    return read_stored(store, entry, file, out, err);
}
