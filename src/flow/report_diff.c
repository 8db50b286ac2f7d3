#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/diff.h"
#include "flow/report.h"

/* In the order in which they are told. */
static const struct {
    enum bp_row_change kind;
    const char *word;
    char sign;
} kinds[] = {
    {BP_ROW_ADDED, "added", '+'},
    {BP_ROW_REMOVED, "removed", '-'},
    {BP_ROW_CHANGED, "changed", '~'},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static bool differs(const struct bp_table_change *change)
{
    return bp_table_change_kind(change) != BP_CHANGE_NONE || change->definition;
}

/* A patch as it is, but for what a terminal would obey. */
static void put_patch(const char *patch, struct bp_buf *out)
{
    while (*patch != '\0') {
        size_t len = strcspn(patch, "\n\t");
        BP_AUTO(bp_freep) char *part = bp_strndup(patch, len);

        bp_put_foreign(out, part, SIZE_MAX);
        if (patch[len] != '\0')
            bp_buf_putc(out, patch[len++]);
        patch += len;
    }
}

/* ---- text ---- */

static void put_tables(const struct bp_comparison *c, struct bp_buf *out)
{
    static const char *const heading[] = {"TABLE", "ROWS BEFORE", "ROWS", "CHANGE"};
    struct bp_report_table table = {.columns = 4};
    size_t same = 0;

    for (size_t i = 0; i < table.columns; i++)
        bp_list_add(&table.cells, heading[i]);
    for (size_t i = 0; i < c->count; i++) {
        const struct bp_table_change *change = &c->tables[i];
        const struct bp_manifest_table *t = bp_table_change_table(change);
        struct bp_buf cells[3] = {{0}, {0}, {0}};

        if (!differs(change)) {
            same++;
            continue;
        }
        bp_put_count(&cells[0], change->old != NULL ? change->old->rows : 0);
        bp_put_count(&cells[1], change->now != NULL ? change->now->rows : 0);
        bp_table_change_put(change, &cells[2]);
        bp_list_addf(&table.cells, "%s.%s", t->schema, t->name);
        for (size_t k = 0; k < 3; k++)
            bp_list_take(&table.cells, bp_buf_take(&cells[k]));
    }
    if (table.cells.count > table.columns) {
        bp_buf_putc(out, '\n');
        bp_report_table(&table, out);
    }
    if (same == c->count)
        bp_buf_printf(out, "\nno table differs\n");
    else if (same > 0)
        bp_buf_printf(out, "\n%zu other %s the same\n", same,
                      same == 1 ? "table is" : "tables are");
    bp_list_free(&table.cells);
}

/* Whether a value can be shown as it is, without quotes. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == ',' ||
            (c == 0xC2 && (unsigned char)p[1] < 0xA0))
            return false;
    }
    return *text != '\0' && strcmp(text, "NULL") != 0;
}

/* Within quotes, with what cannot be seen as an escape. */
static void put_quoted(const char *text, struct bp_buf *out)
{
    bp_buf_putc(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '\n' || c == '\t' || c == '\r')
            bp_buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c == '"' || c == '\\')
            bp_buf_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            bp_buf_printf(out, "\\x%02x", c);
        else if (c == 0xC2 && (unsigned char)p[1] < 0xA0)
            bp_buf_printf(out, "\\u%04x", (unsigned char)*++p);
        else
            bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, '"');
}

static void put_value(const struct bp_diff_value *value, struct bp_buf *out)
{
    if (value->text == NULL)
        bp_buf_puts(out, "NULL");
    else if (is_plain(value->text))
        bp_buf_puts(out, value->text);
    else
        put_quoted(value->text, out);
}

static void put_row(const struct bp_diff_row *row, enum bp_row_change kind, size_t keys,
                    struct bp_buf *out)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct bp_diff_cell *cell = &row->cells[i];

        bp_buf_puts(out, i == 0 ? "" : kind == BP_ROW_CHANGED && i == keys ? ": " : ", ");
        bp_put_foreign(out, cell->column, SIZE_MAX);
        bp_buf_putc(out, '=');
        if (kind != BP_ROW_ADDED)
            put_value(&cell->old, out);
        if (kind == BP_ROW_CHANGED && i >= keys)
            bp_buf_puts(out, " -> ");
        if (kind == BP_ROW_ADDED || (kind == BP_ROW_CHANGED && i >= keys))
            put_value(&cell->now, out);
    }
}

static void put_rows(const struct bp_diff_table *table, size_t number, struct bp_buf *out)
{
    enum bp_row_change kind = kinds[number].kind;
    int64_t more = table->counts[kind] - (int64_t)table->row_counts[kind];

    for (size_t i = 0; i < table->row_counts[kind]; i++) {
        bp_buf_printf(out, "%c ", kinds[number].sign);
        put_row(&table->rows[kind][i], kind, table->key.count, out);
        bp_buf_putc(out, '\n');
    }
    if (more == 0)
        return;
    bp_buf_printf(out, "%c ", kinds[number].sign);
    bp_put_count(out, more);
    bp_buf_printf(out, "%s\n",
                  table->row_counts[kind] > 0 ? " more"
                  : more == 1                 ? " row"
                                              : " rows");
}

static void put_names(const char *label, const struct bp_list *names, struct bp_buf *out)
{
    if (names->count == 0)
        return;
    bp_buf_puts(out, label);
    for (size_t i = 0; i < names->count; i++) {
        bp_buf_puts(out, i > 0 ? ", " : "");
        bp_put_foreign(out, names->at[i], SIZE_MAX);
    }
}

static void put_table(const struct bp_diff_table *table, struct bp_buf *out)
{
    const struct bp_manifest_table *t = bp_table_change_table(table->change);
    BP_AUTO(bp_freep) char *name = bp_format("%s.%s", t->schema, t->name);

    bp_buf_putc(out, '\n');
    bp_put_foreign(out, name, SIZE_MAX);
    bp_buf_puts(out, ": ");
    for (size_t i = 0; i < KINDS; i++) {
        bp_buf_puts(out, i > 0 ? ", " : "");
        bp_put_count(out, table->counts[kinds[i].kind]);
        bp_buf_printf(out, " %s", kinds[i].word);
    }
    put_names("; by ", &table->key, out);
    put_names("; new columns: ", &table->columns_new, out);
    put_names("; columns that are gone: ", &table->columns_gone, out);
    bp_buf_putc(out, '\n');
    for (size_t i = 0; i < KINDS; i++)
        put_rows(table, i, out);
}

/* Whether something else was asked for: what one of them left out then passes for gone. */
static bool options_differ(const struct bp_diff *diff)
{
    BP_AUTO(bp_json_freep)
    struct bp_json *old = bp_manifest_options_render(&diff->old->manifest.options);
    BP_AUTO(bp_json_freep)
    struct bp_json *now = bp_manifest_options_render(&diff->now->manifest.options);
    BP_AUTO(bp_buf_free) struct bp_buf before = {0};
    BP_AUTO(bp_buf_free) struct bp_buf after = {0};

    bp_json_render(old, 0, &before);
    bp_json_render(now, 0, &after);
    return strcmp(bp_buf_str(&before), bp_buf_str(&after)) != 0;
}

void bp_diff_text(const struct bp_diff *diff, struct bp_buf *out)
{
    bp_buf_printf(out, "%s -> %s\n", diff->old->name.id, diff->now->name.id);
    if (options_differ(diff))
        bp_buf_puts(out, "note: they were made with different options ('backproof show' tells "
                         "them): what one of them left out looks like a change\n");
    if (diff->table_count == 0)
        put_tables(&diff->comparison, out);
    for (size_t i = 0; i < diff->table_count; i++)
        put_table(&diff->tables[i], out);
    for (size_t i = 0; i < diff->patches.count; i++) {
        bp_buf_putc(out, '\n');
        put_patch(diff->patches.at[i], out);
    }
}

/* ---- JSON ---- */

static struct bp_json *names_new(const struct bp_list *names)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < names->count; i++)
        bp_json_push(array, bp_json_text_new(names->at[i]));
    return array;
}

/* Cells [from, to) as they were or as they are. */
static struct bp_json *values_new(const struct bp_diff_row *row, size_t from, size_t to, bool old)
{
    struct bp_json *values = bp_json_object_new();

    for (size_t i = from; i < to; i++) {
        const struct bp_diff_cell *cell = &row->cells[i];

        bp_json_set_text(values, cell->column, old ? cell->old.text : cell->now.text);
    }
    return values;
}

static struct bp_json *cut_new(const struct bp_diff_row *row)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < row->count; i++) {
        if (row->cells[i].old.cut || row->cells[i].now.cut)
            bp_json_push(array, bp_json_text_new(row->cells[i].column));
    }
    return array;
}

static struct bp_json *row_new(const struct bp_diff_row *row, enum bp_row_change kind, size_t keys)
{
    struct bp_json *one = bp_json_object_new();

    if (kind == BP_ROW_CHANGED) {
        bp_json_set(one, "key", values_new(row, 0, keys, false));
        bp_json_set(one, "old", values_new(row, keys, row->count, true));
        bp_json_set(one, "new", values_new(row, keys, row->count, false));
    } else {
        bp_json_set(one, "values", values_new(row, 0, row->count, kind == BP_ROW_REMOVED));
    }
    bp_json_set(one, "cut", cut_new(row));
    return one;
}

static struct bp_json *table_new(const struct bp_diff_table *table)
{
    struct bp_json *one = bp_table_change_json(table->change);

    bp_json_set(one, "key", names_new(&table->key));
    bp_json_set(one, "columns_new", names_new(&table->columns_new));
    bp_json_set(one, "columns_gone", names_new(&table->columns_gone));
    for (size_t i = 0; i < KINDS; i++) {
        enum bp_row_change kind = kinds[i].kind;
        struct bp_json *some = bp_json_object_new();
        struct bp_json *rows = bp_json_array_new();

        for (size_t k = 0; k < table->row_counts[kind]; k++)
            bp_json_push(rows, row_new(&table->rows[kind][k], kind, table->key.count));
        bp_json_set_int(some, "count", table->counts[kind]);
        bp_json_set(some, "rows", rows);
        bp_json_set(one, kinds[i].word, some);
    }
    return one;
}

static struct bp_json *tables_new(const struct bp_diff *diff)
{
    struct bp_json *tables = bp_json_array_new();

    for (size_t i = 0; i < diff->table_count; i++)
        bp_json_push(tables, table_new(&diff->tables[i]));
    for (size_t i = 0; diff->table_count == 0 && i < diff->comparison.count; i++) {
        if (differs(&diff->comparison.tables[i]))
            bp_json_push(tables, bp_table_change_json(&diff->comparison.tables[i]));
    }
    return tables;
}

struct bp_json *bp_diff_json(const struct bp_diff *diff)
{
    struct bp_json *top = bp_json_object_new();
    struct bp_json *definitions = bp_json_array_new();

    bp_json_set_text(top, "old", diff->old->name.id);
    bp_json_set_text(top, "new", diff->now->name.id);
    bp_json_set_bool(top, "options_differ", options_differ(diff));
    bp_json_set(top, "tables", tables_new(diff));
    for (size_t i = 0; i < diff->patches.count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf patch = {0};
        struct bp_json *one = bp_json_object_new();

        put_patch(diff->patches.at[i], &patch);
        bp_json_set_text(one, "path", diff->paths.at[i]);
        bp_json_set_text(one, "patch", bp_buf_str(&patch));
        bp_json_push(definitions, one);
    }
    bp_json_set(top, "definitions", definitions);
    return top;
}
