#include <stdlib.h>
#include <string.h>

#include "archive/definition.h"
#include "archive/path.h"
#include "base/mem.h"
#include "flow/archive_file.h"
#include "flow/diff_internal.h"

const struct bp_catalog_entry *bp_diff_entry(const struct bp_diff_reading *r, size_t pile)
{
    return pile == BP_PILE_OLD ? r->diff->old : r->diff->now;
}

const struct bp_manifest_table *bp_diff_side(const struct bp_diff_reading *r, size_t pile)
{
    return pile == BP_PILE_OLD ? r->table->change->old : r->table->change->now;
}

/* ---- the files that differ ---- */

static int by_content(const void *left, const void *right)
{
    const struct bp_manifest_file *a = ((const struct bp_diff_item *)left)->file;
    const struct bp_manifest_file *b = ((const struct bp_diff_item *)right)->file;
    int order = strcmp(a->sha256, b->sha256);

    return order != 0 ? order : strcmp(a->path, b->path);
}

static int by_path(const void *left, const void *right)
{
    const struct bp_diff_item *a = left;
    const struct bp_diff_item *b = right;

    if (a->pile != b->pile)
        return a->pile < b->pile ? -1 : 1;
    return strcmp(a->file->path, b->file->path);
}

/* The table's files in an archive, by checksum. Owned by the caller. */
static struct bp_diff_item *files_of(const struct bp_diff_reading *r, enum bp_row_pile pile,
                                     size_t *count)
{
    const struct bp_manifest_table *table = bp_diff_side(r, pile);
    struct bp_diff_item *items = NULL;

    *count = table != NULL ? table->files.count : 0;
    items = bp_alloc(*count + 1, sizeof(*items));
    for (size_t i = 0; i < *count; i++)
        items[i] = (struct bp_diff_item){
            .pile = pile,
            .file = bp_manifest_file(&bp_diff_entry(r, pile)->manifest, table->files.at[i])};
    if (*count > 0)
        qsort(items, *count, sizeof(*items), by_content);
    return items;
}

/* Contents cancel out one by one: numbers of files shift when one is inserted. */
void bp_diff_find_files(struct bp_diff_reading *r)
{
    size_t old_count = 0;
    size_t now_count = 0;
    BP_AUTO(bp_freep) struct bp_diff_item *old = files_of(r, BP_PILE_OLD, &old_count);
    BP_AUTO(bp_freep) struct bp_diff_item *now = files_of(r, BP_PILE_NOW, &now_count);
    size_t o = 0;
    size_t n = 0;

    r->items = bp_alloc(old_count + now_count + 1, sizeof(*r->items));
    while (o < old_count || n < now_count) {
        int order = 0;

        if (o == old_count || n == now_count)
            order = o == old_count ? 1 : -1;
        else
            order = strcmp(old[o].file->sha256, now[n].file->sha256);
        if (order < 0)
            r->items[r->count++] = old[o];
        else if (order > 0)
            r->items[r->count++] = now[n];
        o += order <= 0;
        n += order >= 0;
    }
    if (r->count > 0)
        qsort(r->items, r->count, sizeof(*r->items), by_path);
}

/* ---- columns and keys ---- */

/* Where a name is in a list; its count when it is not there. */
static size_t place_in(const struct bp_list *list, const char *name)
{
    size_t i = 0;

    while (i < list->count && strcmp(list->at[i], name) != 0)
        i++;
    return i;
}

bool bp_diff_same_names(const struct bp_list *a, const struct bp_list *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    }
    return a->count == b->count;
}

static void copy_list(struct bp_list *to, const struct bp_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        bp_list_add(to, from->at[i]);
}

static bool has_both(const struct bp_diff_reading *r)
{
    return bp_diff_side(r, BP_PILE_OLD) != NULL && bp_diff_side(r, BP_PILE_NOW) != NULL;
}

/* An archive's definition of the table; NULL: it has none. */
static const struct bp_manifest_file *definition_of(const struct bp_diff_reading *r, size_t pile)
{
    const struct bp_manifest_table *table = bp_diff_side(r, pile);
    BP_AUTO(bp_freep) char *folder = bp_path_table(table->schema, table->name);
    BP_AUTO(bp_freep) char *path = bp_format("%s/schema.sql", folder);

    return bp_manifest_file(&bp_diff_entry(r, pile)->manifest, path);
}

/* What is looked at first, in one go: a file of each pile and the table's definitions. */
static enum bp_code fetch_first(struct bp_diff_reading *r, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    bool has[2] = {false, false};

    for (size_t i = 0; i < r->count; i++) {
        if (!has[r->items[i].pile])
            bp_list_addf(&paths, "%s/%s", bp_diff_entry(r, r->items[i].pile)->path,
                         bp_archive_file_place(r->items[i].file));
        has[r->items[i].pile] = true;
    }
    for (size_t pile = 0; pile < 2; pile++) {
        const struct bp_manifest_file *file = has_both(r) ? definition_of(r, pile) : NULL;

        if (file != NULL)
            bp_list_addf(&paths, "%s/%s", bp_diff_entry(r, pile)->path,
                         bp_archive_file_place(file));
    }
    return r->job->store->ops->fetch(r->job->store, &paths, err);
}

/* The columns as the first file of a pile has them; one without such files has the other's. */
static enum bp_code read_columns(struct bp_diff_reading *r, struct bp_err *err)
{
    struct bp_list *columns = r->table->columns;
    bool known[2] = {false, false};

    for (size_t i = 0; i < r->count; i++) {
        const struct bp_diff_item *item = &r->items[i];
        BP_AUTO(bp_rows_free) struct bp_rows rows = {0};

        if (known[item->pile])
            continue;
        if (bp_archive_file_read(r->job->store, bp_diff_entry(r, item->pile), item->file, &r->text,
                                 err) != BP_OK)
            return err->code;
        if (bp_rows_open(bp_buf_str(&r->text), r->text.len, &rows, err) != BP_OK)
            return bp_wrap(err, "'%s'", item->file->path);
        copy_list(&columns[item->pile], &rows.columns);
        known[item->pile] = true;
    }
    for (size_t pile = 0; pile < 2; pile++) {
        if (!known[pile])
            copy_list(&columns[pile], &columns[1 - pile]);
    }
    r->same_columns = bp_diff_same_names(&columns[BP_PILE_OLD], &columns[BP_PILE_NOW]);
    return BP_OK;
}

/* The columns of the primary key that an archive's definition of the table names. */
static enum bp_code read_key(struct bp_diff_reading *r, size_t pile, struct bp_list *out,
                             struct bp_err *err)
{
    const struct bp_manifest_file *file = definition_of(r, pile);

    if (file == NULL)
        return BP_OK;
    if (bp_archive_file_read(r->job->store, bp_diff_entry(r, pile), file, &r->text, err) != BP_OK)
        return err->code;
    bp_definition_key(bp_buf_str(&r->text), r->text.len, out);
    return BP_OK;
}

/* Rows are told apart by the key when both archives have the same one and the rows hold it. */
static enum bp_code find_key(struct bp_diff_reading *r, struct bp_err *err)
{
    struct bp_list keys[2] = {{0}, {0}};
    enum bp_code rc = BP_OK;
    bool usable = false;

    if (!has_both(r))
        return BP_OK;
    for (size_t pile = 0; pile < 2 && rc == BP_OK; pile++)
        rc = read_key(r, pile, &keys[pile], err);
    usable = rc == BP_OK && keys[0].count > 0 && bp_diff_same_names(&keys[0], &keys[1]);
    for (size_t i = 0; usable && i < keys[0].count; i++) {
        for (size_t pile = 0; pile < 2; pile++)
            usable = usable && place_in(&r->table->columns[pile], keys[0].at[i]) <
                                   r->table->columns[pile].count;
    }
    if (usable)
        copy_list(&r->table->key, &keys[0]);
    bp_list_free(&keys[0]);
    bp_list_free(&keys[1]);
    return rc;
}

static void map_columns(struct bp_diff_reading *r)
{
    const struct bp_list *columns = r->table->columns;
    size_t most = columns[0].count > columns[1].count ? columns[0].count : columns[1].count;

    r->fields = bp_alloc(most + 1, sizeof(*r->fields));
    for (size_t pile = 0; pile < 2; pile++) {
        r->key_at[pile] = bp_alloc(r->table->key.count + 1, sizeof(*r->key_at[pile]));
        r->both_at[pile] = bp_alloc(most + 1, sizeof(*r->both_at[pile]));
        for (size_t i = 0; i < r->table->key.count; i++)
            r->key_at[pile][i] = place_in(&columns[pile], r->table->key.at[i]);
    }
    for (size_t i = 0; i < columns[0].count; i++) {
        size_t other = place_in(&columns[1], columns[0].at[i]);

        if (other == columns[1].count) {
            bp_list_add(&r->table->columns_gone, columns[0].at[i]);
            continue;
        }
        r->both_at[0][r->both] = i;
        r->both_at[1][r->both++] = other;
    }
    for (size_t i = 0; i < columns[1].count; i++) {
        if (place_in(&columns[0], columns[1].at[i]) == columns[0].count)
            bp_list_add(&r->table->columns_new, columns[1].at[i]);
    }
}

enum bp_code bp_diff_find_columns(struct bp_diff_reading *r, struct bp_err *err)
{
    if (fetch_first(r, err) != BP_OK || read_columns(r, err) != BP_OK || find_key(r, err) != BP_OK)
        return err->code;
    map_columns(r);
    return BP_OK;
}
