#include "flow/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/archive_file.h"
#include "flow/verify_internal.h"

static const char *const names[] = {"L0", "L1", "L2", "L3", "L4", "L5"};
enum { LEVELS = sizeof(names) / sizeof(names[0]), MAJOR = 10000 };

const char *bp_proof_name(enum bp_proof level)
{
    return level >= BP_L0 && level <= BP_L5 ? names[level] : "none";
}

enum bp_proof bp_proof_parse(const char *text)
{
    for (int i = 0; text != NULL && i < LEVELS; i++) {
        if (strcmp(text, names[i]) == 0)
            return (enum bp_proof)i;
    }
    return BP_UNPROVED;
}

void bp_verify_result_free(struct bp_verify_result *result)
{
    bp_list_free(&result->except);
    bp_list_free(&result->findings);
    bp_list_free(&result->notes);
}

enum bp_code bp_verify_fault(struct bp_verify *v, struct bp_err *err, const char *fmt, ...)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&words, fmt, args);
    va_end(args);
    if (v->result->findings.count < BP_VERIFY_FINDINGS)
        bp_list_add(&v->result->findings, words.data);
    return bp_fail(err, BP_EINTEGRITY, "%s", words.data);
}

enum bp_code bp_verify_read(const struct bp_verify *v, const char *path, struct bp_buf *out,
                            struct bp_err *err)
{
    const struct bp_manifest_file *file = bp_manifest_file(v->manifest, path);

    if (file == NULL)
        return bp_fail(err, BP_EINTEGRITY, "the manifest does not list '%s'", path);
    return bp_archive_file_read(v->job->store, v->entry, file, out, err);
}

bool bp_verify_is_elsewhere(const struct bp_verify *v)
{
    return v->scratch.version_num / MAJOR != v->manifest->database.version_num / MAJOR;
}

/* ---- the archive ---- */

/* A sealed archive that nothing opens can still be looked at from outside. */
static enum bp_code open_entry(struct bp_verify *v, struct bp_catalog_entry *entry,
                               struct bp_err *err)
{
    enum bp_code rc = bp_catalog_unseal(v->job->store, entry, &v->job->opener, err);

    if (rc == BP_EUSAGE && entry->described && entry->manifest.sealed && v->job->level == BP_L0) {
        bp_list_add(&v->result->notes, "it is sealed and was not opened: its sealed files were "
                                       "checked");
        return BP_OK;
    }
    return rc;
}

static enum bp_code find(struct bp_verify *v, struct bp_catalog *catalog, struct bp_err *err)
{
    const struct bp_verify_job *job = v->job;
    struct bp_catalog_entry *entry = NULL;
    enum bp_code rc = bp_catalog_open(job->store, job->branch, catalog, err);

    if (rc == BP_OK)
        rc = job->archive != NULL ? bp_catalog_find(catalog, job->archive, &entry, err)
                                  : bp_catalog_at(catalog, job->at_ms, &entry, err);
    if (rc != BP_OK)
        return rc;
    (void)snprintf(v->result->id, sizeof(v->result->id), "%s", entry->name.id);
    v->result->time_ms = entry->name.time_ms;
    v->entry = entry;
    rc = open_entry(v, entry, err);
    v->manifest = &entry->manifest;
    return rc;
}

static enum bp_code fetch(struct bp_verify *v, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    bp_list_add(&paths, v->entry->path);
    bp_info(v->job->out, "fetching archive %s", v->entry->name.id);
    return v->job->store->ops->fetch(v->job->store, &paths, err);
}

/* ---- the ladder ---- */

static enum bp_code climb(struct bp_verify *v, struct bp_err *err)
{
    static enum bp_code (*const steps[])(struct bp_verify *, struct bp_err *) = {
        bp_verify_files,   bp_verify_parse,       bp_verify_restore,
        bp_verify_content, bp_verify_definitions, bp_verify_ask};

    for (int level = BP_L0; level <= (int)v->job->level; level++) {
        enum bp_code rc = steps[level](v, err);

        if (rc != BP_OK)
            return rc;
        v->result->level = (enum bp_proof)level;
    }
    return BP_OK;
}

static enum bp_code prove(struct bp_verify *v, struct bp_catalog *catalog, struct bp_err *err)
{
    int64_t start = 0;
    enum bp_code rc = find(v, catalog, err);

    /* Before anything that takes long: a scratch that is refused shall show now. */
    if (rc == BP_OK && v->job->level >= BP_L2)
        rc = bp_verify_start(v, err);
    start = bp_clock_mono(v->job->clock);
    if (rc == BP_OK)
        rc = fetch(v, err);
    if (rc != BP_OK)
        return rc;
    v->fetched_ms = start;
    return climb(v, err);
}

static bool is_told(enum bp_code rc)
{
    return rc == BP_EINTEGRITY || rc == BP_EFAILED;
}

/* Whatever ended it, one line says how far it came and what was in the way. */
static enum bp_code sum_up(struct bp_verify *v, enum bp_code rc, struct bp_err *err)
{
    struct bp_verify_result *result = v->result;
    BP_AUTO(bp_freep) char *why = bp_strdup(err->msg);
    const struct bp_list *told = &result->findings;

    if (!is_told(rc))
        return rc;
    if (result->findings.count == 0 && result->except.count == 0)
        bp_list_add(&result->findings, why);
    if (result->except.count > 0)
        told = &result->except;
    if (v->entry == NULL)
        return rc;
    if (result->level == BP_UNPROVED)
        return bp_fail(err, rc, "archive %s did not reach %s: %s", result->id, bp_proof_name(BP_L0),
                       told->at[0]);
    return bp_fail(err, rc, "archive %s reached %s and not %s: %s", result->id,
                   bp_proof_name(result->level), bp_proof_name(result->wanted), told->at[0]);
}

static enum bp_code record(struct bp_verify *v, enum bp_code rc, struct bp_err *err)
{
    struct bp_err failure = {0};

    if (!v->job->record || v->entry == NULL || (rc != BP_OK && !is_told(rc)) ||
        bp_verify_record(v, rc, &failure) == BP_OK)
        return rc;
    if (rc == BP_OK)
        return bp_fail(err, failure.code,
                       "archive %s reached %s, but that could not be written into its manifest: %s",
                       v->result->id, bp_proof_name(v->result->level), failure.msg);
    bp_warn(v->job->out, "the result could not be written into the archive's manifest: %s",
            failure.msg);
    return rc;
}

static void free_verify(struct bp_verify *v)
{
    bp_list_free(&v->extensions);
    bp_list_free(&v->schemas);
    bp_list_free(&v->faults);
    bp_manifest_free(&v->again.manifest);
    bp_manifest_free(&v->again.outer);
    bp_tables_free(&v->again.tables);
    bp_list_free(&v->again.schemas);
    bp_ddl_free(&v->again.ddl);
}

enum bp_code bp_flow_verify(const struct bp_verify_job *job, struct bp_verify_result *result,
                            struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    BP_AUTO(free_verify) struct bp_verify v = {.job = job, .result = result};
    int64_t start = bp_clock_mono(job->clock);
    enum bp_code rc = BP_OK;

    *result = (struct bp_verify_result){.level = BP_UNPROVED, .wanted = job->level};
    rc = prove(&v, &catalog, err);
    bp_progress_end(job->out);
    rc = sum_up(&v, rc, err);
    result->took_ms = bp_clock_mono(job->clock) - start;
    return record(&v, rc, err);
}
