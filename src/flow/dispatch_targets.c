#include "flow/dispatch_targets.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"

enum { MAX_INPUTS = 25 };

static enum bp_code check_repo(const char *repo, struct bp_err *err)
{
    const char *slash = strchr(repo, '/');
    bool good = slash != NULL && slash > repo && slash[1] != '\0' && strchr(slash + 1, '/') == NULL;

    for (const char *p = repo; *p != '\0'; p++)
        good = good && (isalnum((unsigned char)*p) || strchr("-_./", *p) != NULL);
    if (!good || strstr(repo, "..") != NULL || strncmp(repo, "./", 2) == 0 ||
        strcmp(slash, "/.") == 0)
        return bp_fail(err, BP_EUSAGE, "'%s' is no repository; hint: write it owner/name", repo);
    return BP_OK;
}

/* ".github/workflows/backup.yml" is the same as "backup.yml". */
static const char *file_name(const char *workflow)
{
    const char *slash = strrchr(workflow, '/');

    return slash != NULL ? slash + 1 : workflow;
}

bool bp_dispatch_targets_share_workflow(const struct bp_dispatch_target *a,
                                        const struct bp_dispatch_target *b)
{
    return strcasecmp(a->repo, b->repo) == 0 &&
           strcmp(file_name(a->workflow), file_name(b->workflow)) == 0;
}

/* Takes over what target holds, whatever comes back. */
static enum bp_code take(struct bp_dispatch_targets *out, const struct bp_dispatch_target *target,
                         struct bp_err *err)
{
    out->at = bp_realloc(out->at, out->count + 1, sizeof(*out->at));
    out->at[out->count++] = *target;
    for (size_t i = 0; i + 1 < out->count; i++) {
        const struct bp_dispatch_target *other = &out->at[i];

        if (bp_dispatch_targets_share_workflow(other, target) &&
            strcmp(other->branch, target->branch) == 0)
            return bp_fail(err, BP_EUSAGE, "branch '%s' of '%s' is given twice", target->branch,
                           target->repo);
    }
    if (out->count > BP_DISPATCH_TARGETS_MAX)
        return bp_fail(err, BP_EUSAGE,
                       "more than %d branches; hint: start several dispatches, one after the other",
                       BP_DISPATCH_TARGETS_MAX);
    if (file_name(target->workflow)[strspn(file_name(target->workflow), ".")] == '\0')
        return bp_fail(err, BP_EUSAGE, "'%s' is no workflow; hint: its file's name, backup.yml",
                       target->workflow);
    return check_repo(target->repo, err);
}

static enum bp_code no_branch_name(struct bp_err *err)
{
    return bp_fail(err, BP_EUSAGE, "the name of a branch is empty");
}

/* "owner/name@branch[:workflow]": "@" is in no repository's name, ":" in no branch's. */
static enum bp_code read_target(const char *text, const char *workflow,
                                struct bp_dispatch_targets *out, struct bp_err *err)
{
    const char *at = strchr(text, '@');
    const char *colon = at != NULL ? strchr(at, ':') : NULL;
    struct bp_dispatch_target target = {0};

    if (at == NULL)
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is no target; hint: write it owner/name@branch, or "
                       "owner/name@branch:workflow.yml",
                       text);
    target.repo = bp_strndup(text, (size_t)(at - text));
    target.branch =
        colon != NULL ? bp_strndup(at + 1, (size_t)(colon - at - 1)) : bp_strdup(at + 1);
    target.workflow = bp_strdup(colon != NULL ? colon + 1 : workflow);
    if (take(out, &target, err) != BP_OK)
        return err->code;
    return target.branch[0] == '\0' ? no_branch_name(err) : BP_OK;
}

static enum bp_code read_branches(const struct bp_dispatch_targets_spec *spec,
                                  struct bp_dispatch_targets *out, struct bp_err *err)
{
    if (spec->branches->count > 0 && spec->repo == NULL)
        return bp_fail(err, BP_EUSAGE,
                       "there is no repository for --branch; hint: set --repo or "
                       "BACKPROOF_REPO, or write --target owner/name@branch");
    for (size_t i = 0; i < spec->branches->count; i++) {
        struct bp_dispatch_target target = {.repo = bp_strdup(spec->repo),
                                            .workflow = bp_strdup(spec->workflow),
                                            .branch = bp_strdup(spec->branches->at[i])};

        if (take(out, &target, err) != BP_OK)
            return err->code;
        if (target.branch[0] == '\0')
            return no_branch_name(err);
    }
    return BP_OK;
}

enum bp_code bp_dispatch_targets_read(const struct bp_dispatch_targets_spec *spec,
                                      struct bp_dispatch_targets *out, struct bp_err *err)
{
    if (read_branches(spec, out, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < spec->targets->count; i++) {
        if (read_target(spec->targets->at[i], spec->workflow, out, err) != BP_OK)
            return err->code;
    }
    if (out->count == 0 && spec->or_default && spec->repo != NULL) {
        const struct bp_dispatch_target target = {.repo = bp_strdup(spec->repo),
                                                  .workflow = bp_strdup(spec->workflow),
                                                  .branch = bp_strdup("")};

        return take(out, &target, err);
    }
    if (out->count == 0)
        return bp_fail(err, BP_EUSAGE,
                       "no branch is given; hint: --branch main, or a line per branch in "
                       "BACKPROOF_BRANCH");
    return BP_OK;
}

void bp_dispatch_targets_free(struct bp_dispatch_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        bp_free(targets->at[i].repo);
        bp_free(targets->at[i].workflow);
        bp_free(targets->at[i].branch);
    }
    bp_free(targets->at);
    *targets = (struct bp_dispatch_targets){0};
}

enum bp_code bp_dispatch_targets_inputs(const char *text, struct bp_json **out, struct bp_err *err)
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
