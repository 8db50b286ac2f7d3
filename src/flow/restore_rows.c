/* The rows of a table, and the large objects. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_ahead.h"
#include "flow/archive_file.h"
#include "flow/progress.h"
#include "flow/restore_internal.h"

#define LARGE_OBJECTS "database/large-objects/"

static enum bp_code find_file(const struct bp_restore *r, const char *path,
                              const struct bp_manifest_file **file, struct bp_err *err)
{
    *file = bp_manifest_file(r->manifest, path);
    if (*file == NULL)
        return bp_fail(err, BP_EINTEGRITY, "archive '%s' lacks the file '%s'", r->entry->name.id,
                       path);
    return BP_OK;
}

/* The line end behind the COPY statement; a name in it may hold line ends, between quotes. */
static const char *end_of_statement(const char *text)
{
    bool quoted = false;

    for (; *text != '\0'; text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (*text == '\n' && !quoted)
            return text;
    }
    return NULL;
}

/*
 * A data file is a COPY statement, rows, and "\." on the last line. What stands between goes to the
 * server as it is. *copy is the statement, changed when the table is another one now; owned.
 */
static enum bp_code take_apart(struct bp_buf *text, const struct bp_restore_table *table,
                               char **copy, const char **body, size_t *len)
{
    static const char end[] = "\n\\.\n";
    const size_t end_len = sizeof(end) - 1;
    const char *line_end = end_of_statement(bp_buf_str(text));

    /* The line end behind the statement may be the one before the end: then there are no rows. */
    if (line_end == NULL || !bp_text_starts_with(text->data, "COPY ") ||
        text->len < (size_t)(line_end - text->data) + end_len ||
        memcmp(text->data + text->len - end_len, end, end_len) != 0)
        return BP_EINTEGRITY;
    text->data[line_end - text->data] = '\0';
    *copy = table->moved ? bp_restore_copy(text->data, table->target) : bp_strdup(text->data);
    *body = line_end + 1;
    *len = text->len - (size_t)(*body - text->data) - (end_len - 1);
    return *copy != NULL ? BP_OK : BP_EINTEGRITY;
}

/* What is in seat->text. */
static enum bp_code load_file(struct bp_restore *r, struct bp_restore_seat *seat,
                              const struct bp_restore_table *table, size_t number, int64_t *rows,
                              struct bp_err *err)
{
    const struct bp_writer_ops *ops = seat->writer->ops;
    const char *path = table->table->files.at[number];
    BP_AUTO(bp_freep) char *copy = NULL;
    const char *body = NULL;
    size_t len = 0;

    if (take_apart(&seat->text, table, &copy, &body, &len) != BP_OK)
        return bp_fail(err, BP_EINTEGRITY, "'%s' is no data file", path);
    if (number == 0 && ops->load(seat->writer, table->target, copy, err) != BP_OK)
        return err->code;
    if (ops->copy_begin(seat->writer, copy, err) != BP_OK ||
        ops->copy_put(seat->writer, body, len, err) != BP_OK ||
        ops->copy_end(seat->writer, rows, err) != BP_OK)
        return bp_wrap(err, "'%s'", path);
    atomic_fetch_add(&r->bytes, (long long)len);
    atomic_fetch_add(&r->rows, *rows);
    return BP_OK;
}

/* Each file is read while the server takes the one before it. */
static enum bp_code next_file(const struct bp_restore *r, const struct bp_list *files,
                              size_t number, struct bp_archive_ahead *ahead, struct bp_err *err)
{
    const struct bp_manifest_file *file = NULL;

    if (number == files->count)
        return BP_OK;
    if (find_file(r, files->at[number], &file, err) != BP_OK)
        return err->code;
    bp_archive_ahead_begin(ahead, r->job->store, r->entry, file);
    return BP_OK;
}

static enum bp_code load_files(struct bp_restore *r, struct bp_restore_seat *seat,
                               const struct bp_restore_table *table, int64_t *loaded,
                               struct bp_err *err)
{
    const struct bp_list *files = &table->table->files;
    BP_AUTO(bp_archive_ahead_free) struct bp_archive_ahead ahead = {0};

    if (next_file(r, files, 0, &ahead, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < files->count; i++) {
        int64_t rows = 0;

        if (bp_stop_check(seat->clock->stop, err) != BP_OK ||
            bp_archive_ahead_take(&ahead, &seat->text, err) != BP_OK ||
            next_file(r, files, i + 1, &ahead, err) != BP_OK ||
            load_file(r, seat, table, i, &rows, err) != BP_OK)
            return err->code;
        *loaded += rows;
        if (r->single)
            bp_restore_show_rows(r);
    }
    return BP_OK;
}

enum bp_code bp_restore_load_table(struct bp_restore *r, struct bp_restore_seat *seat,
                                   const struct bp_restore_table *table, struct bp_err *err)
{
    const struct bp_manifest_table *t = table->table;
    int64_t loaded = 0;
    enum bp_code rc = load_files(r, seat, table, &loaded, err);

    if (rc == BP_OK && loaded != t->rows)
        rc = bp_fail(err, BP_EINTEGRITY,
                     "the target took %" PRId64 " rows, the archive holds %" PRId64, loaded,
                     t->rows);
    if (rc == BP_OK)
        return BP_OK;
    atomic_fetch_sub(&r->rows, loaded);
    return bp_wrap(err, "table '%s.%s'", t->schema, t->name);
}

static bool is_object_file(const char *path)
{
    return bp_text_starts_with(path, LARGE_OBJECTS);
}

bool bp_restore_has_objects(const struct bp_restore *r)
{
    for (size_t i = 0; r->plan.whole && i < r->manifest->file_count; i++) {
        if (is_object_file(r->manifest->files[i].path))
            return true;
    }
    return false;
}

enum bp_code bp_restore_load_objects(struct bp_restore *r, struct bp_restore_seat *seat,
                                     struct bp_err *err)
{
    for (size_t i = 0; i < r->manifest->file_count; i++) {
        const struct bp_manifest_file *file = &r->manifest->files[i];
        BP_AUTO(bp_freep) char *objects = NULL;

        if (!is_object_file(file->path))
            continue;
        if (bp_stop_check(seat->clock->stop, err) != BP_OK ||
            bp_archive_file_read(r->job->store, r->entry, file, &seat->text, err) != BP_OK ||
            bp_restore_objects(&r->job->want, bp_buf_str(&seat->text), &objects, err) != BP_OK ||
            seat->writer->ops->run(seat->writer, objects, file->path, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

void bp_restore_show_rows(struct bp_restore *r)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    const struct bp_progress_state state = {.rows = atomic_load(&r->rows),
                                            .bytes = atomic_load(&r->bytes),
                                            .done = atomic_load(&r->bytes),
                                            .all = r->all_bytes,
                                            .took_ms =
                                                bp_clock_mono(r->job->clock) - r->started_ms};

    bp_put_progress(&words, &state);
    bp_progress(r->job->out, "restoring: %s", bp_buf_str(&words));
}
