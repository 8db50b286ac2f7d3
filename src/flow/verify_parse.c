/* L0: every checksum is right. L1: every file can be read as what it is. */
#include <inttypes.h>
#include <string.h>

#include "archive/rows.h"
#include "archive/script.h"
#include "base/mem.h"
#include "base/sql.h"
#include "flow/archive_check.h"
#include "flow/verify_internal.h"

/* What is learned of the files while their checksums are proved. */
struct look {
    struct bp_verify *v;
    size_t *tables; /* of each file: the number of the table whose rows it holds, plus 1; or 0 */
    int64_t *rows;  /* of each file */
    char **faults;  /* of each file; NULL: none */
};

static const char *const texts[] = {"roles.sql", "database/pre-data.sql", "database/sequences.sql",
                                    "database/post-data.sql", "database/refresh.sql"};

static char *count_rows(const struct bp_buf *text, const char *path, int64_t *count)
{
    BP_AUTO(bp_rows_free) struct bp_rows rows = {0};
    BP_AUTO(bp_freep) struct bp_field *fields = NULL;
    struct bp_field row = {0};
    struct bp_err err = {0};

    if (bp_rows_open(bp_buf_str(text), text->len, &rows, &err) != BP_OK)
        return bp_format("'%s': %s", path, err.msg);
    fields = bp_alloc(rows.columns.count + 1, sizeof(*fields));
    while (bp_rows_next(&rows, &row)) {
        ++*count;
        if (!bp_row_split(&row, fields, rows.columns.count))
            return bp_format("'%s': row %" PRId64 " does not have %zu values", path, *count,
                             rows.columns.count);
    }
    return NULL;
}

/* In a thread: each file is looked at by one of them. */
static enum bp_code look_at(void *ctx, size_t number, const struct bp_buf *text, struct bp_err *err)
{
    struct look *look = ctx;

    (void)err;
    if (look->tables[number] > 0)
        look->faults[number] =
            count_rows(text, look->v->manifest->files[number].path, &look->rows[number]);
    return BP_OK;
}

/* ---- what the manifest says of its tables ---- */

static enum bp_code check_table(struct look *look, const struct bp_manifest_table *table,
                                struct bp_err *err)
{
    const struct bp_manifest *m = look->v->manifest;
    BP_AUTO(bp_buf_free) struct bp_buf sums = {0};
    char sum[BP_SHA256_HEX_SIZE];
    int64_t rows = 0;

    for (size_t i = 0; i < table->files.count; i++) {
        const struct bp_manifest_file *file = bp_manifest_file(m, table->files.at[i]);

        if (file == NULL)
            return bp_verify_fault(look->v, err, "the manifest does not list '%s'",
                                   table->files.at[i]);
        bp_buf_printf(&sums, "%s\n", file->sha256);
        rows += look->rows[file - m->files];
    }
    bp_sha256_hex(bp_buf_str(&sums), sums.len, sum);
    if (rows != table->rows)
        return bp_verify_fault(look->v, err,
                               "table '%s.%s': its files hold %" PRId64
                               " rows, the manifest says %" PRId64,
                               table->schema, table->name, rows, table->rows);
    if (strcmp(sum, table->sha256) != 0)
        return bp_verify_fault(look->v, err,
                               "table '%s.%s': the manifest's checksum of it is not that of its "
                               "files",
                               table->schema, table->name);
    return BP_OK;
}

static void list_tables(struct look *look)
{
    const struct bp_manifest *m = look->v->manifest;

    for (size_t i = 0; i < m->table_count; i++) {
        for (size_t j = 0; j < m->tables[i].files.count; j++) {
            const struct bp_manifest_file *file = bp_manifest_file(m, m->tables[i].files.at[j]);

            if (file != NULL)
                look->tables[file - m->files] = i + 1;
        }
    }
}

/* What L1 will say; the files themselves are not kept. */
static void sum_up(struct look *look)
{
    struct bp_verify *v = look->v;
    struct bp_list found = v->result->findings;
    struct bp_err err = {0};

    v->result->findings = (struct bp_list){0};
    for (size_t i = 0; i < v->manifest->file_count; i++) {
        if (look->faults[i] != NULL)
            (void)bp_verify_fault(v, &err, "%s", look->faults[i]);
        bp_free(look->faults[i]);
    }
    for (size_t i = 0; i < v->manifest->table_count && v->result->findings.count == 0; i++)
        (void)check_table(look, &v->manifest->tables[i], &err);
    v->faults = v->result->findings;
    v->result->findings = found;
}

static void free_look(struct look *look)
{
    bp_free(look->tables);
    bp_free(look->rows);
    bp_free(look->faults);
}

enum bp_code bp_verify_files(struct bp_verify *v, struct bp_err *err)
{
    size_t count = v->manifest->file_count + 1;
    BP_AUTO(free_look)
    struct look look = {.v = v,
                        .tables = bp_alloc(count, sizeof(*look.tables)),
                        .rows = bp_alloc(count, sizeof(*look.rows)),
                        .faults = bp_alloc(count, sizeof(*look.faults))};
    const struct bp_archive_check check = {.store = v->job->store,
                                           .entry = v->entry,
                                           .clock = v->job->clock,
                                           .out = v->job->out,
                                           .workers = v->job->jobs,
                                           .look = v->job->level >= BP_L1 ? look_at : NULL,
                                           .ctx = &look};
    BP_AUTO(bp_archive_checked_free) struct bp_archive_checked checked = {0};
    enum bp_code rc = BP_OK;

    list_tables(&look);
    rc = bp_archive_check(&check, &checked, err);
    v->result->files = checked.files;
    v->result->bytes = checked.bytes;
    for (size_t i = 0; i < checked.findings.count; i++)
        bp_list_add(&v->result->findings, checked.findings.at[i]);
    if (check.look != NULL)
        sum_up(&look);
    v->fetched_ms = bp_clock_mono(v->job->clock) - v->fetched_ms;
    return rc;
}

/* ---- L1 ---- */

static enum bp_code parse_script(struct bp_verify *v, const char *path, const struct bp_buf *text,
                                 struct bp_err *err)
{
    BP_AUTO(bp_script_free) struct bp_script script = {0};

    if (bp_script_parse(bp_buf_str(text), text->len, &script, err) != BP_OK)
        return bp_verify_fault(v, err, "'%s': %s", path, err->msg);
    for (size_t i = 0; i < script.count; i++) {
        if (strcmp(script.at[i].type, "EXTENSION") == 0)
            bp_list_add(&v->extensions, script.at[i].name);
        if (strcmp(script.at[i].type, "SCHEMA") == 0)
            bp_list_add(&v->schemas, script.at[i].name);
    }
    return BP_OK;
}

/* What we wrote ourselves: statements whose quotes end. */
static enum bp_code parse_sql(struct bp_verify *v, const char *path, const struct bp_buf *text,
                              struct bp_err *err)
{
    struct bp_sql sql = {.at = bp_buf_str(text), .end = bp_buf_str(text) + text->len};
    bool ends = true;

    while (bp_sql_next_solid(&sql)) {
        if (sql.open)
            return bp_verify_fault(v, err, "'%s': something in it is quoted without an end", path);
        ends = bp_sql_is(&sql, ';');
    }
    if (!ends)
        return bp_verify_fault(v, err, "'%s': its last statement has no end", path);
    return BP_OK;
}

static enum bp_code parse_text(struct bp_verify *v, const char *path, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    bool dumped = strstr(path, "-data.sql") != NULL;

    if (bp_verify_read(v, path, &text, err) != BP_OK)
        return err->code == BP_EINTEGRITY ? bp_verify_fault(v, err, "%s", err->msg) : err->code;
    return dumped ? parse_script(v, path, &text, err) : parse_sql(v, path, &text, err);
}

enum bp_code bp_verify_parse(struct bp_verify *v, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < v->faults.count; i++)
        rc = bp_verify_fault(v, err, "%s", v->faults.at[i]);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum bp_code one = parse_text(v, texts[i], err);

        if (one != BP_OK && one != BP_EINTEGRITY)
            return one;
        rc = rc == BP_OK ? one : rc;
    }
    v->result->tables = (int64_t)v->manifest->table_count;
    v->result->rows = bp_manifest_rows(v->manifest);
    return rc;
}
