/*
 * The one place that turns failures of libpq and of the server into our errors. Messages name what
 * the server said, on one line; they never hold a password, because libpq's own never do.
 */
#ifndef BP_SOURCE_POSTGRES_ERROR_H
#define BP_SOURCE_POSTGRES_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"

/* A connection that could not be made; its error verbosity was PQERRORS_VERBOSE. */
enum bp_code bp_pg_fail_connect(const PGconn *conn, const char *where, struct bp_err *err);

/* Whether a connection that could not be made may be made in a while. */
bool bp_pg_connect_may_pass(const PGconn *conn);

/* A connection that broke. */
enum bp_code bp_pg_fail_lost(const PGconn *conn, struct bp_err *err);

/*
 * A result that is an error, by its SQLSTATE:
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
enum bp_code bp_pg_fail_result(const PGresult *result, struct bp_err *err);

/* The same for a statement that reads masked values: what the server says of a value is left out,
 * because it may repeat it. */
enum bp_code bp_pg_fail_masked(const PGresult *result, struct bp_err *err);

/* Whether the result is an error with this SQLSTATE. */
bool bp_pg_has_state(const PGresult *result, const char *state);

/* How much of a message comes before its hint. */
size_t bp_pg_reason_len(const char *message);

#endif
