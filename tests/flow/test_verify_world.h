/* An archive of a fake source in a fake store, and a scratch that is a fake target and source. */
#ifndef TESTS_FLOW_TEST_VERIFY_WORLD_H
#define TESTS_FLOW_TEST_VERIFY_WORLD_H

#include "flow/verify.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

#define VERIFY_FOLDER "backups/latest/latest_2024-01-15T14-30-45Z"

struct verify_scratch {
    struct bp_scratch base;
    enum bp_code start_result;
    int version_num;
    bool other_collation;
    const char *missing; /* an extension that it cannot make; NULL: none */
    bool answer;         /* of ask() */
    int starts;
};

struct verify_world {
    struct fake_clock clock;
    struct fake_store store;
    struct fake_source source; /* of the archive, and of the scratch */
    struct fake_target target;
    struct verify_scratch scratch;
    struct bp_out out;
    struct bp_verify_job job;
    struct bp_verify_result result;
    struct bp_list checks;
    struct bp_err err;
};

extern struct verify_world verify_world;

/* Suites: .init, .fini. */
void verify_world_open(void);
void verify_world_close(void);

enum bp_code verify_world_run(enum bp_proof level);

/* The verification in the archive's manifest: "L3", or "". Static. */
const char *verify_world_recorded(void);

/* What the source's rows are: make_row of struct fake_source. */
void verify_world_row(const struct fake_source_table *table, int64_t i, char *row);

/* Replace a file of the archive, and its checksum in the manifest too. */
void verify_world_change(const char *path, const char *text);

#endif
