#include "flow/stage.h"

#include <inttypes.h>
#include <string.h>

#include "archive/chunk.h"
#include "archive/path.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

/* GitHub refuses files of 100 MiB; a row cannot be cut. */
enum { LARGEST_FILE = 95 << 20 };

static const char end_of_copy[] = "\\.\n";

enum bp_code bp_stage_file(struct bp_stage *stage, const char *path, const char *text, size_t len,
                           bool executable, struct bp_err *err)
{
    struct bp_manifest_file *file = NULL;

    if (len > LARGEST_FILE)
        return bp_fail(
            err, BP_EFAILED,
            "'%s' would have %zu bytes, and a Git server refuses files of 100 MiB; hint: "
            "a single row is that large, keep such values outside the database",
            path, len);
    if (stage->store->ops->stage(stage->store, path, text, len, executable, err) != BP_OK)
        return err->code;
    file = bp_manifest_add_file(stage->manifest, path, (int64_t)len);
    bp_sha256_hex(text, len, file->sha256);
    return BP_OK;
}

/* Lines on their way into files of one folder. */
struct lines {
    struct bp_stage *stage;
    const char *base;      /* "public/tables/users/data": becomes base.sql, or base/00001.sql ... */
    const char *head;      /* the first line of each file, with its line end; may be "" */
    const char *tail;      /* the last line; may be "" */
    struct bp_list *files; /* the paths that were written */
    struct bp_sha256 *hash;
    struct bp_buf file; /* the file that is being filled */
    bool ends;          /* the next line belongs into another file */
    int64_t count;
    int64_t bytes; /* without head and tail */
};

static void free_lines(struct lines *lines)
{
    bp_sha256_freep(&lines->hash);
    bp_buf_free(&lines->file);
}

/* Write the file that is being filled; last: no other follows. */
static enum bp_code end_file(struct lines *lines, bool last, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *path = last && lines->files->count == 0
                     ? bp_format("%s.sql", lines->base)
                     : bp_format("%s/%05zu.sql", lines->base, lines->files->count + 1);

    bp_buf_puts(&lines->file, lines->tail);
    if (bp_stage_file(lines->stage, path, bp_buf_str(&lines->file), lines->file.len, false, err) !=
        BP_OK)
        return err->code;
    bp_list_add(lines->files, path);
    bp_buf_cut(&lines->file, 0);
    bp_buf_puts(&lines->file, lines->head);
    lines->ends = false;
    return BP_OK;
}

static void show_progress(struct bp_stage *stage)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_put_count(&text, stage->rows);
    bp_buf_puts(&text, " rows, ");
    bp_put_size(&text, stage->bytes);
    bp_progress(stage->out, "backing up: %s", bp_buf_str(&text));
}

static enum bp_code on_line(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    struct lines *lines = ctx;

    if (lines->ends && end_file(lines, false, err) != BP_OK)
        return err->code;
    bp_buf_add(&lines->file, line, len);
    bp_sha256_add(lines->hash, line, len);
    lines->count++;
    lines->bytes += (int64_t)len;
    lines->stage->bytes += (int64_t)len;
    lines->ends = bp_chunk_ends(lines->file.len, line, len);
    if ((++lines->stage->rows & 0xFFF) == 0)
        show_progress(lines->stage);
    return BP_OK;
}

static enum bp_code stage_rows(struct lines *lines, struct bp_source *source,
                               const struct bp_table *table, struct bp_err *err)
{
    struct bp_manifest_table *entry = NULL;

    if (source->ops->copy(source, table, on_line, lines, err) != BP_OK ||
        end_file(lines, true, err) != BP_OK)
        return bp_wrap(err, "table '%s.%s'", table->schema, table->name);
    entry = bp_manifest_add_table(lines->stage->manifest);
    entry->schema = bp_strdup(table->schema);
    entry->name = bp_strdup(table->name);
    entry->order = bp_strdup(table->order);
    entry->rows = lines->count;
    entry->bytes = lines->bytes;
    bp_sha256_end(lines->hash, entry->sha256);
    entry->files = *lines->files;
    *lines->files = (struct bp_list){0};
    return BP_OK;
}

enum bp_code bp_stage_table(struct bp_stage *stage, struct bp_source *source,
                            const struct bp_table *table, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *folder = bp_path_table(table->schema, table->name);
    BP_AUTO(bp_freep) char *definition = bp_format("%s/schema.sql", folder);
    BP_AUTO(bp_freep) char *base = bp_format("%s/data", folder);
    BP_AUTO(bp_freep) char *head = bp_format("%s\n", table->copy_in);
    BP_AUTO(bp_list_free) struct bp_list files = {0};
    BP_AUTO(free_lines)
    struct lines lines = {.stage = stage,
                          .base = base,
                          .head = head,
                          .tail = end_of_copy,
                          .files = &files,
                          .hash = bp_sha256_new()};

    if (table->definition != NULL && bp_stage_file(stage, definition, table->definition,
                                                   strlen(table->definition), false, err) != BP_OK)
        return err->code;
    bp_buf_puts(&lines.file, head);
    return stage_rows(&lines, source, table, err);
}

enum bp_code bp_stage_large_objects(struct bp_stage *stage, struct bp_source *source,
                                    int64_t *count, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list files = {0};
    BP_AUTO(free_lines)
    struct lines lines = {.stage = stage,
                          .base = "database/large-objects/data",
                          .head = "",
                          .tail = "",
                          .files = &files,
                          .hash = bp_sha256_new()};
    int64_t rows_before = stage->rows;

    if (source->ops->large_objects(source, on_line, &lines, count, err) != BP_OK)
        return bp_wrap(err, "large objects");
    stage->rows = rows_before;
    return lines.count > 0 ? end_file(&lines, true, err) : BP_OK;
}
