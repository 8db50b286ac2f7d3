#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum { NEEDED_MAJOR = 2, NEEDED_MINOR = 31 }; /* GIT_CONFIG_COUNT */

/* Say nothing of what is here already. */
static const char no_negotiation[] = "fetch.negotiationAlgorithm=noop";

/*
 * That files may be missing here and come from the remote: said to `git fetch` only. `git push`
 * would fetch the old version of each file that changed, to send a difference; without it, what is
 * missing is passed over, and the trees still travel as differences.
 */
static const char promisor[] = "remote." BP_GIT_REMOTE ".promisor=true";
static const char promisor_filter[] = "remote." BP_GIT_REMOTE ".partialCloneFilter=blob:none";

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
    return bp_git_words_fail(git->options.url, false, bp_buf_str(&result.errs), err);
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
    return bp_git_words_fail(git->options.url, false, bp_buf_str(&result.errs), err);
}

/* After a broken connection: whether the branch is at commit all the same. */
static enum bp_code look_again(struct bp_git_store *git, const char *commit, bool *arrived,
                               struct bp_err *err)
{
    BP_AUTO(bp_freep) char *ref = bp_format(BP_GIT_HEADS "%s", git->options.branch);
    const char *argv[] = {"git", "ls-remote", BP_GIT_REMOTE, ref, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = run(git, argv, NULL, &result, err);

    if (rc == BP_OK && result.exit_status != 0)
        rc = bp_git_words_fail(git->options.url, false, bp_buf_str(&result.errs), err);
    *arrived = rc == BP_OK && bp_text_starts_with(bp_buf_str(&result.out), commit);
    return rc;
}

/* The push broke (err tells how) before the server told what became of the branch. */
static enum bp_code settle_push(struct bp_git_store *git, const char *commit, struct bp_err *err)
{
    bool arrived = false;

    if (look_again(git, commit, &arrived, NULL) != BP_OK)
        return bp_wrap(err, "it is not known whether the change arrived");
    return arrived ? BP_OK : err->code;
}

enum bp_code bp_git_wire_push(struct bp_git_store *git, const git_oid *commit, struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_git_push_end end = {0};
    enum bp_code rc = BP_OK;
    char new_id[BP_STORE_ID_SIZE];
    char old_id[BP_STORE_ID_SIZE] = "";

    (void)git_oid_tostr(new_id, sizeof(new_id), commit);
    if (git->exists && strcmp(git->ref_folder, BP_GIT_HEADS) == 0)
        (void)git_oid_tostr(old_id, sizeof(old_id), &git->tip);

    /* The lease also makes creating a branch a compare-and-swap; nothing is ever forced by it,
     * since the new commit's parent is the old one. */
    BP_AUTO(bp_freep)
    char *lease = bp_format("--force-with-lease=refs/heads/%s:%s", git->options.branch, old_id);
    BP_AUTO(bp_freep) char *refspec = bp_format("%s:refs/heads/%s", new_id, git->options.branch);
    const char *argv[] = {"git", "push",        "--porcelain", "--no-verify",
                          lease, BP_GIT_REMOTE, refspec,       NULL};

    rc = run(git, argv, NULL, &result, err);
    if (rc == BP_ESTOPPED || rc == BP_EUSAGE)
        return rc;
    if (rc == BP_OK && result.exit_status == 0)
        return BP_OK;
    end =
        bp_git_words_push(git->options.url, bp_buf_str(&result.out), bp_buf_str(&result.errs), err);
    if (end.told)
        return end.code;
    if (rc != BP_OK)
        (void)bp_wrap(err, "pushing to '%s'", git->options.url);
    else
        (void)bp_git_words_fail(git->options.url, true, bp_buf_str(&result.errs), err);
    return settle_push(git, new_id, err);
}
