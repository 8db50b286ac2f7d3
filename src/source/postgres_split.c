#include "source/postgres_split.h"

#include <inttypes.h>

#include "base/mem.h"

enum {
    LEAST_SLICE = 128 << 20, /* below, beginning a slice costs more than it gains */
    MOST_SLICES = 32,
    SHARES = 2, /* slices are so small that each reader would get so many, were there one table */
};

/*
 * The statistics hold some hundred values that cut the column into parts of equal size. Those that
 * are very frequent are not among them, which makes the parts less equal and nothing else.
 */
static const char bounds_sql[] =
    "SELECT quote_literal(b.value) || '::%s'"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
    " JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname"
    " AND s.attname = a.attname AND NOT s.inherited,"
    " unnest(s.histogram_bounds::text::text[]) WITH ORDINALITY AS b (value, place)"
    " WHERE c.oid = %" PRIu32 " ORDER BY b.place";

static enum bp_code cut(struct bp_pg *pg, size_t slices, struct bp_table *table, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *bounds = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;
    size_t count = 0;

    bp_buf_printf(&sql, bounds_sql, table->key_type, table->id);
    rc = bp_pg_query(pg, sql.data, &bounds, err);
    if (rc != BP_OK)
        return bp_wrap(err, "cannot read the statistics of '%s.%s'", table->schema, table->name);
    count = (size_t)PQntuples(bounds);
    /* The first and the last of them are the ends of the table. */
    for (size_t i = 1; i < slices && count > slices; i++)
        bp_list_add(&table->cuts, PQgetvalue(bounds, (int)(i * (count - 1) / slices), 0));
    table->slices = table->cuts.count + 1;
    return BP_OK;
}

enum bp_code bp_pg_split(struct bp_pg *pg, size_t readers, struct bp_tables *tables,
                         struct bp_err *err)
{
    int64_t total = 0;
    int64_t slice = 0;

    for (size_t i = 0; i < tables->count; i++)
        total += tables->at[i].size_bytes;
    slice = total / ((int64_t)readers * SHARES);
    if (slice < LEAST_SLICE)
        slice = LEAST_SLICE;
    for (size_t i = 0; i < tables->count && readers > 1; i++) {
        struct bp_table *table = &tables->at[i];
        /* To the nearest: of two tables of nearly one size, one must not stay whole. */
        int64_t slices = (table->size_bytes + slice / 2) / slice;

        if (slices < 2 || table->key == NULL || !table->all_differ)
            continue;
        if (cut(pg, slices < MOST_SLICES ? (size_t)slices : MOST_SLICES, table, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

void bp_pg_put_copy_out(struct bp_buf *out, const struct bp_slice *slice)
{
    const struct bp_table *table = slice->table;
    const char *glue = "WHERE";

    /* The condition of an extension knows the table by its own name. */
    bp_buf_printf(out, "COPY (SELECT %s FROM ONLY %s %s", table->columns, table->quoted,
                  table->condition != NULL ? table->condition : "t");
    if (slice->number > 0) {
        bp_buf_printf(out, " %s %s >= %s", glue, table->key, table->cuts.at[slice->number - 1]);
        glue = "AND";
    }
    if (slice->number < table->cuts.count)
        bp_buf_printf(out, " %s %s < %s", glue, table->key, table->cuts.at[slice->number]);
    if (table->order_by[0] != '\0')
        bp_buf_printf(out, " ORDER BY %s", table->order_by);
    if (slice->limit > 0)
        bp_buf_printf(out, " LIMIT %" PRId64, slice->limit);
    bp_buf_puts(out, ") TO STDOUT");
}
