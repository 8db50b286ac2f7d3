#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum {
    IDS_MAX = 20000000, /* files or folders in one tip */
    LEVELS_MAX = 64,    /* folders in one another that are fetched for many paths at once */
};

void bp_git_tree_freep(git_tree **tree)
{
    git_tree_free(*tree);
    *tree = NULL;
}

void bp_git_commit_freep(git_commit **commit)
{
    git_commit_free(*commit);
    *commit = NULL;
}

void bp_git_builder_freep(git_treebuilder **builder)
{
    git_treebuilder_free(*builder);
    *builder = NULL;
}

enum bp_code bp_git_fail(struct bp_err *err, int result, const char *fmt, ...)
{
    const git_error *last = git_error_last();
    BP_AUTO(bp_buf_free) struct bp_buf what = {0};
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&what, fmt, args);
    va_end(args);
    if (last != NULL && last->message != NULL)
        bp_put_foreign(&words, last->message, 300);
    if (bp_git_words_full_disk(bp_buf_str(&words)))
        bp_buf_puts(&words, "; hint: " BP_GIT_FULL_DISK_HINT);
    return bp_fail(err, result == GIT_EMISMATCH ? BP_EINTEGRITY : BP_EFAILED, "cannot %s: %s",
                   bp_buf_str(&what), bp_buf_str(&words));
}

void bp_git_ids_add(struct bp_git_ids *ids, const git_oid *id)
{
    if (ids->count == ids->size) {
        ids->size = ids->size > 0 ? ids->size * 2 : 64;
        ids->at = bp_realloc(ids->at, ids->size, sizeof(*ids->at));
    }
    ids->at[ids->count++] = *id;
}

static int by_id(const void *left, const void *right)
{
    return git_oid_cmp(left, right);
}

void bp_git_ids_sort(struct bp_git_ids *ids)
{
    size_t kept = 0;

    if (ids->count == 0)
        return;
    qsort(ids->at, ids->count, sizeof(*ids->at), by_id);
    for (size_t i = 1; i < ids->count; i++) {
        if (git_oid_cmp(&ids->at[kept], &ids->at[i]) != 0)
            ids->at[++kept] = ids->at[i];
    }
    ids->count = kept + 1;
}

bool bp_git_ids_has(const struct bp_git_ids *ids, const git_oid *id)
{
    return ids->count > 0 && bsearch(id, ids->at, ids->count, sizeof(*ids->at), by_id) != NULL;
}

void bp_git_ids_free(struct bp_git_ids *ids)
{
    bp_free(ids->at);
    *ids = (struct bp_git_ids){0};
}

/* *out stays NULL when the tree is not here. */
static enum bp_code look_for_tree(struct bp_git_store *git, const git_oid *id, git_tree **out,
                                  struct bp_err *err)
{
    int result = git_tree_lookup(out, git->repo, id);

    if (result == 0 || result == GIT_ENOTFOUND)
        return BP_OK;
    return bp_git_fail(err, result, "read a folder of the branch");
}

enum bp_code bp_git_look_up_tree(struct bp_git_store *git, const git_oid *id, git_tree **out,
                                 struct bp_err *err)
{
    git_oid one = *id;
    const struct bp_git_ids ids = {.at = &one, .count = 1};
    int result = 0;
    enum bp_code rc = look_for_tree(git, id, out, err);

    if (rc != BP_OK || *out != NULL)
        return rc;
    rc = bp_git_wire_objects(git, &ids, BP_GIT_ALONE, err);
    if (rc != BP_OK)
        return rc;
    result = git_tree_lookup(out, git->repo, id);
    return result == 0 ? BP_OK : bp_git_fail(err, result, "read a folder of the branch");
}

const git_oid *bp_git_root(const struct bp_git_store *git)
{
    return git->exists ? &git->root : NULL;
}

/* One step down: what the folder *item has at the first part of *path. *lacks: its tree is not
 * here, and nothing was done. */
static enum bp_code step_down(struct bp_git_store *git, struct bp_git_item *item, const char **path,
                              bool *lacks, struct bp_err *err)
{
    BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;
    size_t len = strcspn(*path, "/");
    BP_AUTO(bp_freep) char *name = bp_strndup(*path, len);
    const git_tree_entry *entry = NULL;
    enum bp_code rc = BP_OK;

    if (item->mode == GIT_FILEMODE_TREE)
        rc = look_for_tree(git, &item->id, &tree, err);
    *lacks = item->mode == GIT_FILEMODE_TREE && tree == NULL;
    if (rc != BP_OK || *lacks)
        return rc;
    entry = tree != NULL ? git_tree_entry_byname(tree, name) : NULL;
    *item = (struct bp_git_item){.mode = GIT_FILEMODE_UNREADABLE};
    if (entry != NULL)
        *item = (struct bp_git_item){.id = *git_tree_entry_id(entry),
                                     .mode = git_tree_entry_filemode(entry)};
    *path += len + ((*path)[len] == '/');
    return BP_OK;
}

/* Down the path as far as trees are here. *lacks: item is a folder on the way whose tree is not. */
static enum bp_code walk_down(struct bp_git_store *git, const git_oid *root, const char *path,
                              struct bp_git_item *item, bool *lacks, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *lacks = false;
    *item = (struct bp_git_item){.mode = GIT_FILEMODE_UNREADABLE};
    if (root != NULL)
        *item = (struct bp_git_item){.id = *root, .mode = GIT_FILEMODE_TREE};
    while (rc == BP_OK && !*lacks && item->mode != GIT_FILEMODE_UNREADABLE && *path != '\0')
        rc = step_down(git, item, &path, lacks, err);
    return rc;
}

/* Step by step: a folder whose tree is missing must not pass for one that does not exist. */
enum bp_code bp_git_find(struct bp_git_store *git, const git_oid *root, const char *path,
                         struct bp_git_item *item, struct bp_err *err)
{
    bool lacks = false;
    enum bp_code rc = walk_down(git, root, path, item, &lacks, err);

    while (rc == BP_OK && lacks) {
        BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;

        rc = bp_git_look_up_tree(git, &item->id, &tree, err);
        if (rc == BP_OK)
            rc = walk_down(git, root, path, item, &lacks, err);
    }
    return rc;
}

static void forget_tip(struct bp_git_store *git)
{
    git->exists = false;
    bp_git_ids_free(&git->known);
    bp_free(git->message);
    git->message = NULL;
}

void bp_git_set_tip(struct bp_git_store *git, const git_oid *commit, const git_oid *root,
                    const char *message)
{
    forget_tip(git);
    git->message = bp_strdup(message);
    git->tip = *commit;
    git->root = *root;
    git->exists = true;
}

enum bp_code bp_git_take_tip(struct bp_git_store *git, bool found, struct bp_err *err)
{
    BP_AUTO(bp_git_commit_freep) git_commit *commit = NULL;
    git_oid id;
    int result = 0;

    forget_tip(git);
    if (!found) {
        (void)git_reference_remove(git->repo, BP_GIT_TIP_REF); /* there may be none */
        return BP_OK;
    }
    result = git_reference_name_to_id(&id, git->repo, BP_GIT_TIP_REF);
    if (result == 0)
        result = git_commit_lookup(&commit, git->repo, &id);
    if (result != 0)
        return bp_git_fail(err, result, "read the branch '%s'", git->options.branch);
    bp_git_set_tip(git, &id, git_commit_tree_id(commit), git_commit_message(commit));
    return BP_OK;
}

static enum bp_code add_entries(struct bp_git_store *git, const git_tree *tree,
                                struct bp_git_ids *trees, struct bp_git_ids *blobs,
                                struct bp_err *err)
{
    for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *entry = git_tree_entry_byindex(tree, i);

        if (git_tree_entry_type(entry) == GIT_OBJECT_TREE)
            bp_git_ids_add(trees, git_tree_entry_id(entry));
        else if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB)
            bp_git_ids_add(blobs, git_tree_entry_id(entry));
    }
    if (trees->count > IDS_MAX || blobs->count > IDS_MAX)
        return bp_fail(err, BP_EFAILED, "the branch '%s' holds more than the limit of %d files",
                       git->options.branch, IDS_MAX);
    return BP_OK;
}

/*
 * The ids of all files below these folders, and of the folders whose trees are not here. Level by
 * level, each tree once: archives share most of their folders, and a tree can be made to name
 * another one a thousand times.
 */
static enum bp_code walk_below(struct bp_git_store *git, const struct bp_git_ids *folders,
                               struct bp_git_ids *blobs, struct bp_git_ids *missing,
                               struct bp_err *err)
{
    BP_AUTO(bp_git_ids_free) struct bp_git_ids trees = {0};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < folders->count; i++)
        bp_git_ids_add(&trees, &folders->at[i]);
    while (rc == BP_OK && trees.count > 0) {
        struct bp_git_ids next = {0};

        bp_git_ids_sort(&trees);
        for (size_t i = 0; rc == BP_OK && i < trees.count; i++) {
            BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;

            rc = look_for_tree(git, &trees.at[i], &tree, err);
            if (rc == BP_OK && tree != NULL)
                rc = add_entries(git, tree, &next, blobs, err);
            else if (rc == BP_OK)
                bp_git_ids_add(missing, &trees.at[i]);
        }
        bp_git_ids_free(&trees);
        trees = next;
    }
    bp_git_ids_sort(blobs);
    bp_git_ids_sort(missing);
    return rc;
}

/* The ids of all files below these folders, whose trees are fetched if they are not here. */
static enum bp_code add_blobs_below(struct bp_git_store *git, const struct bp_git_ids *folders,
                                    struct bp_git_ids *blobs, struct bp_err *err)
{
    BP_AUTO(bp_git_ids_free) struct bp_git_ids missing = {0};
    enum bp_code rc = walk_below(git, folders, blobs, &missing, err);

    if (rc != BP_OK || missing.count == 0)
        return rc;
    rc = bp_git_wire_objects(git, &missing, BP_GIT_BELOW, err);
    bp_git_ids_free(&missing);
    if (rc == BP_OK)
        rc = walk_below(git, folders, blobs, &missing, err);
    if (rc == BP_OK && missing.count > 0)
        return bp_fail(err, BP_EINTEGRITY, "the branch '%s' names a folder that '%s' does not have",
                       git->options.branch, git->options.url);
    return rc;
}

enum bp_code bp_git_know(struct bp_git_store *git, struct bp_err *err)
{
    BP_AUTO(bp_git_ids_free) struct bp_git_ids folders = {0};
    struct bp_git_item item = {0};
    enum bp_code rc = BP_OK;

    bp_git_ids_free(&git->known);
    if (git->base_path == NULL)
        return BP_OK;
    rc = bp_git_find(git, bp_git_root(git), git->base_path, &item, err);
    if (rc == BP_OK && item.mode == GIT_FILEMODE_TREE)
        bp_git_ids_add(&folders, &item.id);
    return rc == BP_OK ? add_blobs_below(git, &folders, &git->known, err) : rc;
}

enum bp_code bp_git_base(struct bp_store *self, const char *path, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;

    bp_free(git->base_path);
    git->base_path = bp_strdup(path);
    return bp_git_know(git, err);
}

enum bp_code bp_git_list(struct bp_store *self, const char *path, struct bp_list *names,
                         struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;
    struct bp_git_item item = {0};
    enum bp_code rc = bp_git_find(git, bp_git_root(git), path, &item, err);

    if (rc != BP_OK || item.mode != GIT_FILEMODE_TREE)
        return rc;
    rc = bp_git_look_up_tree(git, &item.id, &tree, err);
    for (size_t i = 0; rc == BP_OK && i < git_tree_entrycount(tree); i++)
        bp_list_add(names, git_tree_entry_name(git_tree_entry_byindex(tree, i)));
    bp_list_sort(names); /* Git sorts a folder as if its name ended with a slash */
    return rc;
}

/* Fetch the trees that lie on the way to these paths, a level of all paths at a time. */
static enum bp_code fetch_ways(struct bp_git_store *git, const struct bp_list *paths,
                               struct bp_err *err)
{
    BP_AUTO(bp_git_ids_free) struct bp_git_ids missing = {0};
    enum bp_code rc = BP_OK;

    for (int level = 0; rc == BP_OK && level < LEVELS_MAX; level++) {
        bp_git_ids_free(&missing);
        for (size_t i = 0; rc == BP_OK && i < paths->count; i++) {
            struct bp_git_item item = {0};
            bool lacks = false;

            rc = walk_down(git, bp_git_root(git), paths->at[i], &item, &lacks, err);
            if (rc == BP_OK && lacks)
                bp_git_ids_add(&missing, &item.id);
        }
        if (rc != BP_OK || missing.count == 0)
            break;
        bp_git_ids_sort(&missing);
        rc = bp_git_wire_objects(git, &missing, BP_GIT_ALONE, err);
    }
    return rc;
}

enum bp_code bp_git_fetch(struct bp_store *self, const struct bp_list *paths, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    BP_AUTO(bp_git_ids_free) struct bp_git_ids trees = {0};
    BP_AUTO(bp_git_ids_free) struct bp_git_ids blobs = {0};
    BP_AUTO(bp_git_ids_free) struct bp_git_ids missing = {0};
    enum bp_code rc = fetch_ways(git, paths, err);

    bp_git_lend_local(git);
    for (size_t i = 0; rc == BP_OK && i < paths->count; i++) {
        struct bp_git_item item = {0};

        rc = bp_git_find(git, bp_git_root(git), paths->at[i], &item, err);
        if (rc == BP_OK && item.mode != GIT_FILEMODE_UNREADABLE)
            bp_git_ids_add(item.mode == GIT_FILEMODE_TREE ? &trees : &blobs, &item.id);
    }
    if (rc == BP_OK)
        rc = add_blobs_below(git, &trees, &blobs, err);
    for (size_t i = 0; rc == BP_OK && i < blobs.count; i++) {
        if (bp_git_odb_of(git, &blobs.at[i]) == NULL)
            bp_git_ids_add(&missing, &blobs.at[i]);
    }
    if (rc != BP_OK || missing.count == 0)
        return rc;
    return bp_git_wire_objects(git, &missing, BP_GIT_ALONE, err);
}
