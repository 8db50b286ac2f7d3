/*
 * A plain folder as a store that is only read: a copy of the backup repository without its Git
 * (it has a folder backups/), or one archive (it has a manifest.json), which is shown where the
 * latest archive is. Links that lead out of it are refused.
 */
#ifndef BP_STORE_FOLDER_H
#define BP_STORE_FOLDER_H

#include "store/store.h"

enum bp_folder_kind {
    BP_FOLDER_OTHER,   /* no folder, a Git repository, something else */
    BP_FOLDER_BACKUPS, /* a copy of the repository */
    BP_FOLDER_ARCHIVE  /* one archive */
};

enum bp_folder_kind bp_folder_kind(const char *path);

/* Copies path. open() gives BP_ENOTFOUND when it is no such folder any more, BP_EINTEGRITY when the
 * manifest of an archive does not tell its id. What writes gives BP_EUSAGE. */
struct bp_store *bp_folder_store_new(const char *path) BP_CHECK;

#endif
