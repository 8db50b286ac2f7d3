#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum {
    NEEDED_MAJOR = 2, /* with the minor: GIT_CONFIG_COUNT */
    NEEDED_MINOR = 31,
    SIGNALLED = 128, /* child.h: 128 + N when signal N ended it */
};

/* Say nothing of what is here already. */
static const char no_negotiation[] = "fetch.negotiationAlgorithm=noop";

/*
 * That files may be missing here and come from the remote: said to `git fetch` only. `git push`
 * would fetch the old version of each file that changed, to send a difference; without it, what is
 * missing is passed over, and the trees still travel as differences.
 */
static const char promisor[] = "remote." BP_GIT_REMOTE ".promisor=true";
static const char promisor_filter[] = "remote." BP_GIT_REMOTE ".partialCloneFilter=blob:none";

static const char not_known[] = "it is not known whether the change arrived";

static enum bp_code run(struct bp_git_store *git, const char *const *argv, const struct bp_buf *in,
                        struct bp_child_result *result, struct bp_err *err)
{
    const struct bp_child_job job = {
        .argv = argv,
        .env = (const char *const *)git->env.at,
        .input = in != NULL ? bp_buf_str(in) : NULL,
        .input_len = in != NULL ? in->len : 0,
        .timeout_ms = git->options.timeout_ms,
        .clock = git->options.clock,
    };
    enum bp_code rc = bp_child_run(&job, result, err);

    if (rc == BP_ENOTFOUND)
        return bp_fail(err, BP_EUSAGE, "cannot run git; hint: install it");
    return rc;
}

/* The error for a git command that failed. One that was killed, or that says nothing, has to be
 * told by its status. */
static enum bp_code fail_git(const struct bp_git_store *git, const char *command,
                             const struct bp_child_result *result, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    BP_AUTO(bp_buf_free) struct bp_buf errs = {0};
    int signal = result->exit_status - SIGNALLED;

    bp_git_words_put(&words, bp_buf_str(&result->errs));
    if (signal > 0 && signal < NSIG)
        bp_buf_printf(&errs, "git %s was ended by signal %d\n", command, signal);
    else if (words.len == 0)
        bp_buf_printf(&errs, "git %s ended with status %d\n", command, result->exit_status);
    bp_buf_puts(&errs, bp_buf_str(&result->errs));
    return bp_git_words_fail(git->options.url, strcmp(command, "push") == 0, errs.data, err);
}

enum bp_code bp_git_wire_check(struct bp_git_store *git, struct bp_err *err)
{
    static const char *const argv[] = {"git", "version", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = run(git, argv, NULL, &result, err);
    const char *text = NULL;
    char *end = NULL;
    long major = 0;
    long minor = 0;

    if (rc != BP_OK)
        return rc;
    text = bp_buf_str(&result.out);
    text += strcspn(text, "0123456789");
    major = strtol(text, &end, 10);
    minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (major > NEEDED_MAJOR || (major == NEEDED_MAJOR && minor >= NEEDED_MINOR))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE, "git is version %ld.%ld; hint: install %d.%d or newer", major,
                   minor, NEEDED_MAJOR, NEEDED_MINOR);
}

/* Take the tip's commit and trees, or all of it. *found is false when the server has no such
 * reference. */
static enum bp_code fetch_tip(struct bp_git_store *git, bool whole, bool *found, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *refspec = bp_format("+%s%s:" BP_GIT_TIP_REF, git->ref_folder, git->options.branch);
    /* To get all of it, nothing must be said of what is here already. */
    const char *argv[] = {"git",
                          "-c",
                          whole ? no_negotiation : "fetch.negotiationAlgorithm=default",
                          "-c",
                          promisor,
                          "-c",
                          promisor_filter,
                          "fetch",
                          "--quiet",
                          "--depth=1",
                          whole ? "--no-filter" : "--filter=blob:none",
                          "--no-tags",
                          "--no-write-fetch-head",
                          "--no-recurse-submodules",
                          BP_GIT_REMOTE,
                          refspec,
                          NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = run(git, argv, NULL, &result, err);

    if (rc != BP_OK)
        return bp_wrap(err, "fetching from '%s'", git->options.url);
    *found = result.exit_status == 0;
    if (*found || strstr(bp_buf_str(&result.errs), "couldn't find remote ref") != NULL)
        return BP_OK;
    return fail_git(git, "fetch", &result, err);
}

enum bp_code bp_git_wire_tip(struct bp_git_store *git, bool *found, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    git->ref_folder = BP_GIT_HEADS;
    rc = fetch_tip(git, false, found, err);
    if (rc != BP_OK || *found || git->url.transport != BP_GIT_LOCAL)
        return rc;
    /* A clone may know the branch only as its server's. */
    git->ref_folder = "refs/remotes/origin/";
    rc = fetch_tip(git, false, found, err);
    if (!*found)
        git->ref_folder = BP_GIT_HEADS;
    return rc;
}

/* A server without protocol 2 may send no single files: take all of the tip. */
static enum bp_code fetch_whole_tip(struct bp_git_store *git, struct bp_err *err)
{
    bool found = false;
    enum bp_code rc = fetch_tip(git, true, &found, err);

    if (rc == BP_OK && !found)
        return bp_fail(err, BP_ELOCKED, "the branch '%s' was removed from '%s' meanwhile",
                       git->options.branch, git->options.url);
    return rc;
}

enum bp_code bp_git_wire_blobs(struct bp_git_store *git, const struct bp_git_ids *ids,
                               struct bp_err *err)
{
    /* As git itself does for a file that a partial clone lacks. */
    static const char *const argv[] = {"git",
                                       "-c",
                                       no_negotiation,
                                       "-c",
                                       promisor,
                                       "-c",
                                       promisor_filter,
                                       "fetch",
                                       "--quiet",
                                       "--no-tags",
                                       "--no-write-fetch-head",
                                       "--no-recurse-submodules",
                                       "--filter=blob:none",
                                       "--stdin",
                                       BP_GIT_REMOTE,
                                       NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_buf_free) struct bp_buf input = {0};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < ids->count; i++) {
        char hex[BP_STORE_ID_SIZE];

        bp_buf_printf(&input, "%s\n", git_oid_tostr(hex, sizeof(hex), &ids->at[i]));
    }
    rc = run(git, argv, &input, &result, err);
    if (rc != BP_OK)
        return bp_wrap(err, "fetching files from '%s'", git->options.url);
    if (result.exit_status == 0)
        return BP_OK;
    if (strstr(bp_buf_str(&result.errs), "unadvertised object") != NULL ||
        strstr(bp_buf_str(&result.errs), "not our ref") != NULL)
        return fetch_whole_tip(git, err);
    return fail_git(git, "fetch", &result, err);
}

/* After a broken connection: where the branch is now, "" when there is none. */
static enum bp_code look_again(struct bp_git_store *git, char tip[BP_STORE_ID_SIZE],
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *ref = bp_format(BP_GIT_HEADS "%s", git->options.branch);
    BP_AUTO(bp_freep) char *line_end = bp_format("\t%s\n", ref);
    const char *argv[] = {"git", "ls-remote", BP_GIT_REMOTE, ref, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = run(git, argv, NULL, &result, err);
    const char *end = NULL;
    const char *start = NULL;

    *tip = '\0';
    if (rc != BP_OK)
        return rc;
    if (result.exit_status != 0)
        return fail_git(git, "ls-remote", &result, err);
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

    return run(git, argv, NULL, result, err);
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
    else if (fail_git(git, "push", &result, err) != BP_OK &&
             bp_git_words_unsent(bp_buf_str(&result.errs)))
        return err->code;
    return settle_push(git, &push, err);
}

enum bp_code bp_git_weigh(struct bp_store *self, int64_t *bytes, struct bp_err *err)
{
    (void)self;
    *bytes = 0;
    return bp_fail(err, BP_EFAILED, "cannot weigh the branch");
}
