/*
 * Bring an archive back into a database, in one transaction: it is all there afterwards, or
 * nothing has changed. Every checksum is proved before the target is touched.
 */
#ifndef BP_FLOW_RESTORE_H
#define BP_FLOW_RESTORE_H

#include <stdbool.h>

#include "archive/name.h"
#include "base/clock.h"
#include "base/print.h"
#include "source/target.h"
#include "store/store.h"

/* All lent for the length of the call. */
struct bp_restore_job {
    struct bp_store *store;
    struct bp_target *target;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *archive; /* "latest", an id, its beginning, a folder's name */
    const char *branch;  /* for messages */
    bool clean;          /* replace what the target holds */
    /* Asked before anything is replaced; question is one line. */
    bool (*confirm)(void *ctx, const char *question);
    void *ctx;
};

struct bp_restore_result {
    char id[BP_ARCHIVE_ID_SIZE];
    char database[128];
    int64_t tables;
    int64_t rows;
    int64_t took_ms;
};

/*
 * BP_ENOTFOUND (no such branch or archive), BP_EINTEGRITY (a checksum or a row count is wrong),
 * BP_EUSAGE (the target is not empty), and what the drivers return.
 */
enum bp_code bp_flow_restore(const struct bp_restore_job *job, struct bp_restore_result *result,
                             struct bp_err *err) BP_CHECK;

#endif
