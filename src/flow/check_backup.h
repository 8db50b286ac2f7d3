/* Would a backup work? What is found of its database and of its backup repository; only reads. */
#ifndef BP_FLOW_CHECK_BACKUP_H
#define BP_FLOW_CHECK_BACKUP_H

#include "base/clock.h"
#include "base/findings.h"
#include "source/source.h"
#include "store/store.h"

struct bp_check_backup_job {
    struct bp_source *source; /* NULL: is not looked at */
    struct bp_store *store;   /* likewise */
    const char *branch;       /* of the backup repository */
    struct bp_clock *clock;
    bool allow_public; /* everybody may read it */
    size_t recipients; /* that archives are sealed for; 0: they are readable */
};

/* An error only for a stop: all else becomes a finding. */
enum bp_code bp_flow_check_backup(const struct bp_check_backup_job *job,
                                  struct bp_findings *findings, struct bp_err *err) BP_CHECK;

#endif
