#include "source/postgres_copy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "source/postgres_error.h"
#include "source/postgres_pattern.h"
#include "source/postgres_split.h"

struct copy {
    struct bp_pg *pg;
    bp_row_sink *sink;
    void *ctx;
    int64_t lines;
    PGresult **after; /* of a second statement behind it; NULL: there is none */
    bool masked;
};

static enum bp_code fail(const struct copy *copy, const PGresult *result, struct bp_err *err)
{
    return copy->masked ? bp_pg_fail_masked(result, err) : bp_pg_fail_result(result, err);
}

static void free_pieces(char **piece)
{
    if (*piece != NULL)
        PQfreemem(*piece);
}

/* Every line that is there or comes. */
static enum bp_code take_lines(struct copy *copy, struct bp_err *err)
{
    for (;;) {
        BP_AUTO(free_pieces) char *line = NULL;
        int len = PQgetCopyData(copy->pg->conn, &line, 1);
        enum bp_code rc = BP_OK;

        if (len > 0) {
            copy->lines++;
            rc = copy->sink(copy->ctx, line, (size_t)len, err);
        } else if (len == 0) {
            rc = bp_pg_take_in(copy->pg, err);
        } else {
            return BP_OK; /* the end, or an error that the result tells */
        }
        if (rc != BP_OK)
            return rc;
    }
}

static enum bp_code check_end(struct copy *copy, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_next(copy->pg, &result, err);
    int64_t sent = 0;

    if (rc != BP_OK)
        return rc;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        rc = fail(copy, result, err);
    else if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = bp_fail(err, BP_EFAILED, "the rows ended without the server's word that all are sent");
    if (rc != BP_OK)
        return rc;
    sent = strtoll(PQcmdTuples(result), NULL, 10);
    if (sent != copy->lines)
        return bp_fail(err, BP_EFAILED,
                       "the server sent %" PRId64 " rows and %" PRId64 " of them arrived", sent,
                       copy->lines);
    if (copy->after != NULL && bp_pg_next(copy->pg, copy->after, err) != BP_OK)
        return err->code;
    bp_pg_drain(copy->pg);
    return BP_OK;
}

static enum bp_code start(const struct copy *copy, const char *sql, struct bp_err *err)
{
    struct bp_pg *pg = copy->pg;
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_send(pg, sql, err);

    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK || PQresultStatus(result) == PGRES_COPY_OUT)
        return rc;
    bp_pg_abort(pg);
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        return fail(copy, result, err);
    return bp_fail(err, BP_EFAILED, "this is not a statement that reads rows: %.100s", sql);
}

static enum bp_code run_copy(struct copy *copy, const char *sql, struct bp_err *err)
{
    enum bp_code rc = start(copy, sql, err);

    if (rc != BP_OK)
        return rc;
    rc = take_lines(copy, err);
    if (rc == BP_OK)
        rc = check_end(copy, err);
    if (rc != BP_OK)
        bp_pg_abort(copy->pg);
    return rc;
}

enum bp_code bp_pg_copy_out(struct bp_pg *pg, const char *sql, bp_row_sink *sink, void *ctx,
                            struct bp_err *err)
{
    struct copy copy = {.pg = pg, .sink = sink, .ctx = ctx};

    return run_copy(&copy, sql, err);
}

enum bp_code bp_pg_copy_slice(struct bp_pg *pg, const struct bp_slice *slice, bp_row_sink *sink,
                              void *ctx, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *same = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    struct copy copy = {
        .pg = pg, .sink = sink, .ctx = ctx, .after = &same, .masked = slice->table->masked};

    bp_pg_put_copy_out(&sql, slice);
    bp_buf_puts(&sql, "; SELECT pg_catalog.to_regclass(");
    if (bp_pg_put_literal(pg, slice->table->quoted, &sql, err) != BP_OK)
        return err->code;
    bp_buf_printf(&sql, ")::oid = %" PRIu32, slice->table->id);
    if (run_copy(&copy, sql.data, err) != BP_OK)
        return err->code;
    if (PQresultStatus(same) == PGRES_FATAL_ERROR)
        return bp_pg_fail_result(same, err);
    if (PQntuples(same) != 1 || !bp_pg_is_true(same, 0, 0))
        return bp_fail(
            err, BP_ELOCKED,
            "another table has this name by now: a schema was renamed while it was read");
    return BP_OK;
}

/*
 * First all are made, then filled (their maker still owns them), then given away. The definitions
 * before them may have switched standard_conforming_strings off, as it was in the source.
 */
static const char make_sql[] =
    "COPY (SELECT line FROM (SELECT -1 AS place, 'SET standard_conforming_strings = on;' AS line"
    " UNION ALL SELECT oid::bigint, 'SELECT pg_catalog.lo_create(' || oid || ');'"
    " FROM pg_largeobject_metadata) x ORDER BY place) TO STDOUT";

/*
 * An object's size is asked for with lo_lseek64(), because the table pg_largeobject is for
 * superusers only. Each is closed again: the search for a free descriptor gets slower with every
 * open one. The joins are with functions, so the order of the objects stays; sorting would copy
 * all bytes to the server's disk.
 */
static const char fill_sql[] =
    "COPY (SELECT 'SELECT pg_catalog.lo_put(' || d.oid || ', ' || p.start ||"
    " ', pg_catalog.decode(''' || encode(lo_get(d.oid, p.start, 65536), 'hex') || ''', ''hex''));'"
    " FROM (SELECT oid, size FROM (SELECT oid, fd, lo_lseek64(fd, 0, 2) AS size FROM (SELECT oid,"
    " lo_open(oid, 262144) AS fd FROM pg_largeobject_metadata ORDER BY oid OFFSET 0) opened"
    " OFFSET 0) measured WHERE lo_close(fd) = 0 OFFSET 0) d,"
    " generate_series(0, d.size - 1, 65536) AS p (start)) TO STDOUT";

/*
 * The rest: owner, comment, rights. An ACL is made anew: take the owner's rights away, then grant
 * every item in its order, in the name of whoever granted it. COPY would escape some characters, so
 * a name or a comment that holds one is written as U&'two!000Alines' UESCAPE '!'.
 */
static const char give_sql[] =
    "COPY (WITH object AS (SELECT oid, lomacl, pg_get_userbyid(lomowner)::text AS owner,"
    "  obj_description(oid, 'pg_largeobject') AS words FROM pg_largeobject_metadata),"

    " line AS (SELECT oid, 1 AS step, 0::bigint AS place,"
    "  'ALTER LARGE OBJECT ' || oid || ' OWNER TO ' AS head, '\"' AS quote, owner AS value,"
    "  '' AS tail FROM object"
    " UNION ALL SELECT oid, 2, 0, 'COMMENT ON LARGE OBJECT ' || oid || ' IS ', '''', words, ''"
    "  FROM object WHERE words IS NOT NULL"
    " UNION ALL SELECT oid, 3, 0, 'REVOKE ALL ON LARGE OBJECT ' || oid || ' FROM ', '\"', owner, ''"
    "  FROM object WHERE lomacl IS NOT NULL"
    " UNION ALL SELECT o.oid, 4, 3 * a.place + g.part,"
    "  CASE g.part WHEN 0 THEN 'SET SESSION AUTHORIZATION '"
    "  WHEN 1 THEN 'GRANT ' || a.privilege_type || ' ON LARGE OBJECT ' || o.oid || ' TO '"
    "  ELSE 'RESET SESSION AUTHORIZATION' END,"
    "  CASE WHEN g.part = 0 OR (g.part = 1 AND a.grantee <> 0) THEN '\"' ELSE '' END,"
    "  CASE WHEN g.part = 0 THEN pg_get_userbyid(a.grantor)::text WHEN g.part = 2 THEN ''"
    "  WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END,"
    "  CASE WHEN g.part = 1 AND a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
    "  FROM object o, aclexplode(o.lomacl) WITH ORDINALITY AS"
    "   a (grantor, grantee, privilege_type, is_grantable, place), generate_series(0, 2) AS g (part)"
    "  WHERE g.part = 1 OR pg_get_userbyid(a.grantor) <> o.owner)"

    " SELECT head || CASE WHEN quote = '' THEN value"
    "  WHEN value ~ E'[\\\\\\\\[:cntrl:]]' THEN 'U&' || quote ||"
    "   replace(replace(replace(replace(replace(replace(replace(replace(replace(value,"
    "   '!', '!!'), E'\\\\', '!005C'), E'\\b', '!0008'), E'\\t', '!0009'), E'\\n', '!000A'),"
    "   E'\\x0b', '!000B'), E'\\f', '!000C'), E'\\r', '!000D'), quote, quote || quote) ||"
    "   quote || ' UESCAPE ''!'''"
    "  WHEN quote = '\"' THEN quote_ident(value) ELSE quote_literal(value) END || tail || ';'"
    " FROM line ORDER BY oid, step, place) TO STDOUT";

enum bp_code bp_pg_copy_large_objects(struct bp_pg *pg, bp_row_sink *sink, void *ctx,
                                      int64_t *count, struct bp_err *err)
{
    static const char *const steps[] = {make_sql, fill_sql, give_sql};
    BP_AUTO(bp_pg_clear) PGresult *counted = NULL;
    enum bp_code rc =
        bp_pg_query(pg, "SELECT count(*) FROM pg_largeobject_metadata", &counted, err);

    if (rc != BP_OK)
        return bp_wrap(err, "cannot count the large objects");
    *count = strtoll(PQgetvalue(counted, 0, 0), NULL, 10);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && *count > 0 && rc == BP_OK; i++)
        rc = bp_pg_copy_out(pg, steps[i], sink, ctx, err);
    return rc == BP_EAUTH ? bp_wrap(err, "cannot read the large objects") : rc;
}
