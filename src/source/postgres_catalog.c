#include "source/postgres_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* How text is sorted: by its bytes. */
#define TEXT_ORDER "::pg_catalog.text COLLATE pg_catalog.\"C\""

/*
 * Key columns whose own order never changes are sorted by it. All others are sorted by the bytes
 * of their text: text itself, because an upgrade of the C library may change its collations, and
 * types whose order is the text's (citext, ranges and arrays of text) or depends on OIDs.
 */
static const char tables_sql[] =
    "SELECT c.oid, n.nspname, c.relname,"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    /* the columns to write: neither dropped nor generated */
    " (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a"
    "  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),"
    /* the key to sort by */
    " (SELECT string_agg(quote_ident(a.attname) || CASE WHEN t.typtype = 'e' OR (t.typtype = 'b'"
    "   AND t.oid < 16384 AND t.typcollation = 0 AND t.typname !~ '^reg'"
    "   AND (t.typcategory IN ('B', 'D', 'I', 'N', 'T', 'V') OR t.typname IN ('uuid', 'bytea')))"
    "   THEN '' ELSE '" TEXT_ORDER "' END, ', ' ORDER BY k.place)"
    "  FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place),"
    "  pg_attribute a JOIN pg_type d ON d.oid = a.atttypid"
    "  JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END"
    "  WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts"
    "  AND a.attrelid = c.oid AND a.attnum = k.attnum),"
    /* the rows of an extension's table that are the user's */
    " (SELECT e.extcondition[k.place] FROM pg_extension e,"
    "  unnest(e.extconfig) WITH ORDINALITY AS k (id, place) WHERE k.id = c.oid LIMIT 1),"
    /*
     * The root of a partition tree whose rows may belong to another partition after a restore:
     * the hash of an enum value depends on the OID that it happens to get.
     */
    " (SELECT quote_ident(rn.nspname) || '.' || quote_ident(rc.relname)"
    "  FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace"
    "  WHERE c.relispartition AND rc.oid = pg_partition_root(c.oid)"
    "  AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) x"
    "   JOIN pg_partitioned_table p ON p.partrelid = x.relid AND p.partstrat = 'h'"
    "   JOIN pg_opclass o ON o.oid = ANY (p.partclass::oid[])"
    "   WHERE o.opcname = 'enum_ops' AND o.opcnamespace = 'pg_catalog'::regnamespace))" BP_PG_FROM_TABLES
    " AND c.relkind = 'r'";

enum { OID, SCHEMA, NAME, QUOTED, COLUMNS, KEY, CONDITION, ROOT };

static const char order_by_key[] = "primary key";
static const char order_by_row[] = "row text";

static char *make_copy_out(const PGresult *rows, int row)
{
    const char *columns = bp_pg_value(rows, row, COLUMNS);
    const char *key = bp_pg_value(rows, row, KEY);
    const char *condition = bp_pg_value(rows, row, CONDITION);
    struct bp_buf sql = {0};

    bp_buf_printf(&sql, "COPY (SELECT %s FROM ONLY %s", columns != NULL ? columns : "",
                  PQgetvalue(rows, row, QUOTED));
    if (condition != NULL && condition[0] != '\0')
        bp_buf_printf(&sql, " %s", condition);
    if (key != NULL)
        bp_buf_printf(&sql, " ORDER BY %s", key);
    else if (columns != NULL)
        bp_buf_printf(&sql, " ORDER BY ROW(%s)" TEXT_ORDER, columns);
    bp_buf_puts(&sql, ") TO STDOUT");
    return bp_buf_take(&sql);
}

static char *make_copy_in(const PGresult *rows, int row)
{
    const char *columns = bp_pg_value(rows, row, COLUMNS);
    const char *root = bp_pg_value(rows, row, ROOT);
    const char *into = root != NULL ? root : PQgetvalue(rows, row, QUOTED);

    if (columns == NULL)
        return bp_format("COPY %s FROM stdin;", into);
    return bp_format("COPY %s (%s) FROM stdin;", into, columns);
}

static int by_name(const void *left, const void *right)
{
    const struct bp_table *a = left;
    const struct bp_table *b = right;
    int order = strcmp(a->schema, b->schema);

    return order != 0 ? order : strcmp(a->name, b->name);
}

static struct bp_table take_row(const PGresult *rows, int row)
{
    return (struct bp_table){
        .schema = bp_strdup(PQgetvalue(rows, row, SCHEMA)),
        .name = bp_strdup(PQgetvalue(rows, row, NAME)),
        .copy_in = make_copy_in(rows, row),
        .copy_out = make_copy_out(rows, row),
        .order = bp_pg_value(rows, row, KEY) != NULL ? order_by_key : order_by_row,
        .id = (uint32_t)strtoul(PQgetvalue(rows, row, OID), NULL, 10),
    };
}

enum bp_code bp_pg_catalog_read(struct bp_pg *pg, struct bp_tables *tables, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg, tables_sql, &rows, err);
    size_t count = 0;

    if (rc != BP_OK)
        return bp_wrap(err, "cannot read the catalog");
    count = (size_t)PQntuples(rows);
    *tables = (struct bp_tables){.at = bp_alloc(count + 1, sizeof(*tables->at)), .count = count};
    for (size_t i = 0; i < count; i++)
        tables->at[i] = take_row(rows, (int)i);
    qsort(tables->at, count, sizeof(*tables->at), by_name);
    return BP_OK;
}
