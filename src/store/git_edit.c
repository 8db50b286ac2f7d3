#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "store/git_internal.h"

static void signature_freep(git_signature **signature)
{
    git_signature_free(*signature);
    *signature = NULL;
}

enum bp_code bp_git_start_tree(struct bp_git_store *git, const git_oid *from, git_treebuilder **out,
                               struct bp_err *err)
{
    BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;
    int result = 0;

    if (from != NULL && bp_git_look_up_tree(git, from, &tree, err) != BP_OK)
        return err->code;
    result = git_treebuilder_new(out, git->repo, tree);
    return result == 0 ? BP_OK : bp_git_fail(err, result, "build a folder");
}

/* item NULL: remove the name if it is there. */
enum bp_code bp_git_set_entry(git_treebuilder *builder, const char *name,
                              const struct bp_git_item *item, struct bp_err *err)
{
    int result = 0;

    if (item != NULL)
        result = git_treebuilder_insert(NULL, builder, name, &item->id, item->mode);
    else if (git_treebuilder_get(builder, name) != NULL)
        result = git_treebuilder_remove(builder, name);
    return result == 0 ? BP_OK : bp_git_fail(err, result, "put '%s' into a folder", name);
}

enum bp_code bp_git_finish_tree(git_treebuilder *builder, git_oid *out, struct bp_err *err)
{
    int result = git_treebuilder_write(out, builder);

    return result == 0 ? BP_OK : bp_git_fail(err, result, "write a folder");
}

/*
 * The tree `from` (NULL: an empty one) with item at path; item NULL removes what is there.
 * Folders that become empty vanish, as they do in Git: out->mode is set to GIT_FILEMODE_TREE only
 * when something is left.
 */
static enum bp_code replace(struct bp_git_store *git, const git_oid *from, const char *path,
                            const struct bp_git_item *item, struct bp_git_item *out,
                            struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    size_t len = strcspn(path, "/");
    BP_AUTO(bp_freep) char *name = bp_strndup(path, len);
    struct bp_git_item folder = {0};
    enum bp_code rc = bp_git_start_tree(git, from, &builder, err);

    if (rc == BP_OK && path[len] == '/') {
        const git_tree_entry *entry = git_treebuilder_get(builder, name);

        if (entry != NULL && git_tree_entry_filemode(entry) != GIT_FILEMODE_TREE)
            return bp_fail(err, BP_EFAILED, "'%s' is a file, not a folder", name);
        if (entry != NULL)
            folder.id = *git_tree_entry_id(entry);
        rc = replace(git, entry != NULL ? &folder.id : NULL, path + len + 1, item, &folder, err);
        item = folder.mode == GIT_FILEMODE_TREE ? &folder : NULL;
    }
    if (rc == BP_OK)
        rc = bp_git_set_entry(builder, name, item, err);
    if (rc == BP_OK)
        rc = bp_git_finish_tree(builder, &out->id, err);
    if (rc == BP_OK && git_treebuilder_entrycount(builder) > 0)
        out->mode = GIT_FILEMODE_TREE;
    return rc;
}

/* A branch that is being changed: its root, which may be empty. */
struct draft {
    struct bp_git_item root; /* mode GIT_FILEMODE_UNREADABLE: empty */
};

static const git_oid *root_of(const struct draft *draft)
{
    return draft->root.mode == GIT_FILEMODE_TREE ? &draft->root.id : NULL;
}

static enum bp_code put(struct bp_git_store *git, struct draft *draft, const char *path,
                        const struct bp_git_item *item, struct bp_err *err)
{
    struct bp_git_item next = {.mode = GIT_FILEMODE_UNREADABLE};
    enum bp_code rc = bp_git_check_path(path, err);

    if (rc == BP_OK)
        rc = replace(git, root_of(draft), path, item, &next, err);
    if (rc != BP_OK)
        return bp_wrap(err, "at '%s'", path);
    draft->root = next;
    return BP_OK;
}

static enum bp_code move(struct bp_git_store *git, struct draft *draft, const struct bp_edit *edit,
                         struct bp_err *err)
{
    struct bp_git_item item = {0};
    struct bp_git_item there = {0};
    enum bp_code rc = bp_git_find(git, root_of(draft), edit->from, &item, err);

    if (rc == BP_OK && item.mode == GIT_FILEMODE_UNREADABLE)
        return bp_fail(err, BP_ENOTFOUND, "nothing to move at '%s'", edit->from);
    if (rc == BP_OK)
        rc = put(git, draft, edit->from, NULL, err);
    if (rc == BP_OK)
        rc = bp_git_find(git, root_of(draft), edit->to, &there, err);
    if (rc == BP_OK && there.mode != GIT_FILEMODE_UNREADABLE)
        return bp_fail(err, BP_EFAILED, "cannot move '%s' to '%s': something is there already",
                       edit->from, edit->to);
    return rc == BP_OK ? put(git, draft, edit->to, &item, err) : rc;
}

static enum bp_code copy(struct bp_git_store *git, struct draft *draft, const struct bp_edit *edit,
                         struct bp_err *err)
{
    struct bp_git_item item = {0};
    enum bp_code rc = bp_git_find(git, bp_git_root(git), edit->from, &item, err);

    if (rc == BP_OK && item.mode == GIT_FILEMODE_UNREADABLE)
        return bp_fail(err, BP_ENOTFOUND, "nothing to copy at '%s'", edit->from);
    return rc == BP_OK ? put(git, draft, edit->to, &item, err) : rc;
}

static enum bp_code erase(struct bp_git_store *git, struct draft *draft, const struct bp_edit *edit,
                          struct bp_err *err)
{
    struct bp_git_item item = {0};
    enum bp_code rc = bp_git_find(git, root_of(draft), edit->to, &item, err);

    if (rc == BP_OK && item.mode == GIT_FILEMODE_UNREADABLE)
        return bp_fail(err, BP_ENOTFOUND, "nothing to remove at '%s'", edit->to);
    return rc == BP_OK ? put(git, draft, edit->to, NULL, err) : rc;
}

static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? (size_t)(slash - path) : 0;
}

/* How many of the edits, from the first one on, remove something from the same folder. */
static size_t count_removals(const struct bp_edit *edits, size_t count)
{
    size_t len = folder_length(edits[0].to);
    size_t same = 0;

    while (same < count && edits[same].kind == BP_EDIT_REMOVE &&
           folder_length(edits[same].to) == len && strncmp(edits[same].to, edits[0].to, len) == 0)
        same++;
    return same;
}

/* Removing a thousand archives makes one new tree of their folder. */
static enum bp_code erase_from(struct bp_git_store *git, struct draft *draft, const char *folder,
                               const struct bp_edit *edits, size_t count, struct bp_err *err)
{
    BP_AUTO(bp_git_builder_freep) git_treebuilder *builder = NULL;
    struct bp_git_item item = {0};
    bool empty = false;
    enum bp_code rc = bp_git_find(git, root_of(draft), folder, &item, err);

    if (rc == BP_OK && item.mode != GIT_FILEMODE_TREE)
        return bp_fail(err, BP_ENOTFOUND, "nothing to remove at '%s'", edits[0].to);
    if (rc == BP_OK)
        rc = bp_git_start_tree(git, &item.id, &builder, err);
    for (size_t i = 0; rc == BP_OK && i < count; i++) {
        const char *name = edits[i].to + strlen(folder) + 1;

        if (git_treebuilder_get(builder, name) == NULL)
            return bp_fail(err, BP_ENOTFOUND, "nothing to remove at '%s'", edits[i].to);
        rc = bp_git_set_entry(builder, name, NULL, err);
    }
    if (rc == BP_OK)
        rc = bp_git_finish_tree(builder, &item.id, err);
    empty = rc == BP_OK && git_treebuilder_entrycount(builder) == 0;
    return rc == BP_OK ? put(git, draft, folder, empty ? NULL : &item, err) : rc;
}

/* staged: the tree of what is staged; NULL when nothing is. */
static enum bp_code apply(struct bp_git_store *git, struct draft *draft,
                          const struct bp_git_item *staged, const struct bp_edit *edit,
                          struct bp_err *err)
{
    switch (edit->kind) {
    case BP_EDIT_MOVE:
        return move(git, draft, edit, err);
    case BP_EDIT_COPY:
        return copy(git, draft, edit, err);
    case BP_EDIT_REMOVE:
        return erase(git, draft, edit, err);
    case BP_EDIT_STAGED:
        break;
    }
    return put(git, draft, edit->to, staged, err);
}

static enum bp_code apply_all(struct bp_git_store *git, struct draft *draft,
                              const struct bp_edit *edits, size_t count, struct bp_err *err)
{
    struct bp_git_item staged = {.mode = GIT_FILEMODE_TREE};
    enum bp_code rc = bp_git_staged_tree(git, &staged.id, err);

    for (size_t i = 0, step = 1; rc == BP_OK && i < count; i += step) {
        size_t removals = count_removals(&edits[i], count - i);
        BP_AUTO(bp_freep)
        char *folder = bp_strndup(edits[i].to, folder_length(edits[i].to));

        step = removals > 1 && *folder != '\0' ? removals : 1;
        if (step > 1)
            rc = erase_from(git, draft, folder, &edits[i], step, err);
        else
            rc = apply(git, draft, git->staged_count > 0 ? &staged : NULL, &edits[i], err);
    }
    if (rc == BP_OK && root_of(draft) == NULL)
        return bp_fail(err, BP_EFAILED, "refusing to make a commit without any file");
    return rc;
}

/* A file that the tip held when it was staged was not written. After a refresh() the tip may not
 * hold it any more: then it has to be sent, so it must be here. */
static enum bp_code bring_what_left(struct bp_git_store *git, struct bp_err *err)
{
    BP_AUTO(bp_git_ids_free) struct bp_git_ids missing = {0};

    for (size_t i = 0; i < git->staged_count; i++) {
        const git_oid *id = &git->staged[i].id;

        if (!bp_git_ids_has(&git->known, id) && !git_odb_exists(git->odb, id))
            bp_git_ids_add(&missing, id);
    }
    if (missing.count == 0 || bp_git_wire_objects(git, &missing, BP_GIT_ALONE, err) == BP_OK)
        return BP_OK;
    if (err->code != BP_ELOCKED)
        return err->code;
    /* Trying again would not bring them back. */
    return bp_fail(err, BP_EFAILED,
                   "the branch '%s' in '%s' was rewritten meanwhile, and what it held before is "
                   "gone from there; hint: run it again",
                   git->options.branch, git->options.url);
}

enum bp_code bp_git_make_commit(struct bp_git_store *git, const struct bp_git_draft *draft,
                                git_oid *out, struct bp_err *err)
{
    BP_AUTO(bp_git_tree_freep) git_tree *tree = NULL;
    BP_AUTO(bp_git_commit_freep) git_commit *parent = NULL;
    BP_AUTO(signature_freep) git_signature *who = NULL;
    int result = git_tree_lookup(&tree, git->repo, draft->root);

    if (result == 0)
        result =
            git_signature_new(&who, "backproof", "backproof@localhost", draft->time_ms / 1000, 0);
    if (result == 0 && draft->parent != NULL)
        result = git_commit_lookup(&parent, git->repo, draft->parent);
    /* The variadic one has the same type in every libgit2; git_commit_create() has not. */
    if (result == 0 && parent != NULL)
        result = git_commit_create_v(out, git->repo, NULL, who, who, NULL, draft->message, tree, 1,
                                     parent);
    else if (result == 0)
        result = git_commit_create_v(out, git->repo, NULL, who, who, NULL, draft->message, tree, 0);
    return result == 0 ? BP_OK : bp_git_fail(err, result, "make a commit");
}

/*
 * Our own commit is the tip now, for us as well. The reference only spares the next fetch some
 * objects; that it cannot be written (the disk is full) does not undo what has arrived.
 */
static void advance(struct bp_git_store *git, const git_oid *commit,
                    const struct bp_git_draft *made)
{
    git_reference *ref = NULL;

    (void)git_reference_create(&ref, git->repo, BP_GIT_TIP_REF, commit, 1, NULL);
    git_reference_free(ref);
    git->ref_folder = BP_GIT_HEADS;
    bp_git_forget_staged(git);
    bp_git_set_tip(git, commit, made->root, made->message);
}

static enum bp_code publish(struct bp_git_store *git, const git_oid *commit,
                            const struct bp_git_draft *made, struct bp_store_commit *out,
                            struct bp_err *err)
{
    enum bp_code rc = bp_git_parts_send(git->parts, err);

    (void)git_oid_tostr(out->id, sizeof(out->id), commit);
    if (rc == BP_OK)
        rc = bp_git_wire_push(git, commit, err);
    if (rc != BP_OK)
        return rc;
    bp_git_parts_remove(git->parts);
    advance(git, commit, made);
    return BP_OK;
}

static struct draft draft_of_tip(const struct bp_git_store *git)
{
    if (!git->exists)
        return (struct draft){.root.mode = GIT_FILEMODE_UNREADABLE};
    return (struct draft){.root = {.id = git->root, .mode = GIT_FILEMODE_TREE}};
}

enum bp_code bp_git_commit(struct bp_store *self, const struct bp_edit *edits, size_t count,
                           const char *message, struct bp_store_commit *out, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    struct draft draft = draft_of_tip(git);
    const struct bp_git_draft made = {.root = &draft.root.id,
                                      .parent = git->exists ? &git->tip : NULL,
                                      .message = message,
                                      .time_ms = bp_clock_wall(git->options.clock)};
    git_oid id;
    enum bp_code rc = BP_OK;

    bp_git_parts_join(git->parts);
    rc = bp_git_pack_end(git->pack, err);
    if (rc == BP_OK)
        rc = apply_all(git, &draft, edits, count, err);
    if (rc == BP_OK)
        rc = bring_what_left(git, err);
    if (rc == BP_OK)
        rc = bp_git_make_commit(git, &made, &id, err);
    return rc == BP_OK ? publish(git, &id, &made, out, err) : rc;
}

enum bp_code bp_git_rewrite(struct bp_store *self, const struct bp_store_step *steps, size_t count,
                            struct bp_store_commit *out, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    struct draft draft = draft_of_tip(git);
    struct bp_git_draft made = {.root = &draft.root.id};
    git_oid id;
    git_oid parent;
    enum bp_code rc = BP_OK;

    if (!git->exists || count == 0)
        return bp_fail(err, BP_EFAILED, "there is no history to rewrite");
    for (size_t i = 0; rc == BP_OK && i < count; i++) {
        made.parent = i > 0 ? &parent : NULL;
        made.message = steps[i].message;
        made.time_ms = steps[i].time_ms;
        rc = apply_all(git, &draft, steps[i].edits, steps[i].count, err);
        if (rc == BP_OK)
            rc = bp_git_make_commit(git, &made, &id, err);
        parent = id;
    }
    return rc == BP_OK ? publish(git, &id, &made, out, err) : rc;
}
