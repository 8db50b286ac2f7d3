#include "source/postgres_conn.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/tunnel.h"
#include "source/postgres_error.h"

enum {
    CANCEL_LIMIT_MS = 2000,
    CANCEL_TICK_MS = 10,
};

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

void bp_pg_tell(const struct bp_postgres_options *options, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    va_list args;

    if (options->tell == NULL)
        return;
    va_start(args, fmt);
    bp_buf_vprintf(&words, fmt, args);
    va_end(args);
    options->tell(options->tell_ctx, words.data);
}

const char *bp_pg_port(const struct bp_pg *pg)
{
    return pg->tunnel != NULL ? bp_tunnel_port(pg->tunnel) : PQport(pg->conn);
}

void bp_pg_where(const struct bp_pg *pg, char out[BP_PG_WHERE_SIZE])
{
    const char *host = PQhost(pg->conn);
    const char *port = bp_pg_port(pg);

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
    pg->given_up = pg->given_up || pg->conn != NULL;
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
        if (bp_pg_run(pg, "ROLLBACK", &ignored) != BP_OK && pg->conn == NULL)
            return;
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

/* Wait for the socket; a stop, or the deadline, cancels and closes. */
static enum bp_code wait_for(struct bp_pg *pg, short events, struct bp_err *err)
{
    bool ready = false;

    while (!ready) {
        int64_t left = pg->deadline != 0 ? pg->deadline - bp_clock_mono(pg->clock) : -1;
        enum bp_code rc = BP_OK;

        if (pg->deadline != 0 && left <= 0)
            rc = bp_fail(err, BP_EUNAVAILABLE, "the server did not answer in time");
        else
            rc = bp_stop_wait(pg->clock->stop, PQsocket(pg->conn), events, left, &ready, err);
        if (rc != BP_OK) {
            bp_pg_abort(pg);
            return rc;
        }
    }
    return BP_OK;
}

enum bp_code bp_pg_look(struct bp_pg *pg, struct bp_err *err)
{
    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    return PQconsumeInput(pg->conn) != 0 ? BP_OK : lost(pg, err);
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

/* PQgetResult() gives these again and again until somebody moves the rows. */
static bool is_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

void bp_pg_drain(struct bp_pg *pg)
{
    bool more = pg->conn != NULL;

    while (more) {
        BP_AUTO(bp_pg_clear) PGresult *result = NULL;
        struct bp_err ignored;

        more = bp_pg_next(pg, &result, &ignored) == BP_OK && result != NULL;
        if (more && is_copy(PQresultStatus(result))) {
            bp_pg_abort(pg);
            more = false;
        }
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

enum bp_code bp_pg_query_text(struct bp_pg *pg, const char *sql, struct bp_buf *out,
                              struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg, sql, &rows, err);

    if (rc != BP_OK)
        return rc;
    for (int i = 0; i < PQntuples(rows); i++)
        bp_buf_puts(out, PQgetvalue(rows, i, 0));
    return BP_OK;
}
