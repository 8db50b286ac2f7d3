#include "source/postgres_lock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "support/fake_clock.h"
#include "test_postgres_support.h"

static void open_session(const struct test_db *db, struct bp_pg *pg)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(pg, &db->options, &err), BP_OK, "%s", err.msg);
}

static void take(const struct test_db *db, struct bp_pg *pg, const char *name)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_lock(pg, &db->options, name, false, &err), BP_OK, "%s", err.msg);
}

/* The lock is somebody's. */
static void expect_taken(const struct test_db *db, struct bp_pg *pg, const char *name)
{
    struct bp_err err = {0};

    cr_expect_eq(bp_pg_lock(pg, &db->options, name, false, &err), BP_ELOCKED, "%s", err.msg);
}

Test(postgres_lock, is_taken_once_for_each_name_and_database)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_db_drop) struct test_db elsewhere = {0};
    BP_AUTO(bp_pg_close) struct bp_pg holder = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    BP_AUTO(bp_pg_close) struct bp_pg far = {0};

    test_db_new(&db);
    test_db_new(&elsewhere);
    open_session(&db, &holder);
    open_session(&db, &other);
    open_session(&elsewhere, &far);
    take(&db, &holder, "main");
    expect_taken(&db, &other, "main");
    take(&db, &other, "main2");
    take(&db, &other, "");
    take(&elsewhere, &far, "main");
    /* Who has it may ask again. */
    take(&db, &holder, "main");
    expect_taken(&db, &holder, "main2");
}

Test(postgres_lock, refuses_by_naming_who_has_it)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg holder = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    BP_AUTO(bp_freep) char *words = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    open_session(&db, &holder);
    open_session(&db, &other);
    take(&db, &holder, "release/1");
    cr_expect_eq(bp_pg_lock(&other, &db.options, "release/1", false, &err), BP_ELOCKED);
    words = bp_format("another backup of database '%s' to branch 'release/1' is running (process"
                      " %d, user postgres, from a local socket, for ",
                      db.name, PQbackendPID(holder.conn));
    cr_expect(bp_text_starts_with(err.msg, words), "%s", err.msg);
}

Test(postgres_lock, names_the_address_of_who_came_over_a_network)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg holder = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    BP_AUTO(bp_freep) char *url = NULL;
    struct test_db over_tcp;
    struct bp_err err = {0};
    char address[64];

    test_db_new(&db);
    test_put_tcp_address(address);
    url = bp_format("postgresql://postgres:test-password@%s/%s", address, db.name);
    over_tcp = db;
    over_tcp.options.url = url;
    open_session(&over_tcp, &holder);
    open_session(&db, &other);
    take(&over_tcp, &holder, "main");
    cr_expect_eq(bp_pg_lock(&other, &db.options, "main", false, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, ", from 127.0.0.1, for "), "%s", err.msg);
}

Test(postgres_lock, ends_with_the_session)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg holder = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_session(&db, &holder);
    open_session(&db, &other);
    take(&db, &holder, "main");
    /* A transaction that ends in between changes nothing. */
    cr_assert_eq(bp_pg_run(&holder, "BEGIN; SELECT 1; ROLLBACK", &err), BP_OK, "%s", err.msg);
    expect_taken(&db, &other, "main");
    bp_pg_close(&holder);
    /* The server may take a moment to see that we are gone: so it is waited for. */
    cr_expect_eq(bp_pg_lock(&other, &db.options, "main", true, &err), BP_OK, "%s", err.msg);
}

/* What is done when the lock is waited for. */
struct waiting {
    struct bp_pg holder;
    struct bp_stop stop;
    char words[1024];
    int told;
};

static void end_holder(void *ctx, const char *words)
{
    struct waiting *w = ctx;

    (void)snprintf(w->words, sizeof(w->words), "%s", words);
    w->told++;
    bp_pg_close(&w->holder);
}

Test(postgres_lock, is_waited_for_and_says_so_once)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    BP_AUTO(bp_pg_close) struct bp_pg third = {0};
    struct waiting w = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_session(&db, &w.holder);
    open_session(&db, &other);
    open_session(&db, &third);
    take(&db, &w.holder, "main");
    db.options.tell = end_holder;
    db.options.tell_ctx = &w;
    cr_expect_eq(bp_pg_lock(&other, &db.options, "main", true, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(w.told, 1);
    cr_expect(bp_text_starts_with(w.words, "another backup of database '"), "%s", w.words);
    cr_expect(bp_text_ends_with(w.words, "); waiting for its end"), "%s", w.words);
    expect_taken(&db, &third, "main");
}

static void ask_to_stop(void *ctx, const char *words)
{
    struct waiting *w = ctx;

    (void)words;
    w->told++;
    bp_stop_ask(&w->stop);
}

/* Until nobody waits for an advisory lock of this database any more. */
Test(postgres_lock, stops_waiting_when_asked, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg other = {0};
    BP_AUTO(bp_pg_close) struct bp_pg third = {0};
    struct waiting w = {0};
    struct bp_clock clock = bp_clock_system(&w.stop);
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_stop_open(&w.stop, &err), BP_OK, "%s", err.msg);
    open_session(&db, &w.holder);
    open_session(&db, &third);
    take(&db, &w.holder, "main");
    db.options.clock = &clock;
    db.options.tell = ask_to_stop;
    db.options.tell_ctx = &w;
    open_session(&db, &other);
    cr_expect_eq(bp_pg_lock(&other, &db.options, "main", true, &err), BP_ESTOPPED, "%s", err.msg);
    cr_expect_eq(w.told, 1);
    expect_taken(&db, &third, "main");
    bp_pg_close(&w.holder);
    bp_stop_close(&w.stop);
}

Test(postgres_lock, fails_without_a_connection)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_session(&db, &pg);
    bp_pg_close(&pg);
    cr_expect_eq(bp_pg_lock(&pg, &db.options, "main", true, &err), BP_EUNAVAILABLE, "%s", err.msg);
}

/* What the server knows of a session that waits, at each moment in which it waits. */
struct waiter {
    const struct test_db *db;
    struct bp_pg pg;
    struct bp_pg holder;
    char *seen;
};

static void look_at_waiter(struct fake_clock *clock, int64_t ms)
{
    struct waiter *w = clock->ctx;
    BP_AUTO(bp_freep)
    char *sql = bp_format("SELECT concat_ws(' ', state, backend_xmin, backend_xid)"
                          " FROM pg_stat_activity WHERE pid = %d",
                          PQbackendPID(w->pg.conn));

    (void)ms;
    bp_free(w->seen);
    w->seen = test_db_value(w->db, sql);
    if (clock->sleeps >= 3)
        bp_pg_close(&w->holder);
}

/* VACUUM would remove nothing, and CREATE INDEX CONCURRENTLY would wait for the end. */
Test(postgres_lock, is_waited_for_without_a_snapshot, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg third = {0};
    struct fake_clock clock = fake_clock_new();
    struct waiter w = {.db = &db};
    struct bp_err err = {0};

    test_db_new(&db);
    open_session(&db, &w.holder);
    open_session(&db, &w.pg);
    open_session(&db, &third);
    take(&db, &w.holder, "main");
    clock.ctx = &w;
    clock.on_sleep = look_at_waiter;
    w.pg.clock = &clock.base;
    cr_expect_eq(bp_pg_lock(&w.pg, &db.options, "main", true, &err), BP_OK, "%s", err.msg);
    cr_assert_not_null(w.seen);
    cr_expect_str_eq(w.seen, "idle");
    expect_taken(&db, &third, "main");
    bp_pg_close(&w.pg);
    bp_free(w.seen);
}
