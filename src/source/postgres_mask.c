#include "source/postgres_mask.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_mask_parse.h"
#include "source/postgres_pattern.h"

enum {
    MASK_SHOWN = 200,
    NAME_SHOWN = 150,
    HASH_LENGTH = 64,
    SHORTEST_HASH = 8,         /* 4 thousand million values */
    SHORTEST_UNIQUE_HASH = 16, /* no two of a thousand million rows are likely to be equal */
};

/* One column of one table that a mask covers. Strings are owned. */
struct cover {
    uint32_t id; /* of the table */
    size_t mask; /* its place in the list */
    char *table;
    char *column;     /* its plain name */
    char *expression; /* CAST(... AS type) */
};

struct covers {
    struct cover *at;
    size_t count;
};

static void free_covers(struct covers *covers)
{
    for (size_t i = 0; i < covers->count; i++) {
        bp_free(covers->at[i].table);
        bp_free(covers->at[i].column);
        bp_free(covers->at[i].expression);
    }
    bp_free(covers->at);
}

/* A mask at work: its text, what was read from it, and the table that it names. */
struct work {
    const char *text;
    size_t place;
    struct bp_pg_mask mask;
    uint32_t root;
};

static void free_work(struct work *work)
{
    bp_pg_mask_free(&work->mask);
}

static enum bp_code refuse(const char *mask, struct bp_err *err, const char *fmt, ...)
    BP_PRINTF(3, 4);

static enum bp_code refuse(const char *mask, struct bp_err *err, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    va_list args;

    bp_put_foreign(&shown, mask, MASK_SHOWN);
    va_start(args, fmt);
    bp_buf_vprintf(&words, fmt, args);
    va_end(args);
    return bp_fail(err, BP_EUSAGE, "the mask '%s': %s", bp_buf_str(&shown), words.data);
}

/* A name of the database on one line, owned. */
static char *shown_name(const char *name)
{
    struct bp_buf out = {0};

    bp_put_foreign(&out, name, NAME_SHOWN);
    return bp_buf_take(&out);
}

static const char *kind_words(const char *relkind)
{
    static const char *const words[] = {
        "v a view: mask the tables that it reads",
        "m a materialized view: it is filled from its tables, mask those",
        "f a foreign table: its rows are not backed up",
        "S a sequence",
        "i an index",
        "I an index",
        "c a type",
        "t a part of another table",
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i][0] == relkind[0])
            return words[i] + 2;
    }
    return NULL;
}

static enum bp_code find_table(struct bp_pg *pg, const struct bp_pg_scope *pg_scope,
                               struct work *work, struct bp_err *err)
{
    const struct bp_pg_mask *mask = &work->mask;
    BP_AUTO(bp_pg_clear) PGresult *found = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    BP_AUTO(bp_freep) char *shown = shown_name(mask->table);
    const char *wrong = NULL;
    enum bp_code rc = BP_OK;

    bp_buf_puts(&sql, "SELECT c.oid, c.relkind FROM pg_class c"
                      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_'"
                      " AND n.nspname <> 'information_schema' AND c.relname = ");
    rc = bp_pg_put_literal(pg, mask->table, &sql, err);
    bp_buf_puts(&sql, " AND n.nspname = ");
    if (mask->schema == NULL)
        bp_buf_printf(&sql, "ANY (%s) ORDER BY array_position(%s, n.nspname) LIMIT 1",
                      pg_scope->path, pg_scope->path);
    else if (rc == BP_OK)
        rc = bp_pg_put_literal(pg, mask->schema, &sql, err);
    if (rc == BP_OK)
        rc = bp_pg_query(pg, sql.data, &found, err);
    if (rc != BP_OK)
        return rc;
    if (PQntuples(found) == 0)
        return refuse(work->text, err, "there is no table '%s'%s", shown,
                      mask->schema == NULL
                          ? " in the search path; hint: write schema.table.column"
                          : " in that schema; hint: a name with upper case needs double quotes");
    wrong = kind_words(PQgetvalue(found, 0, 1));
    if (wrong != NULL)
        return refuse(work->text, err, "'%s' is %s", shown, wrong);
    work->root = (uint32_t)strtoul(PQgetvalue(found, 0, 0), NULL, 10);
    return BP_OK;
}

/* The column in the table, in its partitions, and in all that inherit it. %u: the table. */
static const char columns_sql[] =
    "WITH RECURSIVE tree (id) AS (SELECT %u::oid UNION SELECT i.inhrelid FROM pg_inherits i"
    "  JOIN tree ON i.inhparent = tree.id)"
    " SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname,"
    " quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),"
    " a.attnotnull OR base.is_filled,"
    " a.attgenerated <> '',"
    /* the rows have to stay in their partition */
    " EXISTS (SELECT FROM pg_partition_ancestors(c.oid) x"
    "  JOIN pg_partitioned_table p ON p.partrelid = x.relid"
    "  JOIN pg_attribute k ON k.attrelid = x.relid AND k.attnum = ANY (p.partattrs::int2[])"
    "  WHERE k.attname = a.attname),"
    " base.is_text, base.size,"
    " EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique"
    "  AND a.attnum = ANY (i.indkey::int2[])),"
    " EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique"
    "  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)"
    " FROM tree JOIN pg_class c ON c.oid = tree.id JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped,"
    /* what a domain is made of; 18 is \"char\", 19 name, 1042 char(n), 1043 varchar(n) */
    " LATERAL (WITH RECURSIVE d (id, mod) AS (SELECT a.atttypid, a.atttypmod UNION ALL"
    "   SELECT y.typbasetype, y.typtypmod FROM d JOIN pg_type y ON y.oid = d.id"
    "   WHERE y.typtype = 'd')"
    "  SELECT y.typcategory = 'S' AND y.oid <> 18 AS is_text, CASE WHEN y.oid IN (1042, 1043)"
    "   AND d.mod > 4 THEN d.mod - 4 WHEN y.oid = 19 THEN 63 ELSE 64 END AS size,"
    "  (SELECT bool_or(f.typnotnull) FROM d JOIN pg_type f ON f.oid = d.id) AS is_filled"
    "  FROM d JOIN pg_type y ON y.oid = d.id WHERE y.typtype <> 'd') base"
    " WHERE c.relkind IN ('r', 'p') AND a.attname = ";

enum {
    OID,
    TABLE,
    COLUMN,
    QUOTED,
    TYPE,
    NOT_NULL,
    GENERATED,
    PARTITION_KEY,
    IS_TEXT,
    SIZE,
    UNIQUE,
    UNIQUE_ALONE,
};

static int size_of(const PGresult *rows, int row)
{
    return (int)strtol(PQgetvalue(rows, row, SIZE), NULL, 10);
}

static enum bp_code check_hash(const struct work *work, const PGresult *rows, int row,
                               const char *column, struct bp_err *err)
{
    bool unique = bp_pg_is_true(rows, row, UNIQUE);
    int shortest = unique ? SHORTEST_UNIQUE_HASH : SHORTEST_HASH;

    if (!bp_pg_is_true(rows, row, IS_TEXT))
        return refuse(work->text, err, "%s is %s, and a hash is text; hint: write an expression",
                      column, PQgetvalue(rows, row, TYPE));
    if (size_of(rows, row) < shortest)
        return refuse(work->text, err,
                      "%s is %s, too short for a hash: different values would become equal (it "
                      "needs %d characters%s); hint: write an expression",
                      column, PQgetvalue(rows, row, TYPE), shortest,
                      unique ? ", because its values are unique" : "");
    return BP_OK;
}

/* Whether this column can hold what the mask makes. */
static enum bp_code check_column(const struct work *work, const PGresult *rows, int row,
                                 struct bp_err *err)
{
    BP_AUTO(bp_freep) char *table = shown_name(PQgetvalue(rows, row, TABLE));
    BP_AUTO(bp_freep) char *name = shown_name(PQgetvalue(rows, row, QUOTED));
    BP_AUTO(bp_freep) char *column = bp_format("column %s of %s", name, table);

    if (bp_pg_is_true(rows, row, GENERATED))
        return refuse(work->text, err,
                      "%s is generated: it is computed again in a restore; hint: mask the columns "
                      "that it is computed from",
                      column);
    if (bp_pg_is_true(rows, row, PARTITION_KEY))
        return refuse(work->text, err,
                      "%s is a partition key: rows with other values would not fit into their "
                      "partition",
                      column);
    if (work->mask.kind == BP_PG_MASK_NULL && bp_pg_is_true(rows, row, NOT_NULL))
        return refuse(work->text, err,
                      "%s cannot be null; hint: give a 'literal', an expression or hash", column);
    if (work->mask.kind == BP_PG_MASK_LITERAL && bp_pg_is_true(rows, row, UNIQUE_ALONE))
        return refuse(work->text, err,
                      "%s is unique, and the literal would be the same in every row; hint: give "
                      "hash, or an expression over a key",
                      column);
    if (work->mask.kind == BP_PG_MASK_HASH)
        return check_hash(work, rows, row, column, err);
    return BP_OK;
}

static const struct cover *find_cover(const struct covers *covers, uint32_t id, const char *column)
{
    for (size_t i = 0; i < covers->count; i++) {
        if (covers->at[i].id == id && strcmp(covers->at[i].column, column) == 0)
            return &covers->at[i];
    }
    return NULL;
}

static char *make_expression(const struct bp_pg_mask *mask, const PGresult *rows, int row)
{
    const char *type = PQgetvalue(rows, row, TYPE);
    int size = size_of(rows, row);

    if (mask->kind == BP_PG_MASK_NULL)
        return bp_format("CAST(NULL AS %s)", type);
    if (mask->kind == BP_PG_MASK_HASH)
        return bp_format("CAST(left(encode(sha256(convert_to(t.%s::text, 'UTF8')), 'hex'), %d)"
                         " AS %s)",
                         PQgetvalue(rows, row, QUOTED), size < HASH_LENGTH ? size : HASH_LENGTH,
                         type);
    return bp_format("CAST(%s AS %s)", mask->expression, type);
}

static enum bp_code add_covers(const struct work *work, const PGresult *rows, struct covers *covers,
                               struct bp_err *err)
{
    int count = PQntuples(rows);

    covers->at = bp_realloc(covers->at, covers->count + (size_t)count + 1, sizeof(*covers->at));
    for (int i = 0; i < count; i++) {
        uint32_t id = (uint32_t)strtoul(PQgetvalue(rows, i, OID), NULL, 10);
        const char *column = PQgetvalue(rows, i, COLUMN);
        enum bp_code rc = check_column(work, rows, i, err);

        if (rc != BP_OK)
            return rc;
        if (find_cover(covers, id, column) != NULL) {
            BP_AUTO(bp_freep) char *table = shown_name(PQgetvalue(rows, i, TABLE));
            BP_AUTO(bp_freep) char *name = shown_name(PQgetvalue(rows, i, QUOTED));

            return refuse(work->text, err, "column %s of %s has another mask already", name, table);
        }
        covers->at[covers->count++] = (struct cover){
            .id = id,
            .mask = work->place,
            .table = bp_strdup(PQgetvalue(rows, i, TABLE)),
            .column = bp_strdup(column),
            .expression = make_expression(&work->mask, rows, i),
        };
    }
    return BP_OK;
}

/* Find out what one mask covers. */
static enum bp_code cover(struct bp_pg *pg, const struct bp_pg_scope *pg_scope, struct work *work,
                          struct covers *covers, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = bp_pg_mask_parse(work->text, &work->mask, err);

    if (rc == BP_OK)
        rc = find_table(pg, pg_scope, work, err);
    bp_buf_printf(&sql, columns_sql, work->root);
    if (rc == BP_OK)
        rc = bp_pg_put_literal(pg, work->mask.column, &sql, err);
    if (rc == BP_OK)
        rc = bp_pg_query(pg, sql.data, &rows, err);
    if (rc != BP_OK)
        return rc;
    if (PQntuples(rows) == 0) {
        BP_AUTO(bp_freep) char *table = shown_name(work->mask.table);
        BP_AUTO(bp_freep) char *column = shown_name(work->mask.column);

        return refuse(work->text, err,
                      "table '%s' has no column '%s'; hint: a name with upper case needs double "
                      "quotes",
                      table, column);
    }
    return add_covers(work, rows, covers, err);
}

static struct bp_table *find_by_id(const struct bp_tables *tables, uint32_t id)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (tables->at[i].id == id)
            return &tables->at[i];
    }
    return NULL;
}

/* Run statements that may fail without losing the transaction. */
static enum bp_code try_run(struct bp_pg *pg, const char *sql, struct bp_err *err)
{
    struct bp_err later;
    enum bp_code undone = BP_OK;
    enum bp_code rc = bp_pg_run(pg, "SAVEPOINT backproof", err);

    if (rc != BP_OK)
        return rc;
    rc = bp_pg_run(pg, sql, err);
    if (pg->conn == NULL)
        return rc;
    undone = bp_pg_run(pg, "ROLLBACK TO backproof; RELEASE backproof", rc == BP_OK ? err : &later);
    return rc == BP_OK ? undone : rc;
}

/*
 * Let the server look at every expression of a mask. In a WHERE, because that takes neither
 * aggregates nor anything else that would change how many rows there are.
 */
static enum bp_code check_on_server(struct bp_pg *pg, const struct covers *covers, size_t mask,
                                    const struct bp_tables *tables, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    for (size_t i = 0; i < covers->count; i++) {
        const struct cover *c = &covers->at[i];

        if (c->mask == mask && find_by_id(tables, c->id) != NULL)
            bp_buf_printf(&sql, "SELECT FROM ONLY %s AS t WHERE (%s) IS NULL LIMIT 0;", c->table,
                          c->expression);
    }
    return sql.len > 0 ? try_run(pg, sql.data, err) : BP_OK;
}

/* Write the select lists of all tables that are covered. */
static enum bp_code write_columns(struct bp_pg *pg, const struct covers *covers,
                                  struct bp_tables *tables, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    BP_AUTO(bp_buf_free) struct bp_buf list = {0};
    enum bp_code rc = BP_OK;

    bp_buf_puts(&sql, "SELECT a.attrelid, a.attname, quote_ident(a.attname) FROM pg_attribute a"
                      " WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
                      " AND a.attrelid IN (0");
    for (size_t i = 0; i < covers->count; i++)
        bp_buf_printf(&sql, ",%u", covers->at[i].id);
    bp_buf_puts(&sql, ") ORDER BY a.attrelid, a.attnum");
    rc = bp_pg_query(pg, sql.data, &rows, err);
    for (int i = 0; rc == BP_OK && i < PQntuples(rows); i++) {
        uint32_t id = (uint32_t)strtoul(PQgetvalue(rows, i, 0), NULL, 10);
        const struct cover *c = find_cover(covers, id, PQgetvalue(rows, i, 1));
        struct bp_table *table = find_by_id(tables, id);
        bool last = i + 1 == PQntuples(rows) ||
                    strcmp(PQgetvalue(rows, i, 0), PQgetvalue(rows, i + 1, 0)) != 0;

        bp_buf_puts(&list, list.len > 0 ? ", " : "");
        if (c != NULL)
            bp_buf_puts(&list, c->expression);
        else
            bp_buf_printf(&list, "t.%s", PQgetvalue(rows, i, 2));
        if (last && table != NULL) {
            bp_free(table->columns);
            table->columns = bp_strdup(list.data);
            /* What made two rows different may be masked. */
            table->all_differ = false;
            table->key_columns = 0;
            table->masked = true;
        }
        if (last)
            bp_buf_cut(&list, 0);
    }
    return rc;
}

enum bp_code bp_pg_masks_apply(struct bp_pg *pg, const struct bp_pg_scope *pg_scope,
                               const struct bp_list *masks, struct bp_tables *tables,
                               struct bp_err *err)
{
    BP_AUTO(free_covers) struct covers covers = {0};

    for (size_t i = 0; i < masks->count; i++) {
        BP_AUTO(free_work) struct work work = {.text = masks->at[i], .place = i};
        enum bp_code rc = cover(pg, pg_scope, &work, &covers, err);

        if (rc != BP_OK)
            return rc;
        rc = check_on_server(pg, &covers, i, tables, err);
        if (rc == BP_EFAILED) {
            BP_AUTO(bp_freep) char *words = bp_strdup(err->msg);

            return refuse(masks->at[i], err, "the server says: %s", words);
        }
        if (rc != BP_OK) {
            BP_AUTO(bp_freep) char *shown = shown_name(masks->at[i]);

            return bp_wrap(err, "cannot check the mask '%s'", shown);
        }
    }
    return covers.count > 0 ? write_columns(pg, &covers, tables, err) : BP_OK;
}
