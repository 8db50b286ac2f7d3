/* The PostgreSQL driver of target.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/tunnel.h"
#include "source/postgres.h"
#include "source/postgres_clean.h"
#include "source/postgres_conn.h"
#include "source/postgres_error.h"
#include "source/postgres_params.h"
#include "source/postgres_script.h"

enum { PIECE_LIMIT = 1 << 20 };

struct postgres_target {
    struct bp_target base; /* must be first */
    struct bp_postgres_options options;
    struct bp_pg pg;
};

static struct postgres_target *from_base(struct bp_target *self)
{
    return (struct postgres_target *)self;
}

static enum bp_code open_target(struct bp_target *self, struct bp_target_info *info,
                                struct bp_err *err)
{
    struct postgres_target *t = from_base(self);
    enum bp_code rc = bp_pg_tunnel_open(&t->options, err);

    if (rc == BP_OK)
        rc = bp_pg_open(&t->pg, &t->options, err);
    if (rc != BP_OK)
        return rc;
    *info = (struct bp_target_info){.version_num = PQserverVersion(t->pg.conn)};
    bp_pg_where(&t->pg, info->where);
    (void)snprintf(info->name, sizeof(info->name), "%s", PQdb(t->pg.conn));
    (void)snprintf(info->encoding, sizeof(info->encoding), "%s",
                   PQparameterStatus(t->pg.conn, "server_encoding"));
    return BP_OK;
}

static enum bp_code list_contents(struct bp_target *self, struct bp_list *some, int64_t *count,
                                  struct bp_err *err)
{
    return bp_pg_contents(&from_base(self)->pg, some, count, err);
}

static enum bp_code begin(struct bp_target *self, const char *encoding, struct bp_err *err)
{
    struct postgres_target *t = from_base(self);
    BP_AUTO(bp_freep) char *set_encoding = NULL;
    char *quoted = NULL;
    enum bp_code rc = bp_pg_run(&t->pg, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", err);

    if (rc == BP_OK)
        rc = bp_pg_apply_settings(&t->pg, err);
    if (rc != BP_OK)
        return bp_wrap(err, "cannot begin the transaction");
    quoted = PQescapeLiteral(t->pg.conn, encoding, strlen(encoding));
    set_encoding = bp_format("SET client_encoding = %s", quoted != NULL ? quoted : "''");
    PQfreemem(quoted);
    return bp_pg_run(&t->pg, set_encoding, err);
}

static enum bp_code clean(struct bp_target *self, struct bp_err *err)
{
    return bp_pg_clean(&from_base(self)->pg, err);
}

/* An error of the server; what may be missing is known here, while the server only says where. */
static enum bp_code fail_result(const PGresult *result, struct bp_err *err)
{
    enum bp_code rc = bp_pg_fail_result(result, err);
    struct bp_err inner = *err;

    if (!bp_pg_has_state(result, "42501"))
        return rc;
    return bp_fail(err, rc,
                   "%s; hint: restore as a superuser, or as a member of every role that owns "
                   "something in the archive",
                   inner.msg);
}

/*
 * Name the statement that failed. A syntax error stops the whole text before any of it ran; then
 * the position tells. Otherwise every statement that was done has given one result.
 */
static enum bp_code fail_statement(const PGresult *result, const char *sql, size_t done,
                                   const char *label, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf excerpt = {0};
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    enum bp_code rc = fail_result(result, err);

    if (position != NULL && bp_pg_has_state(result, "42601"))
        bp_pg_script_excerpt_at(sql, strtoul(position, NULL, 10), &excerpt);
    else
        bp_pg_script_excerpt(sql, done, &excerpt);
    (void)bp_wrap(err, "%s: %s", label, bp_buf_str(&excerpt));
    return rc;
}

static enum bp_code take_results(struct bp_pg *pg, const char *sql, const char *label,
                                 struct bp_err *err)
{
    for (size_t done = 0;; done++) {
        BP_AUTO(bp_pg_clear) PGresult *result = NULL;
        enum bp_code rc = bp_pg_next(pg, &result, err);
        ExecStatusType status = PQresultStatus(result);

        if (rc != BP_OK)
            return bp_wrap(err, "%s", label);
        if (result == NULL)
            return BP_OK;
        if (status == PGRES_FATAL_ERROR)
            return fail_statement(result, sql, done, label, err);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
            status != PGRES_EMPTY_QUERY) {
            bp_pg_abort(pg);
            return bp_fail(err, BP_EFAILED, "%s: a COPY is not expected here", label);
        }
    }
}

/*
 * Whether pg_dump wrote this text for backslashes that escape, because the source's database is set
 * so: it says that above the first object.
 */
static bool has_escapes(const char *sql)
{
    const char *setting = strstr(sql, "\nSET standard_conforming_strings = off;\n");
    const char *object = strstr(sql, "\n-- Name: ");

    return setting != NULL && (object == NULL || setting < object);
}

/*
 * The server takes a whole text apart before it does any of it: the SET that stands in it comes too
 * late for itself, and would be there still for the text behind it.
 */
static enum bp_code set_strings(struct bp_pg *pg, const char *sql, struct bp_err *err)
{
    return bp_pg_run(pg,
                     has_escapes(sql) ? "SET standard_conforming_strings = off"
                                      : "SET standard_conforming_strings = on",
                     err);
}

static enum bp_code run(struct bp_target *self, const char *sql, const char *label,
                        struct bp_err *err)
{
    struct bp_pg *pg = &from_base(self)->pg;
    BP_AUTO(bp_freep) char *text = bp_pg_script_without_meta(sql);
    enum bp_code rc = set_strings(pg, sql, err);

    if (rc == BP_OK)
        rc = bp_pg_send(pg, text, err);
    if (rc != BP_OK)
        return bp_wrap(err, "%s", label);
    rc = take_results(pg, text, label, err);
    if (rc != BP_OK && pg->conn != NULL)
        bp_pg_drain(pg);
    return rc;
}

static enum bp_code copy_begin(struct bp_target *self, const char *sql, struct bp_err *err)
{
    struct bp_pg *pg = &from_base(self)->pg;
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_send(pg, sql, err);

    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK || PQresultStatus(result) == PGRES_COPY_IN)
        return rc;
    if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
        /* Whatever else it started, such as a COPY to us, must not go on. */
        bp_pg_abort(pg);
        return bp_fail(err, BP_EFAILED, "this is not a statement that loads rows: %.100s", sql);
    }
    rc = fail_result(result, err);
    bp_pg_drain(pg);
    return rc;
}

static enum bp_code copy_put(struct bp_target *self, const char *data, size_t len,
                             struct bp_err *err)
{
    struct bp_pg *pg = &from_base(self)->pg;

    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    /* libpq would buffer without limit: after each piece wait until it is sent. */
    while (len > 0) {
        size_t piece = len < PIECE_LIMIT ? len : PIECE_LIMIT;
        enum bp_code rc = BP_OK;

        if (PQputCopyData(pg->conn, data, (int)piece) != 1)
            return bp_pg_fail_lost(pg->conn, err);
        rc = bp_pg_flush(pg, err);
        if (rc != BP_OK)
            return rc;
        data += piece;
        len -= piece;
    }
    return BP_OK;
}

static enum bp_code copy_end(struct bp_target *self, int64_t *rows, struct bp_err *err)
{
    struct bp_pg *pg = &from_base(self)->pg;
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = BP_OK;

    if (pg->conn == NULL)
        return bp_fail(err, BP_EUNAVAILABLE, "the connection to the database is closed");
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return bp_pg_fail_lost(pg->conn, err);
    rc = bp_pg_flush(pg, err);
    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK)
        return rc;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = fail_result(result, err);
    else
        *rows = strtoll(PQcmdTuples(result), NULL, 10);
    bp_pg_drain(pg);
    return rc;
}

static enum bp_code commit(struct bp_target *self, struct bp_err *err)
{
    struct bp_pg *pg = &from_base(self)->pg;
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_send(pg, "COMMIT", err);

    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK)
        return bp_wrap(err, "cannot commit");
    /* A transaction that has failed before answers COMMIT with ROLLBACK, not with an error. */
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = bp_pg_fail_result(result, err);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = bp_fail(err, BP_EFAILED, "the transaction had failed and was rolled back");
    bp_pg_drain(pg);
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot commit");
}

static void free_target(struct bp_target *self)
{
    struct postgres_target *t = from_base(self);

    bp_pg_close(&t->pg);
    bp_tunnel_closep(&t->options.tunnel);
    bp_free(t);
}

static const struct bp_target_ops ops = {
    .open = open_target,
    .contents = list_contents,
    .begin = begin,
    .clean = clean,
    .run = run,
    .copy_begin = copy_begin,
    .copy_put = copy_put,
    .copy_end = copy_end,
    .commit = commit,
    .free = free_target,
};

struct bp_target *bp_postgres_target_new(const struct bp_postgres_options *options)
{
    struct postgres_target *t = bp_alloc(1, sizeof(*t));

    t->base.ops = &ops;
    t->options = *options;
    return &t->base;
}
