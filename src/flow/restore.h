/*
 * Bring an archive back into a database: in one transaction, so that it is all there afterwards, or
 * nothing has changed; or by several connections, and then it can be gone on with when it was cut
 * off. Every checksum is proved before the target is touched.
 */
#ifndef BP_FLOW_RESTORE_H
#define BP_FLOW_RESTORE_H

#include <stdbool.h>

#include "archive/name.h"
#include "base/clock.h"
#include "base/print.h"
#include "flow/catalog.h"
#include "flow/restore_plan.h"
#include "source/target.h"
#include "store/store.h"

/* All lent for the length of the call. */
struct bp_restore_job {
    struct bp_store *store;
    struct bp_target *target;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *archive; /* "latest", an id, its beginning, a folder's name; NULL: at_ms tells */
    int64_t at_ms;       /* the newest archive that is not newer than this */
    const char *branch;  /* for messages */
    struct bp_opener opener;
    struct bp_restore_want want; /* what of it, and how it is changed on the way */
    /*
     * Connections; 1: one transaction. 0: one for each core, but 1 when the target holds something
     * (to be replaced, or beside which a part is restored), so that no failure leaves a mixture.
     */
    size_t jobs;
    bool clean;  /* replace what the target holds; of a part: the tables of the same names */
    bool resume; /* go on with one that was cut off */
    bool continue_on_error; /* never one transaction */
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
    size_t jobs;             /* connections that were used; 1: it was one transaction */
    struct bp_list replaced; /* some of what was in the target */
    int64_t replaced_count;
    struct bp_list made;     /* each object, as "TABLE app.users" */
    struct bp_list loaded;   /* each table, with its rows, in words */
    struct bp_list skipped;  /* what of the choice was left out, in words */
    struct bp_list failures; /* with continue_on_error: each object, its statement, the reason */
};

void bp_restore_result_free(struct bp_restore_result *result); /* for BP_AUTO */

/* The second half of a restore: an archive of the store that was found, opened and fetched, and
 * whose checksums were proved, goes into the target. archive, at_ms and opener do not count. */
enum bp_code bp_restore_entry(const struct bp_restore_job *job,
                              const struct bp_catalog_entry *entry,
                              struct bp_restore_result *result, struct bp_err *err) BP_CHECK;

/*
 * BP_ENOTFOUND (no such branch or archive), BP_EINTEGRITY (a checksum or a row count is wrong),
 * BP_EUSAGE (the target is not empty; there is nothing to resume), BP_ELOCKED (another restore
 * runs), and what the drivers return. With continue_on_error BP_OK may come with failures.
 */
enum bp_code bp_flow_restore(const struct bp_restore_job *job, struct bp_restore_result *result,
                             struct bp_err *err) BP_CHECK;

#endif
