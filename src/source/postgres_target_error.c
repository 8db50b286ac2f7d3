#include "source/postgres_target_error.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "source/postgres_error.h"
#include "source/postgres_script.h"

static const char exists_hint[] =
    "drop it first, or put the part elsewhere with --into-schema: --clean replaces tables only";

/* What may be missing is known here, while the server only says where. */
static const struct {
    const char *state;
    const char *words; /* that the message has; NULL: any */
    const char *hint;
} hints[] = {
    {"42501", NULL,
     "restore as a superuser, or as a member of every role that owns something in the archive"},
    {"53100", NULL, "make room on the disk of the target's server"},
    {"0A000", "extension \"", "install that extension's package on the target's server"},
    {"58P01", "extension control file", "install that extension's package on the target's server"},
    {"22023", "has no installation script",
     "install that extension's package in this version on "
     "the target's server"},
    {"2BP01", NULL,
     "drop what depends on it first, or put the part elsewhere with --into-schema, or replace "
     "everything"},
    {"42P07", NULL, exists_hint}, /* a relation */
    {"42710", NULL, exists_hint}, /* a type, a trigger ... */
    {"42723", NULL, exists_hint}, /* a function */
    {"42704", "role \"", "make that role, or leave it out with --role-map or --no-owner"},
};

static const char view_hint[] =
    "a materialized view is filled with the rights of its owner: --continue-on-error restores all "
    "else, --no-owner gives it to the user who restores";

static const char *find_hint(const PGresult *result, const char *message)
{
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (bp_pg_has_state(result, hints[i].state) &&
            (hints[i].words == NULL || strstr(message, hints[i].words) != NULL))
            return hints[i].hint;
    }
    return NULL;
}

static enum bp_code fail(const PGresult *result, const char *other_hint, struct bp_err *err)
{
    enum bp_code rc = bp_pg_fail_result(result, err);
    const struct bp_err inner = *err;
    const char *hint = find_hint(result, inner.msg);

    if (hint == NULL)
        return rc;
    if (other_hint != NULL && bp_pg_has_state(result, "42501"))
        hint = other_hint;
    return bp_fail(err, rc, "%.*s; hint: %s", (int)bp_pg_reason_len(inner.msg), inner.msg, hint);
}

enum bp_code bp_pg_target_fail(const PGresult *result, struct bp_err *err)
{
    return fail(result, NULL, err);
}

/*
 * A syntax error stops the whole text before any of it ran; then the position tells. Otherwise
 * every statement that was done has given one result.
 */
enum bp_code bp_pg_target_fail_statement(const PGresult *result, const char *sql, size_t done,
                                         const char *label, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf excerpt = {0};
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    bool view = strstr(sql, "REFRESH MATERIALIZED VIEW ") != NULL;
    enum bp_code rc = fail(result, view ? view_hint : NULL, err);

    if (position != NULL && bp_pg_has_state(result, "42601"))
        bp_pg_script_excerpt_at(sql, strtoul(position, NULL, 10), &excerpt);
    else
        bp_pg_script_excerpt(sql, done, &excerpt);
    (void)bp_wrap(err, "%s: %s", label, bp_buf_str(&excerpt));
    return rc;
}
