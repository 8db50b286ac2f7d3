#include <stdio.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "store/git_internal.h"

static const char not_known[] = "it is not known whether the change arrived";

/* After a broken connection: where the branch is now, "" when there is none. */
static enum bp_code look_again(struct bp_git_store *git, char tip[BP_STORE_ID_SIZE],
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *ref = bp_format(BP_GIT_HEADS "%s", git->options.branch);
    BP_AUTO(bp_freep) char *line_end = bp_format("\t%s\n", ref);
    const char *argv[] = {"git", "ls-remote", BP_GIT_REMOTE, ref, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = bp_git_run(git, argv, NULL, &result, err);
    const char *end = NULL;
    const char *start = NULL;

    *tip = '\0';
    if (rc != BP_OK)
        return rc;
    if (result.exit_status != 0)
        return bp_git_fail_command(git, "ls-remote", &result, err);
    end = strstr(bp_buf_str(&result.out), line_end);
    for (start = end; start != NULL && start > result.out.data && start[-1] != '\n';)
        start--;
    if (end != NULL)
        (void)snprintf(tip, BP_STORE_ID_SIZE, "%.*s", (int)(end - start), start);
    return BP_OK;
}

static enum bp_code fail_stopped(const struct bp_err *stop, struct bp_err *err)
{
    const struct bp_err inner = *stop;

    return bp_fail(err, BP_ESTOPPED, "%s while pushing; %s", inner.msg, not_known);
}

struct push {
    char old_id[BP_STORE_ID_SIZE]; /* "" when the branch is new */
    char new_id[BP_STORE_ID_SIZE];
};

/* The push broke (err tells how) before the server told what became of the branch. */
static enum bp_code settle_push(struct bp_git_store *git, const struct push *push,
                                struct bp_err *err)
{
    struct bp_clock *clock = git->options.clock;
    const struct bp_stop *stop = clock->stop;
    char tip[BP_STORE_ID_SIZE];
    struct bp_err look = {0};
    enum bp_code rc = BP_OK;

    /* A time limit that ended the push must not keep us from learning what became of it. */
    clock->stop = bp_stop_unlimited(stop);
    rc = look_again(git, tip, &look);
    clock->stop = stop;

    if (rc == BP_ESTOPPED)
        return fail_stopped(&look, err);
    if (rc == BP_OK && strcmp(tip, push->new_id) == 0)
        return BP_OK;
    if (rc == BP_OK && strcmp(tip, push->old_id) == 0)
        return err->code;
    /* With somebody else's commit as the tip, ours may be below it. */
    (void)bp_wrap(err, "%s", not_known);
    err->code = BP_EFAILED;
    return BP_EFAILED;
}

static enum bp_code run_push(struct bp_git_store *git, const struct push *push,
                             struct bp_child_result *result, struct bp_err *err)
{
    /* The lease also makes creating a branch a compare-and-swap; nothing is ever forced by it,
     * since the new commit's parent is the old one. */
    BP_AUTO(bp_freep)
    char *lease =
        bp_format("--force-with-lease=refs/heads/%s:%s", git->options.branch, push->old_id);
    BP_AUTO(bp_freep)
    char *refspec = bp_format("%s:refs/heads/%s", push->new_id, git->options.branch);
    const char *argv[] = {"git", "push",        "--porcelain", "--no-verify",
                          lease, BP_GIT_REMOTE, refspec,       NULL};

    return bp_git_run(git, argv, NULL, result, err);
}

enum bp_code bp_git_wire_push(struct bp_git_store *git, const git_oid *commit, struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_git_push_end end = {0};
    struct push push = {0};
    enum bp_code rc = BP_OK;

    (void)git_oid_tostr(push.new_id, sizeof(push.new_id), commit);
    if (git->exists && strcmp(git->ref_folder, BP_GIT_HEADS) == 0)
        (void)git_oid_tostr(push.old_id, sizeof(push.old_id), &git->tip);
    rc = run_push(git, &push, &result, err);
    if (rc == BP_EUSAGE || (rc == BP_OK && result.exit_status == 0))
        return rc;
    end =
        bp_git_words_push(git->options.url, bp_buf_str(&result.out), bp_buf_str(&result.errs), err);
    if (end.told)
        return end.code;
    if (rc == BP_ESTOPPED)
        return fail_stopped(err, err);
    if (rc != BP_OK)
        (void)bp_wrap(err, "pushing to '%s'", git->options.url);
    else if (bp_git_fail_command(git, "push", &result, err) != BP_OK &&
             bp_git_words_unsent(bp_buf_str(&result.errs)))
        return err->code;
    return settle_push(git, &push, err);
}
