/* A backup of two small tables of the fake source into the fake store: what all tests of
 * flow/backup share. */
#ifndef TESTS_FLOW_BACKUP_WORLD_H
#define TESTS_FLOW_BACKUP_WORLD_H

#include "flow/backup.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

/* One at a time: Criterion runs each test in a process of its own. */
struct backup_world {
    struct fake_clock clock;
    struct fake_source source;
    struct fake_store store;
    struct bp_stop stop; /* of the clock, once backup_with_stop() was called */
    struct bp_out out;
    struct bp_err err;
    struct bp_backup_result result;
    struct bp_backup_job job;
    struct bp_manifest manifest; /* once backup_manifest() was called */
    char *printed;               /* once backup_listen() was called, after a flush */
    size_t printed_len;
};

extern struct backup_world bw;

/* For TestSuite's .init and .fini. */
void backup_set_up(void);
void backup_tear_down(void);

/* From now on what is said goes to bw.printed, as to a terminal. */
void backup_listen(void);

/* From now on bw.stop can stop the backup. */
void backup_with_stop(void);

enum bp_code backup_run(void);

/* Run it: it must succeed. Then read the manifest of backups/current. */
void backup_manifest(void);

/* A file of backups/current; NULL: there is none. Lent. */
const char *backup_file(const char *path);

/* In the manifest, which must list it. Lent. */
const struct bp_manifest_file *backup_listed(const char *path);

#endif
