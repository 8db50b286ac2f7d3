/* Making a connection: the first half of postgres_conn.h. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_conn.h"
#include "source/postgres_error.h"
#include "source/postgres_params.h"

enum {
    OLDEST_SERVER = 130000,
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

/* The server's notices are not for our standard error, where libpq would write them. */
static void ignore_notice(void *ctx, const PGresult *notice)
{
    (void)ctx;
    (void)notice;
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
        rc = bp_fail(err, BP_EFAILED, "the server is PostgreSQL %s; 13 is the oldest that works",
                     PQparameterStatus(pg->conn, "server_version"));
    if (rc == BP_OK)
        rc = refuse_pooler(pg, err);
    if (rc == BP_OK)
        rc = bp_pg_apply_settings(pg, err);
    if (rc != BP_OK && pg->conn != NULL)
        bp_pg_abort(pg);
    return rc;
}
