/* The archives of one branch of the backup repository: listed, described, found by name. */
#ifndef BP_FLOW_CATALOG_H
#define BP_FLOW_CATALOG_H

#include "archive/manifest.h"
#include "archive/name.h"
#include "archive/seal.h"
#include "archive/sign.h"
#include "base/list.h"
#include "store/store.h"

struct bp_catalog_entry {
    struct bp_archive_name name;
    char folder[BP_ARCHIVE_NAME_SIZE];
    char path[BP_ARCHIVE_NAME_SIZE + 32]; /* of the folder in the store */
    struct bp_manifest manifest;          /* once it was read; of a sealed archive that was opened
                                             the private half, with today's verification; while it
                                             is shut .sealed says so, and it has no tables */
    bool described;                       /* the manifest was read and is good */
    struct bp_manifest outer;             /* of a sealed archive that was opened the public half */
    const struct bp_identities *identities; /* that opened it; NULL: it is not sealed, or shut */
    const char *spool;                      /* bp_opener.spool */
    char damage[256];                       /* why it could not be; "" */
};

struct bp_catalog {
    struct bp_catalog_entry *at; /* newest first; owned */
    size_t count;
};

/* All zero: every archive. Texts are lent. */
struct bp_catalog_filter {
    int64_t since_ms;
    int64_t until_ms; /* inclusive; 0: no end */
    const char *sha;  /* or its beginning */
    const char *repository;
    const char *event;
    const char *verified; /* "yes" or "no" */
    size_t limit;         /* 0: none */
};

/* What opens sealed archives and whose signature counts. All lent; NULL: nothing does. */
struct bp_opener {
    const struct bp_identities *identities;
    const struct bp_trusted_keys *trusted; /* NULL: no signature is asked for */
    const char *spool; /* a folder where a backup has kept for these identities what an earlier one
                          sealed (flow/sealing.h); NULL: none */
};

/* Read the names: cheap, no file is fetched. The store must be open. */
enum bp_code bp_catalog_load(struct bp_store *store, struct bp_catalog *out,
                             struct bp_err *err) BP_CHECK;

/* The same with a store that is not open yet. BP_ENOTFOUND: it has no such branch. */
enum bp_code bp_catalog_open(struct bp_store *store, const char *branch, struct bp_catalog *out,
                             struct bp_err *err) BP_CHECK;

/*
 * Keep the archives that match, with their manifests. An archive whose manifest cannot be read is
 * kept, with its damage, unless a filter needs what only the manifest tells.
 */
enum bp_code bp_catalog_select(struct bp_catalog *catalog, struct bp_store *store,
                               const struct bp_catalog_filter *filter, struct bp_err *err) BP_CHECK;

/* Fetch and read one manifest; BP_EINTEGRITY: missing or damaged. */
enum bp_code bp_catalog_describe(struct bp_store *store, struct bp_catalog_entry *entry,
                                 struct bp_err *err) BP_CHECK;

/*
 * Read all that its manifest tells: like describe, and the signature is checked when keys are
 * trusted, and a sealed archive is opened. BP_EINTEGRITY: also without or with a wrong signature.
 * BP_EUSAGE: it is sealed and there is no identity. BP_EAUTH: none of them can open it.
 */
enum bp_code bp_catalog_unseal(struct bp_store *store, struct bp_catalog_entry *entry,
                               const struct bp_opener *opener, struct bp_err *err) BP_CHECK;

/* Whether a failure to describe an archive is its own, and not that of the way to it. */
bool bp_catalog_is_damage(enum bp_code code);

/*
 * The archive that text names: "latest", an id, a folder's name, or a beginning that only one
 * has. BP_ENOTFOUND, BP_EUSAGE (several have it). Lent from the catalog.
 */
enum bp_code bp_catalog_find(struct bp_catalog *catalog, const char *text,
                             struct bp_catalog_entry **out, struct bp_err *err) BP_CHECK;

/* The newest archive that is not newer than this. BP_ENOTFOUND names the oldest one. Lent. */
enum bp_code bp_catalog_at(struct bp_catalog *catalog, int64_t time_ms,
                           struct bp_catalog_entry **out, struct bp_err *err) BP_CHECK;

void bp_catalog_free(struct bp_catalog *catalog); /* for BP_AUTO */

#endif
