#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/git_internal.h"

enum {
    PATH_MAX_BYTES = 4000, /* git fsck complains above 4096 */
    NAME_MAX_BYTES = 255,  /* what file systems take */
};

/* Files with the first `skip` bytes of their paths in common. */
struct span {
    const struct bp_git_staged *at;
    size_t count;
    size_t skip;
};

static bool is_good_name(const char *name, size_t len)
{
    if (len == 0 || len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)name[i]) || name[i] == '\\')
            return false;
    }
    return strncmp(name, ".", len) != 0 && (len != 2 || strncmp(name, "..", 2) != 0) &&
           (len != 4 || strncasecmp(name, ".git", 4) != 0) &&
           (len != 5 || strncasecmp(name, "git~1", 5) != 0);
}

enum bp_code bp_git_check_path(const char *path, struct bp_err *err)
{
    bool good = strlen(path) <= PATH_MAX_BYTES;
    const char *name = path;

    while (good) {
        size_t len = strcspn(name, "/");

        good = is_good_name(name, len);
        if (name[len] == '\0')
            break;
        name += len + 1;
    }
    if (!good)
        return bp_fail(err, BP_EFAILED, "'%.200s' is not a path that a branch can hold", path);
    return BP_OK;
}

/* For threads: what is known does not change meanwhile. */
static void name_blob(const struct bp_git_store *git, const void *data, size_t len, git_oid *id,
                      struct bp_blob *out)
{
    bp_git_pack_name(data, len, id);
    (void)git_oid_tostr(out->id, sizeof(out->id), id);
    out->known = bp_git_ids_has(&git->known, id);
}

enum bp_code bp_git_put(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                        struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    git_oid id;

    name_blob(git, data, len, &id, out);
    if (out->known)
        return BP_OK;
    if (bp_git_pack_add(git->pack, &id, data, len, err) != BP_OK)
        return err->code;
    bp_git_parts_offer(git->parts);
    return BP_OK;
}

enum bp_code bp_git_hash(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                         struct bp_err *err)
{
    git_oid id;

    (void)err;
    name_blob((const struct bp_git_store *)self, data, len, &id, out);
    return BP_OK;
}

enum bp_code bp_git_stage(struct bp_store *self, const char *path, const struct bp_blob *blob,
                          bool executable, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    git_oid id;
    int result = 0;
    enum bp_code rc = bp_git_check_path(path, err);

    if (rc != BP_OK)
        return rc;
    result = git_oid_fromstr(&id, blob->id);
    if (result != 0)
        return bp_git_fail(err, result, "stage '%s'", path);
    if (git->staged_count == git->staged_size) {
        git->staged_size = git->staged_size > 0 ? git->staged_size * 2 : 64;
        git->staged = bp_realloc(git->staged, git->staged_size, sizeof(*git->staged));
    }
    git->staged[git->staged_count] = (struct bp_git_staged){
        .path = bp_strdup(path), .id = id, .executable = executable, .order = git->staged_count};
    git->staged_count++;
    return BP_OK;
}

void bp_git_forget_staged(struct bp_git_store *git)
{
    for (size_t i = 0; i < git->staged_count; i++)
        bp_free(git->staged[i].path);
    bp_free(git->staged);
    git->staged = NULL;
    git->staged_count = 0;
    git->staged_size = 0;
}

static int by_path(const void *left, const void *right)
{
    const struct bp_git_staged *a = left;
    const struct bp_git_staged *b = right;
    int order = strcmp(a->path, b->path);

    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* Sort what is staged; of a path that was staged again, keep the last. */
static void settle_staged(struct bp_git_store *git)
{
    size_t kept = 0;

    if (git->staged_count > 1)
        qsort(git->staged, git->staged_count, sizeof(*git->staged), by_path);
    for (size_t i = 0; i < git->staged_count; i++) {
        if (i + 1 < git->staged_count &&
            strcmp(git->staged[i].path, git->staged[i + 1].path) == 0) {
            bp_free(git->staged[i].path);
            continue;
        }
        git->staged[kept] = git->staged[i];
        git->staged[kept].order = kept;
        kept++;
    }
    git->staged_count = kept;
}

/* How many files of the span, from the first one on, are in the folder of this name. */
static size_t count_in_folder(struct span span, size_t name_len)
{
    const char *first = span.at[0].path + span.skip;
    size_t count = 0;

    while (count < span.count && strncmp(span.at[count].path + span.skip, first, name_len + 1) == 0)
        count++;
    return count;
}

/* Write the trees of the staged files of one folder. Its depth is bounded by PATH_MAX_BYTES. */
static enum bp_code write_span(struct bp_git_store *git, struct span span, git_oid *out,
                               struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    enum bp_code rc = bp_git_start_tree(git, NULL, &builder, err);
    size_t step = 0;

    for (size_t i = 0; rc == BP_OK && i < span.count; i += step) {
        const char *rest = span.at[i].path + span.skip;
        size_t len = strcspn(rest, "/");
        BP_AUTO(bp_freep) char *name = bp_strndup(rest, len);
        struct bp_git_item item = {.id = span.at[i].id,
                                   .mode = span.at[i].executable ? GIT_FILEMODE_BLOB_EXECUTABLE
                                                                 : GIT_FILEMODE_BLOB};

        step = 1;
        if (git_treebuilder_get(builder, name) != NULL)
            return bp_fail(err, BP_EFAILED, "'%s' is staged both as a file and as a folder", name);
        if (rest[len] == '/') {
            struct span folder = {span.at + i, span.count - i, span.skip};

            step = count_in_folder(folder, len);
            item.mode = GIT_FILEMODE_TREE;
            rc = write_span(git, (struct span){span.at + i, step, span.skip + len + 1}, &item.id,
                            err);
        }
        if (rc == BP_OK)
            rc = bp_git_set_entry(builder, name, &item, err);
    }
    return rc == BP_OK ? bp_git_finish_tree(builder, out, err) : rc;
}

enum bp_code bp_git_staged_tree(struct bp_git_store *git, git_oid *out, struct bp_err *err)
{
    settle_staged(git);
    return write_span(git, (struct span){git->staged, git->staged_count, 0}, out, err);
}
