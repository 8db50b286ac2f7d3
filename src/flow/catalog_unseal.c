/* An archive whose maker is proved, and whose private half is read. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "flow/archive_signature.h"
#include "flow/catalog.h"

/* A file of the archive's folder. BP_ENOTFOUND: it is not there. */
static enum bp_code read_file(struct bp_store *store, const struct bp_catalog_entry *entry,
                              const char *name, size_t limit, struct bp_buf *out,
                              struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", entry->path, name);
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    bp_list_add(&paths, path);
    if (store->ops->fetch(store, &paths, err) != BP_OK)
        return err->code;
    return store->ops->read(store, path, limit, out, err);
}

static enum bp_code check_signature(struct bp_store *store, struct bp_catalog_entry *entry,
                                    const struct bp_trusted_keys *trusted, struct bp_err *err)
{
    enum bp_code rc =
        bp_archive_signature_check(store, entry->path, trusted, &entry->manifest, err);

    if (rc == BP_ENOTFOUND)
        return bp_fail(err, BP_EINTEGRITY,
                       "archive '%s' is not signed; hint: it may be older than your --sign-key, or "
                       "planted; without --trusted-key it can be used all the same",
                       entry->name.id);
    if (rc != BP_OK)
        return bp_wrap(err, "archive '%s'", entry->name.id);
    /* The folder's name is not signed: an old archive could stand where a newer one is expected. */
    if (strcmp(entry->manifest.id, entry->name.id) != 0)
        return bp_fail(err, BP_EINTEGRITY,
                       "archive '%s' is not what its folder says: its manifest is that of '%s'; "
                       "hint: somebody has moved it, use another archive",
                       entry->name.id, entry->manifest.id);
    return BP_OK;
}

/* The text of the private half, proved by the checksum that the public one has of it. */
static enum bp_code read_private(struct bp_store *store, const struct bp_catalog_entry *entry,
                                 const struct bp_identities *identities, struct bp_buf *out,
                                 struct bp_err *err)
{
    const struct bp_manifest_file *file = bp_manifest_file(&entry->manifest, BP_MANIFEST_PRIVATE);
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    char hash[BP_SHA256_HEX_SIZE];

    if (file == NULL)
        return bp_fail(err, BP_EINTEGRITY, "the manifest is damaged: it does not list '%s'",
                       BP_MANIFEST_PRIVATE);
    if (read_file(store, entry, BP_MANIFEST_PRIVATE, BP_MANIFEST_LIMIT, &sealed, err) != BP_OK)
        return err->code == BP_ENOTFOUND
                   ? bp_fail(err, BP_EINTEGRITY, "'%s' is missing", BP_MANIFEST_PRIVATE)
                   : err->code;
    bp_sha256_hex(bp_buf_str(&sealed), sealed.len, hash);
    if ((int64_t)sealed.len != file->bytes || strcmp(hash, file->sha256) != 0)
        return bp_fail(err, BP_EINTEGRITY, "the checksum of '%s' is wrong", BP_MANIFEST_PRIVATE);
    return bp_unseal(identities, bp_buf_str(&sealed), sealed.len, BP_MANIFEST_LIMIT, out, err);
}

/* Each file of the private half lies where the public one has a checksum of it. */
static enum bp_code check_halves(const struct bp_catalog_entry *entry,
                                 const struct bp_manifest *inner, struct bp_err *err)
{
    if (strcmp(inner->id, entry->manifest.id) != 0)
        return bp_fail(err, BP_EINTEGRITY,
                       "its two manifests are of different archives, '%s' and '%s'",
                       entry->manifest.id, inner->id);
    for (size_t i = 0; i < inner->file_count; i++) {
        const struct bp_manifest_file *file = &inner->files[i];

        if (bp_manifest_file(&entry->manifest, file->sealed != NULL ? file->sealed : file->path) ==
            NULL)
            return bp_fail(err, BP_EINTEGRITY, "the manifest is damaged: it does not list '%s'",
                           file->path);
    }
    return BP_OK;
}

static enum bp_code unseal(struct bp_store *store, struct bp_catalog_entry *entry,
                           const struct bp_opener *opener, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_manifest inner = {0};

    if (read_private(store, entry, opener->identities, &text, err) != BP_OK ||
        bp_manifest_parse(bp_buf_str(&text), text.len, &inner, err) != BP_OK)
        return err->code;
    if (check_halves(entry, &inner, err) != BP_OK) {
        bp_manifest_free(&inner);
        return err->code;
    }
    /* The verification is written later, into the public half. */
    bp_manifest_verification_free(&inner.verification);
    entry->outer = entry->manifest;
    entry->manifest = inner;
    entry->manifest.verification = entry->outer.verification;
    entry->outer.verification = (struct bp_manifest_verification){0};
    entry->identities = opener->identities;
    entry->spool = opener->spool;
    return BP_OK;
}

static enum bp_code name_the_way(const struct bp_catalog_entry *entry, struct bp_err *err)
{
    const struct bp_err why = *err;

    return bp_fail(err, why.code,
                   "archive '%s': %s; hint: --identity FILE with the key of one of its recipients",
                   entry->name.id, why.msg);
}

enum bp_code bp_catalog_unseal(struct bp_store *store, struct bp_catalog_entry *entry,
                               const struct bp_opener *opener, struct bp_err *err)
{
    const struct bp_identities *identities = opener->identities;

    if (entry->identities != NULL) /* it is open, and was proved */
        return BP_OK;
    if (bp_catalog_describe(store, entry, err) != BP_OK)
        return err->code;
    if (opener->trusted != NULL && check_signature(store, entry, opener->trusted, err) != BP_OK)
        return err->code;
    if (!entry->manifest.sealed)
        return BP_OK;
    if (identities == NULL || identities->count == 0)
        return bp_fail(err, BP_EUSAGE,
                       "archive '%s' is sealed; hint: --identity FILE names the key that opens it, "
                       "or BACKPROOF_IDENTITY holds it",
                       entry->name.id);
    if (unseal(store, entry, opener, err) != BP_OK)
        return err->code == BP_EAUTH ? name_the_way(entry, err)
                                     : bp_wrap(err, "archive '%s'", entry->name.id);
    return BP_OK;
}
