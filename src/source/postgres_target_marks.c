#include "source/postgres_target_marks.h"

#include <string.h>

#include "base/mem.h"
#include "source/postgres_lock.h"

/* "bprt": our lock's key, so that it is nobody else's. */
#define COMMENT "a restore by backproof has not ended yet"

enum { CLASS = 0x62707274 };

/* The error is BP_ELOCKED unless asking fails. */
static enum bp_code name_holder(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf who = {0};

    if (bp_pg_put_holder(pg, CLASS, 0, &who, err) != BP_OK)
        return err->code;
    return bp_fail(err, BP_ELOCKED, "another restore into database '%s' is running%s",
                   PQdb(pg->conn), bp_buf_str(&who));
}

enum bp_code bp_pg_target_lock(struct bp_pg *pg, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *sql = bp_format("SELECT pg_try_advisory_lock(%d, 0)", CLASS);
    enum bp_code rc = bp_pg_query(pg, sql, &row, err);

    if (rc != BP_OK || bp_pg_is_true(row, 0, 0))
        return rc;
    return name_holder(pg, err);
}

static enum bp_code read_done(struct bp_pg *pg, struct bp_list *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg,
                                  "SELECT step FROM " BP_PG_MARKS_SCHEMA ".done UNION ALL"
                                  " SELECT step FROM " BP_PG_MARKS_SCHEMA ".done_unlogged",
                                  &rows, err);

    for (int i = 0; rc == BP_OK && i < PQntuples(rows); i++)
        bp_list_add(out, PQgetvalue(rows, i, 0));
    return rc;
}

/* Somebody may have such a schema; he will not have this comment on it. */
static const char is_ours_sql[] =
    "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '" BP_PG_MARKS_SCHEMA "'"
    " AND obj_description(oid, 'pg_namespace') = '" COMMENT "')";

enum bp_code bp_pg_marks_read(struct bp_pg *pg, struct bp_target_marks *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *there = NULL;
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    enum bp_code rc = bp_pg_query(pg, is_ours_sql, &there, err);

    *out = (struct bp_target_marks){0};
    if (rc != BP_OK || !bp_pg_is_true(there, 0, 0))
        return rc;
    rc = bp_pg_query(pg, "SELECT archive, plan FROM " BP_PG_MARKS_SCHEMA ".restore", &row, err);
    if (rc == BP_OK && PQntuples(row) > 0) {
        out->found = true;
        out->archive = bp_strdup(PQgetvalue(row, 0, 0));
        out->plan = bp_strdup(PQgetvalue(row, 0, 1));
        rc = read_done(pg, &out->done, err);
    }
    if (rc == BP_OK)
        return BP_OK;
    bp_target_marks_free(out);
    return bp_wrap(err, "cannot read what an earlier restore left");
}

/* INSERT INTO ... VALUES (...), with one or two values. */
static enum bp_code insert(struct bp_pg *pg, const char *into, const char *one, const char *two,
                           struct bp_err *err)
{
    BP_AUTO(bp_freep) char *sql = NULL;
    char *first = NULL;
    char *second = NULL;

    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    first = PQescapeLiteral(pg->conn, one, strlen(one));
    second = two != NULL ? PQescapeLiteral(pg->conn, two, strlen(two)) : NULL;
    sql = bp_format("INSERT INTO " BP_PG_MARKS_SCHEMA ".%s VALUES (%s%s%s)", into,
                    first != NULL ? first : "''", second != NULL ? ", " : "",
                    second != NULL ? second : "");
    PQfreemem(first);
    PQfreemem(second);
    return bp_pg_run(pg, sql, err);
}

enum bp_code bp_pg_marks_begin(struct bp_pg *pg, const char *archive, const char *plan,
                               struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *there = NULL;
    enum bp_code rc = bp_pg_query(
        pg, "SELECT to_regnamespace('" BP_PG_MARKS_SCHEMA "') IS NOT NULL", &there, err);

    if (rc == BP_OK && bp_pg_is_true(there, 0, 0))
        return bp_fail(err, BP_EUSAGE,
                       "the database has a schema '" BP_PG_MARKS_SCHEMA "', where a restore by "
                       "several connections keeps what is done; hint: rename it, or restore with "
                       "--jobs 1");
    if (rc == BP_OK)
        rc = bp_pg_run(pg,
                       "CREATE SCHEMA " BP_PG_MARKS_SCHEMA ";"
                       "COMMENT ON SCHEMA " BP_PG_MARKS_SCHEMA " IS '" COMMENT "';"
                       "CREATE TABLE " BP_PG_MARKS_SCHEMA ".restore (archive text, plan text);"
                       "CREATE TABLE " BP_PG_MARKS_SCHEMA ".done (step text);"
                       "CREATE UNLOGGED TABLE " BP_PG_MARKS_SCHEMA ".done_unlogged (step text)",
                       err);
    if (rc == BP_OK)
        rc = insert(pg, "restore", archive, plan, err);
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot begin to write down what is done");
}

enum bp_code bp_pg_marks_add(struct bp_pg *pg, const char *step, bool unlogged, struct bp_err *err)
{
    enum bp_code rc = insert(pg, unlogged ? "done_unlogged" : "done", step, NULL, err);

    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot write down what is done");
}

enum bp_code bp_pg_marks_end(struct bp_pg *pg, struct bp_err *err)
{
    enum bp_code rc = bp_pg_run(pg, "DROP SCHEMA " BP_PG_MARKS_SCHEMA " CASCADE", err);

    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot remove the schema '" BP_PG_MARKS_SCHEMA "'");
}
