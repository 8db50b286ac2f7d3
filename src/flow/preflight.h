/* What can be known to fail before anything is started, said with its fix. It changes nothing. */
#ifndef BP_FLOW_PREFLIGHT_H
#define BP_FLOW_PREFLIGHT_H

#include "base/list.h"
#include "base/print.h"
#include "base/retry.h"
#include "forge/forge.h"

/* All lent for the length of the call. */
struct bp_preflight_job {
    struct bp_forge *forge;
    struct bp_out *out;
    const char *repo;
    const char *workflow;
    const struct bp_list *branches; /* looked for as well; NULL: none */
    struct bp_retry retry;          /* for each request */
};

/* The token is valid and sees the repository, the workflow exists and is active. */
enum bp_code bp_preflight(const struct bp_preflight_job *job, struct bp_err *err) BP_CHECK;

/* The inputs of a dispatch from text: a JSON object of at most 25 values. BP_EUSAGE. Owned by the
 * caller. */
enum bp_code bp_preflight_inputs(const char *text, struct bp_json **out,
                                 struct bp_err *err) BP_CHECK;

/* "owner/name" with the characters that GitHub allows. BP_EUSAGE. */
enum bp_code bp_preflight_repo_name(const char *repo, struct bp_err *err) BP_CHECK;

/* At least one branch, none twice. BP_EUSAGE. */
enum bp_code bp_preflight_branches(const struct bp_list *branches, struct bp_err *err) BP_CHECK;

#endif
