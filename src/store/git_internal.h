/*
 * Private to the Git driver. Files, from the outside in:
 *   git_repo.c   the operations of store.h, the private working copy
 *   git_edit.c   the edits of a commit, the commit itself
 *   git_stage.c  files for the next commit
 *   git_pack.c   the packs that their contents are written into
 *   git_tree.c   reading trees of the working copy
 *   git_read.c   reading files of it, and of a backup repository on this machine
 *   git_blobs.c  their contents, faster than libgit2 reads them
 *   git_inflate.c what is compressed in them
 *   git_fetch.c  getting objects from the server
 *   git_push.c   sending a commit to the server
 *   git_parts.c  sending more than the server takes in one push
 *   git_wire.c   running the git program
 *   git_words.c  what git and servers say, as an error code and a hint
 *   git_env.c    the environment and the credentials that the git program gets
 *   git_url.c    the address of the repository
 *   git_public.c whether everybody may read it
 *   git_branches.c which branches it has
 *   git_patch.c  how two texts differ
 *
 * The working copy is a bare repository in a private folder with one commit and the first levels
 * of its trees, without file contents. Deeper trees and files are fetched when somebody asks for
 * them. Both can be moved and committed without ever having what is below them.
 */
#ifndef BP_STORE_GIT_INTERNAL_H
#define BP_STORE_GIT_INTERNAL_H

#include <git2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/child.h"
#include "base/list.h"
#include "store/git.h"
#include "store/git_blobs.h"
#include "store/git_pack.h"

/* The remote's name and the tip's name in the working copy: nothing of the user's can mean them. */
#define BP_GIT_REMOTE  "backproof"
#define BP_GIT_TIP_REF "refs/backproof/tip"

#define BP_GIT_HEADS "refs/heads/"

/* The variable through which the credential helper gets the token. */
#define BP_GIT_TOKEN_VARIABLE "BACKPROOF_GIT_TOKEN"

enum bp_git_transport { BP_GIT_HTTP, BP_GIT_SSH, BP_GIT_DAEMON, BP_GIT_LOCAL };

struct bp_git_url {
    char *full; /* what git is given */
    char *site; /* "https://host:port", for the scope of credentials; NULL unless HTTP */
    enum bp_git_transport transport;
};

/* Object ids; a set after bp_git_ids_sort(). A zeroed struct is empty. */
struct bp_git_ids {
    git_oid *at;
    size_t count;
    size_t size; /* allocated */
};

struct bp_git_staged {
    char *path;
    git_oid id;
    bool executable;
    size_t order; /* of staging: the last one of a path counts */
};

/* What a tree holds at a path. */
struct bp_git_item {
    git_oid id;
    git_filemode_t mode;
};

struct bp_git_store {
    struct bp_store base; /* must be first */
    struct bp_git_options options;
    struct bp_git_url url;
    struct bp_list env; /* of the git program; holds the token */
    char *dir;          /* the working copy; NULL before open() */
    bool library_ready; /* git_libgit2_init() was called */
    git_repository *repo;
    git_odb *odb;
    git_odb *local;             /* of a backup repository on this machine, for reading; or NULL */
    struct bp_git_blobs *blobs; /* those in odb */
    struct bp_git_blobs *local_blobs; /* those in local; NULL with it */
    pthread_mutex_t reading; /* of the way to a file; its content is read by threads at once */

    const char *ref_folder; /* where the server has the branch: BP_GIT_HEADS, or for a clone that
                               was never pushed to the folder of what it got from its origin */
    bool exists;            /* the branch, when last looked at; tip and root mean something */
    git_oid tip;
    git_oid root;
    char *message;           /* of the tip; NULL: none */
    char *base_path;         /* what is below it is known; NULL: nothing is */
    size_t filter;           /* of the tip's trees: which one the server takes */
    struct bp_git_ids known; /* the contents below base_path */

    struct bp_git_pack *pack;   /* new contents */
    struct bp_git_parts *parts; /* those that are sent before the branch is pushed */

    struct bp_git_staged *staged;
    size_t staged_count;
    size_t staged_size; /* allocated */
};

/* git_url.c */

/* BP_EUSAGE: a password or token in the address, a transport that is not supported.
 * BP_ENOTFOUND: a path that does not exist. */
enum bp_code bp_git_url_parse(const char *text, struct bp_git_url *out,
                              struct bp_err *err) BP_CHECK;
void bp_git_url_free(struct bp_git_url *url);

/* git_public.c, store.h */
enum bp_code bp_git_is_public(struct bp_store *self, bool *out, struct bp_err *err);

/* git_env.c */

/* Fill git->env from the options and the url. BP_EUSAGE: a token that cannot be sent safely. */
enum bp_code bp_git_env_build(struct bp_git_store *git, struct bp_err *err) BP_CHECK;
void bp_git_env_free(struct bp_list *env); /* overwrites it first */

/* git_read.c; bp_git_read() is for several threads at once, as store.h says */

/* From now on read what lies on this machine where it is, if that can be done. */
void bp_git_lend_local(struct bp_git_store *git);

/* Where a content is: in the working copy, else in the repository that lies on this machine; NULL:
 * nowhere. */
git_odb *bp_git_odb_of(const struct bp_git_store *git, const git_oid *id);

/* git_words.c */

/* The words of git and of the server on one line, without decoration. */
void bp_git_words_put(struct bp_buf *out, const char *errs);

/* The error for what git wrote when it could not read from (or write to) url. */
enum bp_code bp_git_words_fail(const char *url, bool writing, const char *errs, struct bp_err *err);

/* How a push ended: BP_OK when porcelain has the branch at its new commit. */
struct bp_git_push_end {
    bool told;         /* the server said what became of the branch */
    enum bp_code code; /* when told */
};

/* Whether they say that the disk of the working copy is full, and what helps then. */
bool bp_git_words_full_disk(const char *words);
#define BP_GIT_FULL_DISK_HINT "set TMPDIR (RUNNER_TEMP in a workflow) to a folder with more space"

/* Whether a push that failed with these words had not sent anything yet. */
bool bp_git_words_unsent(const char *errs);

/* Read the output of `git push --porcelain` and what it wrote to standard error. */
struct bp_git_push_end bp_git_words_push(const char *url, const char *porcelain, const char *errs,
                                         struct bp_err *err);

/* git_wire.c */

/* Run git with the environment of the store. BP_EUSAGE when there is no such program. */
enum bp_code bp_git_run_until(struct bp_git_store *git, struct bp_clock *clock,
                              const char *const *argv, const struct bp_buf *in,
                              struct bp_child_result *result, struct bp_err *err) BP_CHECK;

/* The same until the store's own clock says stop. */
enum bp_code bp_git_run(struct bp_git_store *git, const char *const *argv, const struct bp_buf *in,
                        struct bp_child_result *result, struct bp_err *err) BP_CHECK;

/* The error for a git command that failed. */
enum bp_code bp_git_fail_command(const struct bp_git_store *git, const char *command,
                                 const struct bp_child_result *result, struct bp_err *err);

/* BP_EUSAGE when the git program is missing or too old. */
enum bp_code bp_git_wire_check(struct bp_git_store *git, struct bp_err *err) BP_CHECK;

/* git_fetch.c */

/* Bring the branch's tip and its first trees here, as BP_GIT_TIP_REF. */
enum bp_code bp_git_wire_tip(struct bp_git_store *git, bool *found, struct bp_err *err) BP_CHECK;

/* Trees alone, or with all trees below them. */
enum bp_git_reach { BP_GIT_ALONE, BP_GIT_BELOW };

/* Bring these objects here. */
enum bp_code bp_git_wire_objects(struct bp_git_store *git, const struct bp_git_ids *ids,
                                 enum bp_git_reach reach, struct bp_err *err) BP_CHECK;

/* store.h */
int64_t bp_git_held(struct bp_store *self);
enum bp_code bp_git_weigh(struct bp_store *self, int64_t *bytes, struct bp_err *err);

/* git_push.c */

/* Make commit the branch's tip if the branch is still where git->tip says; see store.h for what
 * the codes say of a change that may have arrived. */
enum bp_code bp_git_wire_push(struct bp_git_store *git, const git_oid *commit,
                              struct bp_err *err) BP_CHECK;

/* git_parts.c */

/*
 * Contents that are sent before the commit that names them: while the others are still being put,
 * and whenever there is more than the server takes in one push. They go to the server as commits
 * that a reference of their own names, refs/backproof/upload/..., which is no branch. The push of
 * the branch finds them there. The reference is removed when the branch was pushed, or given up;
 * one that a killed run has left goes with the next backup that makes one, a day later.
 */
struct bp_git_parts *bp_git_parts_new(struct bp_git_store *git) BP_CHECK;

/* Content was put: begin to send what there is, in a thread of its own, if it is worth it and
 * nothing is on its way. For several threads. */
void bp_git_parts_offer(struct bp_git_parts *parts);

/* Wait for that thread. */
void bp_git_parts_join(struct bp_git_parts *parts);

/* Send what is more than one push may hold. */
enum bp_code bp_git_parts_send(struct bp_git_parts *parts, struct bp_err *err) BP_CHECK;

/* The branch holds it all: remove the reference, best effort. */
void bp_git_parts_remove(struct bp_git_parts *parts);

/* End the thread and remove the reference. For BP_AUTO. */
void bp_git_parts_freep(struct bp_git_parts **parts);

/* git_tree.c */

/* The error for a negative result of libgit2: "cannot DOING: its words". */
enum bp_code bp_git_fail(struct bp_err *err, int result, const char *fmt, ...) BP_PRINTF(3, 4);

void bp_git_ids_add(struct bp_git_ids *ids, const git_oid *id);
void bp_git_ids_sort(struct bp_git_ids *ids); /* and drop doubles */
bool bp_git_ids_has(const struct bp_git_ids *ids, const git_oid *id);
void bp_git_ids_free(struct bp_git_ids *ids); /* for BP_AUTO */

/* A tree that is here, or that the server has. */
enum bp_code bp_git_look_up_tree(struct bp_git_store *git, const git_oid *id, git_tree **out,
                                 struct bp_err *err) BP_CHECK;

/* The tip's tree, lent; NULL when there is no branch. */
const git_oid *bp_git_root(const struct bp_git_store *git);

/* What is at path below root (NULL: nothing); "" is root itself. The mode is
 * GIT_FILEMODE_UNREADABLE when there is nothing. */
enum bp_code bp_git_find(struct bp_git_store *git, const git_oid *root, const char *path,
                         struct bp_git_item *item, struct bp_err *err) BP_CHECK;

/* Make this commit with this tree the tip; forget what was known of the old one. */
void bp_git_set_tip(struct bp_git_store *git, const git_oid *commit, const git_oid *root,
                    const char *message);

/* The same with what BP_GIT_TIP_REF names, or with no tip when the branch was not found. */
enum bp_code bp_git_take_tip(struct bp_git_store *git, bool found, struct bp_err *err) BP_CHECK;

/* Fill git->known for the tip as it is now. */
enum bp_code bp_git_know(struct bp_git_store *git, struct bp_err *err) BP_CHECK;

/* store.h's operations on the tip */
enum bp_code bp_git_base(struct bp_store *self, const char *path, struct bp_err *err);
enum bp_code bp_git_list(struct bp_store *self, const char *path, struct bp_list *names,
                         struct bp_err *err);
enum bp_code bp_git_fetch(struct bp_store *self, const struct bp_list *paths, struct bp_err *err);
enum bp_code bp_git_find_blob(struct bp_store *self, const char *path, struct bp_blob *out,
                              struct bp_err *err);
enum bp_code bp_git_read(struct bp_store *self, const char *path, size_t limit, struct bp_buf *out,
                         struct bp_err *err);

void bp_git_tree_freep(git_tree **tree);              /* for BP_AUTO */
void bp_git_commit_freep(git_commit **commit);        /* for BP_AUTO */
void bp_git_builder_freep(git_treebuilder **builder); /* for BP_AUTO */

/* git_stage.c */

/* BP_EFAILED: a path that Git, git fsck or a file system would not take. */
enum bp_code bp_git_check_path(const char *path, struct bp_err *err) BP_CHECK;

/* The tree of all that is staged. */
enum bp_code bp_git_staged_tree(struct bp_git_store *git, git_oid *out,
                                struct bp_err *err) BP_CHECK;

void bp_git_forget_staged(struct bp_git_store *git);

/* store.h */
enum bp_code bp_git_put(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                        struct bp_err *err);
enum bp_code bp_git_hash(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                         struct bp_err *err);
enum bp_code bp_git_stage(struct bp_store *self, const char *path, const struct bp_blob *blob,
                          bool executable, struct bp_err *err);

/* git_edit.c */

/* A commit that is to be made. */
struct bp_git_draft {
    const git_oid *root;
    const git_oid *parent; /* NULL: none */
    const char *message;
    int64_t time_ms;
};

enum bp_code bp_git_make_commit(struct bp_git_store *git, const struct bp_git_draft *draft,
                                git_oid *out, struct bp_err *err) BP_CHECK;

/* Building one folder: from an existing one or (NULL) an empty one; item NULL removes. */
enum bp_code bp_git_start_tree(struct bp_git_store *git, const git_oid *from, git_treebuilder **out,
                               struct bp_err *err) BP_CHECK;
enum bp_code bp_git_set_entry(git_treebuilder *builder, const char *name,
                              const struct bp_git_item *item, struct bp_err *err) BP_CHECK;
enum bp_code bp_git_finish_tree(git_treebuilder *builder, git_oid *out,
                                struct bp_err *err) BP_CHECK;

/* store.h */
enum bp_code bp_git_commit(struct bp_store *self, const struct bp_edit *edits, size_t count,
                           const char *message, struct bp_store_commit *out, struct bp_err *err);
enum bp_code bp_git_rewrite(struct bp_store *self, const struct bp_store_step *steps, size_t count,
                            struct bp_store_commit *out, struct bp_err *err);

#endif
