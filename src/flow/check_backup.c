#include "flow/check_backup.h"

#include "archive/name.h"
#include "flow/backup.h"
#include "flow/growth.h"

static const char about[] = "backup repository";

/* What the tip's message tells of the branch's size: nothing is fetched for it. */
static void look_at_size(const struct bp_check_backup_job *job, struct bp_findings *findings)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    int64_t now_ms = bp_clock_wall(job->clock);
    struct bp_growth growth = {0};

    bp_growth_read(job->store->ops->message(job->store), &growth);
    if (bp_growth_warn(&growth, now_ms, &text)) {
        bp_findings_add(findings, BP_FOUND_WARNING, about, "%s", bp_buf_str(&text));
        return;
    }
    bp_growth_put(&growth, now_ms, &text);
    if (text.len > 0)
        bp_findings_add(findings, BP_FOUND_OK, about, "the branch holds %s", bp_buf_str(&text));
}

static void look_at_entries(size_t count, struct bp_findings *findings)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_growth_warn_entries(count, &text))
        bp_findings_add(findings, BP_FOUND_WARNING, about, "%s", bp_buf_str(&text));
    else
        bp_findings_add(findings, BP_FOUND_OK, about,
                        "%zu earlier archives, and there is room for %d", count, BP_GROWTH_ENTRIES);
}

static enum bp_code look_at_branch(const struct bp_check_backup_job *job,
                                   struct bp_findings *findings, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    enum bp_code rc = job->store->ops->list(job->store, BP_PATH_ARCHIVE, &names, err);

    if (rc == BP_ESTOPPED)
        return rc;
    look_at_size(job, findings);
    if (rc == BP_OK)
        look_at_entries(names.count, findings);
    else
        bp_findings_fail(findings, about, err);
    return BP_OK;
}

/* Only a stop is an error. */
static enum bp_code look_who_reads(const struct bp_check_backup_job *job,
                                   struct bp_findings *findings, struct bp_err *err)
{
    bool is_public = false;
    enum bp_code rc = job->store->ops->is_public(job->store, &is_public, err);

    if (rc == BP_ESTOPPED)
        return rc;
    if (rc != BP_OK)
        bp_findings_fail(findings, about, err);
    else if (is_public && job->recipients > 0)
        bp_findings_add(findings, BP_FOUND_OK, about, "it is public, and archives are sealed");
    else if (is_public && job->allow_public)
        bp_findings_add(findings, BP_FOUND_OK, about, "it is public, as --allow-public says");
    else if (is_public)
        bp_findings_refuse(findings, BP_EUSAGE, about, "it is %s; hint: %s", BP_BACKUP_PUBLIC_WHY,
                           BP_BACKUP_PUBLIC_FIX);
    return BP_OK;
}

static enum bp_code look_at_store(const struct bp_check_backup_job *job,
                                  struct bp_findings *findings, struct bp_err *err)
{
    enum bp_code rc = job->store->ops->open(job->store, err);

    if (rc == BP_ESTOPPED)
        return rc;
    if (rc != BP_OK) {
        bp_findings_fail(findings, about, err);
        return BP_OK;
    }
    if (!job->store->ops->exists(job->store)) {
        bp_findings_add(findings, BP_FOUND_OK, about,
                        "it can be read; the first backup makes its branch '%s'", job->branch);
        return look_who_reads(job, findings, err);
    }
    bp_findings_add(findings, BP_FOUND_OK, about, "it can be read, and has the branch '%s'",
                    job->branch);
    rc = look_at_branch(job, findings, err);
    return rc == BP_OK ? look_who_reads(job, findings, err) : rc;
}

static void look_at_recipients(const struct bp_check_backup_job *job, struct bp_findings *findings)
{
    if (job->recipients == 1)
        bp_findings_add(findings, BP_FOUND_OK, "sealing",
                        "archives are sealed for one recipient: when its key is lost, nobody can "
                        "restore; hint: a second recipient, whose key is kept in another place, "
                        "can open them too");
    else if (job->recipients > 1)
        bp_findings_add(findings, BP_FOUND_OK, "sealing",
                        "archives are sealed for %zu recipients; 'backproof key check' tells "
                        "whether a key opens them",
                        job->recipients);
}

enum bp_code bp_flow_check_backup(const struct bp_check_backup_job *job,
                                  struct bp_findings *findings, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    if (job->source != NULL)
        rc = job->source->ops->examine(job->source, findings, err);
    if (rc == BP_OK && job->store != NULL)
        rc = look_at_store(job, findings, err);
    if (rc == BP_OK)
        look_at_recipients(job, findings);
    return rc;
}
