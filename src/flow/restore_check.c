/* Every checksum, on all processor cores: nothing of the target is touched before they are right.
 */
#include "flow/archive_check.h"
#include "flow/restore_internal.h"

static void warn_of(const struct bp_restore_job *job, const struct bp_list *words, size_t from)
{
    for (size_t i = from; i < words->count; i++)
        bp_warn(job->out, "%s", words->at[i]);
}

enum bp_code bp_restore_check_files(const struct bp_restore_job *job,
                                    const struct bp_catalog_entry *entry, struct bp_err *err)
{
    /* Only what the manifest lists is used, so another file does no harm here. */
    const struct bp_archive_check check = {.store = job->store,
                                           .entry = entry,
                                           .clock = job->clock,
                                           .out = job->out,
                                           .only_listed = true};
    BP_AUTO(bp_archive_checked_free) struct bp_archive_checked checked = {0};
    enum bp_code rc = bp_archive_check(&check, &checked, err);

    /* The first one is the error. */
    warn_of(job, &checked.findings, 1);
    warn_of(job, &checked.extra, 0);
    return rc;
}
