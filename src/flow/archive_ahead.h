/*
 * A file of an archive that is read in a thread of its own, while its reader works on another one.
 * As much memory as one more file.
 */
#ifndef BP_FLOW_ARCHIVE_AHEAD_H
#define BP_FLOW_ARCHIVE_AHEAD_H

#include <pthread.h>

#include "flow/archive_file.h"

/* Zeroed: nothing is read. The members are private. */
struct bp_archive_ahead {
    struct bp_store *store;
    const struct bp_catalog_entry *entry;
    const struct bp_manifest_file *file;
    pthread_t thread;
    bool reading; /* there is a thread, which has what follows */
    struct bp_buf text;
    enum bp_code code;
    struct bp_err err;
};

/* Begin to read; what is named is lent until the file was taken. Only when nothing is read. */
void bp_archive_ahead_begin(struct bp_archive_ahead *ahead, struct bp_store *store,
                            const struct bp_catalog_entry *entry,
                            const struct bp_manifest_file *file);

/* Wait for it, and replace out by it. As bp_archive_file_read() in all else. */
enum bp_code bp_archive_ahead_take(struct bp_archive_ahead *ahead, struct bp_buf *out,
                                   struct bp_err *err) BP_CHECK;

/* For BP_AUTO. Waits for what is being read. */
void bp_archive_ahead_free(struct bp_archive_ahead *ahead);

#endif
