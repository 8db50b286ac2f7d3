#include "flow/key_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/archive_file.h"

enum { SOME = 16, SMALL = 1 << 20 };

/* Which identities open it, each tried alone on the private manifest. */
static enum bp_code find_openers(struct bp_store *store, const struct bp_catalog_entry *entry,
                                 struct bp_recipients *out, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/%s", entry->path, BP_MANIFEST_PRIVATE);
    BP_AUTO(bp_buf_free) struct bp_buf sealed = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (store->ops->read(store, path, BP_MANIFEST_LIMIT, &sealed, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < entry->identities->count; i++) {
        const struct bp_identities one = {.at = &entry->identities->at[i], .count = 1};
        enum bp_code rc = bp_unseal(&one, sealed.data, sealed.len, BP_MANIFEST_LIMIT, &text, err);

        if (rc == BP_OK)
            bp_identity_recipient(&one, 0, out);
        else if (rc != BP_EAUTH)
            return rc;
    }
    return BP_OK;
}

static int smallest_first(const void *left, const void *right)
{
    const struct bp_manifest_file *const *a = left;
    const struct bp_manifest_file *const *b = right;

    return ((*a)->bytes > (*b)->bytes) - ((*a)->bytes < (*b)->bytes);
}

/* The sealed files that cost least to fetch; how many there are. */
static size_t pick(const struct bp_manifest *m, const struct bp_manifest_file **picked)
{
    size_t count = 0;

    for (size_t i = 0; i < m->file_count; i++) {
        if (m->files[i].sealed != NULL && m->files[i].bytes <= SMALL)
            picked[count++] = &m->files[i];
    }
    if (count > 1)
        qsort((void *)picked, count, sizeof(const struct bp_manifest_file *), smallest_first);
    return count < SOME ? count : SOME;
}

static enum bp_code open_some(struct bp_store *store, const struct bp_catalog_entry *entry,
                              size_t *opened, struct bp_err *err)
{
    const struct bp_manifest *m = &entry->manifest;
    BP_AUTO(bp_freep)
    const struct bp_manifest_file **picked =
        bp_alloc(m->file_count, sizeof(const struct bp_manifest_file *));
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    size_t count = pick(m, picked);

    for (size_t i = 0; i < count; i++)
        bp_list_addf(&paths, "%s/%s", entry->path, picked[i]->sealed);
    if (store->ops->fetch(store, &paths, err) != BP_OK)
        return err->code;
    for (*opened = 0; *opened < count; (*opened)++) {
        if (bp_archive_file_read(store, entry, picked[*opened], &text, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code check(const struct bp_key_check_job *job, struct bp_catalog *catalog,
                          struct bp_key_check *out, struct bp_err *err)
{
    struct bp_catalog_entry *entry = NULL;

    if (bp_catalog_open(job->store, job->branch, catalog, err) != BP_OK ||
        bp_catalog_find(catalog, "latest", &entry, err) != BP_OK ||
        bp_catalog_unseal(job->store, entry, &job->opener, err) != BP_OK)
        return err->code;
    (void)snprintf(out->id, sizeof(out->id), "%s", entry->name.id);
    out->sealed = entry->identities != NULL;
    if (!out->sealed)
        return BP_OK;
    if (find_openers(job->store, entry, &out->openers, err) != BP_OK)
        return err->code;
    return open_some(job->store, entry, &out->files, err);
}

enum bp_code bp_flow_key_check(const struct bp_key_check_job *job, struct bp_key_check *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};

    *out = (struct bp_key_check){0};
    if (check(job, &catalog, out, err) != BP_OK) {
        bp_key_check_free(out);
        return err->code;
    }
    return BP_OK;
}

void bp_key_check_free(struct bp_key_check *check)
{
    bp_recipients_free(&check->openers);
    *check = (struct bp_key_check){0};
}
