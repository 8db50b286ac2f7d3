#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/report.h"
#include "flow/show.h"

enum { WIDEST = 400, MANY_TABLES = 200 };

/* ---- text ---- */

static void put_label(struct bp_buf *out, const char *label)
{
    bp_buf_printf(out, "%-11s", label);
}

static void put_word(struct bp_buf *out, const char *before, const char *word)
{
    if (word == NULL || word[0] == '\0')
        return;
    bp_buf_puts(out, before);
    bp_put_foreign(out, word, WIDEST);
}

static void put_source(const struct bp_manifest *m, struct bp_buf *out)
{
    if (m->source.repository == NULL || m->source.repository[0] == '\0') {
        put_label(out, "source");
        put_word(out, "", m->source.event);
        bp_buf_putc(out, '\n');
        return;
    }
    put_label(out, "source");
    put_word(out, "", m->source.repository);
    put_word(out, ", ", m->source.ref);
    put_word(out, ", commit ", m->source.sha);
    put_word(out, ", ", m->source.event);
    bp_buf_putc(out, '\n');
    if (m->source.run_url == NULL || m->source.run_url[0] == '\0')
        return;
    put_label(out, "run");
    put_word(out, "", m->source.run_url);
    bp_buf_putc(out, '\n');
}

static void put_database(const struct bp_manifest *m, struct bp_buf *out)
{
    put_label(out, "database");
    if (m->sealed) { /* the rest is not for everybody */
        put_word(out, "PostgreSQL ", m->database.server_version);
        bp_buf_putc(out, '\n');
        return;
    }
    put_word(out, "", m->database.name);
    put_word(out, ", PostgreSQL ", m->database.server_version);
    put_word(out, ", ", m->database.encoding);
    bp_buf_puts(out, ", ");
    bp_put_size(out, m->database.size_bytes);
    bp_buf_puts(out, " on the server\n");
}

static void put_options(const struct bp_manifest *m, struct bp_buf *out)
{
    const struct {
        const char *name;
        const struct bp_list *list;
    } lists[] = {
        {"schema", &m->options.schemas},
        {"exclude-schema", &m->options.exclude_schemas},
        {"table", &m->options.tables},
        {"exclude-table", &m->options.exclude_tables},
        {"exclude-table-data", &m->options.exclude_table_data},
        {"mask", &m->options.masks},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t k = 0; k < lists[i].list->count; k++) {
            put_label(out, "option");
            bp_buf_printf(out, "--%s ", lists[i].name);
            put_word(out, "", lists[i].list->at[k]);
            bp_buf_putc(out, '\n');
        }
    }
    if (m->options.schema_dumps) {
        put_label(out, "option");
        bp_buf_puts(out, "--schema-dumps\n");
    }
}

static void put_verification(const struct bp_manifest *m, struct bp_buf *out)
{
    char at[BP_TIME_SIZE];

    put_label(out, "verified");
    if (bp_manifest_is_verified(&m->verification)) {
        bp_time_format(m->verification.at_ms, at);
        bp_buf_printf(out, "%s, %s, in ", m->verification.level, at);
        bp_put_duration(out, m->verification.took_ms);
    } else {
        bp_buf_puts(out, "never");
    }
    bp_buf_putc(out, '\n');
}

static void put_counted(struct bp_buf *out, int64_t count, const char *one, const char *many)
{
    bp_put_count(out, count);
    bp_buf_printf(out, " %s", count == 1 ? one : many);
}

/* How it lies in the branch, and whether what is said below is all. */
static void put_sealed(const struct bp_catalog_entry *entry, struct bp_buf *out)
{
    const bool shut = entry->manifest.sealed;
    const struct bp_manifest *lies = shut ? &entry->manifest : &entry->outer;

    if (!lies->sealed)
        return;
    put_label(out, "sealed");
    put_counted(out, (int64_t)lies->file_count, "file", "files");
    bp_buf_puts(out, ", ");
    bp_put_size(out, bp_manifest_bytes(lies));
    bp_buf_puts(out, shut ? "; --identity FILE opens it and shows its tables\n" : "; opened\n");
}

static void put_holds(const struct bp_manifest *m, struct bp_buf *out)
{
    put_label(out, "holds");
    put_counted(out, (int64_t)m->table_count, "table", "tables");
    bp_buf_puts(out, ", ");
    put_counted(out, bp_manifest_rows(m), "row", "rows");
    bp_buf_puts(out, ", ");
    if (m->large_objects > 0) {
        put_counted(out, m->large_objects, "large object", "large objects");
        bp_buf_puts(out, ", ");
    }
    put_counted(out, (int64_t)m->file_count, "file", "files");
    bp_buf_puts(out, ", ");
    bp_put_size(out, bp_manifest_bytes(m));
    bp_buf_putc(out, '\n');
}

static void put_totals(const struct bp_shown *shown, struct bp_buf *out)
{
    put_sealed(shown->entry, out);
    if (!shown->entry->manifest.sealed)
        put_holds(&shown->entry->manifest, out);
    put_label(out, "previous");
    if (shown->previous == NULL) {
        bp_buf_puts(out, "none\n");
        return;
    }
    bp_buf_printf(out, "%s; since then ", shown->previous->name.id);
    put_counted(out, shown->comparison.new_files, "new file", "new files");
    bp_buf_puts(out, ", ");
    bp_put_size(out, shown->comparison.new_bytes);
    bp_buf_putc(out, '\n');
}

static void put_head(const struct bp_shown *shown, struct bp_buf *out)
{
    const struct bp_manifest *m = &shown->entry->manifest;
    char started[BP_TIME_SIZE];

    bp_time_format(m->started_ms, started);
    put_label(out, "archive");
    bp_buf_printf(out, "%s%s\n", shown->entry->name.id,
                  shown->entry->name.latest ? ", the latest" : "");
    put_label(out, "path");
    bp_buf_printf(out, "%s\n", shown->entry->path);
    put_label(out, "made");
    bp_buf_printf(out, "%s, in ", started);
    /* Both are whole seconds. */
    if (m->finished_ms == m->started_ms)
        bp_buf_puts(out, "less than a second");
    else
        bp_put_duration(out, m->finished_ms - m->started_ms);
    put_word(out, ", by backproof ", m->tool_version);
    put_word(out, " and pg_dump ", m->pg_dump_version);
    bp_buf_putc(out, '\n');
    put_source(m, out);
    put_database(m, out);
    put_options(m, out);
    put_verification(m, out);
    put_totals(shown, out);
}

static void add_row(const struct bp_table_change *change, bool first, struct bp_report_table *table)
{
    const struct bp_manifest_table *t = bp_table_change_table(change);
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    struct bp_buf rows = {0};
    struct bp_buf size = {0};

    bp_list_addf(&table->cells, "%s.%s", t->schema, t->name);
    if (change->now == NULL) {
        for (int i = 0; i < 3; i++)
            bp_list_add(&table->cells, "-");
    } else {
        bp_put_count(&rows, t->rows);
        bp_put_size(&size, t->bytes);
        bp_list_take(&table->cells, bp_buf_take(&rows));
        bp_list_take(&table->cells, bp_buf_take(&size));
        bp_list_addf(&table->cells, "%zu", t->files.count);
    }
    if (first)
        return;
    bp_table_change_put(change, &words);
    bp_list_add(&table->cells, bp_buf_str(&words));
}

static bool is_same(const struct bp_table_change *change)
{
    return bp_table_change_kind(change) == BP_CHANGE_NONE && !change->definition;
}

static void put_tables(const struct bp_shown *shown, bool all, struct bp_buf *out)
{
    static const char *const heading[] = {"TABLE", "ROWS", "SIZE", "FILES", "CHANGE"};
    const struct bp_comparison *c = &shown->comparison;
    bool first = shown->previous == NULL;
    struct bp_report_table table = {.columns = first ? 4 : 5};
    size_t hidden = 0;

    for (size_t i = 0; i < table.columns; i++)
        bp_list_add(&table.cells, heading[i]);
    for (size_t i = 0; i < c->count; i++) {
        if (!all && !first && c->count > MANY_TABLES && is_same(&c->tables[i]))
            hidden++;
        else
            add_row(&c->tables[i], first, &table);
    }
    if (table.cells.count > table.columns) {
        bp_buf_putc(out, '\n');
        bp_report_table(&table, out);
    }
    if (hidden > 0)
        bp_buf_printf(out, "\n%zu tables are the same; --verbose shows them too\n", hidden);
    bp_list_free(&table.cells);
}

void bp_show_text(const struct bp_shown *shown, bool all, struct bp_buf *out)
{
    put_head(shown, out);
    if (!shown->entry->manifest.sealed)
        put_tables(shown, all, out);
}

/* ---- JSON ---- */

static void set_time(struct bp_json *object, const char *key, int64_t ms)
{
    char text[BP_TIME_SIZE];

    bp_time_format(ms, text);
    bp_json_set_text(object, key, text);
}

/* A sealed archive that is shut does not tell. */
static struct bp_json *known_or_null(const struct bp_manifest *m, int64_t number)
{
    return m->sealed ? bp_json_text_new(NULL) : bp_json_int_new(number);
}

static struct bp_json *totals_new(const struct bp_manifest *m)
{
    struct bp_json *totals = bp_json_object_new();

    bp_json_set(totals, "tables", known_or_null(m, (int64_t)m->table_count));
    bp_json_set(totals, "rows", known_or_null(m, bp_manifest_rows(m)));
    bp_json_set_int(totals, "bytes", bp_manifest_bytes(m));
    bp_json_set_int(totals, "files", (int64_t)m->file_count);
    return totals;
}

/* What only one of the two archives can tell is null for the other. */
static struct bp_json *number_or_null(const struct bp_manifest_table *table, int64_t number)
{
    return table != NULL ? bp_json_int_new(number) : bp_json_text_new(NULL);
}

struct bp_json *bp_table_change_json(const struct bp_table_change *change)
{
    const struct bp_manifest_table *t = bp_table_change_table(change);
    const struct bp_manifest_table *old = change->old;
    const struct bp_manifest_table *now = change->now;
    struct bp_json *one = bp_json_object_new();

    bp_json_set_text(one, "schema", t->schema);
    bp_json_set_text(one, "name", t->name);
    bp_json_set(one, "rows", number_or_null(now, t->rows));
    bp_json_set(one, "bytes", number_or_null(now, t->bytes));
    bp_json_set(one, "files", number_or_null(now, (int64_t)t->files.count));
    bp_json_set(one, "rows_before", number_or_null(old, old != NULL ? old->rows : 0));
    bp_json_set_text(one, "change", bp_table_change_word(change));
    bp_json_set_bool(one, "definition_changed", change->definition);
    return one;
}

static struct bp_json *tables_new(const struct bp_shown *shown)
{
    struct bp_json *tables = bp_json_array_new();

    for (size_t i = 0; i < shown->comparison.count; i++) {
        struct bp_json *one = bp_table_change_json(&shown->comparison.tables[i]);

        if (shown->previous == NULL) /* compared with nothing, all would be new */
            bp_json_set_text(one, "change", NULL);
        bp_json_push(tables, one);
    }
    return tables;
}

static struct bp_json *previous_new(const struct bp_shown *shown)
{
    struct bp_json *previous = bp_json_object_new();

    bp_json_set_text(previous, "id", shown->previous->name.id);
    bp_json_set_int(previous, "new_files", shown->comparison.new_files);
    bp_json_set_int(previous, "new_bytes", shown->comparison.new_bytes);
    return previous;
}

static struct bp_json *shut_database_new(const struct bp_manifest *m)
{
    struct bp_json *database = bp_json_object_new();

    bp_json_set_text(database, "server_version", m->database.server_version);
    bp_json_set_int(database, "server_version_num", m->database.version_num);
    return database;
}

struct bp_json *bp_show_json(const struct bp_shown *shown)
{
    const struct bp_manifest *m = &shown->entry->manifest;
    struct bp_json *top = bp_json_object_new();

    bp_json_set_text(top, "id", shown->entry->name.id);
    bp_json_set_text(top, "path", shown->entry->path);
    bp_json_set_bool(top, "latest", shown->entry->name.latest);
    set_time(top, "started_at", m->started_ms);
    set_time(top, "finished_at", m->finished_ms);
    bp_json_set_int(top, "took_ms", m->finished_ms - m->started_ms);
    bp_json_set_text(top, "tool_version", m->tool_version);
    bp_json_set_text(top, "pg_dump_version", m->pg_dump_version);
    bp_json_set(top, "source", bp_manifest_source_new(m));
    bp_json_set_bool(top, "sealed", m->sealed || shown->entry->outer.sealed);
    bp_json_set(top, "database", m->sealed ? shut_database_new(m) : bp_manifest_database_new(m));
    bp_json_set(top, "options", bp_manifest_options_render(&m->options));
    bp_json_set(top, "verification", bp_manifest_verification_render(&m->verification));
    bp_json_set(top, "totals", totals_new(m));
    bp_json_set(top, "previous",
                shown->previous != NULL ? previous_new(shown) : bp_json_text_new(NULL));
    bp_json_set(top, "tables", m->sealed ? bp_json_text_new(NULL) : tables_new(shown));
    return top;
}
