/* A database of one's own in the test cluster (BP_TEST_CLUSTER), and short ways to use it. */
#ifndef TESTS_SOURCE_TEST_POSTGRES_SUPPORT_H
#define TESTS_SOURCE_TEST_POSTGRES_SUPPORT_H

#include "base/buf.h"
#include "source/postgres.h"

struct test_db {
    char name[64];
    char url[512]; /* without a password, as the superuser */
    struct bp_postgres_options options;
};

/* Make an empty database; drop it again, even when somebody is connected. */
void test_db_new(struct test_db *db);
void test_db_drop(struct test_db *db); /* for BP_AUTO */

/* Run a statement as the superuser in the database postgres. */
void test_admin_run(const char *sql);

/* Run statements in a session of their own; a failure fails the test. */
void test_db_run(const struct test_db *db, const char *sql);

/* The only value that a query returns; owned by the caller. */
char *test_db_value(const struct test_db *db, const char *sql);

/* Run a file of tests/data/schemas, after making the roles that it names. */
void test_db_load(const struct test_db *db, const char *file);

/* Options like db->options with another user; url must live as long as they do. */
struct bp_postgres_options test_db_as(const struct test_db *db, const char *user, char url[512]);

/* "127.0.0.1:PORT", where the cluster asks for the superuser's password, "test-password". */
void test_put_tcp_address(char out[64]);

/* Another session that stays open. Close it with PQfinish(). */
struct pg_conn *test_db_session(const struct test_db *db);

/* The whole of pg_dump's text, made comparable: rows sorted, no random key. */
void test_db_dump(const struct test_db *db, const char *option, struct bp_buf *out);

/* A connection in the snapshot of this source, which must have been taken. */
struct bp_reader *test_reader(struct bp_source *source);

/* A target that is open, and its first connection. */
struct test_writer {
    struct bp_target *target;
    struct bp_writer *writer;
};

struct test_writer test_writer(const struct test_db *db);
struct test_writer test_writer_begin(const struct test_db *db); /* in a transaction */
void test_writer_drop(struct test_writer *at);                  /* for BP_AUTO */

/* All rows of a table, appended to out. */
enum bp_code test_rows(struct bp_reader *reader, const struct bp_table *table, struct bp_buf *out,
                       struct bp_err *err);

/* The statement that reads all rows of a table; owned by the caller. */
char *test_copy_out(const struct bp_table *table);

/* A sink that appends every line to a struct bp_buf. */
enum bp_code test_keep_line(void *ctx, const char *line, size_t len, struct bp_err *err);

#endif
