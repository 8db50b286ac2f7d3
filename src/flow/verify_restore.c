/* L2: restored into the scratch. L5: what the user asks it. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/verify_internal.h"

enum { SHOWN = 200, CHECK_SHOWN = 120, FAILURES_SHOWN = 20 };

enum bp_code bp_verify_start(struct bp_verify *v, struct bp_err *err)
{
    const struct bp_manifest *m = v->manifest;
    const struct bp_scratch_want want = {.version_num = (int)m->database.version_num,
                                         .encoding = m->database.encoding,
                                         .collation = m->database.collation,
                                         .system_identifier = m->database.system_identifier,
                                         .name = m->database.name};
    struct bp_scratch *scratch = v->job->scratch;

    if (scratch->ops->start(scratch, &want, &v->scratch, err) != BP_OK)
        return err->code;
    memcpy(v->result->where, v->scratch.where, sizeof(v->result->where));
    if (!v->scratch.same_collation)
        bp_list_addf(&v->result->notes,
                     "the scratch database compares text by other rules than the source ('%s'), "
                     "which are not there",
                     m->database.collation);
    return BP_OK;
}

/*
 * Whether it was the machine or the server that failed, and not the archive: a full disk, too
 * little memory, another major version, a user who may not do what the archive needs.
 */
static bool is_elsewhere(const struct bp_verify *v, const struct bp_err *err)
{
    static const char *const words[] = {"No space left on device",
                                        "could not extend file",
                                        "out of memory",
                                        "out of shared memory",
                                        "shared memory segment",
                                        "permission denied",
                                        "must be ",
                                        "too many connections"};

    if (bp_verify_is_elsewhere(v) || !v->scratch.same_collation)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(err->msg, words[i]) != NULL)
            return true;
    }
    return false;
}

static void except_extensions(struct bp_verify *v, const struct bp_list *missing,
                              const struct bp_restore_result *restored)
{
    for (size_t i = 0; i < missing->count; i++)
        bp_list_addf(&v->result->except,
                     "extension '%s' is not available in %s: what needs it was not proved",
                     missing->at[i], v->scratch.where);
    for (size_t i = 0; i < restored->failures.count && i < FAILURES_SHOWN; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf words = {0};

        bp_put_foreign(&words, restored->failures.at[i], SHOWN);
        bp_list_add(&v->result->findings, bp_buf_str(&words));
    }
    if (restored->failures.count > FAILURES_SHOWN)
        bp_list_addf(&v->result->findings, "and %zu more objects that could not be restored",
                     restored->failures.count - FAILURES_SHOWN);
}

/* An archive of --table holds no schema: it is restored where that is already. */
static enum bp_code check_schemas(struct bp_verify *v, struct bp_err *err)
{
    const struct bp_manifest *m = v->manifest;

    for (size_t i = 0; i < m->table_count && m->options.tables.count > 0; i++) {
        const char *schema = m->tables[i].schema;

        if (strcmp(schema, "public") == 0 || bp_list_has(&v->schemas, schema))
            continue;
        bp_list_addf(&v->result->except,
                     "the archive holds tables of schema '%s' and not the schema (--table), so it "
                     "cannot be restored into an empty database",
                     schema);
        return bp_fail(err, BP_EFAILED, "%s", v->result->except.at[0]);
    }
    return BP_OK;
}

static enum bp_code judge(struct bp_verify *v, enum bp_code rc, struct bp_err *err)
{
    if (rc == BP_EFAILED && !is_elsewhere(v, err))
        rc = BP_EINTEGRITY;
    if (rc == BP_EINTEGRITY)
        return bp_verify_fault(v, err, "%s", err->msg);
    return rc;
}

enum bp_code bp_verify_restore(struct bp_verify *v, struct bp_err *err)
{
    struct bp_scratch *scratch = v->job->scratch;
    BP_AUTO(bp_list_free) struct bp_list missing = {0};
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    BP_AUTO(bp_restore_result_free) struct bp_restore_result restored = {0};
    struct bp_restore_job job = {.store = v->job->store,
                                 .clock = v->job->clock,
                                 .out = v->job->out,
                                 .branch = v->job->branch,
                                 .opener = v->job->opener,
                                 .jobs = v->job->jobs};
    enum bp_code rc = check_schemas(v, err);

    if (rc == BP_OK)
        rc = scratch->ops->missing(scratch, &v->extensions, &missing, err);
    if (rc != BP_OK)
        return rc;
    bp_info(v->job->out, "restoring into %s", v->scratch.where);
    target = scratch->ops->target(scratch);
    job.target = target;
    job.continue_on_error = missing.count > 0;
    rc = bp_restore_entry(&job, v->entry, &restored, err);
    v->result->restore_ms = restored.took_ms;
    if (missing.count == 0 && rc == BP_OK) {
        v->result->recovery_ms = v->fetched_ms + restored.took_ms;
        return BP_OK;
    }
    if (missing.count == 0)
        return judge(v, rc, err);
    if (rc != BP_OK && rc != BP_EFAILED && rc != BP_EINTEGRITY)
        return rc;
    except_extensions(v, &missing, &restored);
    return bp_fail(err, BP_EFAILED, "%s", v->result->except.at[0]);
}

/* ---- L5 ---- */

enum bp_code bp_verify_ask(struct bp_verify *v, struct bp_err *err)
{
    struct bp_scratch *scratch = v->job->scratch;
    const struct bp_list *checks = v->job->checks;
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < checks->count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf why = {0};
        BP_AUTO(bp_buf_free) struct bp_buf shown = {0};
        bool yes = false;

        bp_progress(v->job->out, "asking: check %zu of %zu", i + 1, checks->count);
        if (scratch->ops->ask(scratch, checks->at[i], &yes, &why, err) != BP_OK)
            return bp_wrap(err, "check %zu", i + 1);
        if (yes)
            continue;
        bp_put_foreign(&shown, checks->at[i], CHECK_SHOWN);
        rc = bp_verify_fault(v, err, "check %zu of %zu (%s): %s", i + 1, checks->count,
                             bp_buf_str(&shown), bp_buf_str(&why));
    }
    return rc;
}
