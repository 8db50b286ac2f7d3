/*
 * One backup: a locked snapshot of the source, read by several connections, becomes one commit in
 * the store. Rows travel as a stream; the memory it takes does not grow with the database.
 */
#ifndef BP_FLOW_BACKUP_H
#define BP_FLOW_BACKUP_H

#include "archive/manifest.h"
#include "archive/name.h"
#include "archive/sign.h"
#include "base/clock.h"
#include "base/print.h"
#include "flow/growth.h"
#include "flow/sealing.h"
#include "source/source.h"
#include "store/store.h"

/* While another backup of the same database and branch runs. */
enum bp_backup_if_locked { BP_BACKUP_WAIT, BP_BACKUP_SKIP, BP_BACKUP_FAIL };

/* All lent for the length of the call. */
struct bp_backup_job {
    struct bp_source *source;
    struct bp_store *store;
    struct bp_clock *clock; /* a limit of its stop is the limit of the backup */
    struct bp_out *out;
    const char *branch;   /* of the backup repository */
    size_t jobs;          /* connections that read; 0: one for each core */
    int64_t lock_retries; /* so often all is read anew when somebody came between the locks */
    enum bp_backup_if_locked if_locked;
    const struct bp_scope *scope; /* what the source was told to take; for the manifest */
    bool schema_dumps;
    bool allow_empty;                   /* no row in any table is no error */
    bool allow_public;                  /* everybody may read the backup repository */
    struct bp_sealing_job sealing;      /* zeroed: the archive is readable */
    const struct bp_sign_key *sign_key; /* NULL: it is not signed */
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
    int64_t kept_files;      /* sealed by an earlier backup, and not again */
    int64_t pushed_bytes;    /* about: what this one added, compressed; 0: unknown */
    struct bp_growth growth; /* of the branch, with this one */
    int64_t full_ms;         /* when growth.bytes will be bp_growth_next(); 0: unknown */
    bool skipped;            /* another backup runs: nothing was done */
    char reason[1024];       /* who runs it */
};

/* Why a backup into a public repository is refused (BP_EUSAGE), and what helps. */
#define BP_BACKUP_PUBLIC_WHY                                                                  \
    "public: everybody on the internet could read the rows of the database in it, without a " \
    "password"
#define BP_BACKUP_PUBLIC_FIX \
    "make the repository private; or, when the data is meant to be public, give --allow-public"

/*
 * When it fails, the store's branch is as it was. BP_ETIMEOUT and BP_ESTOPPED say what was being
 * done. BP_ELOCKED: a table, or with BP_BACKUP_FAIL the whole database, is in use.
 */
enum bp_code bp_flow_backup(const struct bp_backup_job *job, struct bp_backup_result *result,
                            struct bp_err *err) BP_CHECK;

#endif
