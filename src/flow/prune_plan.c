/* What the plan of a retention needs to know: names, marks, and as few manifests as possible. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/mark.h"
#include "flow/prune_internal.h"

enum {
    SOME = 16, /* manifests that are fetched at once while one is looked for */
    NONE = 3   /* when of so many the first ones cannot be read, it is the way to them */
};

void bp_prune_free(struct bp_prune *p)
{
    for (size_t i = 0; p->items != NULL && i < p->catalog.count; i++)
        bp_list_free(&p->items[i].reasons);
    bp_free(p->items);
    p->items = NULL;
    bp_catalog_free(&p->catalog);
    bp_marks_free(&p->marks);
}

/* An archive that a dry run did not add stands where it would; before it is what is dated in the
 * future. */
static void add_coming(struct bp_prune *p)
{
    struct bp_catalog *catalog = &p->catalog;
    struct bp_catalog_entry entry = {.described = true};
    size_t place = 0;

    if (p->job->coming == NULL)
        return;
    (void)snprintf(entry.folder, sizeof(entry.folder), "latest_%s", p->job->coming);
    if (!bp_archive_name_parse(entry.folder, &entry.name))
        return;
    for (size_t i = 0; i < catalog->count; i++)
        catalog->at[i].name.latest = false;
    while (place < catalog->count && catalog->at[place].name.time_ms > entry.name.time_ms)
        place++;
    catalog->at = bp_realloc(catalog->at, catalog->count + 1, sizeof(*catalog->at));
    memmove(catalog->at + place + 1, catalog->at + place,
            (catalog->count - place) * sizeof(*catalog->at));
    catalog->at[place] = entry;
    catalog->count++;
}

static bool has_archive(const struct bp_catalog *catalog, const char *id)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->at[i].name.id, id) == 0)
            return true;
    }
    return false;
}

static void warn(struct bp_prune *p, int64_t now_ms)
{
    if (p->warned)
        return;
    p->warned = true;
    for (size_t i = 0; i < p->marks.count; i++) {
        if (!has_archive(&p->catalog, p->marks.at[i].id))
            bp_warn(p->job->out, "%s marks %s, which is not in the branch", BP_PATH_KEEP,
                    p->marks.at[i].id);
    }
    for (size_t i = 0; i < p->catalog.count && p->catalog.at[i].name.time_ms > now_ms; i++)
        bp_warn(p->job->out,
                "archive %s is dated in the future: was a clock wrong? It is kept until then",
                p->catalog.at[i].name.id);
}

static enum bp_code load(struct bp_prune *p, struct bp_err *err)
{
    if (bp_catalog_load(p->job->store, &p->catalog, err) != BP_OK ||
        bp_marks_read(p->job->store, &p->marks, NULL, err) != BP_OK)
        return err->code;
    add_coming(p);
    p->items = bp_alloc(p->catalog.count + 1, sizeof(*p->items));
    for (size_t i = 0; i < p->catalog.count; i++) {
        const struct bp_archive_name *name = &p->catalog.at[i].name;
        const struct bp_mark *mark = bp_marks_find(&p->marks, name->id);

        p->items[i].time_ms = name->time_ms;
        p->items[i].latest = name->latest;
        p->items[i].mark = mark != NULL ? mark->reason : NULL;
    }
    return BP_OK;
}

/* A manifest that came and is bad is damage. One that did not come may be as good as any: the disk
 * is full here, or the server has a word for its trouble that nobody knew. */
static enum bp_code read_one(struct bp_prune *p, size_t i, struct bp_err *err)
{
    struct bp_catalog_entry *entry = &p->catalog.at[i];
    struct bp_err why = {0};
    enum bp_code rc = bp_catalog_describe(p->job->store, entry, &why);

    *err = why;
    if (rc == BP_ELOCKED || (rc != BP_OK && !bp_catalog_is_damage(rc)))
        return rc;
    p->items[i].damaged = rc != BP_OK;
    p->items[i].unread = rc != BP_OK && rc != BP_EINTEGRITY;
    p->items[i].verified = rc == BP_OK && bp_manifest_is_verified(&entry->manifest.verification);
    if (p->items[i].unread)
        bp_warn(p->job->out, "archive '%s' stays, because it cannot be read: %s", entry->name.id,
                why.msg);
    else if (rc != BP_OK)
        bp_warn(p->job->out, "%s", why.msg);
    /* They may be large, and they may be many. */
    bp_manifest_free(&entry->manifest);
    entry->described = false;
    return BP_OK;
}

/* Read the manifests of these archives, fetched in one go. */
static enum bp_code read_some(struct bp_prune *p, const size_t *which, size_t count,
                              struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    enum bp_code rc = BP_OK;
    size_t unread = 0;

    for (size_t i = 0; i < count; i++)
        bp_list_addf(&paths, "%s/%s", p->catalog.at[which[i]].path, BP_MANIFEST_NAME);
    if (count > 0)
        rc = p->job->store->ops->fetch(p->job->store, &paths, err);
    /* One that the server has lost shows when it is read alone. */
    if (rc != BP_OK && !bp_catalog_is_damage(rc))
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (bp_stop_check(p->job->clock->stop, err) != BP_OK || read_one(p, which[i], err) != BP_OK)
            return err->code;
        unread += p->items[which[i]].unread;
        if (unread == NONE && i + 1 == NONE)
            return bp_wrap(err, "nothing was removed, because archives cannot be read");
    }
    return BP_OK;
}

/*
 * When an archive would go if it were not the newest verified one that is known: the next newer
 * ones, which may be that as well. They are kept anyhow, so nobody looked at them so far.
 */
static size_t next_unverified(const struct bp_prune *p, const bool *known, size_t *which)
{
    size_t verified = 0;
    size_t count = 0;

    while (verified < p->catalog.count &&
           !bp_list_has(&p->items[verified].reasons, BP_RETENTION_VERIFIED))
        verified++;
    if (verified == p->catalog.count || p->items[verified].reasons.count != 1)
        return 0;
    for (size_t i = 0; i < verified && count < SOME; i++) {
        if (!known[i])
            which[count++] = i;
    }
    return count;
}

/* Those of which the plan has to know more, until it knows enough. */
static size_t next_unknown(const struct bp_prune *p, const bool *known, size_t *which)
{
    size_t count = 0;

    for (size_t i = 0; i < p->catalog.count; i++) {
        if (!known[i] && (!p->items[i].kept || p->items[i].asked))
            which[count++] = i;
    }
    return count > 0 ? count : next_unverified(p, known, which);
}

enum bp_code bp_prune_plan(struct bp_prune *p, struct bp_err *err)
{
    int64_t now_ms = bp_clock_wall(p->job->clock);
    BP_AUTO(bp_freep) bool *known = NULL; /* whose manifest was read */
    BP_AUTO(bp_freep) size_t *which = NULL;
    size_t count = 0;

    bp_prune_free(p);
    if (load(p, err) != BP_OK)
        return err->code;
    warn(p, now_ms);
    known = bp_alloc(p->catalog.count + 1, sizeof(*known));
    which = bp_alloc(p->catalog.count + 1, sizeof(*which));
    for (size_t i = 0; i < p->catalog.count; i++)
        known[i] = p->catalog.at[i].path[0] == '\0'; /* of one that is still to come */
    do {
        bp_retention_plan(&p->job->policy, now_ms, p->items, p->catalog.count);
        count = next_unknown(p, known, which);
        if (read_some(p, which, count, err) != BP_OK)
            return err->code;
        for (size_t i = 0; i < count; i++)
            known[which[i]] = true;
    } while (count > 0);
    return BP_OK;
}
