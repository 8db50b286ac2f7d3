/* One archive and what changed since the one before it. Two manifests are read and no row. */
#ifndef BP_FLOW_SHOW_H
#define BP_FLOW_SHOW_H

#include <stdbool.h>

#include "base/json.h"
#include "base/print.h"
#include "flow/catalog.h"
#include "flow/compare.h"

/* All lent for the length of the call. */
struct bp_show_job {
    struct bp_store *store;
    struct bp_out *out;
    const char *archive; /* as bp_catalog_find() takes it */
    const char *branch;  /* for messages */
    struct bp_opener opener;
};

struct bp_shown {
    struct bp_catalog catalog;
    const struct bp_catalog_entry *entry;
    const struct bp_catalog_entry *previous; /* the newest older one that can be read; NULL: none,
                                                or it is sealed and stays shut */
    struct bp_comparison comparison;         /* with that, or with nothing */
};

/* Without an identity a sealed archive is described by its public half (manifest.sealed), and that
 * is no error. BP_ENOTFOUND (no such branch or archive), BP_EINTEGRITY (its manifest is damaged, or
 * not signed as it should be), BP_EAUTH (none of the identities opens it), and what the store
 * returns. */
enum bp_code bp_flow_show(const struct bp_show_job *job, struct bp_shown *shown,
                          struct bp_err *err) BP_CHECK;
void bp_shown_free(struct bp_shown *shown); /* for BP_AUTO */

/* report_show.c: for people; of very many tables those that changed, unless all are asked for. */
void bp_show_text(const struct bp_shown *shown, bool all, struct bp_buf *out);

/* The same as one object. Owned by the caller. */
struct bp_json *bp_show_json(const struct bp_shown *shown) BP_CHECK;

#endif
