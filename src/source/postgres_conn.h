/*
 * One connection to PostgreSQL. Every wait goes through the clock's stop, so that a signal ends it
 * at once; a query that is still running then is cancelled on the server. After BP_ESTOPPED or
 * BP_EUNAVAILABLE the connection is closed and every further call fails.
 *
 * Only source/postgres_*.c know libpq.
 */
#ifndef BP_SOURCE_POSTGRES_CONN_H
#define BP_SOURCE_POSTGRES_CONN_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/clock.h"
#include "source/postgres.h"

struct bp_pg {
    PGconn *conn; /* NULL while not connected */
    struct bp_clock *clock;
    int64_t deadline;         /* of every wait, by the clock; 0: none */
    bool pooled;              /* a pooler is between us and the server */
    bool given_up;            /* it was us who closed the connection, by bp_pg_abort() */
    struct bp_tunnel *tunnel; /* the way to the server; NULL: straight */
};

enum { BP_PG_WHERE_SIZE = 256 };

/*
 * Connect, for at most options->connect_timeout_ms over all hosts, and set everything that changes
 * what the server prints. What may pass (a server that starts, sleeps, is full or does not answer)
 * is tried again options->connect_retries times. BP_EAUTH, BP_ENOTFOUND (no such database),
 * BP_EUNAVAILABLE, BP_EUSAGE (a pooler that shares sessions).
 */
enum bp_code bp_pg_open(struct bp_pg *pg, const struct bp_postgres_options *options,
                        struct bp_err *err) BP_CHECK;

/*
 * Its first half: connected, and a session has answered, but nothing is set in it. Every wait still
 * has the deadline of the connecting.
 */
enum bp_code bp_pg_connect(struct bp_pg *pg, const struct bp_postgres_options *options,
                           struct bp_err *err) BP_CHECK;

/* Rolls back what is open. */
void bp_pg_close(struct bp_pg *pg); /* for BP_AUTO */

/* Set again what bp_pg_open() set: a new transaction may follow an ALTER ROLE ... SET. */
enum bp_code bp_pg_apply_settings(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

/* Tell the person, through options->tell. Printf-style. */
void bp_pg_tell(const struct bp_postgres_options *options, const char *fmt, ...) BP_PRINTF(2, 3);

/* The port of the server, not that of a way through a proxy. Lent. */
const char *bp_pg_port(const struct bp_pg *pg);

/* "host:5432" or the folder of the socket. */
void bp_pg_where(const struct bp_pg *pg, char out[BP_PG_WHERE_SIZE]);

/* Whether the connection still stands, as far as what arrived tells: nothing is sent. */
enum bp_code bp_pg_look(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

/* Run statements that return nothing of interest. */
enum bp_code bp_pg_run(struct bp_pg *pg, const char *sql, struct bp_err *err) BP_CHECK;

/* Run one statement that returns rows. The result is owned by the caller. */
enum bp_code bp_pg_query(struct bp_pg *pg, const char *sql, PGresult **out,
                         struct bp_err *err) BP_CHECK;

/* Run one statement that returns rows; append the first column of every row. */
enum bp_code bp_pg_query_text(struct bp_pg *pg, const char *sql, struct bp_buf *out,
                              struct bp_err *err) BP_CHECK;

/* The parts of those above, for those who need more than one result. */
enum bp_code bp_pg_send(struct bp_pg *pg, const char *sql, struct bp_err *err) BP_CHECK;
enum bp_code bp_pg_flush(struct bp_pg *pg, struct bp_err *err) BP_CHECK;
/* The next result, an error of the server included; NULL after the last one. Owned. */
enum bp_code bp_pg_next(struct bp_pg *pg, PGresult **out, struct bp_err *err) BP_CHECK;
/* Wait until the server has sent something, and take it in. */
enum bp_code bp_pg_take_in(struct bp_pg *pg, struct bp_err *err) BP_CHECK;
/*
 * Read and drop what is left of the results. A COPY that nobody asked for never ends by itself, so
 * it ends the connection; that, and a lost connection, shows at the next call.
 */
void bp_pg_drain(struct bp_pg *pg);
/* Tell the server to stop what it does, then close. */
void bp_pg_abort(struct bp_pg *pg);

void bp_pg_clear(PGresult **result); /* for BP_AUTO */

/* A value of a result; NULL for SQL's NULL. Lent. */
const char *bp_pg_value(const PGresult *result, int row, int column);
bool bp_pg_is_true(const PGresult *result, int row, int column);

#endif
