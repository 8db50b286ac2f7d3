/* The state of the server and of the database that no right changes. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "source/postgres_check.h"

enum { WITH_COLLATION_VERSION = 150000, LOCKS_SHOWN = 3 };

static enum bp_code look_at_standby(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_look_ask(look, "database",
                                     "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_class"
                                     " WHERE relpersistence = 'u' AND relkind = 'r')",
                                     &rows, err);

    if (rc == BP_OK && rows != NULL && bp_pg_is_true(rows, 0, 0))
        bp_findings_add(look->findings, BP_FOUND_WARNING, "database",
                        "it is a standby: unlogged tables (%s) have no rows there, and what the "
                        "primary does may end a long backup; hint: back up the primary if they "
                        "matter, and set hot_standby_feedback",
                        PQgetvalue(rows, 0, 1));
    return rc;
}

/* ---- extensions ---- */

static enum bp_code look_at_needed(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code rc = bp_pg_look_ask(look, "extensions",
                                     "SELECT extname || ' ' || extversion FROM pg_extension"
                                     " WHERE extname <> 'plpgsql' ORDER BY 1",
                                     &rows, err);

    if (rc != BP_OK || rows == NULL || PQntuples(rows) == 0)
        return rc;
    for (int i = 0; i < PQntuples(rows); i++)
        bp_buf_printf(&names, "%s%s", i > 0 ? ", " : "", PQgetvalue(rows, i, 0));
    bp_findings_add(look->findings, BP_FOUND_OK, "extensions",
                    "the server of a restore must have %s", names.data);
    return BP_OK;
}

static enum bp_code look_at_missing(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code rc = bp_pg_look_ask(look, "extensions",
                                     "SELECT extname FROM pg_extension WHERE extname NOT IN"
                                     " (SELECT name FROM pg_available_extensions) ORDER BY 1",
                                     &rows, err);

    if (rc != BP_OK || rows == NULL || PQntuples(rows) == 0)
        return rc;
    bp_pg_look_names(rows, 0, &names);
    bp_findings_add(look->findings, BP_FOUND_WARNING, "extensions",
                    "in use, but not installed on this server: %s; hint: install their packages: "
                    "no restore would work here",
                    names.data);
    return BP_OK;
}

/* Tables whose rows come with the extension as far as a dump knows. */
static const char member_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' of ' || e.extname"
    " FROM pg_depend d JOIN pg_class c ON c.oid = d.objid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_extension e ON e.oid = d.refobjid"
    " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass"
    " AND d.deptype = 'e' AND c.relkind = 'r' AND c.reltuples <> 0"
    " AND NOT c.oid = ANY (coalesce(e.extconfig, '{}')) ORDER BY 1";

static enum bp_code look_at_members(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code rc = bp_pg_look_ask(look, "extensions", member_sql, &rows, err);

    if (rc != BP_OK || rows == NULL || PQntuples(rows) == 0)
        return rc;
    bp_pg_look_names(rows, 0, &names);
    bp_findings_add(look->findings, BP_FOUND_WARNING, "extensions",
                    "no rows are backed up of their own tables: %s; hint: if the rows are yours: "
                    "ALTER EXTENSION ... DROP TABLE ..., or pg_extension_config_dump() in the "
                    "extension's script",
                    names.data);
    return BP_OK;
}

/* ---- what is in the way right now ---- */

static const char locks_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), coalesce(l.pid::text, '?'),"
    " coalesce(a.usename, 'unknown'), coalesce(a.state, 'unknown'),"
    " coalesce(date_trunc('second', clock_timestamp()"
    "  - coalesce(a.xact_start, a.query_start))::text, 'unknown')"
    " FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
    " JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted"
    " AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND l.pid IS NOT NULL"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " ORDER BY 1";

static enum bp_code look_at_locks(struct bp_pg_look *look, struct bp_err *err)
{
    enum { TABLE, PROCESS, USER, STATE, AGE };
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_look_ask(look, "locks", locks_sql, &rows, err);

    if (rc != BP_OK || rows == NULL)
        return rc;
    for (int i = 0; i < PQntuples(rows) && i < LOCKS_SHOWN; i++)
        bp_findings_add(look->findings, BP_FOUND_WARNING, "locks",
                        "table %s is locked by process %s (user %s, %s, for %s) right now; hint: a "
                        "backup waits %" PRId64 " s for it (--lock-timeout): let it end first, or "
                        "choose another hour",
                        PQgetvalue(rows, i, TABLE), PQgetvalue(rows, i, PROCESS),
                        PQgetvalue(rows, i, USER), PQgetvalue(rows, i, STATE),
                        PQgetvalue(rows, i, AGE), look->options->lock_timeout_ms / 1000);
    return BP_OK;
}

static enum bp_code look_at_prepared(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code rc =
        bp_pg_look_ask(look, "prepared transactions",
                       "SELECT quote_literal(gid) || ' since ' || date_trunc('second', prepared)"
                       " FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1",
                       &rows, err);

    if (rc != BP_OK || rows == NULL || PQntuples(rows) == 0)
        return rc;
    bp_pg_look_names(rows, 0, &names);
    bp_findings_add(look->findings, BP_FOUND_WARNING, "prepared transactions",
                    "they keep their locks until somebody ends them, and what they changed is not "
                    "in a backup: %s; hint: COMMIT PREPARED or ROLLBACK PREPARED",
                    names.data);
    return BP_OK;
}

static enum bp_code look_at_collation(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = BP_OK;

    if (look->pg->conn == NULL || PQserverVersion(look->pg->conn) < WITH_COLLATION_VERSION)
        return BP_OK;
    rc = bp_pg_look_ask(look, "collation",
                        "SELECT datcollversion,"
                        " coalesce(pg_database_collation_actual_version(oid), 'none'),"
                        " quote_ident(datname) FROM pg_database"
                        " WHERE datname = current_database() AND datcollversion"
                        " IS DISTINCT FROM pg_database_collation_actual_version(oid)"
                        " AND datcollversion IS NOT NULL",
                        &rows, err);
    if (rc == BP_OK && rows != NULL && PQntuples(rows) > 0)
        bp_findings_add(look->findings, BP_FOUND_WARNING, "collation",
                        "the database was made with version %s of its collation, the server has "
                        "%s: indexes on text may be wrong; hint: REINDEX DATABASE %s; ALTER "
                        "DATABASE %s REFRESH COLLATION VERSION",
                        PQgetvalue(rows, 0, 0), PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 2),
                        PQgetvalue(rows, 0, 2));
    return rc;
}

/* Ours is free again afterwards. NULLs count for nothing: no limit. */
static const char free_sql[] =
    "SELECT 1 + least(current_setting('max_connections')::int"
    "  - (SELECT sum(numbackends) FROM pg_stat_database)"
    "  - CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int"
    "   + coalesce(current_setting('reserved_connections', true)::int, 0) END,"
    " CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit"
    "  - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid) END,"
    " CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit"
    "  - (SELECT numbackends FROM pg_stat_database s WHERE s.datid = d.oid) END)"
    " FROM pg_roles r, pg_database d"
    " WHERE r.rolname = current_user AND d.datname = current_database()";

static enum bp_code look_at_connections(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    int64_t jobs = look->options->jobs > 0 ? look->options->jobs : sysconf(_SC_NPROCESSORS_ONLN);
    int64_t left = 0;
    enum bp_code rc = BP_OK;

    if (look->pg->pooled)
        return BP_OK; /* the pool's size counts, which nobody tells */
    rc = bp_pg_look_ask(look, "connections", free_sql, &rows, err);
    if (rc != BP_OK || rows == NULL)
        return rc;
    left = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    if (left < jobs + 1)
        bp_findings_add(look->findings, BP_FOUND_WARNING, "connections",
                        "%" PRId64 " are free for this user, and a backup takes %" PRId64
                        "; hint: use fewer --jobs, or raise max_connections (the limit of the role "
                        "or the database, if it has one)",
                        left, jobs + 1);
    else
        bp_findings_add(look->findings, BP_FOUND_OK, "connections",
                        "%" PRId64 " are free, a backup takes %" PRId64, left, jobs + 1);
    return BP_OK;
}

enum bp_code bp_pg_check_server(struct bp_pg_look *look, struct bp_err *err)
{
    static enum bp_code (*const looks[])(struct bp_pg_look *, struct bp_err *) = {
        look_at_standby, look_at_needed,   look_at_missing,   look_at_members,
        look_at_locks,   look_at_prepared, look_at_collation, look_at_connections};

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        enum bp_code rc = looks[i](look, err);

        if (rc != BP_OK)
            return rc;
    }
    return BP_OK;
}
