#include "source/postgres_reader.h"

#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

/* A source after its snapshot, and two of its readers. */
struct opened {
    struct bp_source *source;
    struct bp_source_info info;
    struct bp_tables tables;
    struct bp_reader *holder; /* number 0 */
    struct bp_reader *reader;
};

static void opened_free(struct opened *o)
{
    bp_reader_freep(&o->reader);
    bp_reader_freep(&o->holder);
    bp_source_freep(&o->source);
    bp_source_info_free(&o->info);
    bp_tables_free(&o->tables);
}

static struct bp_reader *open_reader(struct bp_source *source, size_t number,
                                     struct bp_clock *clock)
{
    struct bp_reader *reader = NULL;
    struct bp_err err = {0};

    cr_assert_eq(source->ops->reader(source, number, clock, &reader, &err), BP_OK, "%s", err.msg);
    return reader;
}

static void open_source(const struct test_db *db, struct opened *o)
{
    struct bp_err err = {0};

    o->source = bp_postgres_source_new(&db->options);
    cr_assert_eq(o->source->ops->snapshot(o->source, &o->info, &o->tables, &err), BP_OK, "%s",
                 err.msg);
}

static void open_both(const struct test_db *db, struct opened *o)
{
    open_source(db, o);
    o->holder = open_reader(o->source, 0, db->options.clock);
    o->reader = open_reader(o->source, 1, db->options.clock);
}

static void expect_rows(struct bp_reader *reader, const struct bp_table *table, const char *rows)
{
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};
    struct bp_err err = {0};

    cr_assert_eq(test_rows(reader, table, &got, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&got), rows);
}

Test(postgres_reader, sees_what_the_holder_sees_while_others_write)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    open_source(&db, &o);
    test_db_run(&db, "INSERT INTO t VALUES (3); DELETE FROM t WHERE id = 1");
    o.holder = open_reader(o.source, 0, db.options.clock);
    o.reader = open_reader(o.source, 1, db.options.clock);
    test_db_run(&db, "UPDATE t SET id = id + 10");
    expect_rows(o.reader, &o.tables.at[0], "1\n2\n");
    expect_rows(o.holder, &o.tables.at[0], "1\n2\n");
    expect_rows(o.reader, &o.tables.at[0], "1\n2\n");
}

/* Somebody who waits to change the table, and whoever wants it later waits for him. */
static PGconn *start_to_alter(const struct test_db *db, const char *table)
{
    BP_AUTO(bp_freep) char *alter = bp_format("ALTER TABLE %s ADD COLUMN n int", table);
    BP_AUTO(bp_freep)
    char *waits = bp_format("DO $$BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
                            " AND relation = '%s'::regclass) LOOP PERFORM pg_sleep(0.01);"
                            " END LOOP; END$$",
                            table);
    PGconn *other = test_db_session(db);

    cr_assert_eq(PQsendQuery(other, alter), 1);
    test_db_run(db, waits);
    return other;
}

Test(postgres_reader, does_not_queue_up_behind_who_waits_to_change_a_table, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};
    PGconn *other = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
                     "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)");
    open_both(&db, &o);
    other = start_to_alter(&db, "a");
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_ELOCKED, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "table 'public.a'"), "%s", err.msg);
    /* Its transaction and its snapshot are still there. */
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[1], &err), BP_OK, "%s", err.msg);
    expect_rows(o.reader, &o.tables.at[1], "2\n");
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_ELOCKED, "%s", err.msg);
    cr_expect_eq(o.holder->ops->hold(o.holder, &o.tables.at[0], &err), BP_OK, "%s", err.msg);
    expect_rows(o.holder, &o.tables.at[0], "1\n");
    PQfinish(other);
}

Test(postgres_reader, reads_on_in_a_table_that_it_holds, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};
    PGconn *other = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE SCHEMA \"s\"\"1\"; CREATE TABLE \"s\"\"1\".\"T t\" (id int);"
                     "INSERT INTO \"s\"\"1\".\"T t\" VALUES (7)");
    open_both(&db, &o);
    cr_assert_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_OK, "%s", err.msg);
    other = start_to_alter(&db, "\"s\"\"1\".\"T t\"");
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_OK, "%s", err.msg);
    expect_rows(o.reader, &o.tables.at[0], "7\n");
    PQfinish(other);
}

/* A table whose reading takes this long. */
static struct bp_table slow_table(struct bp_table *real, const char *expression)
{
    bp_free(real->columns);
    real->columns = bp_strdup(expression);
    bp_free(real->order_by);
    real->order_by = bp_strdup("");
    return *real;
}

Test(postgres_reader, names_the_option_when_a_statement_takes_too_long, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_table table;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    db.options.statement_timeout_ms = 100;
    open_both(&db, &o);
    table = slow_table(&o.tables.at[0], "pg_catalog.pg_sleep(600)");
    cr_expect_eq(test_rows(o.reader, &table, &rows, &err), BP_ETIMEOUT, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "--statement-timeout"), "%s", err.msg);
    cr_expect_eq(test_rows(o.holder, &table, &rows, &err), BP_ETIMEOUT, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "--statement-timeout"), "%s", err.msg);
}

Test(postgres_reader, says_when_its_session_was_ended)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    BP_AUTO(bp_freep) char *ended = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    open_source(&db, &o);
    o.reader = open_reader(o.source, 1, db.options.clock);
    ended = test_db_value(&db, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                               " WHERE datname = current_database() AND query LIKE"
                               " 'SET LOCAL statement_timeout%'");
    cr_assert_str_eq(ended, "1");
    cr_expect_eq(test_rows(o.reader, &o.tables.at[0], &rows, &err), BP_EUNAVAILABLE, "%s", err.msg);
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_EUNAVAILABLE);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &err), BP_OK, "the holder stays: %s",
                 err.msg);
}

/* Stops a reader as soon as the server works for it. */
struct stopper {
    const struct test_db *db;
    struct bp_stop stop;
};

static const char until_it_sleeps[] =
    "DO $$BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND datname"
    " = current_database() AND query LIKE 'COPY (SELECT pg_catalog.pg_sleep(%') LOOP"
    " PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END$$";
static const char until_nobody_sleeps[] =
    "DO $$BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND datname"
    " = current_database() AND query LIKE 'COPY (SELECT pg_catalog.pg_sleep(%') LOOP"
    " PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END$$";

static void *stop_when_it_sleeps(void *ctx)
{
    struct stopper *s = ctx;

    test_db_run(s->db, until_it_sleeps);
    bp_stop_ask(&s->stop);
    return NULL;
}

Test(postgres_reader, cancels_its_query_when_its_clock_stops, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct stopper stopper = {.db = &db};
    struct bp_clock clock = bp_clock_system(&stopper.stop);
    struct bp_table table;
    struct bp_err err = {0};
    pthread_t thread;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    cr_assert_eq(bp_stop_open(&stopper.stop, &err), BP_OK, "%s", err.msg);
    open_source(&db, &o);
    o.reader = open_reader(o.source, 1, &clock);
    table = slow_table(&o.tables.at[0], "pg_catalog.pg_sleep(600)");
    cr_assert_eq(pthread_create(&thread, NULL, stop_when_it_sleeps, &stopper), 0);
    cr_expect_eq(test_rows(o.reader, &table, &rows, &err), BP_ESTOPPED, "%s", err.msg);
    (void)pthread_join(thread, NULL);
    test_db_run(&db, until_nobody_sleeps);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &err), BP_OK, "the holder's clock goes on");
    bp_reader_freep(&o.reader);
    bp_stop_close(&stopper.stop);
}

Test(postgres_reader, gives_the_holder_its_clock_back)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_stop stop = {0};
    struct bp_clock clock = bp_clock_system(&stop);
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    cr_assert_eq(bp_stop_open(&stop, &err), BP_OK, "%s", err.msg);
    open_source(&db, &o);
    o.holder = open_reader(o.source, 0, &clock);
    expect_rows(o.holder, &o.tables.at[0], "1\n");
    bp_reader_freep(&o.holder);
    /* The clock that stops is not the holder's any more. */
    bp_stop_ask(&stop);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &err), BP_OK, "%s", err.msg);
    o.holder = open_reader(o.source, 0, db.options.clock);
    expect_rows(o.holder, &o.tables.at[0], "1\n");
    bp_stop_close(&stop);
}

Test(postgres_reader, cannot_join_a_snapshot_that_ended)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int)");
    open_source(&db, &o);
    o.source->ops->close(o.source);
    cr_expect_eq(o.source->ops->reader(o.source, 1, db.options.clock, &o.reader, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "cannot join the snapshot: "), "%s", err.msg);
    cr_expect_null(o.reader);
}

/* A blue-green deployment, which needs no lock on a table. */
static const char swap_schemas[] =
    "BEGIN; ALTER SCHEMA app RENAME TO old; ALTER SCHEMA stage RENAME TO app; COMMIT";

static void expect_other_table(struct bp_reader *reader, const struct bp_table *table)
{
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    cr_expect_eq(test_rows(reader, table, &rows, &err), BP_ELOCKED, "%s: %s", bp_buf_str(&rows),
                 err.msg);
    cr_expect_not_null(strstr(err.msg, "another table has this name by now"), "%s", err.msg);
}

Test(postgres_reader, does_not_take_the_rows_of_another_table_that_took_the_name)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE SCHEMA app; CREATE TABLE app.t (id int); INSERT INTO app.t VALUES (1);"
                     "CREATE SCHEMA stage; CREATE TABLE stage.t (id int);"
                     "INSERT INTO stage.t VALUES (7), (8)");
    open_both(&db, &o);
    cr_assert_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_OK, "%s", err.msg);
    test_db_run(&db, swap_schemas);
    cr_assert_str_eq(o.tables.at[0].schema, "app");
    expect_other_table(o.reader, &o.tables.at[0]);
    expect_other_table(o.holder, &o.tables.at[0]);
}

Test(postgres_reader, does_not_take_a_table_without_rows_for_the_one_that_was_locked)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db,
                "CREATE SCHEMA app; CREATE TABLE app.t (id int); INSERT INTO app.t VALUES (1)");
    open_both(&db, &o);
    /* It is newer than the snapshot, so there is nothing to be seen in it. */
    test_db_run(&db, "CREATE SCHEMA stage; CREATE TABLE stage.t (id int);"
                     "INSERT INTO stage.t VALUES (7)");
    test_db_run(&db, swap_schemas);
    expect_other_table(o.reader, &o.tables.at[0]);
    expect_other_table(o.holder, &o.tables.at[0]);
}

static void expect_lock_timeout(struct bp_reader *reader, const struct bp_table *table)
{
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    cr_expect_eq(test_rows(reader, table, &rows, &err), BP_ELOCKED, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "lock timeout"), "%s", err.msg);
}

/* REINDEX locks the index alone, and whoever plans a query of its table wants that, too. */
Test(postgres_reader, does_not_wait_for_ever_for_an_index, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};
    PGconn *other = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    db.options.lock_timeout_ms = 100;
    open_both(&db, &o);
    other = test_db_session(&db);
    PQclear(PQexec(other, "BEGIN; REINDEX INDEX t_pkey"));
    cr_assert_eq(PQtransactionStatus(other), PQTRANS_INTRANS);
    cr_expect_eq(o.reader->ops->hold(o.reader, &o.tables.at[0], &err), BP_OK, "%s", err.msg);
    expect_lock_timeout(o.reader, &o.tables.at[0]);
    expect_lock_timeout(o.holder, &o.tables.at[0]);
    PQfinish(other);
}

static void expect_hidden(struct bp_reader *reader, const struct bp_table *table, const char *state)
{
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    cr_expect_eq(test_rows(reader, table, &rows, &err), BP_EFAILED, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, state), "%s", err.msg);
    cr_expect_null(strstr(err.msg, "alice"), "%s", err.msg);
}

/* The server's words repeat the value that an expression could not take. */
Test(postgres_reader, shows_no_value_of_a_masked_table_in_an_error)
{
    static const struct {
        const char *mask;
        const char *state;
    } cases[] = {
        {"t.n=t.email::int::text", "SQLSTATE 22P02"},
        {"t.n=t.email::date::text", "SQLSTATE 22007"},
        {"t.n=t.email::public.short", "SQLSTATE 23514"},
        {"t.n=public.tell(t.email)", "SQLSTATE P0001"},
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE DOMAIN short AS text CHECK (length(value) < 9);"
                     "CREATE FUNCTION tell(words text) RETURNS text LANGUAGE plpgsql AS $$BEGIN"
                     " RAISE EXCEPTION 'see %', words USING DETAIL = words, HINT = words; END$$;"
                     "CREATE TABLE t (id int PRIMARY KEY, email text, n text);"
                     "INSERT INTO t VALUES (1, 'alice@example.org', 'n')");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        BP_AUTO(opened_free) struct opened o = {0};

        bp_list_add(&db.options.scope.masks, cases[i].mask);
        open_both(&db, &o);
        expect_hidden(o.reader, &o.tables.at[0], cases[i].state);
        expect_hidden(o.holder, &o.tables.at[0], cases[i].state);
        bp_list_free(&db.options.scope.masks);
    }
}
