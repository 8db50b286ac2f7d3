#include "flow/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SOME = 16 }; /* manifests that are fetched at once, at least */

static int newest_first(const void *left, const void *right)
{
    const struct bp_catalog_entry *a = left;
    const struct bp_catalog_entry *b = right;

    if (a->name.time_ms != b->name.time_ms)
        return a->name.time_ms < b->name.time_ms ? 1 : -1;
    return b->name.copy - a->name.copy;
}

static enum bp_code load_folder(struct bp_store *store, const char *folder,
                                struct bp_catalog *catalog, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};

    if (store->ops->list(store, folder, &names, err) != BP_OK)
        return err->code;
    catalog->at = bp_realloc(catalog->at, catalog->count + names.count, sizeof(*catalog->at));
    for (size_t i = 0; i < names.count; i++) {
        struct bp_catalog_entry *e = &catalog->at[catalog->count];

        *e = (struct bp_catalog_entry){0};
        if (strlen(names.at[i]) >= sizeof(e->folder) ||
            !bp_archive_name_parse(names.at[i], &e->name))
            continue;
        (void)snprintf(e->folder, sizeof(e->folder), "%s", names.at[i]);
        (void)snprintf(e->path, sizeof(e->path), "%s/%s", folder, names.at[i]);
        catalog->count++;
    }
    return BP_OK;
}

enum bp_code bp_catalog_load(struct bp_store *store, struct bp_catalog *out, struct bp_err *err)
{
    *out = (struct bp_catalog){0};
    if (load_folder(store, BP_PATH_LATEST, out, err) != BP_OK ||
        load_folder(store, BP_PATH_ARCHIVE, out, err) != BP_OK) {
        bp_catalog_free(out);
        return err->code;
    }
    if (out->count > 1)
        qsort(out->at, out->count, sizeof(*out->at), newest_first);
    return BP_OK;
}

enum bp_code bp_catalog_open(struct bp_store *store, const char *branch, struct bp_catalog *out,
                             struct bp_err *err)
{
    *out = (struct bp_catalog){0};
    if (store->ops->open(store, err) != BP_OK)
        return err->code;
    if (!store->ops->exists(store))
        return bp_fail(err, BP_ENOTFOUND,
                       "the backup repository has no branch '%s'; hint: --backup-branch names it",
                       branch);
    return bp_catalog_load(store, out, err);
}

static char *manifest_path(const struct bp_catalog_entry *entry)
{
    return bp_format("%s/%s", entry->path, BP_MANIFEST_NAME);
}

static enum bp_code read_manifest(struct bp_store *store, struct bp_catalog_entry *entry,
                                  struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = manifest_path(entry);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (store->ops->read(store, path, BP_MANIFEST_LIMIT, &text, err) != BP_OK) {
        if (err->code == BP_ENOTFOUND)
            return bp_fail(err, BP_EINTEGRITY, "archive '%s' has no manifest: it is not a backup",
                           entry->name.id);
        return err->code;
    }
    if (bp_manifest_parse(bp_buf_str(&text), text.len, &entry->manifest, err) != BP_OK)
        return bp_wrap(err, "archive '%s'", entry->name.id);
    entry->described = true;
    return BP_OK;
}

enum bp_code bp_catalog_describe(struct bp_store *store, struct bp_catalog_entry *entry,
                                 struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    if (entry->described)
        return BP_OK;
    bp_list_take(&paths, manifest_path(entry));
    if (store->ops->fetch(store, &paths, err) != BP_OK)
        return err->code;
    return read_manifest(store, entry, err);
}

static void free_entry(struct bp_catalog_entry *entry)
{
    bp_manifest_free(&entry->manifest);
    bp_manifest_free(&entry->outer);
}

/* Keep the entries for which keep() holds; the others are freed. */
static void keep_only(struct bp_catalog *catalog,
                      bool (*keep)(const struct bp_catalog_entry *,
                                   const struct bp_catalog_filter *),
                      const struct bp_catalog_filter *filter)
{
    size_t kept = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        if (keep(&catalog->at[i], filter))
            catalog->at[kept++] = catalog->at[i];
        else
            free_entry(&catalog->at[i]);
    }
    catalog->count = kept;
}

/* By what the name tells. The name of the latest tells the time only. */
static bool name_matches(const struct bp_catalog_entry *e, const struct bp_catalog_filter *filter)
{
    struct bp_archive_name wanted = {0};

    if (e->name.time_ms < filter->since_ms ||
        (filter->until_ms != 0 && e->name.time_ms > filter->until_ms))
        return false;
    if (e->name.latest)
        return true;
    bp_archive_name_describe(&wanted, filter->repository, filter->event, filter->sha);
    return (filter->repository == NULL || strcmp(e->name.source, wanted.source) == 0) &&
           (filter->event == NULL || strcmp(e->name.event, wanted.event) == 0) &&
           (filter->sha == NULL || strncmp(e->name.sha, wanted.sha, strlen(wanted.sha)) == 0);
}

static bool verification_matches(const struct bp_manifest *m, const char *wanted)
{
    return wanted == NULL ||
           bp_manifest_is_verified(&m->verification) == (strcmp(wanted, "yes") == 0);
}

/* By what the manifest tells: whole names. */
static bool manifest_matches(const struct bp_catalog_entry *e,
                             const struct bp_catalog_filter *filter)
{
    const struct bp_manifest *m = &e->manifest;

    if (!e->described)
        return filter->repository == NULL && filter->event == NULL && filter->sha == NULL &&
               filter->verified == NULL;
    return verification_matches(m, filter->verified) &&
           (filter->repository == NULL || strcmp(m->source.repository, filter->repository) == 0) &&
           (filter->event == NULL || strcmp(m->source.event, filter->event) == 0) &&
           (filter->sha == NULL || bp_text_starts_with(m->source.sha, filter->sha));
}

bool bp_catalog_is_damage(enum bp_code code)
{
    return code != BP_OK && code != BP_EUNAVAILABLE && code != BP_ETIMEOUT && code != BP_EAUTH &&
           code != BP_ESTOPPED;
}

/* The manifests of entries [from, to), fetched in one go; damage stays with its entry. */
static enum bp_code describe_range(struct bp_catalog *catalog, size_t from, size_t to,
                                   struct bp_store *store, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    for (size_t i = from; i < to; i++)
        bp_list_take(&paths, manifest_path(&catalog->at[i]));
    if (store->ops->fetch(store, &paths, err) != BP_OK)
        return err->code;
    for (size_t i = from; i < to; i++) {
        struct bp_catalog_entry *e = &catalog->at[i];
        struct bp_err why = {0};
        enum bp_code rc = read_manifest(store, e, &why);

        if (bp_catalog_is_damage(rc))
            (void)snprintf(e->damage, sizeof(e->damage), "%.250s", why.msg);
        else if (rc != BP_OK) {
            *err = why;
            return rc;
        }
    }
    return BP_OK;
}

/*
 * Bring the matching ones of entries [from, to) to the front, behind the *kept that are there. They
 * change places, so that each entry stays in the catalog and is freed with it.
 */
static void keep_matching(struct bp_catalog *catalog, size_t from, size_t to,
                          const struct bp_catalog_filter *filter, size_t *kept)
{
    for (size_t i = from; i < to; i++) {
        struct bp_catalog_entry entry = catalog->at[i];

        if (!manifest_matches(&entry, filter))
            continue;
        catalog->at[i] = catalog->at[*kept];
        catalog->at[(*kept)++] = entry;
    }
}

enum bp_code bp_catalog_select(struct bp_catalog *catalog, struct bp_store *store,
                               const struct bp_catalog_filter *filter, struct bp_err *err)
{
    size_t limit = filter->limit > 0 ? filter->limit : SIZE_MAX;
    size_t kept = 0;
    size_t next = 0;

    keep_only(catalog, name_matches, filter);
    /* A name says less than its manifest, so it is not known beforehand how many it takes. */
    while (next < catalog->count && kept < limit) {
        size_t wanted = limit - kept < SOME ? SOME : limit - kept;
        size_t end = wanted < catalog->count - next ? next + wanted : catalog->count;

        if (describe_range(catalog, next, end, store, err) != BP_OK)
            return err->code;
        keep_matching(catalog, next, end, filter, &kept);
        next = end;
    }
    kept = kept < limit ? kept : limit;
    while (catalog->count > kept)
        free_entry(&catalog->at[--catalog->count]);
    return BP_OK;
}

enum bp_code bp_catalog_find(struct bp_catalog *catalog, const char *text,
                             struct bp_catalog_entry **out, struct bp_err *err)
{
    struct bp_catalog_entry *found = NULL;
    size_t matches = 0;

    if (catalog->count == 0)
        return bp_fail(err, BP_ENOTFOUND, "the branch holds no archive");
    for (size_t i = 0; i < catalog->count; i++) {
        struct bp_catalog_entry *e = &catalog->at[i];

        if (strcmp(e->name.id, text) == 0 || strcmp(e->folder, text) == 0 ||
            (e->name.latest && strcmp(text, "latest") == 0)) {
            *out = e;
            return BP_OK;
        }
        if (text[0] != '\0' && bp_text_starts_with(e->name.id, text)) {
            found = e;
            matches++;
        }
    }
    if (strcmp(text, "latest") == 0) { /* none is marked so: the newest, then */
        *out = &catalog->at[0];
        return BP_OK;
    }
    if (matches > 1)
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is the beginning of %zu archives' ids; hint: write "
                       "more of it, 'backproof list' shows them",
                       text, matches);
    if (matches == 0)
        return bp_fail(err, BP_ENOTFOUND, "no archive '%s'; hint: 'backproof list' shows them",
                       text);
    *out = found;
    return BP_OK;
}

enum bp_code bp_catalog_at(struct bp_catalog *catalog, int64_t time_ms,
                           struct bp_catalog_entry **out, struct bp_err *err)
{
    if (catalog->count == 0)
        return bp_fail(err, BP_ENOTFOUND, "the branch holds no archive");
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->at[i].name.time_ms <= time_ms) {
            *out = &catalog->at[i];
            return BP_OK;
        }
    }
    return bp_fail(err, BP_ENOTFOUND, "no archive is that old; the oldest is '%s'",
                   catalog->at[catalog->count - 1].name.id);
}

void bp_catalog_free(struct bp_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++)
        free_entry(&catalog->at[i]);
    bp_free(catalog->at);
    *catalog = (struct bp_catalog){0};
}
