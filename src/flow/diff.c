#include "flow/diff.h"

#include <string.h>

#include "base/mem.h"

static enum bp_code find(const struct bp_diff_job *job, struct bp_diff *diff, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    struct bp_catalog_entry *old = NULL;
    struct bp_catalog_entry *now = NULL;

    if (bp_catalog_open(job->store, job->branch, &diff->catalog, err) != BP_OK ||
        bp_catalog_find(&diff->catalog, job->old, &old, err) != BP_OK ||
        bp_catalog_find(&diff->catalog, job->now, &now, err) != BP_OK)
        return err->code;
    bp_list_addf(&paths, "%s/%s", old->path, BP_MANIFEST_NAME);
    bp_list_addf(&paths, "%s/%s", now->path, BP_MANIFEST_NAME);
    if (job->store->ops->fetch(job->store, &paths, err) != BP_OK ||
        bp_catalog_unseal(job->store, old, &job->opener, err) != BP_OK ||
        bp_catalog_unseal(job->store, now, &job->opener, err) != BP_OK)
        return err->code;
    diff->old = old;
    diff->now = now;
    bp_compare(&old->manifest, &now->manifest, &diff->comparison);
    return BP_OK;
}

/* "schema.table", or a table of public alone. */
static bool is_named(const struct bp_manifest_table *table, const char *text, bool whole)
{
    size_t len = strlen(table->schema);

    if (whole)
        return strncmp(table->schema, text, len) == 0 && text[len] == '.' &&
               strcmp(table->name, text + len + 1) == 0;
    return strcmp(table->schema, "public") == 0 && strcmp(table->name, text) == 0;
}

static const struct bp_table_change *find_table(const struct bp_comparison *c, const char *text)
{
    for (int whole = 1; whole >= 0; whole--) {
        for (size_t i = 0; i < c->count; i++) {
            if (is_named(bp_table_change_table(&c->tables[i]), text, whole != 0))
                return &c->tables[i];
        }
    }
    return NULL;
}

static enum bp_code find_tables(const struct bp_diff_job *job, struct bp_diff *diff,
                                struct bp_err *err)
{
    diff->tables = bp_alloc(job->tables->count + 1, sizeof(*diff->tables));
    for (size_t i = 0; i < job->tables->count; i++) {
        const struct bp_table_change *change = find_table(&diff->comparison, job->tables->at[i]);

        if (change == NULL)
            return bp_fail(err, BP_ENOTFOUND,
                           "neither archive has a table '%s'; hint: write schema.table as "
                           "'backproof show' does",
                           job->tables->at[i]);
        diff->tables[diff->table_count++].change = change;
    }
    return BP_OK;
}

static enum bp_code compare(const struct bp_diff_job *job, struct bp_diff *diff, struct bp_err *err)
{
    if (find(job, diff, err) != BP_OK || find_tables(job, diff, err) != BP_OK)
        return err->code;
    if (diff->table_count == 0)
        return bp_diff_schema(job, diff, err);
    for (size_t i = 0; i < diff->table_count; i++) {
        const struct bp_manifest_table *t = bp_table_change_table(diff->tables[i].change);

        if (bp_diff_rows(job, diff, &diff->tables[i], err) != BP_OK)
            return bp_wrap(err, "table '%s.%s'", t->schema, t->name);
    }
    return BP_OK;
}

enum bp_code bp_flow_diff(const struct bp_diff_job *job, struct bp_diff *diff, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *diff = (struct bp_diff){0};
    rc = compare(job, diff, err);
    if (rc != BP_OK)
        bp_diff_free(diff);
    return rc;
}

static void free_rows(struct bp_diff_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < rows[i].count; k++) {
            bp_free(rows[i].cells[k].old.text);
            bp_free(rows[i].cells[k].now.text);
        }
        bp_free(rows[i].cells);
    }
    bp_free(rows);
}

void bp_diff_free(struct bp_diff *diff)
{
    for (size_t i = 0; i < diff->table_count; i++) {
        struct bp_diff_table *table = &diff->tables[i];

        bp_list_free(&table->key);
        bp_list_free(&table->columns[BP_PILE_OLD]);
        bp_list_free(&table->columns[BP_PILE_NOW]);
        bp_list_free(&table->columns_gone);
        bp_list_free(&table->columns_new);
        for (size_t kind = 0; kind < BP_ROW_CHANGES; kind++)
            free_rows(table->rows[kind], table->row_counts[kind]);
    }
    bp_free(diff->tables);
    bp_list_free(&diff->paths);
    bp_list_free(&diff->patches);
    bp_comparison_free(&diff->comparison);
    bp_catalog_free(&diff->catalog);
    *diff = (struct bp_diff){0};
}
