/*
 * Private to the verification. Files, in the order in which they work:
 *   verify.c         finds the archive and climbs the ladder
 *   verify_parse.c   L0 and L1: every file is read
 *   verify_restore.c L2: restored into the scratch; L5: its checks
 *   verify_read.c    L3 and L4: the scratch is read as a backup reads its source
 *   verify_rows.c    whether tables hold the same rows, whatever their order
 *   verify_record.c  the result is written into the archive's manifest
 *   verify_checks.c  a file of checks becomes queries
 */
#ifndef BP_FLOW_VERIFY_INTERNAL_H
#define BP_FLOW_VERIFY_INTERNAL_H

#include "flow/backup_internal.h"
#include "flow/verify.h"

enum { BP_VERIFY_FINDINGS = 100 }; /* more are counted, not named */

struct bp_verify {
    const struct bp_verify_job *job;
    struct bp_verify_result *result;
    const struct bp_catalog_entry *entry;
    const struct bp_manifest *manifest; /* of entry */
    struct bp_list extensions;          /* that the archive makes */
    struct bp_list schemas;             /* likewise */
    struct bp_list faults;              /* of L1, found while L0 read the files */
    struct bp_scratch_info scratch;
    int64_t fetched_ms; /* what fetch and check took */
    /* What the scratch holds, as a backup would describe it. */
    struct bp_backup again;
    int again_version;
};

/* Each returns BP_OK when its level is reached; else it has added to result->findings or except
 * what a person should know, unless the error says it all. */
enum bp_code bp_verify_files(struct bp_verify *v, struct bp_err *err) BP_CHECK;       /* L0 */
enum bp_code bp_verify_parse(struct bp_verify *v, struct bp_err *err) BP_CHECK;       /* L1 */
enum bp_code bp_verify_restore(struct bp_verify *v, struct bp_err *err) BP_CHECK;     /* L2 */
enum bp_code bp_verify_content(struct bp_verify *v, struct bp_err *err) BP_CHECK;     /* L3 */
enum bp_code bp_verify_definitions(struct bp_verify *v, struct bp_err *err) BP_CHECK; /* L4 */
enum bp_code bp_verify_ask(struct bp_verify *v, struct bp_err *err) BP_CHECK;         /* L5 */

/* Make the scratch, before anything that takes long. */
enum bp_code bp_verify_start(struct bp_verify *v, struct bp_err *err) BP_CHECK;

/* A table of the archive and the one of the scratch that has its name. Lent. */
struct bp_verify_pair {
    const struct bp_manifest_table *archive;
    const struct bp_manifest_table *scratch;
};

/*
 * Whether these tables hold the same rows: in another order, or in another partition of the same
 * tree. Those that do not are findings. BP_EINTEGRITY when there is one.
 */
enum bp_code bp_verify_rows(struct bp_verify *v, const struct bp_verify_pair *pairs, size_t count,
                            struct bp_err *err) BP_CHECK;

/* What of the archive's options tells what is read of the scratch; lists are lent. */
struct bp_scope bp_verify_scope(const struct bp_verify *v);

/* rc is what the verification ended with. Fills result->commit. */
enum bp_code bp_verify_record(struct bp_verify *v, enum bp_code rc, struct bp_err *err) BP_CHECK;

/* One more finding; BP_EINTEGRITY with its words in err. */
enum bp_code bp_verify_fault(struct bp_verify *v, struct bp_err *err, const char *fmt, ...)
    BP_PRINTF(3, 4);

/* The content of a file by its path. BP_EINTEGRITY when the manifest does not list it. */
enum bp_code bp_verify_read(const struct bp_verify *v, const char *path, struct bp_buf *out,
                            struct bp_err *err) BP_CHECK;

/* Whether the scratch's server or pg_dump is of another major version than the archive's. */
bool bp_verify_is_elsewhere(const struct bp_verify *v);

#endif
