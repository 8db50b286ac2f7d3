#include "flow/preflight.h"

#include <ctype.h>
#include <string.h>

enum { MAX_INPUTS = 25 };

static enum bp_code check_repo(const struct bp_preflight_job *job, struct bp_err *err)
{
    struct bp_retry retry = job->retry;
    struct bp_forge_repo info = {0};
    enum bp_code rc = BP_OK;

    do
        rc = job->forge->ops->repo(job->forge, job->repo, &info, err);
    while (rc != BP_OK && bp_retry_again(&retry, err));
    if (rc != BP_OK)
        return err->code;
    if (info.archived || info.disabled)
        return bp_fail(err, BP_EFAILED, "repository '%s' is %s; hint: %s", job->repo,
                       info.archived ? "archived" : "disabled",
                       info.archived ? "unarchive it in its settings"
                                     : "its owner has to contact the server's support");
    bp_debug(job->out, "the token is valid and sees '%s'", job->repo);
    return BP_OK;
}

static enum bp_code check_workflow(const struct bp_preflight_job *job, struct bp_err *err)
{
    struct bp_retry retry = job->retry;
    struct bp_forge_workflow found = {0};
    enum bp_code rc = BP_OK;

    do
        rc = job->forge->ops->workflow(job->forge, job->repo, job->workflow, &found, err);
    while (rc != BP_OK && bp_retry_again(&retry, err));
    if (rc != BP_OK)
        return err->code;
    if (strcmp(found.state, "active") != 0)
        return bp_fail(err, BP_EFAILED, "workflow '%s' is %s; hint: gh workflow enable %s -R %s",
                       job->workflow, found.state, job->workflow, job->repo);
    bp_debug(job->out, "workflow '%s' is active", found.path);
    return BP_OK;
}

static enum bp_code check_branch(const struct bp_preflight_job *job, const char *branch,
                                 struct bp_err *err)
{
    struct bp_retry retry = job->retry;
    enum bp_code rc = BP_OK;

    do
        rc = job->forge->ops->branch_exists(job->forge, job->repo, branch, err);
    while (rc != BP_OK && bp_retry_again(&retry, err));
    return rc == BP_OK ? BP_OK : err->code;
}

enum bp_code bp_preflight(const struct bp_preflight_job *job, struct bp_err *err)
{
    enum bp_code rc = check_repo(job, err);

    if (rc == BP_OK)
        rc = check_workflow(job, err);
    for (size_t i = 0; rc == BP_OK && job->branches != NULL && i < job->branches->count; i++)
        rc = check_branch(job, job->branches->at[i], err);
    return rc;
}

enum bp_code bp_preflight_inputs(const char *text, struct bp_json **out, struct bp_err *err)
{
    struct bp_err why = {0};

    *out = NULL;
    if (bp_json_parse(text, strlen(text), out, &why) != BP_OK)
        return bp_fail(err, BP_EUSAGE,
                       "--inputs is %s; hint: write it like '{\"level\": \"full\"}'", why.msg);
    if (!bp_json_is_object(*out)) {
        bp_json_freep(out);
        return bp_fail(err, BP_EUSAGE,
                       "--inputs is no JSON object; hint: write it like '{\"level\": \"full\"}'");
    }
    if (bp_json_count(*out) > MAX_INPUTS) {
        bp_json_freep(out);
        return bp_fail(err, BP_EUSAGE, "--inputs has more than the %d values a workflow can take",
                       MAX_INPUTS);
    }
    return BP_OK;
}

enum bp_code bp_preflight_repo_name(const char *repo, struct bp_err *err)
{
    const char *slash = strchr(repo, '/');
    bool good = slash != NULL && slash > repo && slash[1] != '\0' && strchr(slash + 1, '/') == NULL;

    for (const char *p = repo; *p != '\0'; p++)
        good = good && (isalnum((unsigned char)*p) || strchr("-_./", *p) != NULL);
    if (!good || strstr(repo, "..") != NULL)
        return bp_fail(err, BP_EUSAGE, "'%s' is no repository; hint: write it owner/name", repo);
    return BP_OK;
}

enum bp_code bp_preflight_branches(const struct bp_list *branches, struct bp_err *err)
{
    if (branches->count == 0)
        return bp_fail(err, BP_EUSAGE,
                       "no branch is given; hint: --branch main, or a line per branch in "
                       "BACKPROOF_BRANCH");
    for (size_t i = 0; i < branches->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(branches->at[i], branches->at[j]) == 0)
                return bp_fail(err, BP_EUSAGE, "branch '%s' is given twice", branches->at[i]);
        }
    }
    return BP_OK;
}
