/* Making a connection: the first half of postgres_conn.h. */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/tunnel.h"
#include "source/postgres_conn.h"
#include "source/postgres_error.h"
#include "source/postgres_host.h"
#include "source/postgres_params.h"
#include "source/postgres_pooler.h"

enum {
    OLDEST_SERVER = 130000,
    FIRST_WITH_SESSION_TIMEOUT = 140000,
    FIRST_WITH_TRANSACTION_TIMEOUT = 170000,
    FIRST_WAIT_MS = 1000,
    LONGEST_WAIT_MS = 30000,
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

static enum bp_code fail_connect(struct bp_pg *pg, const char *where, bool *may_pass,
                                 struct bp_err *err)
{
    *may_pass = bp_pg_connect_may_pass(pg->conn);
    return bp_pg_fail_connect(pg->conn, where, err);
}

static enum bp_code finish_connecting(struct bp_pg *pg, bool *may_pass, struct bp_err *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    char where[BP_PG_WHERE_SIZE];

    bp_pg_where(pg, where);
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        return fail_connect(pg, where, may_pass, err);
    while (next != PGRES_POLLING_OK) {
        int64_t left = pg->deadline - bp_clock_mono(pg->clock);
        bool ready = false;
        enum bp_code rc = BP_OK;

        *may_pass = left <= 0;
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
            return fail_connect(pg, where, may_pass, err);
    }
    return BP_OK;
}

static enum bp_code start(struct bp_pg *pg, const struct bp_postgres_options *options,
                          bool *may_pass, struct bp_err *err)
{
    BP_AUTO(bp_pg_params_free) struct bp_pg_params params = {0};
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
    rc = finish_connecting(pg, may_pass, err);
    if (rc != BP_OK)
        return rc;
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(pg->conn, 1) != 0)
        return bp_pg_fail_lost(pg->conn, err);
    return BP_OK;
}

/*
 * The first answer of a session: behind a pooler that has none free, a connection waits for it. The
 * server tells each connection the process that serves it; a pooler tells a number of its own.
 */
static enum bp_code greet(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf pid = {0};
    char where[BP_PG_WHERE_SIZE];
    enum bp_code rc = BP_OK;

    bp_pg_where(pg, where);
    rc = bp_pg_query_text(pg, "SELECT pg_backend_pid()", &pid, err);
    if (rc == BP_EUNAVAILABLE)
        return bp_wrap(err, "connected to %s, but no session answers", where);
    if (rc != BP_OK)
        return rc;
    pg->pooled = strtol(bp_buf_str(&pid), NULL, 10) != PQbackendPID(pg->conn);
    return BP_OK;
}

static enum bp_code try_once(struct bp_pg *pg, const struct bp_postgres_options *options,
                             bool *may_pass, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *may_pass = false;
    *pg = (struct bp_pg){.clock = options->clock, .tunnel = options->tunnel};
    pg->deadline = bp_clock_mono(pg->clock) + options->connect_timeout_ms;
    rc = start(pg, options, may_pass, err);
    if (rc == BP_OK && PQserverVersion(pg->conn) < OLDEST_SERVER)
        rc = bp_fail(err, BP_EFAILED, "the server is PostgreSQL %s; 13 is the oldest that works",
                     PQparameterStatus(pg->conn, "server_version"));
    if (rc == BP_OK) {
        rc = greet(pg, err);
        *may_pass = rc == BP_EUNAVAILABLE;
    }
    if (rc != BP_OK && pg->conn != NULL)
        bp_pg_abort(pg);
    /* libpq only sees that the way ends. */
    if (rc == BP_EUNAVAILABLE && pg->tunnel != NULL &&
        bp_tunnel_failure(pg->tunnel, may_pass, err) != BP_OK)
        return err->code;
    return rc;
}

/* Tell why, and wait: 1, 2, 4 ... seconds. */
static enum bp_code wait_before_retry(const struct bp_postgres_options *options, int64_t retry,
                                      const struct bp_err *why, struct bp_err *err)
{
    int64_t wait_ms = FIRST_WAIT_MS;

    for (int64_t i = 1; i < retry && wait_ms < LONGEST_WAIT_MS; i++)
        wait_ms *= 2;
    if (wait_ms > LONGEST_WAIT_MS)
        wait_ms = LONGEST_WAIT_MS;
    if (options->tell != NULL) {
        BP_AUTO(bp_freep)
        char *words = bp_format("%.*s; trying again in %" PRId64 " s (%" PRId64 " of %" PRId64 ")",
                                (int)bp_pg_reason_len(why->msg), why->msg, wait_ms / 1000, retry,
                                options->connect_retries);

        options->tell(options->tell_ctx, words);
    }
    return bp_clock_sleep(options->clock, wait_ms, err);
}

enum bp_code bp_pg_connect(struct bp_pg *pg, const struct bp_postgres_options *options,
                           struct bp_err *err)
{
    for (int64_t retry = 1;; retry++) {
        struct bp_err why = {0};
        bool may_pass = false;

        if (try_once(pg, options, &may_pass, &why) == BP_OK)
            return BP_OK;
        if (!may_pass || retry > options->connect_retries) {
            *err = why;
            return may_pass && retry > 1 ? bp_wrap(err, "gave up after %" PRId64 " attempts", retry)
                                         : why.code;
        }
        if (wait_before_retry(options, retry, &why, err) != BP_OK)
            return err->code;
    }
}

enum bp_code bp_pg_apply_settings(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");

    bp_buf_puts(&sql, settings);
    /* While files are pushed, the session does nothing but to keep others from a second backup. */
    if (PQserverVersion(pg->conn) >= FIRST_WITH_SESSION_TIMEOUT)
        bp_buf_puts(&sql, "SET idle_session_timeout = 0;");
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
    enum bp_code rc = bp_pg_connect(pg, options, err);

    if (rc != BP_OK)
        return rc;
    /* First of all: behind the wrong kind, a setting would land in somebody else's session. */
    if (pg->pooled || bp_pg_host_may_share(PQhost(pg->conn), bp_pg_port(pg)))
        rc = bp_pg_pooler_check(pg, options, err);
    pg->deadline = bp_clock_mono(pg->clock) + options->connect_timeout_ms;
    if (rc == BP_OK)
        rc = bp_pg_apply_settings(pg, err);
    pg->deadline = 0;
    if (rc != BP_OK && pg->conn != NULL)
        bp_pg_abort(pg);
    return rc;
}
