#include "source/postgres_snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_catalog.h"
#include "source/postgres_error.h"

enum {
    LOCKS_PER_STATEMENT = 200,
    ATTEMPTS = 5,
    FIRST_WAIT_MS = 5000,
    NAMES_SHOWN = 8,
    QUERY_SHOWN = 100,
    NAME_SHOWN = 150,
};

static const char undefined_table[] = "42P01";
static const char undefined_schema[] = "3F000";

/* Columns of list_sql. */
enum { OID, QUOTED, READABLE, FILTERED };

/* A partitioned table has no rows of its own; who reads its parts is not held to its policies. */
static const char list_sql[] =
    "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    /* NULL for a table that was dropped meanwhile: the lock will tell. */
    " coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), true),"
    " c.relkind = 'r' AND row_security_active(c.oid)" BP_PG_FROM_TABLES;

static void add_name(struct bp_buf *names, int so_far, const char *name)
{
    if (so_far > NAMES_SHOWN)
        return;
    if (so_far > 0)
        bp_buf_puts(names, ", ");
    if (so_far == NAMES_SHOWN)
        bp_buf_puts(names, "...");
    else
        bp_put_foreign(names, name, NAME_SHOWN);
}

static enum bp_code check_rights(struct bp_pg *pg, const PGresult *list, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf unreadable = {0};
    BP_AUTO(bp_buf_free) struct bp_buf filtered = {0};
    int unreadable_count = 0;
    int filtered_count = 0;

    for (int i = 0; i < PQntuples(list); i++) {
        if (!bp_pg_is_true(list, i, READABLE))
            add_name(&unreadable, unreadable_count++, PQgetvalue(list, i, QUOTED));
        if (bp_pg_is_true(list, i, FILTERED))
            add_name(&filtered, filtered_count++, PQgetvalue(list, i, QUOTED));
    }
    if (unreadable_count > 0)
        return bp_fail(err, BP_EAUTH,
                       "user '%s' may not read %d of %d tables: %s; hint: GRANT pg_read_all_data "
                       "TO the user, or back up as the owner",
                       PQuser(pg->conn), unreadable_count, PQntuples(list),
                       bp_buf_str(&unreadable));
    if (filtered_count > 0)
        return bp_fail(err, BP_EAUTH,
                       "row-level security hides rows from user '%s' in: %s; hint: back up as the "
                       "owner or as a role with BYPASSRLS",
                       PQuser(pg->conn), bp_buf_str(&filtered));
    return BP_OK;
}

static enum bp_code list_tables(struct bp_pg *pg, const char *condition, PGresult **out,
                                struct bp_err *err)
{
    BP_AUTO(bp_freep) char *sql = bp_format("%s%s ORDER BY c.oid", list_sql, condition);
    enum bp_code rc = bp_pg_query(pg, sql, out, err);

    /* Where a selection matches nothing, its patterns are to be named: postgres_scope.h does. */
    if (rc == BP_OK && PQntuples(*out) == 0 && condition[0] == '\0')
        rc = bp_fail(err, BP_EFAILED,
                     "the database '%s' has no tables; hint: is this the right database? an "
                     "empty backup would not be worth keeping",
                     PQdb(pg->conn));
    if (rc == BP_OK)
        rc = check_rights(pg, *out, err);
    if (rc != BP_OK)
        return bp_wrap(err, "cannot list the tables");
    return BP_OK;
}

/*
 * Who keeps us from locking. An ACCESS EXCLUSIVE lock that is only waited for holds us up as well,
 * because we queue behind it.
 */
static const char holders_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), l.pid, a.usename, a.state,"
    " a.query, date_trunc('second', clock_timestamp() - coalesce(a.xact_start, a.query_start))"
    " FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p')"
    " AND n.nspname !~ '^pg_' AND l.pid IS DISTINCT FROM pg_backend_pid()"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " ORDER BY l.granted DESC, c.oid LIMIT 1";

enum { HELD, HOLDER_PID, HOLDER, STATE, QUERY, AGE };

static const char *or_unknown(const char *text)
{
    return text != NULL ? text : "unknown";
}

enum bp_code bp_pg_name_holder(struct bp_pg *pg, struct bp_err *err)
{
    static const char hint[] = "hint: wait for it or end it, or allow a longer lock timeout";
    BP_AUTO(bp_pg_clear) PGresult *found = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf table = {0};
    BP_AUTO(bp_buf_free) struct bp_buf query = {0};
    enum bp_code rc = bp_pg_query(pg, holders_sql, &found, err);

    if (rc != BP_OK)
        return rc;
    if (PQntuples(found) == 0)
        return bp_fail(err, BP_ELOCKED, "a table was locked by another session for too long; %s",
                       hint);
    bp_put_foreign(&table, PQgetvalue(found, 0, HELD), NAME_SHOWN);
    if (bp_pg_value(found, 0, HOLDER_PID) == NULL)
        return bp_fail(err, BP_ELOCKED, "table %s is locked by a prepared transaction; %s",
                       table.data, hint);
    bp_put_foreign(&query, or_unknown(bp_pg_value(found, 0, QUERY)), QUERY_SHOWN);
    return bp_fail(err, BP_ELOCKED,
                   "table %s is locked by process %s (user %s, %s, for %s): %s; %s", table.data,
                   PQgetvalue(found, 0, HOLDER_PID), or_unknown(bp_pg_value(found, 0, HOLDER)),
                   or_unknown(bp_pg_value(found, 0, STATE)), or_unknown(bp_pg_value(found, 0, AGE)),
                   bp_buf_str(&query), hint);
}

/* *gone tells that there is no such table any more, which is no error. */
static enum bp_code lock_some(struct bp_pg *pg, const char *sql, bool *gone, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_send(pg, sql, err);

    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK)
        return rc;
    *gone = bp_pg_has_state(result, undefined_table) || bp_pg_has_state(result, undefined_schema);
    if (PQresultStatus(result) == PGRES_FATAL_ERROR && !*gone)
        rc = bp_pg_fail_result(result, err);
    bp_pg_drain(pg);
    return rc;
}

static enum bp_code lock_all(struct bp_pg *pg, const PGresult *list, bool *gone, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *gone = false;
    for (int i = 0; i < PQntuples(list) && rc == BP_OK && !*gone; i += LOCKS_PER_STATEMENT) {
        BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

        for (int j = i; j < i + LOCKS_PER_STATEMENT && j < PQntuples(list); j++)
            bp_buf_printf(&sql, "%s ONLY %s", j == i ? "LOCK TABLE" : ",",
                          PQgetvalue(list, j, QUOTED));
        bp_buf_puts(&sql, " IN ACCESS SHARE MODE");
        rc = lock_some(pg, sql.data, gone, err);
    }
    if (rc == BP_EUNAVAILABLE && pg->conn != NULL)
        return bp_wrap(err, "cannot lock the %d tables", PQntuples(list));
    return rc;
}

/* Whether every table of now was locked; both lists are sorted by oid. */
static bool covers(const PGresult *locked, const PGresult *now)
{
    int j = 0;

    for (int i = 0; i < PQntuples(now); i++) {
        const char *oid = PQgetvalue(now, i, OID);

        while (j < PQntuples(locked) && strcmp(PQgetvalue(locked, j, OID), oid) != 0)
            j++;
        if (j == PQntuples(locked))
            return false;
    }
    return true;
}

struct job {
    struct bp_pg *pg;
    const struct bp_postgres_options *options;
    const char *condition;
};

/*
 * One attempt: *done tells whether it succeeded. A table that was made, renamed or dropped
 * meanwhile is no error but a reason to try again.
 */
static enum bp_code attempt(const struct job *job, bool *done, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *before = NULL;
    BP_AUTO(bp_pg_clear) PGresult *after = NULL;
    BP_AUTO(bp_freep) char *begin = NULL;
    enum bp_code rc = list_tables(job->pg, job->condition, &before, err);
    bool gone = false;

    *done = false;
    if (rc != BP_OK)
        return rc;
    begin = bp_format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                      "SET LOCAL lock_timeout = %" PRId64,
                      job->options->lock_timeout_ms);
    rc = bp_pg_run(job->pg, begin, err);
    if (rc == BP_OK)
        rc = lock_all(job->pg, before, &gone, err);
    if (rc == BP_OK && !gone)
        rc = list_tables(job->pg, job->condition, &after, err);
    *done = rc == BP_OK && !gone && covers(before, after);
    return rc;
}

/* Attempts until the tables keep still, or one of them is locked for too long. */
static enum bp_code lock_once(const struct job *job, struct bp_err *err)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        bool done = false;
        struct bp_err ignored;
        enum bp_code rc = attempt(job, &done, err);

        if (done)
            return BP_OK;
        if (job->pg->conn == NULL || bp_pg_run(job->pg, "ROLLBACK", &ignored) != BP_OK)
            return rc != BP_OK ? rc : bp_fail(err, BP_EUNAVAILABLE, "%s", ignored.msg);
        if (rc == BP_ELOCKED)
            return bp_pg_name_holder(job->pg, err);
        if (rc != BP_OK)
            return rc;
    }
    return bp_fail(err, BP_ELOCKED,
                   "the tables of the database change all the time: after %d attempts to lock "
                   "them there still was a new or a missing one",
                   (int)ATTEMPTS);
}

enum bp_code bp_pg_snapshot_begin(struct bp_pg *pg, const struct bp_postgres_options *options,
                                  const char *condition, struct bp_err *err)
{
    const struct job job = {.pg = pg, .options = options, .condition = condition};
    enum bp_code rc = lock_once(&job, err);
    int64_t wait_ms = FIRST_WAIT_MS;

    for (int64_t i = 1; rc == BP_ELOCKED && i <= options->lock_retries; i++, wait_ms *= 2) {
        bp_pg_tell(options, "%s; trying again in %" PRId64 " s (%" PRId64 " of %" PRId64 ")",
                   err->msg, wait_ms / 1000, i, options->lock_retries);
        if (bp_clock_sleep(pg->clock, wait_ms, err) != BP_OK)
            return err->code;
        rc = lock_once(&job, err);
    }
    if (rc == BP_ELOCKED && options->lock_retries > 0)
        return bp_wrap(err, "after %" PRId64 " attempts", options->lock_retries + 1);
    /* An ALTER ROLE ... SET may have come between. */
    return rc == BP_OK ? bp_pg_apply_settings(pg, err) : rc;
}

enum bp_code bp_pg_snapshot_prepare(struct bp_pg *pg, struct bp_err *err)
{
    return bp_pg_run(pg, "SET timezone = 'UTC'", err);
}

enum bp_code bp_pg_snapshot_join(struct bp_pg *pg, const char *snapshot, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *sql = bp_format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                          "SET TRANSACTION SNAPSHOT '%s'",
                          snapshot);

    if (bp_pg_run(pg, sql, err) != BP_OK)
        return bp_wrap(err, "cannot join the snapshot");
    return BP_OK;
}

/* A value that not every server gives to every user: *out stays NULL then. */
static enum bp_code optional_value(struct bp_pg *pg, const char *sql, char **out,
                                   struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_run(pg, "SAVEPOINT backproof", err);

    if (rc != BP_OK)
        return rc;
    if (bp_pg_query(pg, sql, &result, err) == BP_OK)
        *out = bp_strdup(bp_pg_value(result, 0, 0));
    if (pg->conn == NULL)
        return err->code;
    return bp_pg_run(pg, "ROLLBACK TO backproof; RELEASE backproof", err);
}

enum { NAME, ENCODING, COLLATION, SIZE };

enum bp_code bp_pg_snapshot_info(struct bp_pg *pg, struct bp_source_info *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *exported = NULL;
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    const char *version = PQparameterStatus(pg->conn, "server_version");
    enum bp_code rc = bp_pg_query(pg, "SELECT pg_export_snapshot()", &exported, err);

    if (rc == BP_OK)
        rc = bp_pg_query(pg,
                         "SELECT datname, pg_encoding_to_char(encoding), datcollate,"
                         " pg_database_size(oid)"
                         " FROM pg_database WHERE datname = current_database()",
                         &row, err);
    if (rc != BP_OK)
        return rc;
    out->snapshot = bp_strdup(PQgetvalue(exported, 0, 0));
    out->name = bp_strdup(PQgetvalue(row, 0, NAME));
    out->encoding = bp_strdup(PQgetvalue(row, 0, ENCODING));
    out->collation = bp_strdup(PQgetvalue(row, 0, COLLATION));
    out->size_bytes = strtoll(PQgetvalue(row, 0, SIZE), NULL, 10);
    out->server_version = bp_strndup(version, strcspn(version, " "));
    out->version_num = PQserverVersion(pg->conn);
    rc = optional_value(pg, "SELECT system_identifier FROM pg_control_system()",
                        &out->system_identifier, err);
    if (rc == BP_OK)
        rc = optional_value(pg,
                            "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                            " ELSE pg_current_wal_lsn() END",
                            &out->lsn, err);
    if (out->system_identifier == NULL)
        out->system_identifier = bp_strdup("");
    if (out->lsn == NULL)
        out->lsn = bp_strdup("");
    return rc;
}
