#include "flow/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_file.h"
#include "flow/restore_internal.h"

void bp_restore_result_free(struct bp_restore_result *result)
{
    bp_list_free(&result->replaced);
    bp_list_free(&result->made);
    bp_list_free(&result->loaded);
    bp_list_free(&result->skipped);
    bp_list_free(&result->failures);
    *result = (struct bp_restore_result){0};
}

/* ---- the archive ---- */

static enum bp_code choose(const struct bp_restore_job *job, struct bp_catalog *catalog,
                           struct bp_catalog_entry **out, struct bp_err *err)
{
    enum bp_code rc = job->archive != NULL ? bp_catalog_find(catalog, job->archive, out, err)
                                           : bp_catalog_at(catalog, job->at_ms, out, err);

    if (rc == BP_OK && (*out)->name.latest && *out != &catalog->at[0])
        bp_warn(job->out, "archive %s claims to be newer than the latest, %s: was a clock wrong?",
                catalog->at[0].name.id, (*out)->name.id);
    return rc;
}

static enum bp_code fetch(const struct bp_restore_job *job, const struct bp_catalog_entry *entry,
                          struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    bp_list_add(&paths, entry->path);
    return job->store->ops->fetch(job->store, &paths, err);
}

enum bp_code bp_flow_restore(const struct bp_restore_job *job, struct bp_restore_result *result,
                             struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    struct bp_catalog_entry *entry = NULL;
    int64_t start = bp_clock_mono(job->clock);
    enum bp_code rc = BP_OK;

    *result = (struct bp_restore_result){0};
    rc = bp_catalog_open(job->store, job->branch, &catalog, err);
    if (rc == BP_OK)
        rc = choose(job, &catalog, &entry, err);
    if (rc == BP_OK)
        rc = bp_catalog_unseal(job->store, entry, &job->opener, err);
    if (rc == BP_OK)
        rc = fetch(job, entry, err);
    if (rc == BP_OK)
        rc = bp_restore_check_files(job, entry, err);
    if (rc != BP_OK)
        return rc;
    bp_info(job->out, "archive %s: %zu tables, %" PRId64 " rows, every checksum is right",
            entry->name.id, entry->manifest.table_count, bp_manifest_rows(&entry->manifest));
    rc = bp_restore_entry(job, entry, result, err);
    result->took_ms = bp_clock_mono(job->clock) - start;
    return rc;
}

/* ---- the plan ---- */

static enum bp_code read_text(const struct bp_restore *r, const char *path, struct bp_buf *out,
                              struct bp_err *err)
{
    const struct bp_manifest_file *file = bp_manifest_file(r->manifest, path);

    if (file == NULL)
        return bp_fail(err, BP_EINTEGRITY, "archive '%s' lacks the file '%s'", r->entry->name.id,
                       path);
    return bp_archive_file_read(r->job->store, r->entry, file, out, err);
}

static void add_steps(struct bp_sha256 *hash, const struct bp_restore_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        bp_sha256_add(hash, steps->at[i].sql, strlen(steps->at[i].sql) + 1);
}

/* So that nobody goes on with another plan than the one that was begun. */
static void sum_plan(struct bp_restore *r)
{
    BP_AUTO(bp_sha256_freep) struct bp_sha256 *hash = bp_sha256_new();
    const struct bp_restore_plan *plan = &r->plan;

    bp_sha256_add(hash, plan->roles, strlen(plan->roles) + 1);
    add_steps(hash, &plan->pre);
    add_steps(hash, &plan->post);
    add_steps(hash, &plan->refresh);
    for (size_t i = 0; i < plan->table_count; i++)
        bp_sha256_add(hash, plan->tables[i].target, strlen(plan->tables[i].target) + 1);
    bp_sha256_end(hash, r->plan_sum);
}

/* Event triggers are the last definitions. */
static size_t find_events(const struct bp_restore_steps *post)
{
    size_t i = 0;

    while (i < post->count && strstr(post->at[i].label, ": EVENT TRIGGER ") == NULL)
        i++;
    return i;
}

/* "TABLE app.users" of "database/pre-data.sql: TABLE app.users". */
static void tell_steps(const struct bp_restore_steps *steps, struct bp_list *out)
{
    for (size_t i = 0; i < steps->count; i++) {
        const char *words = strstr(steps->at[i].label, ": ");

        bp_list_add(out, words != NULL ? words + 2 : steps->at[i].label);
    }
}

static void tell_plan(struct bp_restore *r)
{
    const struct bp_restore_plan *plan = &r->plan;

    tell_steps(&plan->pre, &r->result->made);
    tell_steps(&plan->post, &r->result->made);
    for (size_t i = 0; i < plan->table_count; i++) {
        const struct bp_manifest_table *table = plan->tables[i].table;
        struct bp_buf words = {0};

        bp_buf_printf(&words, "%s: ", plan->tables[i].target);
        bp_put_count(&words, table->rows);
        bp_buf_puts(&words, " rows, ");
        bp_put_size(&words, table->bytes);
        bp_list_take(&r->result->loaded, bp_buf_take(&words));
        r->all_bytes += table->bytes;
    }
    r->result->tables = (int64_t)plan->table_count;
}

enum { ROLES, PRE_DATA, SEQUENCES, POST_DATA, REFRESH, TEXTS };

struct texts {
    struct bp_buf at[TEXTS];
};

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < TEXTS; i++)
        bp_buf_free(&texts->at[i]);
}

static enum bp_code make_plan(struct bp_restore *r, struct bp_err *err)
{
    static const char *const paths[TEXTS] = {
        [ROLES] = "roles.sql",
        [PRE_DATA] = "database/pre-data.sql",
        [SEQUENCES] = "database/sequences.sql",
        [POST_DATA] = "database/post-data.sql",
        [REFRESH] = "database/refresh.sql",
    };
    BP_AUTO(free_texts) struct texts texts = {0};
    struct bp_restore_texts lent = {0};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < TEXTS; i++) {
        if (read_text(r, paths[i], &texts.at[i], err) != BP_OK)
            return err->code;
    }
    lent = (struct bp_restore_texts){.roles = bp_buf_str(&texts.at[ROLES]),
                                     .pre_data = bp_buf_str(&texts.at[PRE_DATA]),
                                     .sequences = bp_buf_str(&texts.at[SEQUENCES]),
                                     .post_data = bp_buf_str(&texts.at[POST_DATA]),
                                     .refresh = bp_buf_str(&texts.at[REFRESH])};
    rc =
        bp_restore_plan_make(r->manifest, &lent, &r->job->want, &r->plan, &r->result->skipped, err);
    if (rc != BP_OK)
        return rc;
    sum_plan(r);
    r->events = find_events(&r->plan.post);
    tell_plan(r);
    return BP_OK;
}

/* ---- the work ---- */

static enum bp_code restore(struct bp_restore *r, struct bp_err *err)
{
    r->started_ms = bp_clock_mono(r->job->clock);
    if (r->single)
        return bp_restore_single(r, err);
    if (bp_restore_crew(r, err) == BP_OK)
        return BP_OK;
    if (r->unsure)
        return bp_wrap(err,
                       "it is not known whether the transaction that %s the restore into database "
                       "'%s' was committed (restoring again tells)",
                       r->began ? "ends" : "begins", r->info.name);
    if (!r->began)
        return bp_wrap(err, "nothing was restored");
    if (r->ended)
        return bp_wrap(err,
                       "database '%s' holds all of archive %s but event triggers and what comes "
                       "behind them",
                       r->info.name, r->entry->name.id);
    return bp_wrap(err,
                   "database '%s' is partly restored (--resume goes on with it, --clean begins "
                   "anew)",
                   r->info.name);
}

static void free_restore(struct bp_restore *r)
{
    for (size_t i = 0; r->seats != NULL && i < r->jobs; i++) {
        bp_writer_freep(&r->seats[i].writer);
        bp_buf_free(&r->seats[i].text);
    }
    bp_free(r->seats);
    bp_restore_plan_free(&r->plan);
    bp_target_marks_free(&r->marks);
    bp_list_free(&r->replace);
    (void)pthread_mutex_destroy(&r->lock);
}

enum bp_code bp_restore_entry(const struct bp_restore_job *job,
                              const struct bp_catalog_entry *entry,
                              struct bp_restore_result *result, struct bp_err *err)
{
    BP_AUTO(free_restore)
    struct bp_restore r = {.job = job,
                           .entry = entry,
                           .manifest = &entry->manifest,
                           .result = result,
                           .lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t start = bp_clock_mono(job->clock);
    enum bp_code rc = BP_OK;

    *result = (struct bp_restore_result){0};
    (void)snprintf(result->id, sizeof(result->id), "%s", entry->name.id);
    rc = make_plan(&r, err);
    if (rc == BP_OK)
        rc = bp_restore_look(&r, err);
    if (rc == BP_OK)
        rc = restore(&r, err);
    bp_progress_end(job->out);
    (void)snprintf(result->database, sizeof(result->database), "%s", r.info.name);
    result->rows = atomic_load(&r.rows);
    result->took_ms = bp_clock_mono(job->clock) - start;
    return rc;
}
