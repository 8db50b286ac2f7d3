#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/git_internal.h"

/* Global to the process, but true of every use of libgit2 here: trees name files that are not
 * here, on purpose. */
static enum bp_code start_library(struct bp_git_store *git, struct bp_err *err)
{
    int result = git->library_ready ? 0 : git_libgit2_init();

    git->library_ready = result >= 0;
    if (result >= 0)
        result = git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
    /* It maps whole packs otherwise: memory would grow with what is read. */
    if (result >= 0)
        result = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)(8 << 20));
    if (result >= 0)
        result = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)(32 << 20));
    /* git has hashed what it fetched, and manifests prove the files: a third time takes as long as
     * all the rest of the reading. */
    if (result >= 0)
        result = git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
    return result >= 0 ? BP_OK : bp_git_fail(err, result, "start libgit2");
}

/* Forget the working copy; the store is as new. */
static void close_copy(struct bp_git_store *git)
{
    bp_git_parts_freep(&git->parts);
    bp_git_forget_staged(git);
    bp_git_ids_free(&git->known);
    bp_git_pack_freep(&git->pack);
    bp_git_blobs_freep(&git->local_blobs);
    bp_git_blobs_freep(&git->blobs);
    git_odb_free(git->local);
    git->local = NULL;
    git_odb_free(git->odb);
    git_repository_free(git->repo);
    git->odb = NULL;
    git->repo = NULL;
    git->exists = false;
    git->filter = 0;
    bp_free(git->message);
    bp_free(git->base_path);
    git->message = NULL;
    git->base_path = NULL;
    bp_git_env_free(&git->env);
    bp_git_url_free(&git->url);
    bp_tempdir_removep(&git->dir);
    if (git->library_ready)
        (void)git_libgit2_shutdown();
    git->library_ready = false;
}

static enum bp_code make_copy(struct bp_git_store *git, struct bp_err *err)
{
    /* Without a template: nobody's hooks come along. */
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    BP_AUTO(bp_freep) char *objects = NULL;
    BP_AUTO(bp_freep) char *packs = NULL;
    enum bp_code rc = start_library(git, err);
    int result = 0;

    if (rc == BP_OK)
        rc = bp_tempdir_new(git->options.temp_parent, &git->dir, err);
    if (rc != BP_OK)
        return rc;
    options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
    result = git_repository_init_ext(&git->repo, git->dir, &options);
    if (result == 0)
        result = git_repository_odb(&git->odb, git->repo);
    objects = bp_format("%s/objects", git->dir);
    packs = bp_format("%s/pack", objects);
    git->blobs = bp_git_blobs_new(objects);
    git->pack = bp_git_pack_new(packs, git->options.push_limit > 0 ? git->options.push_limit
                                                                   : BP_GIT_PACK_MOST);
    git->parts = bp_git_parts_new(git);
    return result == 0 ? BP_OK : bp_git_fail(err, result, "make a working copy in '%s'", git->dir);
}

static enum bp_code check_branch(const char *branch, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *ref = bp_format(BP_GIT_HEADS "%s", branch);

    if (git_reference_is_valid_name(ref) != 1)
        return bp_fail(err, BP_EUSAGE, "'%s' is not a name that a branch can have", branch);
    return BP_OK;
}

static enum bp_code refresh(struct bp_store *self, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    bool found = false;
    enum bp_code rc = bp_git_wire_tip(git, &found, err);

    if (rc == BP_OK)
        rc = bp_git_take_tip(git, found, err);
    return rc == BP_OK ? bp_git_know(git, err) : rc;
}

static enum bp_code open_copy(struct bp_git_store *git, struct bp_err *err)
{
    enum bp_code rc = bp_git_url_parse(git->options.url, &git->url, err);

    if (rc == BP_OK)
        rc = make_copy(git, err);
    if (rc == BP_OK)
        rc = check_branch(git->options.branch, err);
    if (rc == BP_OK)
        rc = bp_git_env_build(git, err);
    if (rc == BP_OK)
        rc = bp_git_wire_check(git, err);
    return rc == BP_OK ? refresh(&git->base, err) : rc;
}

static enum bp_code open_store(struct bp_store *self, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    enum bp_code rc = BP_OK;

    if (git->repo != NULL)
        return refresh(self, err);
    rc = open_copy(git, err);
    if (rc != BP_OK)
        close_copy(git);
    return rc;
}

static bool exists(struct bp_store *self)
{
    const struct bp_git_store *git = (const struct bp_git_store *)self;

    return git->exists;
}

static const char *message(struct bp_store *self)
{
    const struct bp_git_store *git = (const struct bp_git_store *)self;

    return git->message != NULL ? git->message : "";
}

static void free_store(struct bp_store *self)
{
    struct bp_git_store *git = (struct bp_git_store *)self;

    close_copy(git);
    bp_free(git);
}

static const struct bp_store_ops ops = {
    .open = open_store,
    .exists = exists,
    .refresh = refresh,
    .message = message,
    .is_public = bp_git_is_public,
    .list = bp_git_list,
    .fetch = bp_git_fetch,
    .read = bp_git_read,
    .find = bp_git_find_blob,
    .base = bp_git_base,
    .put = bp_git_put,
    .hash = bp_git_hash,
    .held = bp_git_held,
    .stage = bp_git_stage,
    .commit = bp_git_commit,
    .rewrite = bp_git_rewrite,
    .weigh = bp_git_weigh,
    .free = free_store,
};

struct bp_store *bp_git_store_new(const struct bp_git_options *options)
{
    struct bp_git_store *git = bp_alloc(1, sizeof(*git));

    git->base.ops = &ops;
    git->options = *options;
    git->ref_folder = BP_GIT_HEADS;
    (void)pthread_mutex_init(&git->reading, NULL);
    return &git->base;
}
