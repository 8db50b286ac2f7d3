#include "source/postgres_catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* How text is sorted: by its bytes. */
#define TEXT_ORDER "::pg_catalog.text COLLATE pg_catalog.\"C\""

/* The alias that reads a column; the condition of an extension knows the table's own name only. */
#define PREFIX                                                                              \
    "CASE WHEN EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)) THEN ''" \
    " ELSE 't.' END"

#define COLUMNS_OF_TABLE                                             \
    " FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0" \
    " AND NOT a.attisdropped AND a.attgenerated = ''"

/* Columns a of the primary key, with their base types t and places k. */
#define KEY_OF_TABLE                                                                         \
    "pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place),"             \
    " pg_attribute a JOIN pg_type d ON d.oid = a.atttypid"                                   \
    " JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END" \
    " WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts"              \
    " AND a.attrelid = c.oid AND a.attnum = k.attnum"

/*
 * Key columns whose own order never changes are sorted by it. All others are sorted by the bytes
 * of their text: text itself, because an upgrade of the C library may change its collations, and
 * types whose order is the text's (citext, ranges and arrays of text) or depends on OIDs.
 */
#define HAS_OWN_ORDER                                                               \
    "(t.typtype = 'e' OR (t.typtype = 'b' AND t.oid < 16384 AND t.typcollation = 0" \
    " AND t.typname !~ '^reg' AND (t.typcategory IN ('B', 'D', 'I', 'N', 'T', 'V')" \
    " OR t.typname IN ('uuid', 'bytea'))))"

/* The place of a column among those that are read, from 1. */
#define PLACE                                                            \
    "(SELECT count(*)::int FROM pg_attribute b WHERE b.attrelid = c.oid" \
    " AND b.attnum BETWEEN 1 AND a.attnum AND NOT b.attisdropped AND b.attgenerated = '')"

static const char tables_sql[] =
    "SELECT c.oid, n.nspname, c.relname,"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    /* the columns to load: neither dropped nor generated */
    " (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)" COLUMNS_OF_TABLE "),"
    /* the same to read */
    " (SELECT string_agg(" PREFIX " || quote_ident(a.attname), ', '"
    "  ORDER BY a.attnum)" COLUMNS_OF_TABLE "),"
    /* the key to sort by */
    " (SELECT string_agg(" PREFIX " || quote_ident(a.attname) ||"
    "   CASE WHEN " HAS_OWN_ORDER " THEN '' ELSE '" TEXT_ORDER "' END, ', ' ORDER BY k.place)"
    "   FROM " KEY_OF_TABLE "),"
    /* its first column, if that sorts by itself, and the type of it */
    " (SELECT 't.' || quote_ident(a.attname) FROM " KEY_OF_TABLE
    "  AND k.place = 1 AND " HAS_OWN_ORDER " AND t.typtype = 'b'),"
    " (SELECT format_type(t.oid, NULL) FROM " KEY_OF_TABLE " AND k.place = 1),"
    /* the places of all its columns, as bits */
    " (SELECT CASE WHEN bool_and(a.attgenerated = '' AND " PLACE " <= 63)"
    "  THEN bit_or(1::bigint << (" PLACE " - 1)) END FROM " KEY_OF_TABLE "),"
    /* the rows of an extension's table that are the user's */
    " (SELECT e.extcondition[k.place] FROM pg_extension e,"
    "  unnest(e.extconfig) WITH ORDINALITY AS k (id, place) WHERE k.id = c.oid LIMIT 1),"
    /*
     * The root of a partition tree whose rows may belong to another partition after a restore:
     * the hash of an enum value depends on the OID that it happens to get, and with it that of
     * whatever may hold one.
     */
    " (SELECT quote_ident(rn.nspname) || '.' || quote_ident(rc.relname)"
    "  FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace"
    "  WHERE c.relispartition AND rc.oid = pg_partition_root(c.oid)"
    "  AND EXISTS (SELECT FROM pg_partition_ancestors(c.oid) x"
    "   JOIN pg_partitioned_table p ON p.partrelid = x.relid AND p.partstrat = 'h'"
    "   JOIN pg_opclass o ON o.oid = ANY (p.partclass::oid[])"
    "   WHERE o.opcname IN ('enum_ops', 'array_ops', 'record_ops', 'range_ops', 'multirange_ops')"
    "   AND o.opcnamespace = 'pg_catalog'::regnamespace)),"
    " pg_relation_size(c.oid) + CASE WHEN c.reltoastrelid = 0 THEN 0"
    "  ELSE pg_relation_size(c.reltoastrelid) END,"
    " c.relpersistence = 'u' AND pg_is_in_recovery()" BP_PG_FROM_TABLES " AND c.relkind = 'r'";

enum {
    OID,
    SCHEMA,
    NAME,
    QUOTED,
    COLUMNS,
    SELECTED,
    KEY,
    FIRST,
    TYPE,
    PLACES,
    CONDITION,
    ROOT,
    SIZE,
    LOST
};

enum { NAME_SHOWN = 150 };

static const char order_by_key[] = "primary key";
static const char order_by_row[] = "row text";

static char *make_order_by(const PGresult *rows, int row)
{
    const char *columns = bp_pg_value(rows, row, SELECTED);
    const char *key = bp_pg_value(rows, row, KEY);

    if (key != NULL)
        return bp_strdup(key);
    return columns != NULL ? bp_format("ROW(%s)" TEXT_ORDER, columns) : bp_strdup("");
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
    const char *condition = bp_pg_value(rows, row, CONDITION);
    const char *columns = bp_pg_value(rows, row, SELECTED);
    bool has_key = bp_pg_value(rows, row, KEY) != NULL;

    return (struct bp_table){
        .schema = bp_strdup(PQgetvalue(rows, row, SCHEMA)),
        .name = bp_strdup(PQgetvalue(rows, row, NAME)),
        .copy_in = make_copy_in(rows, row),
        .order = has_key ? order_by_key : order_by_row,
        .size_bytes = strtoll(PQgetvalue(rows, row, SIZE), NULL, 10),
        .all_differ = has_key,
        .key_columns = strtoull(PQgetvalue(rows, row, PLACES), NULL, 10),
        .slices = 1,
        .id = (uint32_t)strtoul(PQgetvalue(rows, row, OID), NULL, 10),
        .columns = bp_strdup(columns != NULL ? columns : ""),
        .quoted = bp_strdup(PQgetvalue(rows, row, QUOTED)),
        .condition = bp_strdup(condition),
        .order_by = make_order_by(rows, row),
        .key = condition == NULL ? bp_strdup(bp_pg_value(rows, row, FIRST)) : NULL,
        .key_type = bp_strdup(bp_pg_value(rows, row, TYPE)),
    };
}

/* A database of encoding SQL_ASCII takes any bytes for a name, a manifest does not. */
static enum bp_code check_name(const struct bp_table *table, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    if (bp_text_is_utf8(table->schema, strlen(table->schema)) &&
        bp_text_is_utf8(table->name, strlen(table->name)))
        return BP_OK;
    bp_put_foreign(&shown, table->quoted, NAME_SHOWN);
    return bp_fail(err, BP_EFAILED,
                   "the name of table %s is not UTF-8, and an archive could not name it; hint: "
                   "rename it, or leave it out with --exclude-schema",
                   bp_buf_str(&shown));
}

enum bp_code bp_pg_catalog_read(struct bp_pg *pg, const char *condition, struct bp_tables *tables,
                                struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_freep) char *sql = bp_format("%s%s", tables_sql, condition);
    enum bp_code rc = bp_pg_query(pg, sql, &rows, err);
    size_t count = 0;

    if (rc != BP_OK)
        return bp_wrap(err, "cannot read the catalog");
    count = (size_t)PQntuples(rows);
    *tables = (struct bp_tables){.at = bp_alloc(count + 1, sizeof(*tables->at)), .count = count};
    for (size_t i = 0; i < count; i++) {
        tables->at[i] = take_row(rows, (int)i);
        if (check_name(&tables->at[i], err) != BP_OK)
            return err->code;
        if (bp_pg_is_true(rows, (int)i, LOST))
            return bp_fail(err, BP_EFAILED,
                           "table '%s.%s' is unlogged, and a standby has none of its rows; hint: "
                           "back up the primary, or leave out the rows of such tables with "
                           "--exclude-table-data",
                           tables->at[i].schema, tables->at[i].name);
    }
    qsort(tables->at, count, sizeof(*tables->at), by_name);
    return BP_OK;
}

/* Without a condition a schema of functions alone counts too. */
static const char schemas_sql[] =
    "SELECT n.nspname FROM pg_namespace n"
    " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass"
    " AND d.objid = n.oid AND d.deptype = 'e')";

enum bp_code bp_pg_catalog_schemas(struct bp_pg *pg, const char *condition, struct bp_list *out,
                                   struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    bp_buf_puts(&sql, schemas_sql);
    if (condition[0] != '\0')
        bp_buf_printf(&sql,
                      " AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid"
                      " AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')%s)",
                      condition);
    if (bp_pg_query(pg, sql.data, &rows, err) != BP_OK)
        return bp_wrap(err, "cannot read the schemas");
    for (int i = 0; i < PQntuples(rows); i++)
        bp_list_add(out, PQgetvalue(rows, i, 0));
    bp_list_sort(out);
    return BP_OK;
}
