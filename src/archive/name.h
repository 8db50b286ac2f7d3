/*
 * Where archives live in the backup repository, and what their folders are called.
 *
 *     backups/latest/latest_2024-01-15T14-30-45Z/
 *     backups/archive/2024-01-14T08-16-02Z--myorg-myapp--schedule--def5678/
 *     backups/current/      the same tree as the latest
 *
 * An archive's id is its timestamp, with "--2", "--3" ... behind it when a second has several.
 */
#ifndef BP_ARCHIVE_NAME_H
#define BP_ARCHIVE_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define BP_PATH_BACKUPS "backups"
#define BP_PATH_LATEST  "backups/latest"
#define BP_PATH_ARCHIVE "backups/archive"
#define BP_PATH_CURRENT "backups/current"

enum { BP_ARCHIVE_ID_SIZE = 48, BP_ARCHIVE_NAME_SIZE = 256 };

struct bp_archive_name {
    bool latest;
    char id[BP_ARCHIVE_ID_SIZE]; /* "2024-01-15T14-30-45Z" or "2024-01-15T14-30-45Z--2" */
    int64_t time_ms;
    int copy; /* 1, or N of "--N" */
    /* Empty in the name of the latest; its manifest has them. */
    char source[160]; /* "myorg-myapp" */
    char event[16];   /* push, pr, schedule, manual or standalone */
    char sha[16];     /* 7 digits, or standalone */
};

/* The id of the copy-th archive of this moment. */
void bp_archive_id(int64_t time_ms, int copy, char out[BP_ARCHIVE_ID_SIZE]);

/* Read a folder's name. false: it is not an archive's. */
bool bp_archive_name_parse(const char *folder, struct bp_archive_name *out);

/* Write a folder's name, in the form for the latest or for an earlier one. */
void bp_archive_name_format(const struct bp_archive_name *name, char out[BP_ARCHIVE_NAME_SIZE]);

/*
 * Fill source, event and sha from the manifest's exact values: "owner/name" becomes
 * "owner-name", what a file name cannot hold becomes "_", nothing becomes "standalone".
 */
void bp_archive_name_describe(struct bp_archive_name *name, const char *repository,
                              const char *event, const char *sha);

#endif
