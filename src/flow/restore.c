#include "flow/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/catalog.h"

enum { FILE_LIMIT = 128 << 20, MAJOR = 10000 };

struct restore {
    const struct bp_restore_job *job;
    const struct bp_catalog_entry *entry;
    const struct bp_manifest *manifest;
    struct bp_target_info info;
    int64_t rows;
};

static enum bp_code read_file(struct restore *r, const char *path, struct bp_buf *out,
                              struct bp_err *err)
{
    BP_AUTO(bp_freep) char *full = bp_format("%s/%s", r->entry->path, path);

    bp_buf_cut(out, 0);
    if (r->job->store->ops->read(r->job->store, full, FILE_LIMIT, out, err) != BP_OK) {
        if (err->code == BP_ENOTFOUND)
            return bp_fail(err, BP_EINTEGRITY, "archive '%s' lacks the file '%s'",
                           r->entry->name.id, path);
        return bp_wrap(err, "archive '%s', '%s'", r->entry->name.id, path);
    }
    return BP_OK;
}

/* Every file has the size and the checksum that the manifest says. */
static enum bp_code check_files(struct restore *r, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < r->manifest->file_count; i++) {
        const struct bp_manifest_file *file = &r->manifest->files[i];
        char hash[BP_SHA256_HEX_SIZE];

        if (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
            read_file(r, file->path, &text, err) != BP_OK)
            return err->code;
        bp_sha256_hex(bp_buf_str(&text), text.len, hash);
        if ((int64_t)text.len != file->bytes || strcmp(hash, file->sha256) != 0)
            return bp_fail(err, BP_EINTEGRITY,
                           "archive '%s': the checksum of '%s' is wrong; hint: restore another "
                           "archive, 'backproof list' shows them",
                           r->entry->name.id, file->path);
        bp_progress(r->job->out, "checking: file %zu of %zu", i + 1, r->manifest->file_count);
    }
    return BP_OK;
}

static enum bp_code open_store(struct restore *r, struct bp_err *err)
{
    struct bp_store *store = r->job->store;
    enum bp_code rc = store->ops->open(store, err);

    if (rc == BP_OK && !store->ops->exists(store))
        return bp_fail(err, BP_ENOTFOUND,
                       "the backup repository has no branch '%s'; hint: --backup-branch names it",
                       r->job->branch);
    return rc;
}

static enum bp_code find(struct restore *r, struct bp_catalog *catalog, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    struct bp_catalog_entry *entry = NULL;
    enum bp_code rc = open_store(r, err);

    if (rc == BP_OK)
        rc = bp_catalog_load(r->job->store, catalog, err);
    if (rc == BP_OK)
        rc = bp_catalog_find(catalog, r->job->archive, &entry, err);
    if (rc == BP_OK)
        rc = bp_catalog_describe(r->job->store, entry, err);
    if (rc != BP_OK)
        return rc;
    if (entry->name.latest && entry != &catalog->at[0])
        bp_warn(r->job->out,
                "archive %s claims to be newer than the latest, %s: was a clock wrong?",
                catalog->at[0].name.id, entry->name.id);
    r->entry = entry;
    r->manifest = &entry->manifest;
    bp_list_add(&paths, entry->path);
    return r->job->store->ops->fetch(r->job->store, &paths, err);
}

/* ---- the target ---- */

static enum bp_code refuse_contents(struct restore *r, const struct bp_list *some, int64_t count,
                                    struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};

    for (size_t i = 0; i < some->count && i < 3; i++) {
        bp_buf_puts(&names, i > 0 ? ", " : "");
        bp_put_foreign(&names, some->at[i], 80);
    }
    if (count > 3)
        bp_buf_puts(&names, " ...");
    return bp_fail(err, BP_EUSAGE,
                   "database '%s' at %s is not empty: it holds %" PRId64 " objects (%s); hint: "
                   "restore into a new database, or replace all that is there with --clean",
                   r->info.name, r->info.where, count, bp_buf_str(&names));
}

static enum bp_code check_target(struct restore *r, bool *must_clean, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    BP_AUTO(bp_freep) char *question = NULL;
    int64_t count = 0;

    if (r->job->target->ops->open(r->job->target, &r->info, err) != BP_OK)
        return err->code;
    if (r->info.version_num / MAJOR < r->manifest->database.version_num / MAJOR)
        return bp_fail(err, BP_EFAILED,
                       "the archive is from PostgreSQL %s, the target is version %d; hint: restore "
                       "into the same major version or a newer one",
                       r->manifest->database.server_version, r->info.version_num / MAJOR);
    if (r->job->target->ops->contents(r->job->target, &some, &count, err) != BP_OK)
        return err->code;
    *must_clean = count > 0;
    if (count == 0)
        return BP_OK;
    if (!r->job->clean)
        return refuse_contents(r, &some, count, err);
    question = bp_format("Replace all %" PRId64 " objects in database '%s' at %s with archive %s?",
                         count, r->info.name, r->info.where, r->entry->name.id);
    if (!r->job->confirm(r->job->ctx, question) && bp_stop_check(r->job->clock->stop, err) == BP_OK)
        return bp_fail(err, BP_EUSAGE,
                       "not confirmed, nothing was changed; hint: --yes confirms outside a "
                       "terminal");
    return bp_stop_check(r->job->clock->stop, err);
}

static enum bp_code run_file(struct restore *r, const char *path, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (read_file(r, path, &text, err) != BP_OK)
        return err->code;
    return r->job->target->ops->run(r->job->target, bp_buf_str(&text), path, err);
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
 * A data file is a COPY statement, rows, and "\." on the last line. What stands between goes to
 * the server as it is.
 */
static enum bp_code load_file(struct restore *r, const char *path, int64_t *rows,
                              struct bp_err *err)
{
    static const char end[] = "\n\\.\n";
    const size_t end_len = sizeof(end) - 1;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    const char *body = NULL;
    size_t len = 0;

    if (read_file(r, path, &text, err) != BP_OK)
        return err->code;
    body = end_of_statement(bp_buf_str(&text));
    /* The line end behind the statement may be the one before the end: then there are no rows. */
    if (body == NULL || !bp_text_starts_with(text.data, "COPY ") ||
        text.len < (size_t)(body - text.data) + end_len ||
        memcmp(text.data + text.len - end_len, end, end_len) != 0)
        return bp_fail(err, BP_EINTEGRITY, "'%s' is no data file", path);
    text.data[body - text.data] = '\0';
    body++;
    len = text.len - (size_t)(body - text.data) - (end_len - 1);
    if (r->job->target->ops->copy_begin(r->job->target, text.data, err) != BP_OK ||
        r->job->target->ops->copy_put(r->job->target, body, len, err) != BP_OK ||
        r->job->target->ops->copy_end(r->job->target, rows, err) != BP_OK)
        return bp_wrap(err, "'%s'", path);
    return BP_OK;
}

static enum bp_code load_table(struct restore *r, const struct bp_manifest_table *table,
                               struct bp_err *err)
{
    int64_t loaded = 0;

    for (size_t i = 0; i < table->files.count; i++) {
        int64_t rows = 0;

        if (bp_stop_check(r->job->clock->stop, err) != BP_OK ||
            load_file(r, table->files.at[i], &rows, err) != BP_OK)
            return bp_wrap(err, "table '%s.%s'", table->schema, table->name);
        loaded += rows;
        bp_progress(r->job->out, "restoring: %" PRId64 " of %" PRId64 " rows", r->rows + loaded,
                    bp_manifest_rows(r->manifest));
    }
    if (loaded != table->rows)
        return bp_fail(err, BP_EINTEGRITY,
                       "table '%s.%s': the target took %" PRId64
                       " rows, the archive holds %" PRId64,
                       table->schema, table->name, loaded, table->rows);
    r->rows += loaded;
    return BP_OK;
}

static enum bp_code load_large_objects(struct restore *r, struct bp_err *err)
{
    for (size_t i = 0; i < r->manifest->file_count; i++) {
        const char *path = r->manifest->files[i].path;

        if (bp_text_starts_with(path, "database/large-objects/") && run_file(r, path, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code load_rows(struct restore *r, struct bp_err *err)
{
    for (size_t i = 0; i < r->manifest->table_count; i++) {
        if (load_table(r, &r->manifest->tables[i], err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code load(struct restore *r, bool must_clean, struct bp_err *err)
{
    bool raw = strcmp(r->manifest->database.encoding, "SQL_ASCII") == 0;

    if (r->job->target->ops->begin(r->job->target, raw ? "SQL_ASCII" : "UTF8", err) != BP_OK ||
        (must_clean && r->job->target->ops->clean(r->job->target, err) != BP_OK) ||
        run_file(r, "roles.sql", err) != BP_OK ||
        run_file(r, "database/pre-data.sql", err) != BP_OK || load_large_objects(r, err) != BP_OK ||
        load_rows(r, err) != BP_OK || run_file(r, "database/sequences.sql", err) != BP_OK ||
        run_file(r, "database/post-data.sql", err) != BP_OK ||
        run_file(r, "database/refresh.sql", err) != BP_OK)
        return bp_wrap(err, "nothing was restored");
    if (r->job->target->ops->commit(r->job->target, err) == BP_OK)
        return BP_OK;
    if (err->code == BP_EFAILED)
        return bp_wrap(err, "nothing was restored");
    return bp_wrap(err,
                   "it is not known whether the restore was committed (look whether database "
                   "'%s' is empty)",
                   r->info.name);
}

enum bp_code bp_flow_restore(const struct bp_restore_job *job, struct bp_restore_result *result,
                             struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    struct restore r = {.job = job};
    int64_t start = bp_clock_mono(job->clock);
    bool must_clean = false;
    enum bp_code rc = find(&r, &catalog, err);

    *result = (struct bp_restore_result){0};
    if (rc == BP_OK)
        rc = check_files(&r, err);
    if (rc != BP_OK)
        return rc;
    bp_progress_end(job->out);
    bp_info(job->out, "archive %s: %zu tables, %" PRId64 " rows, every checksum is right",
            r.entry->name.id, r.manifest->table_count, bp_manifest_rows(r.manifest));
    if (check_target(&r, &must_clean, err) != BP_OK || load(&r, must_clean, err) != BP_OK)
        return err->code;
    (void)snprintf(result->id, sizeof(result->id), "%s", r.entry->name.id);
    (void)snprintf(result->database, sizeof(result->database), "%s", r.info.name);
    result->tables = (int64_t)r.manifest->table_count;
    result->rows = r.rows;
    result->took_ms = bp_clock_mono(job->clock) - start;
    return BP_OK;
}
