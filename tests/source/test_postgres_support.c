#include "test_postgres_support.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_dump.h"
#include "source/postgres_script.h"
#include "source/postgres_split.h"

static struct bp_clock test_clock;
static struct bp_env test_env;

static const char *cluster(void)
{
    const char *dir = getenv("BP_TEST_CLUSTER");

    cr_assert_not_null(dir, "BP_TEST_CLUSTER must name a running cluster, see postgres.py start");
    return dir;
}

static void put_url(char out[512], const char *user, const char *database)
{
    BP_AUTO(bp_freep) char *folder = bp_format("%s/socket", cluster());
    BP_AUTO(bp_freep) char *host = bp_percent_encode(folder, "");

    (void)snprintf(out, 512, "postgresql://%s@/%s?host=%s&port=5432", user, database, host);
}

static PGconn *connect_to(const char *url)
{
    PGconn *conn = PQconnectdb(url);

    cr_assert_eq(PQstatus(conn), CONNECTION_OK, "%s", PQerrorMessage(conn));
    return conn;
}

static void must(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);

    cr_assert(PQresultStatus(result) == PGRES_COMMAND_OK ||
                  PQresultStatus(result) == PGRES_TUPLES_OK,
              "%s", PQerrorMessage(conn));
    PQclear(result);
}

static void ignore_notice(void *ctx, const PGresult *notice)
{
    (void)ctx;
    (void)notice;
}

static void run_at(const char *url, const char *sql)
{
    PGconn *conn = connect_to(url);

    (void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
    must(conn, sql);
    PQfinish(conn);
}

void test_admin_run(const char *sql)
{
    char url[512];

    put_url(url, "postgres", "postgres");
    run_at(url, sql);
}

void test_db_new(struct test_db *db)
{
    static int count;
    BP_AUTO(bp_freep) char *sql = NULL;

    test_clock = bp_clock_system(NULL);
    test_env.vars = (const char *const *)environ;
    (void)snprintf(db->name, sizeof(db->name), "bp_test_%ld_%d", (long)getpid(), count++);
    put_url(db->url, "postgres", db->name);
    db->options = (struct bp_postgres_options){.url = db->url,
                                               .env = &test_env,
                                               .temp_parent = "/tmp",
                                               .clock = &test_clock,
                                               .connect_timeout_ms = 10000,
                                               .connect_retries = 0,
                                               .lock_timeout_ms = 5000};
    sql = bp_format("CREATE DATABASE %s TEMPLATE template0", db->name);
    test_admin_run(sql);
}

void test_db_drop(struct test_db *db)
{
    BP_AUTO(bp_freep) char *sql = bp_format("DROP DATABASE IF EXISTS %s WITH (FORCE)", db->name);

    test_admin_run(sql);
}

void test_db_run(const struct test_db *db, const char *sql)
{
    run_at(db->url, sql);
}

char *test_db_value(const struct test_db *db, const char *sql)
{
    PGconn *conn = connect_to(db->url);
    PGresult *result = PQexec(conn, sql);
    char *value = NULL;

    cr_assert_eq(PQresultStatus(result), PGRES_TUPLES_OK, "%s", PQerrorMessage(conn));
    value = bp_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(conn);
    return value;
}

void test_db_load(const struct test_db *db, const char *file)
{
    static const char roles[] =
        "DO $$DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['shop_app', 'shop_reports'] LOOP"
        " BEGIN EXECUTE 'CREATE ROLE ' || r; EXCEPTION WHEN duplicate_object OR unique_violation"
        " THEN NULL; END; END LOOP; END$$";
    const char *data = getenv("BP_TEST_DATA");
    BP_AUTO(bp_freep)
    char *path = bp_format("%s/schemas/%s", data != NULL ? data : "tests/data", file);
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    struct bp_err err = {0};

    PGconn *conn = NULL;
    struct bp_pg_script script = {0};

    cr_assert_eq(bp_file_read(path, 1 << 20, &sql, &err), BP_OK, "%s", err.msg);
    test_admin_run(roles);
    conn = test_db_session(db);
    script.text = sql.data;
    /* One by one, as psql does: a new value of an enum needs its transaction to end. */
    while (bp_pg_script_next(&script)) {
        BP_AUTO(bp_freep)
        char *one = bp_strndup(sql.data + script.start, script.end - script.start);

        must(conn, one);
    }
    PQfinish(conn);
}

struct bp_postgres_options test_db_as(const struct test_db *db, const char *user, char url[512])
{
    struct bp_postgres_options options = db->options;

    put_url(url, user, db->name);
    options.url = url;
    return options;
}

void test_put_tcp_address(char out[64])
{
    BP_AUTO(bp_freep) char *path = bp_format("%s/port", cluster());
    BP_AUTO(bp_buf_free) struct bp_buf port = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_file_read(path, 16, &port, &err), BP_OK, "%s", err.msg);
    bp_text_trim(port.data);
    (void)snprintf(out, 64, "127.0.0.1:%s", port.data);
}

PGconn *test_db_session(const struct test_db *db)
{
    PGconn *conn = connect_to(db->url);

    (void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The rows of a COPY come in the order in which they were stored; the key is random. */
static void make_comparable(struct bp_buf *dump)
{
    BP_AUTO(bp_list_free) struct bp_list lines = {0};
    char *rest = dump->data;
    size_t first_row = 0;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        bool ends = first_row > 0 && strcmp(line, "\\.") == 0;

        if (ends && lines.count > first_row)
            qsort(&lines.at[first_row], lines.count - first_row, sizeof(char *), by_text);
        if (!bp_text_starts_with(line, "\\restrict ") &&
            !bp_text_starts_with(line, "\\unrestrict "))
            bp_list_add(&lines, line);
        if (ends)
            first_row = 0;
        else if (bp_text_ends_with(line, " FROM stdin;"))
            first_row = lines.count;
    }
    bp_buf_cut(dump, 0);
    for (size_t i = 0; i < lines.count; i++)
        bp_buf_printf(dump, "%s\n", lines.at[i]);
}

void test_db_dump(const struct test_db *db, const char *option, struct bp_buf *out)
{
    BP_AUTO(bp_pg_programs_free) struct bp_pg_programs programs = {0};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_freep) char *program = NULL;
    PGconn *conn = connect_to(db->url);
    struct bp_err err = {0};
    enum bp_code rc = bp_pg_programs_find(&db->options, PQserverVersion(conn), &programs, &err);
    const char *argv[] = {NULL, "--dbname", db->url, option, NULL};
    struct bp_child_job job = {
        .argv = argv, .env = test_env.vars, .output_limit = 64 << 20, .clock = &test_clock};

    PQfinish(conn);
    cr_assert_eq(rc, BP_OK, "%s", err.msg);
    program = bp_format("%s/pg_dump", programs.dir);
    argv[0] = program;
    cr_assert_eq(bp_child_run(&job, &result, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(result.exit_status, 0, "%s", bp_buf_str(&result.errs));
    bp_buf_add(out, result.out.data, result.out.len);
    make_comparable(out);
}

enum bp_code test_keep_line(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    (void)err;
    bp_buf_add(ctx, line, len);
    return BP_OK;
}

struct bp_reader *test_reader(struct bp_source *source)
{
    struct bp_reader *reader = NULL;
    struct bp_err err = {0};

    cr_assert_eq(source->ops->reader(source, 1, &test_clock, &reader, &err), BP_OK, "%s", err.msg);
    return reader;
}

enum bp_code test_rows(struct bp_reader *reader, const struct bp_table *table, struct bp_buf *out,
                       struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < table->slices && rc == BP_OK; i++) {
        const struct bp_slice slice = {.table = table, .number = i};

        rc = reader->ops->rows(reader, &slice, test_keep_line, out, err);
    }
    return rc;
}

char *test_copy_out(const struct bp_table *table)
{
    const struct bp_slice slice = {.table = table};
    struct bp_buf sql = {0};

    bp_pg_put_copy_out(&sql, &slice);
    return bp_buf_take(&sql);
}

struct test_writer test_writer(const struct test_db *db)
{
    struct test_writer at = {.target = bp_postgres_target_new(&db->options)};
    const struct bp_writer_want want = {
        .encoding = "UTF8", .preamble = "", .clock = db->options.clock};
    struct bp_target_info info;
    struct bp_err err = {0};

    cr_assert_eq(at.target->ops->open(at.target, &info, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(at.target->ops->writer(at.target, &want, &at.writer, &err), BP_OK, "%s", err.msg);
    return at;
}

struct test_writer test_writer_begin(const struct test_db *db)
{
    struct test_writer at = test_writer(db);
    struct bp_err err = {0};

    cr_assert_eq(at.writer->ops->begin(at.writer, true, &err), BP_OK, "%s", err.msg);
    return at;
}

void test_writer_drop(struct test_writer *at)
{
    bp_writer_freep(&at->writer);
    bp_target_freep(&at->target);
}
