#include "flow/compare.h"

#include <stdlib.h>
#include <string.h>

#include "archive/path.h"
#include "base/mem.h"
#include "base/text.h"

static int by_name(const void *left, const void *right)
{
    const struct bp_manifest_table *a = *(const struct bp_manifest_table *const *)left;
    const struct bp_manifest_table *b = *(const struct bp_manifest_table *const *)right;
    int order = strcmp(a->schema, b->schema);

    return order != 0 ? order : strcmp(a->name, b->name);
}

/* The tables by schema and name. Owned by the caller. */
static const struct bp_manifest_table **sorted_tables(const struct bp_manifest *m)
{
    const struct bp_manifest_table **tables = bp_alloc(m->table_count + 1, sizeof(void *));

    for (size_t i = 0; i < m->table_count; i++)
        tables[i] = &m->tables[i];
    qsort(tables, m->table_count, sizeof(void *), by_name);
    return tables;
}

static const struct bp_manifest_file *definition_of(const struct bp_manifest *m,
                                                    const struct bp_manifest_table *table)
{
    BP_AUTO(bp_freep) char *folder = bp_path_table(table->schema, table->name);
    BP_AUTO(bp_freep) char *path = bp_format("%s/schema.sql", folder);

    return bp_manifest_file(m, path);
}

static bool has_other_definition(const struct bp_manifest *old, const struct bp_manifest *now,
                                 const struct bp_manifest_table *table)
{
    const struct bp_manifest_file *before = definition_of(old, table);
    const struct bp_manifest_file *after = definition_of(now, table);

    if (before == NULL || after == NULL)
        return before != after;
    return strcmp(before->sha256, after->sha256) != 0;
}

static void merge_tables(const struct bp_manifest *old, const struct bp_manifest *now,
                         struct bp_comparison *out)
{
    BP_AUTO(bp_freep) const struct bp_manifest_table **before = sorted_tables(old);
    BP_AUTO(bp_freep) const struct bp_manifest_table **after = sorted_tables(now);
    size_t o = 0;
    size_t n = 0;

    out->tables = bp_alloc(old->table_count + now->table_count + 1, sizeof(*out->tables));
    while (o < old->table_count || n < now->table_count) {
        struct bp_table_change *change = &out->tables[out->count++];
        int order = 0;

        if (o == old->table_count || n == now->table_count)
            order = o == old->table_count ? 1 : -1;
        else
            order = by_name(&before[o], &after[n]);
        change->old = order <= 0 ? before[o++] : NULL;
        change->now = order >= 0 ? after[n++] : NULL;
        change->definition = order == 0 && has_other_definition(old, now, change->now);
    }
}

static int by_content(const void *left, const void *right)
{
    const struct bp_manifest_file *a = *(const struct bp_manifest_file *const *)left;
    const struct bp_manifest_file *b = *(const struct bp_manifest_file *const *)right;

    return strcmp(a->sha256, b->sha256);
}

/* The files by checksum. Owned by the caller. */
static const struct bp_manifest_file **sorted_files(const struct bp_manifest *m)
{
    const struct bp_manifest_file **files = bp_alloc(m->file_count + 1, sizeof(void *));

    for (size_t i = 0; i < m->file_count; i++)
        files[i] = &m->files[i];
    qsort(files, m->file_count, sizeof(void *), by_content);
    return files;
}

/* Each content once, however many files have it: Git stores it once. */
static void count_new_files(const struct bp_manifest *old, const struct bp_manifest *now,
                            struct bp_comparison *out)
{
    BP_AUTO(bp_freep) const struct bp_manifest_file **before = sorted_files(old);
    BP_AUTO(bp_freep) const struct bp_manifest_file **after = sorted_files(now);
    size_t o = 0;

    for (size_t n = 0; n < now->file_count; n++) {
        if (n > 0 && by_content(&after[n - 1], &after[n]) == 0)
            continue;
        while (o < old->file_count && by_content(&before[o], &after[n]) < 0)
            o++;
        if (o < old->file_count && by_content(&before[o], &after[n]) == 0)
            continue;
        out->new_files++;
        out->new_bytes += after[n]->bytes;
    }
}

void bp_compare(const struct bp_manifest *old, const struct bp_manifest *now,
                struct bp_comparison *out)
{
    *out = (struct bp_comparison){0};
    merge_tables(old, now, out);
    count_new_files(old, now, out);
}

void bp_comparison_free(struct bp_comparison *comparison)
{
    bp_free(comparison->tables);
    *comparison = (struct bp_comparison){0};
}

const struct bp_manifest_table *bp_table_change_table(const struct bp_table_change *change)
{
    return change->now != NULL ? change->now : change->old;
}

enum bp_change_kind bp_table_change_kind(const struct bp_table_change *change)
{
    if (change->old == NULL)
        return BP_CHANGE_NEW;
    if (change->now == NULL)
        return BP_CHANGE_GONE;
    if (change->old->rows != change->now->rows)
        return BP_CHANGE_ROWS;
    return strcmp(change->old->sha256, change->now->sha256) != 0 ? BP_CHANGE_CONTENT
                                                                 : BP_CHANGE_NONE;
}

const char *bp_table_change_word(const struct bp_table_change *change)
{
    static const char *const words[] = {
        [BP_CHANGE_NONE] = "none", [BP_CHANGE_NEW] = "new",         [BP_CHANGE_GONE] = "gone",
        [BP_CHANGE_ROWS] = "rows", [BP_CHANGE_CONTENT] = "content",
    };

    return words[bp_table_change_kind(change)];
}

void bp_table_change_put(const struct bp_table_change *change, struct bp_buf *out)
{
    enum bp_change_kind kind = bp_table_change_kind(change);
    int64_t more = 0;

    if (kind == BP_CHANGE_ROWS) {
        more = change->now->rows - change->old->rows;
        bp_buf_putc(out, more > 0 ? '+' : '-');
        bp_put_count(out, more > 0 ? more : -more);
        bp_buf_puts(out, more == 1 || more == -1 ? " row" : " rows");
    } else if (kind == BP_CHANGE_CONTENT) {
        bp_buf_puts(out, "changed");
    } else if (kind == BP_CHANGE_NONE) {
        bp_buf_puts(out, "same");
    } else {
        bp_buf_puts(out, bp_table_change_word(change));
    }
    if (change->definition)
        bp_buf_puts(out, ", definition changed");
}
