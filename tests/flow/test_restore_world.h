/* An archive in the fake store, and a restore of it into the fake target: what tests of the
 * restore's files share. */
#ifndef TESTS_FLOW_RESTORE_WORLD_H
#define TESTS_FLOW_RESTORE_WORLD_H

#include "flow/restore.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

#define WORLD_ARCHIVE "backups/latest/latest_2024-01-15T14-30-45Z/"

/* An object as pg_dump writes it; of table users, with its schema. */
#define WORLD_BLOCK(name, type, sql) \
    "--\n-- Name: " name "; Type: " type "; Schema: public; Owner: a\n--\n\n" sql "\n\n"
#define WORLD_HEAD "SET statement_timeout = 0;\n\n"

struct restore_world {
    struct fake_clock clock;
    struct fake_store store;
    struct fake_target target;
    struct bp_out out;
    struct bp_restore_job job;
    struct bp_restore_result result;
    struct bp_err err;
};

/* A database with these tables, backed up; two connections will restore it. */
void restore_world_open(struct restore_world *w, const struct fake_source_table *tables);
void restore_world_close(struct restore_world *w);

/* Another text for a file of the archive, with a checksum that is right. */
void restore_world_put(struct restore_world *w, const char *path, const char *text);

/* Restore; the log tells of this run only. */
enum bp_code restore_world_run(struct restore_world *w);

/* How often the target was told this, a whole line. */
size_t restore_world_told(const struct restore_world *w, const char *line);

#endif
