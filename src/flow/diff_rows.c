#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/archive_file.h"
#include "flow/diff_internal.h"

enum { BATCH_BYTES = 256 << 20 }; /* that are fetched in one go */

static void free_reading(struct bp_diff_reading *r)
{
    bp_free(r->items);
    bp_row_join_freep(&r->join);
    bp_buf_free(&r->text);
    bp_buf_free(&r->key);
    bp_buf_free(&r->content);
    bp_free(r->fields);
    for (size_t pile = 0; pile < 2; pile++) {
        bp_free(r->key_at[pile]);
        bp_free(r->both_at[pile]);
    }
}

/* ---- rows ---- */

static void put_fields(const struct bp_diff_reading *r, const size_t *places, size_t count,
                       struct bp_buf *out)
{
    bp_buf_cut(out, 0);
    for (size_t i = 0; i < count; i++) {
        bp_buf_add(out, r->fields[places[i]].at, r->fields[places[i]].len);
        bp_buf_putc(out, '\t');
    }
}

/* Columns that only one archive has make no row differ. */
static enum bp_code add_row(struct bp_diff_reading *r, size_t number, const struct bp_field *row,
                            struct bp_err *err)
{
    enum bp_row_pile pile = r->items[number].pile;
    struct bp_joined_row joined = {.pile = pile, .content = *row};

    joined.place = (struct bp_row_place){.file = (uint32_t)number,
                                         .offset = (uint32_t)(row->at - r->text.data)};
    if (!bp_row_split(row, r->fields, r->table->columns[pile].count))
        return bp_fail(err, BP_EINTEGRITY, "a row of '%s' has not as many values as columns",
                       r->items[number].file->path);
    if (!r->same_columns) {
        put_fields(r, r->both_at[pile], r->both, &r->content);
        joined.content = (struct bp_field){.at = bp_buf_str(&r->content), .len = r->content.len};
    }
    joined.key = joined.content;
    if (r->table->key.count > 0) {
        put_fields(r, r->key_at[pile], r->table->key.count, &r->key);
        joined.key = (struct bp_field){.at = r->key.data, .len = r->key.len};
    }
    return bp_row_join_add(r->join, &joined, err);
}

/* Fetch the files from number `from` on, at least one; *to is the first that was not. */
static enum bp_code fetch_batch(struct bp_diff_reading *r, size_t from, size_t *to,
                                struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    int64_t bytes = 0;

    for (*to = from; *to < r->count && (bytes < BATCH_BYTES || *to == from); (*to)++) {
        const struct bp_diff_item *item = &r->items[*to];

        bytes += item->file->bytes;
        bp_list_addf(&paths, "%s/%s", bp_diff_entry(r, item->pile)->path,
                     bp_archive_file_place(item->file));
    }
    return r->job->store->ops->fetch(r->job->store, &paths, err);
}

static enum bp_code open_file(struct bp_diff_reading *r, const struct bp_diff_item *item,
                              struct bp_rows *rows, struct bp_err *err)
{
    if (bp_archive_file_read(r->job->store, bp_diff_entry(r, item->pile), item->file, &r->text,
                             err) != BP_OK)
        return err->code;
    if (bp_rows_open(bp_buf_str(&r->text), r->text.len, rows, err) != BP_OK)
        return bp_wrap(err, "'%s'", item->file->path);
    if (!bp_diff_same_names(&rows->columns, &r->table->columns[item->pile]))
        return bp_fail(err, BP_EINTEGRITY, "'%s' has other columns than the files before it",
                       item->file->path);
    return BP_OK;
}

static enum bp_code read_file(struct bp_diff_reading *r, size_t number, struct bp_err *err)
{
    const struct bp_diff_item *item = &r->items[number];
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    struct bp_field row = {0};

    if (open_file(r, item, &rows, err) != BP_OK)
        return err->code;
    while (bp_rows_next(&rows, &row)) {
        if (add_row(r, number, &row, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code read_files(struct bp_diff_reading *r, struct bp_err *err)
{
    size_t fetched = 0;

    for (size_t i = 0; i < r->count; i++) {
        if (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
            (i == fetched && fetch_batch(r, i, &fetched, err) != BP_OK) ||
            read_file(r, i, err) != BP_OK)
            return err->code;
        bp_progress(r->job->out, "comparing: file %zu of %zu", i + 1, r->count);
    }
    return BP_OK;
}

/* ---- the first rows of each kind ---- */

/* A line that is wanted, and where its copy belongs. */
struct wanted {
    struct bp_row_place place;
    char **line;
};

static int by_place(const void *left, const void *right)
{
    const struct bp_row_place a = ((const struct wanted *)left)->place;
    const struct bp_row_place b = ((const struct wanted *)right)->place;

    if (a.file != b.file)
        return a.file < b.file ? -1 : 1;
    return (a.offset > b.offset) - (a.offset < b.offset);
}

static enum bp_code read_lines(struct bp_diff_reading *r, struct wanted *wanted, size_t count,
                               struct bp_err *err)
{
    if (count > 0)
        qsort(wanted, count, sizeof(*wanted), by_place);
    for (size_t i = 0; i < count; i++) {
        const struct bp_diff_item *item = &r->items[wanted[i].place.file];
        const char *line = NULL;

        if ((i == 0 || wanted[i - 1].place.file != wanted[i].place.file) &&
            (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
             bp_archive_file_read(r->job->store, bp_diff_entry(r, item->pile), item->file, &r->text,
                                  err) != BP_OK))
            return err->code;
        line = r->text.data + wanted[i].place.offset;
        *wanted[i].line = bp_strndup(line, strcspn(line, "\n"));
    }
    return BP_OK;
}

static void free_lines(char **lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bp_free(lines[i]);
    bp_free(lines);
}

/* Make the rows of one kind from where they are. */
static enum bp_code show_kind(struct bp_diff_reading *r, enum bp_row_change kind,
                              const struct bp_row_pairs *pairs, struct bp_err *err)
{
    BP_AUTO(bp_freep) struct wanted *wanted = bp_alloc(2 * pairs->count + 1, sizeof(*wanted));
    char **lines = bp_alloc(2 * pairs->count + 1, sizeof(*lines)); /* old and new in turn */
    struct bp_diff_table *table = r->table;
    size_t count = 0;
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < pairs->count; i++) {
        if (kind != BP_ROW_ADDED)
            wanted[count++] = (struct wanted){pairs->at[i].old, &lines[2 * i]};
        if (kind != BP_ROW_REMOVED)
            wanted[count++] = (struct wanted){pairs->at[i].now, &lines[2 * i + 1]};
    }
    rc = read_lines(r, wanted, count, err);
    table->rows[kind] = bp_alloc(pairs->count + 1, sizeof(*table->rows[kind]));
    for (size_t i = 0; rc == BP_OK && i < pairs->count; i++) {
        const char *const both[2] = {lines[2 * i], lines[2 * i + 1]};

        table->row_counts[kind] = i + 1;
        rc = bp_diff_row_make(table, both, r->job->value_limit, &table->rows[kind][i], err);
    }
    free_lines(lines, 2 * pairs->count);
    return rc;
}

static enum bp_code join_rows(struct bp_diff_reading *r, struct bp_err *err)
{
    BP_AUTO(bp_row_join_result_free) struct bp_row_join_result result = {0};
    struct bp_row_join_options options = {.temp_parent = r->job->temp_parent, .keep = r->job->rows};
    enum bp_code rc = BP_OK;

    for (size_t pile = 0; pile < 2; pile++)
        options.rows += bp_diff_side(r, pile) != NULL ? bp_diff_side(r, pile)->rows : 0;
    rc = bp_row_join_new(&options, &r->join, err);
    if (rc == BP_OK)
        rc = read_files(r, err);
    if (rc == BP_OK)
        rc = bp_row_join_run(r->join, r->job->clock->stop, &result, err);
    for (size_t kind = 0; rc == BP_OK && kind < BP_ROW_CHANGES; kind++) {
        r->table->counts[kind] = result.counts[kind];
        rc = show_kind(r, (enum bp_row_change)kind, &result.first[kind], err);
    }
    bp_progress_end(r->job->out);
    return rc;
}

/* ---- a table that only one archive has ---- */

/* Fetch about as many files from number `from` on as hold so many rows; *to is the first that was
 * not. */
static enum bp_code fetch_rows(struct bp_diff_reading *r, size_t from, size_t rows, size_t *to,
                               struct bp_err *err)
{
    const struct bp_manifest_table *table = bp_table_change_table(r->table->change);
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    double share = table->rows > 0 ? (double)rows / (double)table->rows : 1;

    for (*to = from; *to < r->count && (double)(*to - from) < share * (double)r->count; (*to)++)
        bp_list_addf(&paths, "%s/%s", bp_diff_entry(r, r->items[*to].pile)->path,
                     bp_archive_file_place(r->items[*to].file));
    return r->job->store->ops->fetch(r->job->store, &paths, err);
}

static enum bp_code show_first_of_file(struct bp_diff_reading *r, size_t number,
                                       enum bp_row_change kind, struct bp_err *err)
{
    const struct bp_diff_item *item = &r->items[number];
    struct bp_diff_table *table = r->table;
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    struct bp_field row = {0};

    if (open_file(r, item, &rows, err) != BP_OK)
        return err->code;
    while (table->row_counts[kind] < r->job->rows && bp_rows_next(&rows, &row)) {
        BP_AUTO(bp_freep) char *line = bp_strndup(row.at, row.len);
        const char *both[2] = {NULL, NULL};
        size_t at = table->row_counts[kind]++;

        table->rows[kind] =
            bp_realloc(table->rows[kind], table->row_counts[kind], sizeof(*table->rows[kind]));
        table->rows[kind][at] = (struct bp_diff_row){0};
        both[item->pile] = line;
        if (bp_diff_row_make(table, both, r->job->value_limit, &table->rows[kind][at], err) !=
            BP_OK)
            return err->code;
    }
    return BP_OK;
}

/* The manifest knows how many there are, so only those that are shown are read. */
static enum bp_code show_one_side(struct bp_diff_reading *r, struct bp_err *err)
{
    const struct bp_table_change *change = r->table->change;
    enum bp_row_change kind = change->old == NULL ? BP_ROW_ADDED : BP_ROW_REMOVED;
    size_t fetched = 0;

    r->table->counts[kind] = bp_table_change_table(change)->rows;
    if (r->job->rows == 0)
        return BP_OK;
    if (bp_diff_find_columns(r, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < r->count && r->table->row_counts[kind] < r->job->rows; i++) {
        if (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
            (i == fetched &&
             fetch_rows(r, i, r->job->rows - r->table->row_counts[kind], &fetched, err) != BP_OK) ||
            show_first_of_file(r, i, kind, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

enum bp_code bp_diff_rows(const struct bp_diff_job *job, const struct bp_diff *diff,
                          struct bp_diff_table *table, struct bp_err *err)
{
    BP_AUTO(free_reading) struct bp_diff_reading r = {.job = job, .diff = diff, .table = table};

    bp_diff_find_files(&r);
    if (r.count == 0)
        return BP_OK;
    if (table->change->old == NULL || table->change->now == NULL)
        return show_one_side(&r, err);
    if (bp_diff_find_columns(&r, err) != BP_OK)
        return err->code;
    return join_rows(&r, err);
}
