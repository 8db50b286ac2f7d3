/* Every file of an archive against its manifest, read by several threads at once. */
#ifndef BP_FLOW_ARCHIVE_CHECK_H
#define BP_FLOW_ARCHIVE_CHECK_H

#include "base/clock.h"
#include "base/print.h"
#include "flow/catalog.h"

/* All lent for the length of the call. */
struct bp_archive_check {
    struct bp_store *store;
    /* Described or opened, and fetched. Of a sealed archive that is shut it is the sealed files
     * that are checked. */
    const struct bp_catalog_entry *entry;
    struct bp_clock *clock;
    struct bp_out *out; /* is shown the progress */
    size_t workers;     /* 0: one for each core */
    /*
     * Called in a worker's thread with each file whose checksum is right, unless NULL. number is
     * that of the file in entry->manifest. BP_EINTEGRITY: it is wrong all the same; another error
     * ends the check.
     */
    enum bp_code (*look)(void *ctx, size_t number, const struct bp_buf *text, struct bp_err *err);
    void *ctx;
    bool only_listed; /* what the manifest does not list is told in extra, and is no fault */
};

struct bp_archive_checked {
    int64_t files; /* that were read */
    int64_t bytes;
    struct bp_list findings; /* what is wrong, in words, in the order of the manifest; at most a
                                hundred and how many more there are */
    struct bp_list extra;    /* with only_listed: what is there besides, in words; likewise */
};

/*
 * Read every file, and look for files that the manifest does not list. BP_EINTEGRITY: the archive
 * is at fault; the message is the first finding. Other errors end it where it is.
 */
enum bp_code bp_archive_check(const struct bp_archive_check *check, struct bp_archive_checked *out,
                              struct bp_err *err) BP_CHECK;

void bp_archive_checked_free(struct bp_archive_checked *checked); /* for BP_AUTO */

#endif
