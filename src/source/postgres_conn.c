#include "source/postgres_conn.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_error.h"
#include "source/postgres_params.h"

enum {
    CANCEL_LIMIT_MS = 2000,
    CANCEL_TICK_MS = 10,
    OLDEST_SERVER = 120000,
    FIRST_WITH_TRANSACTION_TIMEOUT = 170000,
    POOLER_PORT = 6543,
};

/*
 * What pg_dump sets, and what ALTER DATABASE or ALTER ROLE may have set to something that changes
 * the text of a value.
 */
static const char settings[] = "SET search_path = '';"
                               "SET datestyle = ISO;"
                               "SET intervalstyle = postgres;"
                               "SET extra_float_digits = 3;"
                               "SET bytea_output = hex;"
                               "SET xmloption = content;"
                               "SET standard_conforming_strings = on;"
                               "SET quote_all_identifiers = off;"
                               "SET array_nulls = on;"
                               "SET synchronize_seqscans = off;"
                               "SET row_security = off;"
                               "SET statement_timeout = 0;"
                               "SET lock_timeout = 0;"
                               "SET idle_in_transaction_session_timeout = 0;"
                               "SET default_transaction_read_only = off;"
                               "SET jit = off;";

void bp_pg_clear(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

const char *bp_pg_value(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) != 0 ? NULL : PQgetvalue(result, row, column);
}

bool bp_pg_is_true(const PGresult *result, int row, int column)
{
    return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

/* The server's notices are not for our standard error, where libpq would write them. */
static void ignore_notice(void *ctx, const PGresult *notice)
{
    (void)ctx;
    (void)notice;
}

void bp_pg_where(const struct bp_pg *pg, char out[BP_PG_WHERE_SIZE])
{
    const char *host = PQhost(pg->conn);
    const char *port = PQport(pg->conn);

    if (host == NULL || host[0] == '\0')
        host = "the local server";
    if (host[0] == '/' || host[0] == '@' || port == NULL)
        (void)snprintf(out, BP_PG_WHERE_SIZE, "%s", host);
    else
        (void)snprintf(out, BP_PG_WHERE_SIZE, "%s:%s", host, port);
}

/*
 * PQcancel() waits for as long as the network takes to say no, and cannot be polled; so a child
 * process does it, and is given two seconds. It is safe to call after fork().
 */
static void cancel(PGconn *conn)
{
    PGcancel *request = PQgetCancel(conn);
    char words[256];
    pid_t pid = request != NULL ? fork() : -1;

    if (pid == 0)
        _exit(PQcancel(request, words, sizeof(words)) != 0 ? 0 : 1);
    PQfreeCancel(request);
    if (pid < 0)
        return;
    for (int waited = 0; waited < CANCEL_LIMIT_MS; waited += CANCEL_TICK_MS) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        (void)poll(NULL, 0, CANCEL_TICK_MS);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static void drop(struct bp_pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}

void bp_pg_abort(struct bp_pg *pg)
{
    if (pg->conn != NULL && PQtransactionStatus(pg->conn) == PQTRANS_ACTIVE)
        cancel(pg->conn);
    drop(pg);
}

void bp_pg_close(struct bp_pg *pg)
{
    struct bp_err ignored;

    if (pg->conn == NULL)
        return;
    switch (PQtransactionStatus(pg->conn)) {
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR:
        /* So that the locks are gone when we return. */
        if (bp_pg_run(pg, "ROLLBACK", &ignored) == BP_OK)
            drop(pg);
        return;
    case PQTRANS_IDLE:
    case PQTRANS_UNKNOWN:
        drop(pg);
        return;
    case PQTRANS_ACTIVE:
    default:
        bp_pg_abort(pg);
    }
}

static enum bp_code lost(struct bp_pg *pg, struct bp_err *err)
{
    (void)bp_pg_fail_lost(pg->conn, err);
    drop(pg);
    return BP_EUNAVAILABLE;
}

/* Wait for the socket; a stop cancels and closes. */
static enum bp_code wait_for(struct bp_pg *pg, short events, struct bp_err *err)
{
    bool ready = false;

    while (!ready) {
        enum bp_code rc =
            bp_stop_wait(pg->clock->stop, PQsocket(pg->conn), events, -1, &ready, err);

        if (rc != BP_OK) {
            bp_pg_abort(pg);
            return rc;
        }
    }
    return BP_OK;
}

enum bp_code bp_pg_take_in(struct bp_pg *pg, struct bp_err *err)
{
    enum bp_code rc = wait_for(pg, POLLIN, err);

    if (rc == BP_OK && PQconsumeInput(pg->conn) == 0)
        return lost(pg, err);
    return rc;
}

enum bp_code bp_pg_flush(struct bp_pg *pg, struct bp_err *err)
{
    for (;;) {
        int left = PQflush(pg->conn);
        enum bp_code rc = BP_OK;

        if (left < 0)
            return lost(pg, err);
        if (left == 0)
            return BP_OK;
        /* The server may be unable to read on before we have read what it sent. */
        rc = wait_for(pg, POLLIN | POLLOUT, err);
        if (rc != BP_OK)
            return rc;
        if (PQconsumeInput(pg->conn) == 0)
            return lost(pg, err);
    }
}

enum bp_code bp_pg_send(struct bp_pg *pg, const char *sql, struct bp_err *err)
{
    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    if (PQsendQuery(pg->conn, sql) == 0)
        return lost(pg, err);
    return bp_pg_flush(pg, err);
}

enum bp_code bp_pg_next(struct bp_pg *pg, PGresult **out, struct bp_err *err)
{
    *out = NULL;
    while (PQisBusy(pg->conn) != 0) {
        enum bp_code rc = bp_pg_take_in(pg, err);

        if (rc != BP_OK)
            return rc;
    }
    *out = PQgetResult(pg->conn);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        /* The last words of the server ("terminating connection ...") tell more. */
        if (*out != NULL && PQresultErrorField(*out, PG_DIAG_SQLSTATE) != NULL) {
            (void)bp_pg_fail_result(*out, err);
            (void)bp_wrap(err, "the connection to the database was lost");
            err->code = BP_EUNAVAILABLE;
            drop(pg);
        } else {
            (void)lost(pg, err);
        }
        bp_pg_clear(out);
        return BP_EUNAVAILABLE;
    }
    return BP_OK;
}

void bp_pg_drain(struct bp_pg *pg)
{
    bool more = pg->conn != NULL;

    while (more) {
        BP_AUTO(bp_pg_clear) PGresult *result = NULL;
        struct bp_err ignored;

        more = bp_pg_next(pg, &result, &ignored) == BP_OK && result != NULL;
    }
}

/* Nobody asked for a COPY here, and it cannot be answered. */
static enum bp_code refuse_result(struct bp_pg *pg, ExecStatusType status, struct bp_err *err)
{
    bp_pg_abort(pg);
    return bp_fail(err, BP_EFAILED, "the server answered with an unexpected %s",
                   PQresStatus(status));
}

/* The last result that is no error, or the first error. */
static enum bp_code collect(struct bp_pg *pg, PGresult **out, struct bp_err *err)
{
    enum bp_code first = BP_OK;
    struct bp_err later;

    for (;;) {
        BP_AUTO(bp_pg_clear) PGresult *result = NULL;
        enum bp_code rc = bp_pg_next(pg, &result, first == BP_OK ? err : &later);
        ExecStatusType status = PQresultStatus(result);

        if (rc != BP_OK || result == NULL)
            return first != BP_OK ? first : rc;
        if (status == PGRES_FATAL_ERROR) {
            first = first == BP_OK ? bp_pg_fail_result(result, err) : first;
            continue;
        }
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
            return refuse_result(pg, status, err);
        bp_pg_clear(out);
        *out = result;
        result = NULL;
    }
}

enum bp_code bp_pg_query(struct bp_pg *pg, const char *sql, PGresult **out, struct bp_err *err)
{
    enum bp_code rc = bp_pg_send(pg, sql, err);

    *out = NULL;
    if (rc == BP_OK)
        rc = collect(pg, out, err);
    if (rc == BP_OK && PQresultStatus(*out) != PGRES_TUPLES_OK)
        rc = bp_fail(err, BP_EFAILED, "the server returned no rows where rows were expected");
    if (rc != BP_OK)
        bp_pg_clear(out);
    return rc;
}

enum bp_code bp_pg_run(struct bp_pg *pg, const char *sql, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *last = NULL;
    enum bp_code rc = bp_pg_send(pg, sql, err);

    return rc == BP_OK ? collect(pg, &last, err) : rc;
}

static enum bp_code finish_connecting(struct bp_pg *pg, int64_t deadline, struct bp_err *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    char where[BP_PG_WHERE_SIZE];

    bp_pg_where(pg, where);
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        return bp_pg_fail_connect(pg->conn, where, err);
    while (next != PGRES_POLLING_OK) {
        int64_t left = deadline - bp_clock_mono(pg->clock);
        bool ready = false;
        enum bp_code rc = BP_OK;

        if (left <= 0)
            return bp_fail(err, BP_EUNAVAILABLE,
                           "cannot connect to %s: no answer in time; hint: check host and port, "
                           "and the firewalls between here and there",
                           where);
        rc = bp_stop_wait(pg->clock->stop, PQsocket(pg->conn),
                          next == PGRES_POLLING_READING ? POLLIN : POLLOUT, left, &ready, err);
        if (rc != BP_OK)
            return rc;
        if (ready)
            next = PQconnectPoll(pg->conn);
        bp_pg_where(pg, where);
        if (next == PGRES_POLLING_FAILED)
            return bp_pg_fail_connect(pg->conn, where, err);
    }
    return BP_OK;
}

static enum bp_code start(struct bp_pg *pg, const struct bp_postgres_options *options,
                          struct bp_err *err)
{
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
    int64_t deadline = bp_clock_mono(pg->clock) + options->connect_timeout_ms;
    enum bp_code rc = bp_pg_params_make(options, &params, err);

    if (rc != BP_OK)
        return rc;
    bp_list_take(&params.keywords, NULL); /* the end that libpq looks for */
    bp_list_take(&params.values, NULL);
    pg->conn = PQconnectStartParams((const char *const *)params.keywords.at,
                                    (const char *const *)params.values.at, 0);
    if (pg->conn == NULL)
        return bp_fail(err, BP_EFAILED, "out of memory");
    (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    /* A failed connection has no result to ask for its SQLSTATE, but a verbose text holds it. */
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    rc = finish_connecting(pg, deadline, err);
    if (rc != BP_OK)
        return rc;
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(pg->conn, 1) != 0)
        return bp_pg_fail_lost(pg->conn, err);
    return BP_OK;
}

/*
 * Behind a pooler in transaction mode each transaction may run in another session: settings are
 * lost, and pg_dump, which sets some before its transaction, would write something else.
 */
static enum bp_code refuse_pooler(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    char own_pid[32];
    int64_t port = 0;
    bool suspect =
        bp_parse_int(PQport(pg->conn), 0, INT32_MAX, &port, NULL) == BP_OK && port == POOLER_PORT;
    enum bp_code rc = BP_OK;

    if (!suspect && strstr(PQhost(pg->conn), "-pooler.") == NULL)
        return BP_OK;
    rc = bp_pg_query(pg, "SELECT pg_backend_pid()", &result, err);
    if (rc != BP_OK)
        return rc;
    (void)snprintf(own_pid, sizeof(own_pid), "%d", PQbackendPID(pg->conn));
    if (strcmp(PQgetvalue(result, 0, 0), own_pid) == 0)
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "the connection leads to a pooler in transaction mode, which does not keep one "
                   "session; hint: use the direct address of the database or a session pooler");
}

enum bp_code bp_pg_apply_settings(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");

    bp_buf_puts(&sql, settings);
    if (PQserverVersion(pg->conn) >= FIRST_WITH_TRANSACTION_TIMEOUT)
        bp_buf_puts(&sql, "SET transaction_timeout = 0;");
    /* SQL_ASCII says nothing about its bytes: they have to pass as they are. */
    bp_buf_printf(&sql, "SET client_encoding = '%s'",
                  encoding != NULL && strcmp(encoding, "SQL_ASCII") == 0 ? "SQL_ASCII" : "UTF8");
    return bp_pg_run(pg, sql.data, err);
}

enum bp_code bp_pg_open(struct bp_pg *pg, const struct bp_postgres_options *options,
                        struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *pg = (struct bp_pg){.clock = options->clock};
    rc = start(pg, options, err);
    if (rc == BP_OK && PQserverVersion(pg->conn) < OLDEST_SERVER)
        rc = bp_fail(err, BP_EFAILED, "the server is PostgreSQL %s; 12 is the oldest that works",
                     PQparameterStatus(pg->conn, "server_version"));
    if (rc == BP_OK)
        rc = refuse_pooler(pg, err);
    if (rc == BP_OK)
        rc = bp_pg_apply_settings(pg, err);
    if (rc != BP_OK && pg->conn != NULL)
        drop(pg);
    return rc;
}
