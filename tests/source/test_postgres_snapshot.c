#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

/* A source after its snapshot. */
struct opened {
    struct bp_source *source;
    struct bp_source_info info;
    struct bp_tables tables;
    struct bp_err err;
};

static void opened_free(struct opened *o)
{
    bp_source_freep(&o->source);
    bp_source_info_free(&o->info);
    bp_tables_free(&o->tables);
}

static enum bp_code open_as(const struct bp_postgres_options *options, struct opened *o)
{
    o->source = bp_postgres_source_new(options);
    return o->source->ops->snapshot(o->source, &o->info, &o->tables, &o->err);
}

static void expect_words(const struct opened *o, const char *words)
{
    cr_expect_not_null(strstr(o->err.msg, words), "'%s' is not in: %s", words, o->err.msg);
}

static void run_quietly(PGconn *conn, const char *sql, ExecStatusType expected)
{
    PGresult *result = PQexec(conn, sql);

    cr_assert_eq(PQresultStatus(result), expected, "%s", PQerrorMessage(conn));
    PQclear(result);
}

Test(postgres_snapshot, tells_what_it_is_of)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY)");
    cr_assert_eq(open_as(&db.options, &o), BP_OK, "%s", o.err.msg);
    cr_expect_str_eq(o.info.name, db.name);
    cr_expect_str_eq(o.info.encoding, "UTF8");
    cr_expect_geq(o.info.version_num, 120000);
    cr_expect_null(strchr(o.info.server_version, ' '), "%s", o.info.server_version);
    cr_expect_gt(o.info.size_bytes, 1000000);
    cr_expect_str_not_empty(o.info.snapshot);
    cr_expect_str_not_empty(o.info.system_identifier);
    cr_expect_str_not_empty(o.info.lsn);
    cr_expect_str_not_empty(o.info.pg_dump_version);
    cr_expect_eq(o.tables.count, 1);
}

Test(postgres_snapshot, keeps_a_table_from_being_truncated)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    PGconn *other = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)");
    other = test_db_session(&db);
    cr_assert_eq(open_as(&db.options, &o), BP_OK, "%s", o.err.msg);
    run_quietly(other, "SET lock_timeout = '50ms'", PGRES_COMMAND_OK);
    run_quietly(other, "TRUNCATE t", PGRES_FATAL_ERROR);
    run_quietly(other, "DROP TABLE t", PGRES_FATAL_ERROR);
    run_quietly(other, "ALTER TABLE t ALTER id TYPE bigint", PGRES_FATAL_ERROR);
    run_quietly(other, "DELETE FROM t", PGRES_COMMAND_OK);
    run_quietly(other, "INSERT INTO t VALUES (3)", PGRES_COMMAND_OK);
    reader = test_reader(o.source);
    cr_assert_eq(test_rows(reader, &o.tables.at[0], &rows, &o.err), BP_OK, "%s", o.err.msg);
    cr_expect_str_eq(bp_buf_str(&rows), "1\n2\n", "the snapshot is from before");
    PQfinish(other);
}

Test(postgres_snapshot, names_the_table_that_another_session_holds)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    char words[128];
    PGconn *other = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE SCHEMA app; CREATE TABLE app.held (id int); CREATE TABLE app.free ()");
    other = test_db_session(&db);
    run_quietly(other, "BEGIN", PGRES_COMMAND_OK);
    run_quietly(other, "ALTER TABLE app.held ADD COLUMN more text", PGRES_COMMAND_OK);
    db.options.lock_timeout_ms = 100;
    cr_assert_eq(open_as(&db.options, &o), BP_ELOCKED, "%s", o.err.msg);
    (void)snprintf(words, sizeof(words),
                   "table app.held is locked by process %d (user postgres, idle "
                   "in transaction, for 00:00:0",
                   PQbackendPID(other));
    expect_words(&o, words);
    expect_words(&o, "): ALTER TABLE app.held ADD COLUMN more text; hint:");
    PQfinish(other);
}

Test(postgres_snapshot, refuses_a_database_without_tables)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    cr_assert_eq(open_as(&db.options, &o), BP_EFAILED);
    expect_words(&o, "has no tables; hint: is this the right database?");
}

Test(postgres_snapshot, names_the_tables_that_may_not_be_read)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    char url[512];
    BP_AUTO(bp_freep) char *role = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    BP_AUTO(bp_freep) char *drop = NULL;
    struct bp_postgres_options options;

    test_db_new(&db);
    role = bp_format("%s_reader", db.name);
    sql = bp_format("CREATE TABLE a (); CREATE TABLE b (); CREATE TABLE c ();"
                    "CREATE ROLE %s LOGIN; GRANT SELECT ON b TO %s",
                    role, role);
    drop = bp_format("DROP OWNED BY %s; DROP ROLE %s", role, role);
    test_db_run(&db, sql);
    options = test_db_as(&db, role, url);
    cr_expect_eq(open_as(&options, &o), BP_EAUTH, "%s", o.err.msg);
    expect_words(&o, "may not read 2 of 3 tables: public.a, public.c; hint: GRANT");
    test_db_run(&db, drop);
}

Test(postgres_snapshot, refuses_rows_hidden_by_row_level_security)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    char url[512];
    BP_AUTO(bp_freep) char *role = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    BP_AUTO(bp_freep) char *drop = NULL;
    struct bp_postgres_options options;

    test_db_new(&db);
    role = bp_format("%s_rls", db.name);
    sql = bp_format("CREATE TABLE a (); ALTER TABLE a ENABLE ROW LEVEL SECURITY;"
                    "CREATE ROLE %s LOGIN; GRANT SELECT ON a TO %s",
                    role, role);
    drop = bp_format("DROP OWNED BY %s; DROP ROLE %s", role, role);
    test_db_run(&db, sql);
    options = test_db_as(&db, role, url);
    cr_expect_eq(open_as(&options, &o), BP_EAUTH, "%s", o.err.msg);
    expect_words(&o, "row-level security hides rows");
    expect_words(&o, "public.a");
    test_db_run(&db, drop);
}

Test(postgres_snapshot, locks_thousands_of_tables)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "DO $$BEGIN FOR i IN 1..450 LOOP"
                     " EXECUTE format('CREATE TABLE t%s (id int)', i); END LOOP; END$$");
    cr_assert_eq(open_as(&db.options, &o), BP_OK, "%s", o.err.msg);
    cr_expect_eq(o.tables.count, 450);
}

Test(postgres_snapshot, gives_the_locks_back_when_it_is_closed)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_reader *reader = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    cr_assert_eq(open_as(&db.options, &o), BP_OK, "%s", o.err.msg);
    o.source->ops->close(o.source);
    test_db_run(&db, "SET lock_timeout = '1s'; ALTER TABLE t ADD COLUMN n int");
    cr_expect_eq(o.source->ops->reader(o.source, 1, db.options.clock, &reader, &o.err), BP_EFAILED);
    expect_words(&o, "cannot join the snapshot");
    cr_expect_null(reader);
    o.source->ops->close(o.source);
}

Test(postgres_snapshot, is_not_alive_when_its_session_was_ended)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t ()");
    cr_assert_eq(open_as(&db.options, &o), BP_OK, "%s", o.err.msg);
    cr_expect_eq(o.source->ops->alive(o.source, &o.err), BP_OK);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_OK);
    test_db_run(&db, "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
                     " WHERE relation = 't'::regclass");
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_EUNAVAILABLE);
    expect_words(&o, "the session that holds the locks is gone");
}

Test(postgres_snapshot, may_be_closed_before_it_was_taken)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    o.source = bp_postgres_source_new(&db.options);
    o.source->ops->close(o.source);
}
