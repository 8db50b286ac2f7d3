#include "flow/drill.h"

#include <string.h>

#include "base/mem.h"

enum { FEWEST = 2 };

static const int64_t window_ms = INT64_C(30) * 86400 * 1000;

void bp_drill_result_free(struct bp_drill_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        bp_free(result->at[i].branch);
        bp_free(result->at[i].reason);
        bp_verify_result_free(&result->at[i].verified);
    }
    bp_free(result->at);
    *result = (struct bp_drill_result){0};
}

/* ---- what the archives tell ---- */

void bp_drill_gaps(const struct bp_catalog *catalog, const char *bad, int64_t now_ms,
                   struct bp_drill_gaps *out)
{
    int64_t later_ms = -1; /* the good archive that was seen last */

    *out = (struct bp_drill_gaps){.age_ms = -1};
    for (size_t i = 0; i < catalog->count; i++) {
        const struct bp_catalog_entry *e = &catalog->at[i];

        if (!e->described || strcmp(e->name.id, bad) == 0) {
            out->damaged++;
            continue;
        }
        if (later_ms < 0)
            out->age_ms = now_ms > e->name.time_ms ? now_ms - e->name.time_ms : 0;
        else if (later_ms - e->name.time_ms > out->gap_ms)
            out->gap_ms = later_ms - e->name.time_ms;
        later_ms = e->name.time_ms;
        out->good++;
    }
}

int64_t bp_drill_rpo(const struct bp_drill_gaps *gaps)
{
    if (gaps->age_ms < 0)
        return -1;
    return gaps->gap_ms > gaps->age_ms ? gaps->gap_ms : gaps->age_ms;
}

static enum bp_code load(struct bp_store *store, const struct bp_catalog_filter *filter,
                         struct bp_catalog *out, struct bp_err *err)
{
    bp_catalog_free(out);
    if (bp_catalog_load(store, out, err) != BP_OK)
        return err->code;
    return bp_catalog_select(out, store, filter, err);
}

static enum bp_code look_at_gaps(const struct bp_drill_job *job, struct bp_store *store,
                                 struct bp_drill_branch *b, struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    int64_t now_ms = bp_clock_wall(job->clock);
    const struct bp_catalog_filter recent = {.since_ms = now_ms - window_ms};
    const struct bp_catalog_filter newest = {.limit = FEWEST};
    enum bp_code rc = load(store, &recent, &catalog, err);

    if (rc == BP_OK && catalog.count < FEWEST)
        rc = load(store, &newest, &catalog, err);
    if (rc == BP_OK)
        bp_drill_gaps(&catalog, b->code == BP_EINTEGRITY ? b->verified.id : "", now_ms, &b->gaps);
    return rc;
}

/* ---- one branch ---- */

static enum bp_code verify(const struct bp_drill_job *job, struct bp_store *store,
                           struct bp_drill_branch *b, struct bp_err *err)
{
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;
    struct bp_verify_job one = {.store = store,
                                .clock = job->clock,
                                .out = job->out,
                                .archive = "latest",
                                .branch = b->branch,
                                .opener = job->opener,
                                .level = job->level,
                                .checks = job->checks,
                                .jobs = job->jobs,
                                .record = job->record};

    if (job->level >= BP_L2 && job->scratch(job->ctx, &scratch, err) != BP_OK)
        return err->code;
    one.scratch = scratch;
    return bp_flow_verify(&one, &b->verified, err);
}

/* *empty: it holds no archive, or is no more. */
static enum bp_code drill_branch(const struct bp_drill_job *job, struct bp_drill_branch *b,
                                 bool *empty, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    struct bp_err gaps = {0};
    enum bp_code rc = job->store(job->ctx, b->branch, &store, err);

    *empty = false;
    if (rc == BP_OK)
        rc = bp_catalog_open(store, b->branch, &catalog, err);
    if (rc == BP_OK && catalog.count == 0)
        rc = bp_fail(err, BP_ENOTFOUND, "the branch '%s' holds no archive", b->branch);
    if (rc != BP_OK) {
        *empty = rc == BP_ENOTFOUND;
        return rc;
    }
    rc = verify(job, store, b, err);
    b->code = rc;
    if (look_at_gaps(job, store, b, &gaps) != BP_OK && rc == BP_OK) {
        *err = gaps;
        return gaps.code;
    }
    return rc;
}

/* ---- all of them ---- */

static enum bp_code sum_up(const struct bp_drill_result *result, struct bp_err *err)
{
    const struct bp_drill_branch *worst = NULL;
    size_t failed = 0;

    for (size_t i = 0; i < result->count; i++) {
        const struct bp_drill_branch *b = &result->at[i];

        if (b->code == BP_OK)
            continue;
        failed++;
        if (worst == NULL || (worst->code != BP_EINTEGRITY && b->code == BP_EINTEGRITY))
            worst = b;
    }
    if (result->count == 0)
        return bp_fail(err, BP_ENOTFOUND, "no branch of the backup repository holds an archive");
    if (worst == NULL)
        return BP_OK;
    return bp_fail(err, worst->code, "%zu of %zu branches could not be proved; '%s': %s", failed,
                   result->count, worst->branch, worst->reason);
}

static void keep(struct bp_drill_result *result, struct bp_drill_branch *b, enum bp_code rc,
                 const struct bp_err *err)
{
    b->code = rc;
    b->reason = bp_strdup(rc != BP_OK ? err->msg : "");
    result->at[result->count++] = *b;
}

enum bp_code bp_flow_drill(const struct bp_drill_job *job, struct bp_drill_result *result,
                           struct bp_err *err)
{
    int64_t start = bp_clock_mono(job->clock);

    *result = (struct bp_drill_result){0};
    result->at = bp_alloc(job->branches->count + 1, sizeof(*result->at));
    for (size_t i = 0; i < job->branches->count; i++) {
        struct bp_drill_branch b = {.branch = bp_strdup(job->branches->at[i]),
                                    .verified = {.level = BP_UNPROVED, .wanted = job->level},
                                    .gaps = {.age_ms = -1}};
        bool empty = false;
        enum bp_code rc = BP_OK;

        rc = drill_branch(job, &b, &empty, err);
        if (empty && !job->named) {
            bp_debug(job->out, "branch '%s' holds no archive", b.branch);
            bp_free(b.branch);
            continue;
        }
        keep(result, &b, rc, err);
        if (bp_stop_check(job->clock->stop, err) != BP_OK)
            return err->code;
    }
    result->took_ms = bp_clock_mono(job->clock) - start;
    return sum_up(result, err);
}
