/* What a target's server refuses, with what a person can do about it. */
#ifndef BP_SOURCE_POSTGRES_TARGET_ERROR_H
#define BP_SOURCE_POSTGRES_TARGET_ERROR_H

#include <libpq-fe.h>

#include "base/err.h"

/* A result that is an error. */
enum bp_code bp_pg_target_fail(const PGresult *result, struct bp_err *err);

/* The same, and it names the statement of sql that failed; done is how many came before it. */
enum bp_code bp_pg_target_fail_statement(const PGresult *result, const char *sql, size_t done,
                                         const char *label, struct bp_err *err);

#endif
