#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

/*
 * What of the tip comes at first, the best that the server allows:
 * - tree:3, the folders of three levels: the root, backups/ and the names in backups/archive/. An
 *   archive's own are fetched when somebody asks, so that a backup costs the same however many
 *   archives there are
 * - tree:0, the commit alone
 * - blob:none, all folders
 * - all of it, files as well
 */
static const char *const filters[] = {"tree:3", "tree:0", "blob:none", NULL};
enum { NO_TREES = 2, NO_FILTER = 3 }; /* places of what servers get that refuse the ones before */

/* Say nothing of what is here already. */
static const char no_negotiation[] = "fetch.negotiationAlgorithm=noop";

/*
 * That files may be missing here and come from the remote: said to `git fetch` only. `git push`
 * would fetch the old version of each file that changed, to send a difference; without it, what is
 * missing is passed over, and the trees still travel as differences.
 */
static const char promisor[] = "remote." BP_GIT_REMOTE ".promisor=true";
static const char promisor_filter[] = "remote." BP_GIT_REMOTE ".partialCloneFilter=blob:none";

static void start(const char *negotiation, struct bp_list *argv)
{
    bp_list_add(argv, "git");
    for (size_t i = 0; i < 3; i++) {
        const char *const settings[] = {negotiation, promisor, promisor_filter};

        bp_list_add(argv, "-c");
        bp_list_add(argv, settings[i]);
    }
    bp_list_add(argv, "fetch");
    bp_list_add(argv, "--quiet");
    bp_list_add(argv, "--no-tags");
    bp_list_add(argv, "--no-write-fetch-head");
    bp_list_add(argv, "--no-recurse-submodules");
}

static enum bp_code fetch(struct bp_git_store *git, struct bp_list *argv, const struct bp_buf *in,
                          struct bp_child_result *result, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    bp_list_take(argv, NULL);
    rc = bp_git_run(git, (const char *const *)argv->at, in, result, err);
    return rc == BP_OK ? rc : bp_wrap(err, "fetching from '%s'", git->options.url);
}

static void add_filter(const char *filter, struct bp_list *argv)
{
    if (filter != NULL)
        bp_list_addf(argv, "--filter=%s", filter);
    else
        bp_list_add(argv, "--no-filter");
}

/* Take the tip's commit and what the filter lets through of it, or (NULL) all. *found is false when
 * the server has no such reference. */
static enum bp_code fetch_tip(struct bp_git_store *git, const char *filter,
                              struct bp_child_result *result, bool *found, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list argv = {0};

    /* To get all of it, nothing must be said of what is here already. */
    start(filter == NULL ? no_negotiation : "fetch.negotiationAlgorithm=default", &argv);
    bp_list_add(&argv, "--depth=1");
    add_filter(filter, &argv);
    bp_list_add(&argv, BP_GIT_REMOTE);
    bp_list_addf(&argv, "+%s%s:" BP_GIT_TIP_REF, git->ref_folder, git->options.branch);
    if (fetch(git, &argv, NULL, result, err) != BP_OK)
        return err->code;
    *found = result->exit_status == 0;
    if (*found || strstr(bp_buf_str(&result->errs), "couldn't find remote ref") != NULL)
        return BP_OK;
    return bp_git_fail_command(git, "fetch", result, err);
}

/* https://git-scm.com/docs/git-config#Documentation/git-config.txt-uploadpackfiltertreemaxDepth */
static bool is_filter_refused(const struct bp_child_result *result)
{
    const char *errs = bp_buf_str(&result->errs);

    return strstr(errs, "tree filter allows max depth") != NULL ||
           strstr(errs, "filter 'tree' not supported") != NULL ||
           strstr(errs, "filter 'blob:none' not supported") != NULL;
}

static enum bp_code fetch_levels(struct bp_git_store *git, bool *found, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = git->filter; i <= NO_FILTER; i++) {
        BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};

        git->filter = i;
        rc = fetch_tip(git, filters[i], &result, found, err);
        if (rc == BP_OK || !is_filter_refused(&result))
            break;
    }
    return rc;
}

enum bp_code bp_git_wire_tip(struct bp_git_store *git, bool *found, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    git->ref_folder = BP_GIT_HEADS;
    rc = fetch_levels(git, found, err);
    if (rc != BP_OK || *found || git->url.transport != BP_GIT_LOCAL)
        return rc;
    /* A clone may know the branch only as its server's. */
    git->ref_folder = "refs/remotes/origin/";
    rc = fetch_levels(git, found, err);
    if (!*found)
        git->ref_folder = BP_GIT_HEADS;
    return rc;
}

/* A server without protocol 2 may send no single files: take all of the tip. It does not help when
 * the branch is another one by now. */
static enum bp_code fetch_whole_tip(struct bp_git_store *git, const struct bp_git_ids *ids,
                                    struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    bool found = false;
    enum bp_code rc = fetch_tip(git, NULL, &result, &found, err);

    if (rc == BP_OK && !found)
        return bp_fail(err, BP_ELOCKED, "the branch '%s' was removed from '%s' meanwhile",
                       git->options.branch, git->options.url);
    for (size_t i = 0; rc == BP_OK && i < ids->count; i++) {
        if (!git_odb_exists(git->odb, &ids->at[i]))
            return bp_fail(err, BP_ELOCKED, "the branch '%s' in '%s' was changed meanwhile",
                           git->options.branch, git->options.url);
    }
    return rc;
}

/* Of what is fetched by its name. */
static const char *filter_below(const struct bp_git_store *git, enum bp_git_reach reach)
{
    if (git->filter == NO_FILTER)
        return NULL;
    return filters[reach == BP_GIT_ALONE && git->filter < NO_TREES ? 1 : NO_TREES];
}

/* The last one is said of a repository that has no branch any more. */
static bool is_object_refused(const struct bp_child_result *result)
{
    const char *errs = bp_buf_str(&result->errs);

    return strstr(errs, "unadvertised object") != NULL || strstr(errs, "not our ref") != NULL ||
           strstr(errs, "no matching remote head") != NULL;
}

enum bp_code bp_git_wire_objects(struct bp_git_store *git, const struct bp_git_ids *ids,
                                 enum bp_git_reach reach, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list argv = {0};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_buf_free) struct bp_buf input = {0};

    /* As git itself does for a file that a partial clone lacks. */
    start(no_negotiation, &argv);
    add_filter(filter_below(git, reach), &argv);
    bp_list_add(&argv, "--stdin");
    bp_list_add(&argv, BP_GIT_REMOTE);
    for (size_t i = 0; i < ids->count; i++) {
        char hex[BP_STORE_ID_SIZE];

        bp_buf_printf(&input, "%s\n", git_oid_tostr(hex, sizeof(hex), &ids->at[i]));
    }
    if (fetch(git, &argv, &input, &result, err) != BP_OK)
        return err->code;
    if (result.exit_status == 0)
        return BP_OK;
    if (is_object_refused(&result))
        return fetch_whole_tip(git, ids, err);
    return bp_git_fail_command(git, "fetch", &result, err);
}

/* What `git count-objects -v` says of a repository, in bytes. */
static enum bp_code count_bytes(struct bp_git_store *git, const char *dir, int64_t *bytes,
                                struct bp_err *err)
{
    BP_AUTO(bp_freep) char *place = bp_format("--git-dir=%s", dir);
    const char *argv[] = {"git", place, "count-objects", "-v", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    int64_t kib = 0;

    if (bp_git_run(git, argv, NULL, &result, err) != BP_OK)
        return err->code;
    if (result.exit_status != 0)
        return bp_git_fail_command(git, "count-objects", &result, err);
    for (const char *line = bp_buf_str(&result.out); *line != '\0';) {
        size_t len = strcspn(line, "\n");

        if (bp_text_starts_with(line, "size: ") || bp_text_starts_with(line, "size-pack: "))
            kib += strtoll(line + strcspn(line, " "), NULL, 10);
        line += len + (line[len] == '\n');
    }
    *bytes = kib * 1024;
    return BP_OK;
}

int64_t bp_git_held(struct bp_store *self)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    struct bp_err err = {0};
    int64_t bytes = 0;

    if (git->parts != NULL)
        bp_git_parts_join(git->parts); /* what it is ending would be counted twice, or not at all */
    if (git->dir == NULL || count_bytes(git, git->dir, &bytes, &err) != BP_OK)
        return 0;
    return bytes + bp_git_pack_open_bytes(git->pack);
}

/* A clone into a repository of its own: nothing that is here already may spare it anything. */
static enum bp_code clone_branch(struct bp_git_store *git, const char *dir, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *place = bp_format("--git-dir=%s", dir);
    BP_AUTO(bp_freep)
    char *refspec = bp_format("+%s%s:" BP_GIT_TIP_REF, git->ref_folder, git->options.branch);
    const char *argv[] = {"git",
                          place,
                          "-c",
                          "fetch.unpackLimit=1",
                          "fetch",
                          "--quiet",
                          "--no-tags",
                          "--no-write-fetch-head",
                          "--no-recurse-submodules",
                          BP_GIT_REMOTE,
                          refspec,
                          NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};

    if (bp_git_run(git, argv, NULL, &result, err) != BP_OK)
        return bp_wrap(err, "cloning '%s'", git->options.url);
    return result.exit_status == 0 ? BP_OK : bp_git_fail_command(git, "fetch", &result, err);
}

enum bp_code bp_git_weigh(struct bp_store *self, int64_t *bytes, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    git_repository *repo = NULL;
    int result = 0;

    *bytes = 0;
    if (!git->exists)
        return BP_OK;
    if (bp_tempdir_new(git->options.temp_parent, &dir, err) != BP_OK)
        return err->code;
    result = git_repository_init(&repo, dir, 1);
    git_repository_free(repo);
    if (result != 0)
        return bp_git_fail(err, result, "make a repository in '%s'", dir);
    if (clone_branch(git, dir, err) != BP_OK)
        return err->code;
    return count_bytes(git, dir, bytes, err);
}
