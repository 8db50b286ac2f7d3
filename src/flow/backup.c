#include "flow/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/embedded.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "flow/catalog.h"
#include "flow/stage.h"

enum { PUSHES = 6, PUSH_AGAIN_MS = 2000 };

struct backup {
    const struct bp_backup_job *job;
    struct bp_manifest manifest;
    struct bp_tables tables;
    struct bp_ddl ddl;
    struct bp_stage stage;
};

static void free_backup(struct backup *b)
{
    bp_manifest_free(&b->manifest);
    bp_tables_free(&b->tables);
    bp_ddl_free(&b->ddl);
}

/* Move a string from one owner to another. */
static char *take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

static void describe(struct backup *b, struct bp_source_info *info)
{
    struct bp_manifest *m = &b->manifest;

    m->tool_version = bp_strdup(b->job->tool_version);
    m->source.repository = bp_strdup(b->job->repository);
    m->source.ref = bp_strdup(b->job->ref);
    m->source.sha = bp_strdup(b->job->sha);
    m->source.event = bp_strdup(b->job->event);
    m->source.run_id = bp_strdup(b->job->run_id);
    m->source.run_url = bp_strdup(b->job->run_url);
    m->database.name = take(&info->name);
    m->database.server_version = take(&info->server_version);
    m->database.version_num = info->version_num;
    m->database.encoding = take(&info->encoding);
    m->database.collation = take(&info->collation);
    m->database.size_bytes = info->size_bytes;
    m->database.system_identifier = take(&info->system_identifier);
    m->database.snapshot = take(&info->snapshot);
    m->database.lsn = take(&info->lsn);
    m->pg_dump_version = take(&info->pg_dump_version);
}

static enum bp_code take_snapshot(struct backup *b, struct bp_err *err)
{
    struct bp_source_info info = {0};
    enum bp_code rc = b->job->source->ops->snapshot(b->job->source, &info, &b->tables, err);

    if (rc == BP_OK) {
        bp_info(b->job->out, "snapshot of '%s' (PostgreSQL %s), %zu tables locked", info.name,
                info.server_version, b->tables.count);
        rc = b->job->source->ops->ddl(b->job->source, &b->tables, &b->ddl, err);
    }
    if (rc == BP_OK)
        describe(b, &info);
    bp_source_info_free(&info);
    return rc;
}

static enum bp_code stage_texts(struct backup *b, struct bp_err *err)
{
    const struct {
        const char *path;
        const char *text;
        bool executable;
    } files[] = {
        /* A clone on Windows must not change line ends: every checksum would be wrong. */
        {".gitattributes", "* -text\n", false},
        {"RESTORE.md", bp_embedded_RESTORE_md, false},
        {"restore.sh", bp_embedded_restore_sh, true},
        {"roles.sql", b->ddl.roles, false},
        {"database/pre-data.sql", b->ddl.pre_data, false},
        {"database/sequences.sql", b->ddl.sequences, false},
        {"database/post-data.sql", b->ddl.post_data, false},
        {"database/refresh.sql", b->ddl.refresh, false},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *text = files[i].text != NULL ? files[i].text : "";

        if (bp_stage_file(&b->stage, files[i].path, text, strlen(text), files[i].executable, err) !=
            BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code stage_all(struct backup *b, struct bp_err *err)
{
    if (stage_texts(b, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < b->tables.count; i++) {
        const struct bp_manifest_table *done = NULL;

        if (bp_stop_check(b->job->clock->stop, err) != BP_OK ||
            bp_stage_table(&b->stage, b->job->source, &b->tables.at[i], err) != BP_OK)
            return err->code;
        done = &b->manifest.tables[b->manifest.table_count - 1];
        bp_debug(b->job->out, "%s.%s: %" PRId64 " rows, %" PRId64 " bytes in %zu files",
                 done->schema, done->name, done->rows, done->bytes, done->files.count);
    }
    return bp_stage_large_objects(&b->stage, b->job->source, &b->manifest.large_objects, err);
}

/* ---- the commit ---- */

/* The first free id for this moment, and the path that an entry of that name would have. */
static void choose_id(const struct bp_catalog *catalog, int64_t time_ms,
                      struct bp_archive_name *name)
{
    bool taken = true;

    *name = (struct bp_archive_name){.latest = true, .time_ms = time_ms};
    while (taken) {
        taken = false;
        bp_archive_id(time_ms, ++name->copy, name->id);
        for (size_t i = 0; i < catalog->count; i++)
            taken = taken || strcmp(catalog->at[i].name.id, name->id) == 0;
    }
}

static bool has_folder(const struct bp_catalog *catalog, const char *folder)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->at[i].folder, folder) == 0)
            return true;
    }
    return false;
}

/* Where the archive that is the latest now goes. Its manifest knows what the name needs. */
static void choose_archive_path(const struct bp_catalog *catalog,
                                const struct bp_catalog_entry *old, char *out, size_t size)
{
    struct bp_archive_name name = old->name;
    const struct bp_manifest *m = &old->manifest;
    char folder[BP_ARCHIVE_NAME_SIZE];

    name.latest = false;
    bp_archive_name_describe(&name, old->described ? m->source.repository : NULL,
                             old->described ? m->source.event : NULL,
                             old->described ? m->source.sha : NULL);
    bp_archive_name_format(&name, folder);
    while (has_folder(catalog, folder)) {
        name.copy++;
        bp_archive_name_format(&name, folder);
    }
    (void)snprintf(out, size, "%s/%s", BP_PATH_ARCHIVE, folder);
}

static void write_message(const struct backup *b, const struct bp_archive_name *name,
                          struct bp_buf *out)
{
    const struct bp_manifest *m = &b->manifest;

    bp_buf_printf(out, "backup: %s %s (%zu tables, ", name->id, b->job->branch, m->table_count);
    bp_put_count(out, bp_manifest_rows(m));
    bp_buf_printf(out, " rows)\n\nBackup-Id: %s\n", name->id);
    if (m->source.repository != NULL)
        bp_buf_printf(out, "Source: %s@%s\n", m->source.repository,
                      m->source.sha != NULL ? m->source.sha : "unknown");
    if (m->source.run_url != NULL && m->source.run_url[0] != '\0')
        bp_buf_printf(out, "Run-Url: %s\n", m->source.run_url);
    bp_buf_printf(out, "Rows: %" PRId64 "\nBytes: %" PRId64 "\n", bp_manifest_rows(m),
                  bp_manifest_bytes(m));
}

/* Stage the manifest, the last file: the archive is whole now. */
static enum bp_code stage_manifest(struct backup *b, const struct bp_archive_name *name,
                                   struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_free(b->manifest.id);
    b->manifest.id = bp_strdup(name->id);
    bp_manifest_render(&b->manifest, &text);
    return b->job->store->ops->stage(b->job->store, BP_MANIFEST_NAME, bp_buf_str(&text), text.len,
                                     false, err);
}

/* The moves of what is the latest now; paths owns the new names. */
static enum bp_code move_latest(struct backup *b, struct bp_catalog *catalog, struct bp_edit *edits,
                                size_t *count, struct bp_list *paths, struct bp_err *err)
{
    for (size_t i = 0; i < catalog->count; i++) {
        struct bp_catalog_entry *old = &catalog->at[i];
        struct bp_err why = {0};
        enum bp_code rc = BP_OK;
        char to[BP_ARCHIVE_NAME_SIZE + 32];

        if (!old->name.latest)
            continue;
        rc = bp_catalog_describe(b->job->store, old, &why);
        if (rc != BP_OK && !bp_catalog_is_damage(rc)) {
            *err = why;
            return bp_wrap(err, "the latest archive so far");
        }
        /* A damaged one moves too: the new backup must not fail because of it. */
        if (rc != BP_OK)
            bp_warn(b->job->out, "the latest archive so far: %s", why.msg);
        choose_archive_path(catalog, old, to, sizeof(to));
        bp_list_add(paths, to);
        edits[(*count)++] = (struct bp_edit){
            .kind = BP_EDIT_MOVE, .from = old->path, .to = paths->at[paths->count - 1]};
    }
    return BP_OK;
}

static enum bp_code commit_once(struct backup *b, struct bp_backup_result *result,
                                struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    BP_AUTO(bp_freep) struct bp_edit *edits = NULL;
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    struct bp_store_commit commit = {0};
    struct bp_archive_name name = {0};
    char folder[BP_ARCHIVE_NAME_SIZE];
    size_t count = 0;

    if (bp_catalog_load(b->job->store, &catalog, err) != BP_OK)
        return err->code;
    choose_id(&catalog, b->manifest.started_ms, &name);
    edits = bp_alloc(catalog.count + 2, sizeof(*edits));
    if (stage_manifest(b, &name, err) != BP_OK ||
        move_latest(b, &catalog, edits, &count, &paths, err) != BP_OK)
        return err->code;
    bp_archive_name_format(&name, folder);
    (void)snprintf(result->path, sizeof(result->path), "%s/%s", BP_PATH_LATEST, folder);
    edits[count++] = (struct bp_edit){.kind = BP_EDIT_STAGED, .to = result->path};
    edits[count++] = (struct bp_edit){.kind = BP_EDIT_STAGED, .to = BP_PATH_CURRENT};
    write_message(b, &name, &message);
    if (b->job->store->ops->commit(b->job->store, edits, count, bp_buf_str(&message), &commit,
                                   err) != BP_OK)
        return err->code;
    (void)snprintf(result->id, sizeof(result->id), "%s", name.id);
    (void)snprintf(result->commit, sizeof(result->commit), "%s", commit.id);
    return BP_OK;
}

/* Whether it may go better a little later: a lost race, or an outage in which nothing arrived. */
static bool may_pass(enum bp_code rc)
{
    return rc == BP_ELOCKED || rc == BP_EUNAVAILABLE || rc == BP_ETIMEOUT;
}

/* Others may push to the branch while we do, and servers have bad moments: look again and try
 * again, a few times. All that was read is staged and need not be read again. */
static enum bp_code commit_all(struct backup *b, struct bp_backup_result *result,
                               struct bp_err *err)
{
    enum bp_code rc = commit_once(b, result, err);

    for (int i = 1; may_pass(rc) && i < PUSHES; i++) {
        bp_info(b->job->out, "%s; trying again", err->msg);
        if (bp_clock_sleep(b->job->clock, (int64_t)PUSH_AGAIN_MS * i, err) != BP_OK)
            return err->code;
        rc = b->job->store->ops->refresh(b->job->store, err);
        if (rc == BP_OK)
            rc = commit_once(b, result, err);
    }
    return rc;
}

enum bp_code bp_flow_backup(const struct bp_backup_job *job, struct bp_backup_result *result,
                            struct bp_err *err)
{
    BP_AUTO(free_backup) struct backup b = {.job = job};
    int64_t start = bp_clock_mono(job->clock);

    *result = (struct bp_backup_result){0};
    b.stage = (struct bp_stage){.store = job->store, .manifest = &b.manifest, .out = job->out};
    /* The second that names the archive comes before the first byte that is read. */
    b.manifest.started_ms = bp_clock_wall(job->clock) / 1000 * 1000;
    /* The store first: a wrong token shall show before an hour of reading, not after it. */
    if (job->store->ops->open(job->store, err) != BP_OK || take_snapshot(&b, err) != BP_OK ||
        stage_all(&b, err) != BP_OK)
        return err->code;
    b.manifest.finished_ms = bp_clock_wall(job->clock);
    bp_progress_end(job->out);
    /* From here on nobody shall wait for our locks: a push may take long. */
    job->source->ops->close(job->source);
    bp_info(job->out, "committing to branch '%s'", job->branch);
    if (commit_all(&b, result, err) != BP_OK)
        return err->code;
    result->tables = (int64_t)b.manifest.table_count;
    result->rows = bp_manifest_rows(&b.manifest);
    result->bytes = bp_manifest_bytes(&b.manifest);
    result->took_ms = bp_clock_mono(job->clock) - start;
    return BP_OK;
}
