#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

static void object_freep(git_odb_object **object)
{
    git_odb_object_free(*object);
    *object = NULL;
}

/* What lies on this machine is read where it is: git would spend minutes on packing it for us. */
void bp_git_lend_local(struct bp_git_store *git)
{
    static const char *const folders[] = {"objects", ".git/objects"};
    BP_AUTO(bp_freep) char *path = NULL;

    if (git->url.transport != BP_GIT_LOCAL || git->local != NULL)
        return;
    path = bp_percent_decode(git->url.full + strlen("file://"));
    for (size_t i = 0; i < 2 && path != NULL && git->local == NULL; i++) {
        BP_AUTO(bp_freep) char *objects = bp_format("%s/%s", path, folders[i]);

        if (access(objects, R_OK | X_OK) != 0)
            continue;
        if (git_odb_open(&git->local, objects) == 0)
            git->local_blobs = bp_git_blobs_new(objects);
        else
            git->local = NULL;
    }
}

git_odb *bp_git_odb_of(const struct bp_git_store *git, const git_oid *id)
{
    if (git_odb_exists(git->odb, id))
        return git->odb;
    return git->local != NULL && git_odb_exists(git->local, id) ? git->local : NULL;
}

/* An object database may be used by several threads at once; a repository may not:
 * https://github.com/libgit2/libgit2/blob/main/docs/threading.md */
static enum bp_code read_slowly(struct bp_git_store *git, const char *path, const git_oid *id,
                                size_t limit, struct bp_buf *out, struct bp_err *err)
{
    git_odb *odb = bp_git_odb_of(git, id);
    BP_AUTO(object_freep) git_odb_object *object = NULL;
    git_object_t type = GIT_OBJECT_INVALID;
    size_t len = 0;
    int result = git_odb_read_header(&len, &type, odb != NULL ? odb : git->odb, id);

    if (result == 0 && len > limit)
        return bp_fail(err, BP_EFAILED, "'%s' has %zu bytes, more than the limit of %zu", path, len,
                       limit);
    if (result == 0)
        result = git_odb_read(&object, odb != NULL ? odb : git->odb, id);
    if (result != 0)
        return bp_git_fail(err, result, "read '%s' of the branch '%s'", path, git->options.branch);
    bp_buf_add(out, git_odb_object_data(object), git_odb_object_size(object));
    return BP_OK;
}

static enum bp_code read_blob(struct bp_git_store *git, const char *path, const git_oid *id,
                              size_t limit, struct bp_buf *out, struct bp_err *err)
{
    if (bp_git_blobs_read(git->blobs, id, limit, out) ||
        (git->local_blobs != NULL && bp_git_blobs_read(git->local_blobs, id, limit, out)))
        return BP_OK;
    return read_slowly(git, path, id, limit, out, err);
}

enum bp_code bp_git_find_blob(struct bp_store *self, const char *path, struct bp_blob *out,
                              struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    struct bp_git_item item = {0};
    enum bp_code rc = bp_git_find(git, bp_git_root(git), path, &item, err);

    if (rc != BP_OK)
        return rc;
    if (item.mode != GIT_FILEMODE_BLOB && item.mode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return bp_fail(err, BP_ENOTFOUND, "no file '%s' in the branch '%s'", path,
                       git->options.branch);
    (void)git_oid_tostr(out->id, sizeof(out->id), &item.id);
    out->known = bp_git_ids_has(&git->known, &item.id);
    return BP_OK;
}

/* The way to a file, and the file itself if it was not fetched before. */
static enum bp_code find_blob(struct bp_git_store *git, const char *path, struct bp_git_item *item,
                              struct bp_err *err)
{
    struct bp_git_ids one = {0};
    enum bp_code rc = bp_git_find(git, bp_git_root(git), path, item, err);

    if (rc != BP_OK)
        return rc;
    if (item->mode == GIT_FILEMODE_UNREADABLE)
        return bp_fail(err, BP_ENOTFOUND, "no file '%s' in the branch '%s'", path,
                       git->options.branch);
    if (item->mode != GIT_FILEMODE_BLOB && item->mode != GIT_FILEMODE_BLOB_EXECUTABLE)
        return bp_fail(err, BP_EFAILED, "'%s' in the branch '%s' is not a file", path,
                       git->options.branch);
    one = (struct bp_git_ids){.at = &item->id, .count = 1};
    if (bp_git_odb_of(git, &item->id) == NULL)
        rc = bp_git_wire_objects(git, &one, BP_GIT_ALONE, err);
    return rc;
}

enum bp_code bp_git_read(struct bp_store *self, const char *path, size_t limit, struct bp_buf *out,
                         struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    struct bp_git_item item = {0};
    enum bp_code rc = BP_OK;

    (void)pthread_mutex_lock(&git->reading);
    rc = find_blob(git, path, &item, err);
    (void)pthread_mutex_unlock(&git->reading);
    return rc == BP_OK ? read_blob(git, path, &item.id, limit, out, err) : rc;
}
