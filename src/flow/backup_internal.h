/*
 * Private to the backup. Files, in the order in which they work:
 *   backup.c         the steps
 *   backup_read.c    everything is read by several connections at once, into blobs
 *   slices.c         the rows of all tables, shared by these connections
 *   backup_manifest.c  what tells of all this, sealed and signed
 *   backup_commit.c  the blobs become one commit
 *   backup_limits.c  what comes near a limit of Git servers
 */
#ifndef BP_FLOW_BACKUP_INTERNAL_H
#define BP_FLOW_BACKUP_INTERNAL_H

#include "flow/backup.h"
#include "flow/slices.h"
#include "flow/stage.h"

struct bp_backup {
    const struct bp_backup_job *job;
    struct bp_manifest manifest;
    struct bp_manifest outer; /* of a sealed archive: the half that everybody can read */
    struct bp_sealing *sealing;
    struct bp_tables tables;
    struct bp_list schemas;
    struct bp_ddl ddl;
    size_t workers;    /* connections that read; fewer when there was no room for pg_dump */
    bool no_room;      /* that was so */
    int64_t held;      /* the store's held(), before anything is put */
    int64_t added;     /* bytes, compressed; the push may be tried again */
    size_t archives;   /* in the folder of archives, after the commit */
    size_t described;  /* bytes of the manifest */
    const char *phase; /* "while reading the rows", for messages; static or in phase_text */
    char phase_text[300];
};

/* Read all of the snapshot and stage it, but for the manifest. The source is closed afterwards:
 * nobody shall wait for its locks while files are pushed. */
enum bp_code bp_backup_read(struct bp_backup *b, struct bp_err *err) BP_CHECK;

/* The manifest, or both halves of it, with the signature: the last files that are staged. text
 * becomes what everybody can read of it. It may be called again, when the id has become another. */
enum bp_code bp_backup_stage_manifest(struct bp_backup *b, struct bp_buf *text,
                                      struct bp_err *err) BP_CHECK;

/* Others may push to the branch while we do, and servers have bad moments: look again and try
 * again, a few times. All that was read is staged and need not be read again. */
enum bp_code bp_backup_commit(struct bp_backup *b, struct bp_backup_result *result,
                              struct bp_err *err) BP_CHECK;

/* A Git server refuses files of 100 MiB. BP_EFAILED: the manifest is one. */
enum bp_code bp_backup_check_manifest(const struct bp_backup *b, struct bp_err *err) BP_CHECK;

/* Add what this backup added to what the tip's message tells, for the message of the next one. */
void bp_backup_grow(const struct bp_backup *b, struct bp_growth *out);

/* After the commit: warn of large files, of many archives, of a large branch. */
void bp_backup_warn(const struct bp_backup *b, const struct bp_backup_result *result);

#endif
