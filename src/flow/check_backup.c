#include "flow/check_backup.h"

static enum bp_code look_at_store(const struct bp_check_backup_job *job,
                                  struct bp_findings *findings, struct bp_err *err)
{
    static const char about[] = "backup repository";
    enum bp_code rc = job->store->ops->open(job->store, err);

    if (rc == BP_ESTOPPED)
        return rc;
    if (rc != BP_OK)
        bp_findings_fail(findings, about, err);
    else if (job->store->ops->exists(job->store))
        bp_findings_add(findings, BP_FOUND_OK, about, "it can be read, and has the branch '%s'",
                        job->branch);
    else
        bp_findings_add(findings, BP_FOUND_OK, about,
                        "it can be read; the first backup makes its branch '%s'", job->branch);
    return BP_OK;
}

enum bp_code bp_flow_check_backup(const struct bp_check_backup_job *job,
                                  struct bp_findings *findings, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    if (job->source != NULL)
        rc = job->source->ops->examine(job->source, findings, err);
    if (rc == BP_OK && job->store != NULL)
        rc = look_at_store(job, findings, err);
    return rc;
}
