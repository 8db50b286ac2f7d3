/* The manifest as text. */
#include "archive/manifest.h"

#include "base/json.h"
#include "base/time.h"

static void set_text(struct bp_json *object, const char *key, const char *text)
{
    bp_json_set_text(object, key, text != NULL ? text : "");
}

static void set_time(struct bp_json *object, const char *key, int64_t ms)
{
    char text[BP_TIME_SIZE];

    bp_time_format(ms, text);
    bp_json_set_text(object, key, text);
}

struct bp_json *bp_manifest_source_new(const struct bp_manifest *m)
{
    struct bp_json *source = bp_json_object_new();

    set_text(source, "repository", m->source.repository);
    set_text(source, "ref", m->source.ref);
    set_text(source, "sha", m->source.sha);
    set_text(source, "event", m->source.event);
    set_text(source, "run_id", m->source.run_id);
    set_text(source, "run_url", m->source.run_url);
    return source;
}

struct bp_json *bp_manifest_database_new(const struct bp_manifest *m)
{
    struct bp_json *database = bp_json_object_new();

    set_text(database, "name", m->database.name);
    set_text(database, "server_version", m->database.server_version);
    bp_json_set_int(database, "server_version_num", m->database.version_num);
    set_text(database, "encoding", m->database.encoding);
    set_text(database, "collation", m->database.collation);
    bp_json_set_int(database, "size_bytes", m->database.size_bytes);
    set_text(database, "system_identifier", m->database.system_identifier);
    set_text(database, "snapshot", m->database.snapshot);
    set_text(database, "lsn", m->database.lsn);
    bp_json_set_int(database, "large_objects", m->large_objects);
    return database;
}

static struct bp_json *tables_new(const struct bp_manifest *m)
{
    struct bp_json *tables = bp_json_array_new();

    for (size_t i = 0; i < m->table_count; i++) {
        const struct bp_manifest_table *t = &m->tables[i];
        struct bp_json *table = bp_json_object_new();
        struct bp_json *files = bp_json_array_new();

        set_text(table, "schema", t->schema);
        set_text(table, "name", t->name);
        set_text(table, "order", t->order);
        bp_json_set_int(table, "rows", t->rows);
        bp_json_set_int(table, "bytes", t->bytes);
        set_text(table, "sha256", t->sha256);
        for (size_t f = 0; f < t->files.count; f++)
            bp_json_push(files, bp_json_text_new(t->files.at[f]));
        bp_json_set(table, "files", files);
        bp_json_push(tables, table);
    }
    return tables;
}

static struct bp_json *files_new(const struct bp_manifest *m)
{
    struct bp_json *files = bp_json_array_new();

    for (size_t i = 0; i < m->file_count; i++) {
        struct bp_json *file = bp_json_object_new();

        set_text(file, "path", m->files[i].path);
        bp_json_set_int(file, "bytes", m->files[i].bytes);
        set_text(file, "sha256", m->files[i].sha256);
        if (m->files[i].sealed != NULL)
            set_text(file, "sealed", m->files[i].sealed);
        bp_json_push(files, file);
    }
    return files;
}

void bp_manifest_render(const struct bp_manifest *m, struct bp_buf *out)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    struct bp_json *tool = bp_json_object_new();
    struct bp_json *totals = bp_json_object_new();

    set_text(tool, "name", "backproof");
    set_text(tool, "version", m->tool_version);
    bp_json_set_int(totals, "tables", (int64_t)m->table_count);
    bp_json_set_int(totals, "rows", bp_manifest_rows(m));
    bp_json_set_int(totals, "bytes", bp_manifest_bytes(m));
    bp_json_set_int(totals, "files", (int64_t)m->file_count);
    bp_json_set_int(top, "format", BP_MANIFEST_FORMAT);
    set_text(top, "id", m->id);
    set_time(top, "started_at", m->started_ms);
    set_time(top, "finished_at", m->finished_ms);
    bp_json_set(top, "tool", tool);
    bp_json_set(top, "source", bp_manifest_source_new(m));
    bp_json_set(top, "database", bp_manifest_database_new(m));
    set_text(top, "pg_dump_version", m->pg_dump_version);
    bp_json_set(top, "options", bp_manifest_options_render(&m->options));
    bp_json_set(top, "tables", tables_new(m));
    bp_json_set(top, "files", files_new(m));
    bp_json_set(top, "totals", totals);
    if (m->sealed)
        bp_json_set_bool(top, "sealed", true);
    bp_json_set(top, "verification", bp_manifest_verification_render(&m->verification));
    /* A line for each table and file: restore.sh reads it with sed, people read its diff. */
    bp_json_render(top, 2, out);
    bp_buf_putc(out, '\n');
}
