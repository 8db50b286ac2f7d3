#include "flow/backup.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/crew.h"
#include "base/mem.h"
#include "flow/backup_internal.h"

/* Somebody who changes tables gets this time for it before all is read anew; then twice as long. */
enum { FIRST_WAIT_MS = 5000 };

/* Forget all that was read. */
static void free_backup(struct bp_backup *b)
{
    bp_manifest_free(&b->manifest);
    bp_manifest_free(&b->outer);
    bp_tables_free(&b->tables);
    bp_list_free(&b->schemas);
    bp_ddl_free(&b->ddl);
}

/* Move a string from one owner to another. */
static char *take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

static void describe(struct bp_backup *b, struct bp_source_info *info)
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
    b->schemas = info->schemas;
    info->schemas = (struct bp_list){0};
}

static void copy_list(const struct bp_list *from, struct bp_list *to)
{
    for (size_t i = 0; i < from->count; i++)
        bp_list_add(to, from->at[i]);
}

static void describe_options(struct bp_backup *b)
{
    const struct bp_scope *scope = b->job->scope;
    struct bp_manifest_options *to = &b->manifest.options;

    to->schema_dumps = b->job->schema_dumps;
    if (scope == NULL)
        return;
    copy_list(&scope->schemas, &to->schemas);
    copy_list(&scope->exclude_schemas, &to->exclude_schemas);
    copy_list(&scope->tables, &to->tables);
    copy_list(&scope->exclude_tables, &to->exclude_tables);
    copy_list(&scope->exclude_table_data, &to->exclude_table_data);
    copy_list(&scope->masks, &to->masks);
}

/* *skip: another backup runs, and nothing is to be done then. */
static enum bp_code take_turn(struct bp_backup *b, bool *skip, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    b->phase = "connecting to the database, or waiting for another backup of it";
    rc = b->job->source->ops->lock(b->job->source, b->job->branch,
                                   b->job->if_locked == BP_BACKUP_WAIT, err);
    *skip = rc == BP_ELOCKED && b->job->if_locked == BP_BACKUP_SKIP;
    return *skip ? BP_OK : rc;
}

static enum bp_code take_snapshot(struct bp_backup *b, struct bp_err *err)
{
    struct bp_source_info info = {0};
    enum bp_code rc = BP_OK;

    b->phase = "locking the tables";
    /* The second that names the archive comes before the first byte that is read. */
    b->manifest.started_ms = bp_clock_wall(b->job->clock) / 1000 * 1000;
    rc = b->job->source->ops->snapshot(b->job->source, &info, &b->tables, err);
    if (rc == BP_OK) {
        bp_info(b->job->out, "snapshot of '%s' (PostgreSQL %s), %zu tables locked", info.name,
                info.server_version, b->tables.count);
        for (size_t i = 0; i < info.warnings.count; i++)
            bp_warn(b->job->out, "%s", info.warnings.at[i]);
        describe(b, &info);
        describe_options(b);
    }
    bp_source_info_free(&info);
    return rc;
}

/*
 * Somebody may come between our locks and those of pg_dump, and then each of us three waits for
 * the next one. Letting go of all ends that; the other one has his way, and we begin anew. The same
 * when our readers took the connection that pg_dump needs: then with fewer of them.
 */
static enum bp_code read_snapshot(struct bp_backup *b, struct bp_err *err)
{
    int64_t left = b->job->lock_retries;

    for (int64_t wait_ms = FIRST_WAIT_MS;; wait_ms *= 2) {
        enum bp_code rc = take_snapshot(b, err);

        if (rc != BP_OK)
            return rc;
        rc = bp_backup_read(b, err);
        if (!b->no_room && (rc != BP_ELOCKED || left-- <= 0))
            return rc;
        b->job->source->ops->close(b->job->source);
        free_backup(b);
        if (b->no_room) {
            bp_info(b->job->out, "%s; beginning anew with fewer connections", err->msg);
            continue;
        }
        bp_info(b->job->out, "%s; beginning anew in %" PRId64 " s", err->msg, wait_ms / 1000);
        b->phase = "waiting to begin anew";
        if (bp_clock_sleep(b->job->clock, wait_ms, err) != BP_OK)
            return err->code;
    }
}

/* An empty dump that makes the job green is what people find when they need their backup. */
static enum bp_code check_rows(const struct bp_backup *b, struct bp_err *err)
{
    if (b->job->allow_empty || bp_manifest_rows(&b->manifest) > 0)
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "none of the %zu tables of '%s' has a row; hint: is this the right database? "
                   "--allow-empty accepts it",
                   b->tables.count, b->manifest.database.name);
}

/* Readable rows must not get to where everybody can read them by mistake. */
static enum bp_code check_private(const struct bp_backup *b, struct bp_err *err)
{
    struct bp_store *store = b->job->store;
    bool is_public = false;
    enum bp_code rc = BP_OK;

    if (!b->job->allow_public && !bp_sealing_is_on(b->sealing))
        rc = store->ops->is_public(store, &is_public, err);
    if (rc != BP_OK || !is_public)
        return rc;
    return bp_fail(err, BP_EUSAGE, "the backup repository is %s; hint: %s", BP_BACKUP_PUBLIC_WHY,
                   BP_BACKUP_PUBLIC_FIX);
}

static enum bp_code run(struct bp_backup *b, struct bp_backup_result *result, struct bp_err *err)
{
    if (take_turn(b, &result->skipped, err) != BP_OK)
        return err->code;
    if (result->skipped) {
        (void)snprintf(result->reason, sizeof(result->reason), "%s", err->msg);
        return BP_OK;
    }
    /* Before anything is read: a wrong token shall show now and not in an hour. */
    b->phase = "opening the backup repository";
    if (b->job->store->ops->open(b->job->store, err) != BP_OK || check_private(b, err) != BP_OK ||
        b->job->store->ops->base(b->job->store, BP_PATH_CURRENT, err) != BP_OK ||
        bp_sealing_look(b->sealing, b->job->store, err) != BP_OK)
        return err->code;
    b->held = b->job->store->ops->held(b->job->store);
    if (read_snapshot(b, err) != BP_OK || check_rows(b, err) != BP_OK)
        return err->code;
    b->manifest.finished_ms = bp_clock_wall(b->job->clock);
    b->phase = "pushing";
    bp_info(b->job->out, "committing to branch '%s'", b->job->branch);
    if (bp_backup_commit(b, result, err) != BP_OK)
        return err->code;
    bp_backup_warn(b, result);
    return BP_OK;
}

static void finish(struct bp_backup *b)
{
    free_backup(b);
    bp_sealing_freep(&b->sealing);
}

enum bp_code bp_flow_backup(const struct bp_backup_job *job, struct bp_backup_result *result,
                            struct bp_err *err)
{
    BP_AUTO(finish)
    struct bp_backup b = {.job = job, .workers = job->jobs > 0 ? job->jobs : bp_crew_cores()};
    int64_t start = bp_clock_mono(job->clock);
    enum bp_code rc = BP_OK;

    *result = (struct bp_backup_result){0};
    b.sealing = bp_sealing_new(&job->sealing);
    rc = run(&b, result, err);
    if (rc == BP_ETIMEOUT || rc == BP_ESTOPPED)
        return bp_wrap(err, "while %s", b.phase);
    if (rc != BP_OK)
        return rc;
    result->kept_files = (int64_t)bp_sealing_kept(b.sealing);
    result->tables = (int64_t)b.manifest.table_count;
    result->rows = bp_manifest_rows(&b.manifest);
    result->bytes = bp_manifest_bytes(&b.manifest);
    result->took_ms = bp_clock_mono(job->clock) - start;
    return BP_OK;
}
