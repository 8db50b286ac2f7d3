#include "source/postgres_lock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

/* "bprf": the first half of our locks' key, so that they are nobody else's. */
enum { CLASS = 0x62707266, WORDS_SHOWN = 100, LOOK_MS = 1000 };

/* The second half: 32 bits of the name's hash. Two names that share it would only wait. */
static int32_t key_of(const char *name, size_t len)
{
    char hex[BP_SHA256_HEX_SIZE];

    bp_sha256_hex(name, len, hex);
    hex[8] = '\0';
    return (int32_t)(uint32_t)strtoul(hex, NULL, 16);
}

static enum bp_code try_lock(struct bp_pg *pg, int32_t key, bool *taken, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *sql = bp_format("SELECT pg_try_advisory_lock(%d, %d)", CLASS, key);
    enum bp_code rc = bp_pg_query(pg, sql, &row, err);

    *taken = rc == BP_OK && bp_pg_is_true(row, 0, 0);
    return rc;
}

/* pg_locks shows the halves of a key as unsigned numbers. */
static const char holder_sql[] =
    "SELECT l.pid, a.usename, coalesce(host(a.client_addr), 'a local socket'),"
    " date_trunc('second', clock_timestamp() - a.backend_start)"
    " FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %u AND l.objid = %u"
    " AND l.objsubid = 2 AND l.database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())";

enum { PID, USER, ADDRESS, AGE };

enum bp_code bp_pg_put_holder(struct bp_pg *pg, int32_t first, int32_t second, struct bp_buf *out,
                              struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *sql = bp_format(holder_sql, (uint32_t)first, (uint32_t)second);
    enum bp_code rc = bp_pg_query(pg, sql, &row, err);
    const char *age = NULL;

    if (rc != BP_OK || PQntuples(row) == 0)
        return rc;
    age = bp_pg_value(row, 0, AGE);
    bp_buf_printf(out, " (process %s, user ", PQgetvalue(row, 0, PID));
    bp_put_foreign(out, PQgetvalue(row, 0, USER), WORDS_SHOWN);
    bp_buf_printf(out, ", from %s, for %s)", PQgetvalue(row, 0, ADDRESS),
                  age != NULL ? age : "an unknown time");
    return BP_OK;
}

/* "another backup ... is running (...)"; the error is BP_ELOCKED unless asking fails. */
static enum bp_code name_holder(struct bp_pg *pg, const char *name, int32_t key, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf who = {0};

    if (bp_pg_put_holder(pg, CLASS, key, &who, err) != BP_OK)
        return err->code;
    return bp_fail(err, BP_ELOCKED, "another backup of database '%s' to branch '%s' is running%s",
                   PQdb(pg->conn), name, bp_buf_str(&who));
}

/* A statement that waits would hold a snapshot all the time, and keep VACUUM from its work. */
enum bp_code bp_pg_lock(struct bp_pg *pg, const struct bp_postgres_options *options,
                        const char *name, bool wait, struct bp_err *err)
{
    int32_t key = key_of(name, strlen(name));
    bool taken = false;
    enum bp_code rc = try_lock(pg, key, &taken, err);

    if (rc != BP_OK || taken)
        return rc;
    rc = name_holder(pg, name, key, err);
    if (rc != BP_ELOCKED || !wait)
        return rc;
    bp_pg_tell(options, "%s; waiting for its end", err->msg);
    for (rc = BP_OK; rc == BP_OK && !taken;) {
        rc = bp_clock_sleep(pg->clock, LOOK_MS, err);
        if (rc == BP_OK)
            rc = try_lock(pg, key, &taken, err);
    }
    return rc;
}
