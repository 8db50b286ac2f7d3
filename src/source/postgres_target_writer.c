#include "source/postgres_target_writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_clean.h"
#include "source/postgres_error.h"
#include "source/postgres_script.h"
#include "source/postgres_target_error.h"
#include "source/postgres_target_marks.h"

enum { PIECE_LIMIT = 64 << 10 };

struct postgres_writer {
    struct bp_writer base; /* must be first */
    struct bp_pg own;
    struct bp_pg *pg;            /* own, or the target's */
    struct bp_clock *lent_clock; /* the target's own, meanwhile; NULL: the connection is ours */
    bool escapes;                /* backslashes do, in the definitions */
    int strings;                 /* how the server takes them now: 0, 1 (escapes); -1: unknown */
    bool fresh;                  /* this transaction made or emptied the table that is loaded */
    bool unlogged;               /* it loads a table that a crash of the server empties */
};

static struct postgres_writer *from_base(struct bp_writer *self)
{
    return (struct postgres_writer *)self;
}

static void use(struct bp_writer *self, struct bp_clock *clock)
{
    from_base(self)->pg->clock = clock;
}

static enum bp_code begin(struct bp_writer *self, bool durable, struct bp_err *err)
{
    static const char sql[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    static const char loose[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                                "SET LOCAL synchronous_commit = off";

    from_base(self)->fresh = false;
    from_base(self)->unlogged = false;
    from_base(self)->strings = -1;
    if (bp_pg_run(from_base(self)->pg, durable ? sql : loose, err) != BP_OK)
        return bp_wrap(err, "cannot begin the transaction");
    return BP_OK;
}

static void rollback(struct bp_writer *self)
{
    struct bp_pg *pg = from_base(self)->pg;
    struct bp_err ignored;

    from_base(self)->strings = -1;
    if (pg->conn != NULL && PQtransactionStatus(pg->conn) != PQTRANS_IDLE &&
        bp_pg_run(pg, "ROLLBACK", &ignored) != BP_OK && pg->conn != NULL)
        bp_pg_abort(pg);
}

static enum bp_code clean(struct bp_writer *self, struct bp_err *err)
{
    return bp_pg_clean(from_base(self)->pg, err);
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
            return bp_pg_target_fail_statement(result, sql, done, label, err);
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
 * The server takes a whole text apart before it does any of it: a SET that stands in it comes too
 * late for itself.
 */
static enum bp_code set_strings(struct postgres_writer *w, bool escapes, struct bp_err *err)
{
    if (w->strings == (int)escapes)
        return BP_OK;
    w->strings = (int)escapes;
    return bp_pg_run(w->pg,
                     escapes ? "SET standard_conforming_strings = off"
                             : "SET standard_conforming_strings = on",
                     err);
}

static enum bp_code run_with(struct postgres_writer *w, bool escapes, const char *sql,
                             const char *label, struct bp_err *err)
{
    struct bp_pg *pg = w->pg;
    enum bp_code rc = set_strings(w, escapes, err);

    if (rc == BP_OK)
        rc = bp_pg_send(pg, sql, err);
    if (rc != BP_OK)
        return bp_wrap(err, "%s", label);
    rc = take_results(pg, sql, label, err);
    if (rc != BP_OK && pg->conn != NULL)
        bp_pg_drain(pg);
    return rc;
}

static enum bp_code define(struct bp_writer *self, const char *sql, const char *label,
                           struct bp_err *err)
{
    return run_with(from_base(self), from_base(self)->escapes, sql, label, err);
}

static enum bp_code run(struct bp_writer *self, const char *sql, const char *label,
                        struct bp_err *err)
{
    BP_AUTO(bp_freep) char *text = bp_pg_script_without_meta(sql);
    enum bp_code rc = run_with(from_base(self), has_escapes(sql), text, label, err);

    from_base(self)->strings = -1;
    return rc;
}

/*
 * An ordinary table that is no extension's holds nothing yet. But rows that may change places go to
 * the root of their partitions, whose leaves hold each other's: then the statement names another.
 */
static const char is_ours_sql[] =
    "SELECT c.relkind = 'r' AND c.oid = %s::pg_catalog.regclass"
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
    " WHERE d.classid = 'pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')"
    " FROM pg_catalog.pg_class c WHERE c.oid = %s::pg_catalog.regclass";

/* The table that a COPY statement names; "" when it is none. Owned. */
static char *table_of(const char *copy)
{
    const char *start =
        copy + (bp_text_starts_with(copy, "COPY ") ? strlen("COPY ") : strlen(copy));
    const char *end = start;
    bool quoted = false;

    for (; *end != '\0' && (quoted || *end != ' '); end++)
        quoted = quoted != (*end == '"');
    return bp_strndup(start, (size_t)(end - start));
}

/* Owned. */
static char *quote(PGconn *conn, const char *text)
{
    char *literal = PQescapeLiteral(conn, text, strlen(text));
    char *copy = bp_strdup(literal != NULL ? literal : "''");

    PQfreemem(literal);
    return copy;
}

/*
 * Rows of a table that the same transaction has made or emptied can be frozen at once, so that
 * nothing has to write them again, and with wal_level = minimal they need no WAL.
 */
static enum bp_code load(struct bp_writer *self, const char *table, const char *copy,
                         struct bp_err *err)
{
    struct postgres_writer *w = from_base(self);
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *named = table_of(copy);
    BP_AUTO(bp_freep) char *empty = bp_format("TRUNCATE ONLY %s", table);
    BP_AUTO(bp_freep) char *one = NULL;
    BP_AUTO(bp_freep) char *other = NULL;
    BP_AUTO(bp_freep) char *ask = NULL;
    enum bp_code rc = bp_pg_look(w->pg, err);

    w->fresh = false;
    if (rc != BP_OK || named[0] == '\0')
        return rc;
    one = quote(w->pg->conn, named);
    other = quote(w->pg->conn, table);
    ask = bp_format(is_ours_sql, one, other);
    rc = bp_pg_query(w->pg, ask, &row, err);
    if (rc != BP_OK || PQntuples(row) == 0 || !bp_pg_is_true(row, 0, 0))
        return rc;
    rc = bp_pg_run(w->pg, empty, err);
    w->fresh = rc == BP_OK;
    return rc;
}

static enum bp_code load_marked(struct bp_writer *self, const char *table, const char *copy,
                                struct bp_err *err)
{
    struct postgres_writer *w = from_base(self);
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_freep) char *name = NULL;
    BP_AUTO(bp_freep) char *ask = NULL;
    enum bp_code rc = load(self, table, copy, err);

    if (rc != BP_OK)
        return rc;
    name = quote(w->pg->conn, table);
    ask = bp_format("SELECT relpersistence = 'u' FROM pg_catalog.pg_class WHERE oid ="
                    " %s::pg_catalog.regclass",
                    name);
    rc = bp_pg_query(w->pg, ask, &row, err);
    w->unlogged = rc == BP_OK && PQntuples(row) > 0 && bp_pg_is_true(row, 0, 0);
    return rc;
}

/* The statement with the option to freeze the rows; NULL: it is not as expected. Owned. */
static char *freeze(const char *sql)
{
    static const char end[] = " FROM stdin;";

    if (!bp_text_ends_with(sql, end))
        return NULL;
    return bp_format("%.*s FROM stdin WITH (FREEZE);", (int)(strlen(sql) - strlen(end)), sql);
}

static enum bp_code copy_begin(struct bp_writer *self, const char *sql, struct bp_err *err)
{
    struct bp_pg *pg = from_base(self)->pg;
    BP_AUTO(bp_freep) char *frozen = from_base(self)->fresh ? freeze(sql) : NULL;
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_send(pg, frozen != NULL ? frozen : sql, err);

    if (rc == BP_OK)
        rc = bp_pg_next(pg, &result, err);
    if (rc != BP_OK || PQresultStatus(result) == PGRES_COPY_IN)
        return rc;
    if (PQresultStatus(result) != PGRES_FATAL_ERROR) {
        /* Whatever else it started, such as a COPY to us, must not go on. */
        bp_pg_abort(pg);
        return bp_fail(err, BP_EFAILED, "this is not a statement that loads rows: %.100s", sql);
    }
    rc = bp_pg_target_fail(result, err);
    bp_pg_drain(pg);
    return rc;
}

static enum bp_code copy_put(struct bp_writer *self, const char *data, size_t len,
                             struct bp_err *err)
{
    struct bp_pg *pg = from_base(self)->pg;

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

static enum bp_code copy_end(struct bp_writer *self, int64_t *rows, struct bp_err *err)
{
    struct bp_pg *pg = from_base(self)->pg;
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
        rc = bp_pg_target_fail(result, err);
    else
        *rows = strtoll(PQcmdTuples(result), NULL, 10);
    bp_pg_drain(pg);
    return rc;
}

static enum bp_code commit(struct bp_writer *self, struct bp_err *err)
{
    struct bp_pg *pg = from_base(self)->pg;
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

static enum bp_code mark_begin(struct bp_writer *self, const char *archive, const char *plan,
                               struct bp_err *err)
{
    return bp_pg_marks_begin(from_base(self)->pg, archive, plan, err);
}

static enum bp_code mark(struct bp_writer *self, const char *step, struct bp_err *err)
{
    return bp_pg_marks_add(from_base(self)->pg, step, from_base(self)->unlogged, err);
}

static enum bp_code mark_end(struct bp_writer *self, struct bp_err *err)
{
    return bp_pg_marks_end(from_base(self)->pg, err);
}

static void free_writer(struct bp_writer *self)
{
    struct postgres_writer *w = from_base(self);

    rollback(self);
    if (w->lent_clock != NULL)
        w->pg->clock = w->lent_clock;
    bp_pg_close(&w->own);
    bp_free(w);
}

static const struct bp_writer_ops ops = {
    .use = use,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .clean = clean,
    .define = define,
    .run = run,
    .load = load_marked,
    .copy_begin = copy_begin,
    .copy_put = copy_put,
    .copy_end = copy_end,
    .mark_begin = mark_begin,
    .mark = mark,
    .mark_end = mark_end,
    .free = free_writer,
};

static enum bp_code set_up(struct postgres_writer *w, const struct bp_writer_want *want,
                           struct bp_err *err)
{
    BP_AUTO(bp_freep) char *set_encoding = NULL;
    char *quoted = NULL;

    if (want->preamble[0] != '\0' &&
        run_with(w, w->escapes, want->preamble, "settings", err) != BP_OK)
        return err->code;
    if (bp_pg_apply_settings(w->pg, err) != BP_OK)
        return err->code;
    quoted = PQescapeLiteral(w->pg->conn, want->encoding, strlen(want->encoding));
    set_encoding = bp_format("SET client_encoding = %s", quoted != NULL ? quoted : "''");
    PQfreemem(quoted);
    w->strings = -1;
    return bp_pg_run(w->pg, set_encoding, err);
}

enum bp_code bp_pg_writer_open(const struct bp_postgres_options *options, struct bp_pg *main,
                               const struct bp_writer_want *want, struct bp_writer **out,
                               struct bp_err *err)
{
    struct postgres_writer *w = bp_alloc(1, sizeof(*w));
    BP_AUTO(bp_writer_freep) struct bp_writer *self = &w->base;
    struct bp_postgres_options own = *options;
    enum bp_code rc = BP_OK;

    w->base.ops = &ops;
    w->strings = -1;
    w->escapes = has_escapes(want->preamble);
    w->pg = want->number == 0 ? main : &w->own;
    own.clock = want->clock;
    own.tell = NULL; /* a writer is no place to speak from: it runs in a thread of its own */
    if (want->number == 0) {
        w->lent_clock = main->clock;
        main->clock = want->clock;
    } else {
        rc = bp_pg_open(w->pg, &own, err);
    }
    if (rc != BP_OK || set_up(w, want, err) != BP_OK)
        return err->code;
    *out = self;
    self = NULL;
    return BP_OK;
}
