/*
 * One backup: a locked snapshot of the source becomes one commit in the store. Rows travel as a
 * stream; the memory it takes does not grow with the database.
 */
#ifndef BP_FLOW_BACKUP_H
#define BP_FLOW_BACKUP_H

#include "archive/manifest.h"
#include "archive/name.h"
#include "base/clock.h"
#include "base/print.h"
#include "source/source.h"
#include "store/store.h"

/* All lent for the length of the call. */
struct bp_backup_job {
    struct bp_source *source;
    struct bp_store *store;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *branch; /* of the backup repository, for messages */
    const char *tool_version;
    /* NULL: unknown */
    const char *repository;
    const char *ref;
    const char *sha;
    const char *event;
    const char *run_id;
    const char *run_url;
};

struct bp_backup_result {
    char id[BP_ARCHIVE_ID_SIZE];
    char path[BP_ARCHIVE_NAME_SIZE + 32];
    char commit[BP_STORE_ID_SIZE];
    int64_t tables;
    int64_t rows;
    int64_t bytes;
    int64_t took_ms;
};

/* When it fails, the store's branch is as it was. */
enum bp_code bp_flow_backup(const struct bp_backup_job *job, struct bp_backup_result *result,
                            struct bp_err *err) BP_CHECK;

#endif
