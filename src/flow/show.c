#include "flow/show.h"

#include "base/mem.h"

/* The manifests of this archive and of the one before it, in one go. */
static enum bp_code fetch(struct bp_store *store, const struct bp_catalog_entry *entry,
                          const struct bp_catalog_entry *end, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    for (const struct bp_catalog_entry *e = entry; e < end && e < entry + 2; e++)
        bp_list_addf(&paths, "%s/%s", e->path, BP_MANIFEST_NAME);
    return store->ops->fetch(store, &paths, err);
}

/* Without a key everybody's half of a sealed archive is enough. */
static enum bp_code open_entry(const struct bp_show_job *job, struct bp_catalog_entry *entry,
                               struct bp_err *err)
{
    enum bp_code rc = bp_catalog_unseal(job->store, entry, &job->opener, err);

    if (rc == BP_EUSAGE && entry->manifest.sealed && job->opener.identities == NULL)
        return BP_OK;
    return rc;
}

/* What changed since a sealed archive cannot be told when that one stays shut. */
static bool stays_shut(const struct bp_catalog_entry *entry,
                       const struct bp_catalog_entry *previous)
{
    return previous->manifest.sealed && !entry->manifest.sealed;
}

/* The newest archive that is older and can be read. */
static enum bp_code find_previous(const struct bp_show_job *job, struct bp_shown *shown,
                                  struct bp_catalog_entry *entry, struct bp_err *err)
{
    const struct bp_catalog_entry *end = shown->catalog.at + shown->catalog.count;

    for (struct bp_catalog_entry *e = entry + 1; e < end; e++) {
        struct bp_err why = {0};
        enum bp_code rc = open_entry(job, e, &why);

        if ((rc == BP_OK || rc == BP_EAUTH) && stays_shut(entry, e)) {
            bp_warn(job->out, "what changed since '%s' is not known: it is sealed%s", e->name.id,
                    rc == BP_OK ? "; hint: --identity FILE names the key that opens it"
                                : ", and none of the identities opens it");
            return BP_OK;
        }
        if (rc == BP_OK) {
            shown->previous = e;
            return BP_OK;
        }
        if (!bp_catalog_is_damage(rc)) {
            *err = why;
            return rc;
        }
        bp_warn(job->out, "%s", why.msg);
    }
    return BP_OK;
}

enum bp_code bp_flow_show(const struct bp_show_job *job, struct bp_shown *shown, struct bp_err *err)
{
    static const struct bp_manifest nothing;
    struct bp_catalog_entry *entry = NULL;
    enum bp_code rc = BP_OK;

    *shown = (struct bp_shown){0};
    rc = bp_catalog_open(job->store, job->branch, &shown->catalog, err);
    if (rc == BP_OK)
        rc = bp_catalog_find(&shown->catalog, job->archive, &entry, err);
    if (rc == BP_OK)
        rc = fetch(job->store, entry, shown->catalog.at + shown->catalog.count, err);
    if (rc == BP_OK)
        rc = open_entry(job, entry, err);
    if (rc == BP_OK)
        rc = find_previous(job, shown, entry, err);
    if (rc != BP_OK) {
        bp_shown_free(shown);
        return rc;
    }
    shown->entry = entry;
    bp_compare(shown->previous != NULL ? &shown->previous->manifest : &nothing, &entry->manifest,
               &shown->comparison);
    return BP_OK;
}

void bp_shown_free(struct bp_shown *shown)
{
    bp_comparison_free(&shown->comparison);
    bp_catalog_free(&shown->catalog);
    *shown = (struct bp_shown){0};
}
