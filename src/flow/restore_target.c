/* Whether the target may be changed, and how it is done. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_internal.h"

enum { MAJOR = 10000 };

static void put_some(struct bp_buf *out, const struct bp_list *some, int64_t count)
{
    for (size_t i = 0; i < some->count && i < 3; i++) {
        bp_buf_puts(out, i > 0 ? ", " : "");
        bp_put_foreign(out, some->at[i], 80);
    }
    if (count > 3)
        bp_buf_puts(out, " ...");
}

static enum bp_code refuse_contents(struct bp_restore *r, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};

    put_some(&names, &r->result->replaced, r->result->replaced_count);
    return bp_fail(err, BP_EUSAGE,
                   "database '%s' at %s is not empty: it holds %" PRId64 " objects (%s); hint: "
                   "restore into a new database, or replace all that is there with --clean",
                   r->info.name, r->info.where, r->result->replaced_count, bp_buf_str(&names));
}

static enum bp_code ask(struct bp_restore *r, const char *question, struct bp_err *err)
{
    if (!r->job->confirm(r->job->ctx, question) && bp_stop_check(r->job->clock->stop, err) == BP_OK)
        return bp_fail(err, BP_EUSAGE,
                       "not confirmed, nothing was changed; hint: --yes confirms outside a "
                       "terminal");
    return bp_stop_check(r->job->clock->stop, err);
}

static enum bp_code look_for_all(struct bp_restore *r, bool cut_off, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *question = NULL;
    int64_t count = r->result->replaced_count;

    r->must_clean = count > 0 || cut_off;
    if (count == 0)
        return BP_OK;
    if (!r->job->clean && cut_off)
        return bp_fail(err, BP_EUSAGE,
                       "database '%s' at %s holds a restore of archive %s that was cut off; hint: "
                       "--resume goes on with it, --clean begins anew",
                       r->info.name, r->info.where, r->marks.archive);
    if (!r->job->clean)
        return refuse_contents(r, err);
    question = bp_format("Replace all %" PRId64 " objects in database '%s' at %s with archive %s?",
                         count, r->info.name, r->info.where, r->entry->name.id);
    return ask(r, question, err);
}

/* A part of an archive may go beside what is there, but not into it. */
static enum bp_code look_for_tables(struct bp_restore *r, bool cut_off, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    BP_AUTO(bp_freep) char *question = NULL;

    if (cut_off)
        return bp_fail(err, BP_EUSAGE,
                       "database '%s' at %s holds a restore of archive %s that was cut off; hint: "
                       "go on with it first, with --resume",
                       r->info.name, r->info.where, r->marks.archive);
    if (r->job->target->ops->existing(r->job->target, &r->plan.made, &r->replace, err) != BP_OK)
        return err->code;
    bp_list_free(&r->result->replaced);
    r->result->replaced_count = (int64_t)r->replace.count;
    for (size_t i = 0; i < r->replace.count; i++)
        bp_list_addf(&r->result->replaced, "table %s", r->replace.at[i]);
    if (r->replace.count == 0)
        return BP_OK;
    put_some(&names, &r->result->replaced, r->result->replaced_count);
    if (!r->job->clean)
        return bp_fail(err, BP_EUSAGE,
                       "database '%s' at %s has such tables already (%s); hint: --into-schema "
                       "puts them elsewhere, --clean replaces them",
                       r->info.name, r->info.where, bp_buf_str(&names));
    question = bp_format("Replace %zu tables (%s) in database '%s' at %s with those of archive %s?",
                         r->replace.count, bp_buf_str(&names), r->info.name, r->info.where,
                         r->entry->name.id);
    return ask(r, question, err);
}

static enum bp_code look_for_rest(struct bp_restore *r, struct bp_err *err)
{
    if (!r->marks.found)
        return bp_fail(err, BP_EUSAGE,
                       "database '%s' at %s holds no restore that was cut off; hint: restore "
                       "without --resume",
                       r->info.name, r->info.where);
    if (strcmp(r->marks.archive, r->entry->name.id) != 0)
        return bp_fail(err, BP_EUSAGE,
                       "the restore into database '%s' that was cut off is one of archive %s; "
                       "hint: write this id, or begin anew with --clean",
                       r->info.name, r->marks.archive);
    if (strcmp(r->marks.plan, r->plan_sum) != 0)
        return bp_fail(err, BP_EUSAGE,
                       "the restore into database '%s' that was cut off had other options; hint: "
                       "give the same ones, or begin anew with --clean",
                       r->info.name);
    return BP_OK;
}

/* Whether the marks would stand where something of the archive has to. */
static bool makes_schema(const struct bp_restore *r, const char *schema)
{
    BP_AUTO(bp_freep) char *of_archive = bp_format(": SCHEMA %s", schema);
    BP_AUTO(bp_freep) char *of_part = bp_format("schema '%s'", schema);

    for (size_t i = 0; i < r->plan.pre.count; i++) {
        const char *label = r->plan.pre.at[i].label;

        if (bp_text_ends_with(label, of_archive) || strcmp(label, of_part) == 0)
            return true;
    }
    return false;
}

static enum bp_code leave_marks(struct bp_restore *r, struct bp_err *err)
{
    if (r->single || !makes_schema(r, r->info.marks))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "the schema '%s' would be made, where a restore by several connections keeps "
                   "what is done; hint: restore with --jobs 1, in one transaction",
                   r->info.marks);
}

static void choose_jobs(struct bp_restore *r, bool holds_something)
{
    const struct bp_restore_job *job = r->job;

    r->jobs = job->jobs;
    if (r->jobs == 0)
        r->jobs = (holds_something && !job->resume) || makes_schema(r, r->info.marks)
                      ? 1
                      : bp_crew_cores();
    if (r->jobs > BP_RESTORE_JOBS_LIMIT)
        r->jobs = BP_RESTORE_JOBS_LIMIT;
    r->single = r->jobs == 1 && !job->resume && !job->continue_on_error;
    r->seats = bp_alloc(r->jobs, sizeof(*r->seats));
    r->workers = r->jobs;
    r->result->jobs = r->jobs;
}

static enum bp_code check_version(const struct bp_restore *r, struct bp_err *err)
{
    if (r->info.version_num / MAJOR >= r->manifest->database.version_num / MAJOR)
        return BP_OK;
    return bp_fail(err, BP_EFAILED,
                   "the archive is from PostgreSQL %s, the target is version %d; hint: restore "
                   "into the same major version or a newer one",
                   r->manifest->database.server_version, r->info.version_num / MAJOR);
}

enum bp_code bp_restore_look(struct bp_restore *r, struct bp_err *err)
{
    struct bp_target *target = r->job->target;
    struct bp_restore_result *result = r->result;
    bool holds_something = false;
    bool cut_off = false;
    enum bp_code rc = BP_OK;

    if (target->ops->open(target, &r->info, err) != BP_OK || check_version(r, err) != BP_OK ||
        target->ops->lock(target, err) != BP_OK ||
        target->ops->marks(target, &r->marks, err) != BP_OK ||
        target->ops->contents(target, &result->replaced, &result->replaced_count, err) != BP_OK)
        return err->code;
    holds_something = result->replaced_count > 0;
    cut_off = r->marks.found;
    if (r->job->resume)
        rc = look_for_rest(r, err);
    else if (r->plan.whole)
        rc = look_for_all(r, cut_off, err);
    else
        rc = look_for_tables(r, cut_off, err);
    if (rc != BP_OK)
        return rc;
    if (!r->job->resume)
        bp_target_marks_free(&r->marks);
    else
        result->replaced_count = 0;
    choose_jobs(r, holds_something);
    return leave_marks(r, err);
}
