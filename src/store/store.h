/*
 * A store: a versioned folder tree that changes in whole steps. It knows nothing of archives.
 *
 * Reading sees the tip of one branch as of the last open() or refresh(). A change is staged file
 * by file and becomes visible to others in one commit, or not at all. Callers call through
 * store->ops; a driver fills a struct bp_store_ops and puts a struct bp_store first in its own
 * struct.
 */
#ifndef BP_STORE_STORE_H
#define BP_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/list.h"

enum { BP_STORE_ID_SIZE = 65 }; /* a commit's name in hex, SHA-1 or SHA-256, with its NUL */

/* One step of a commit, in order: */
enum bp_edit_kind {
    BP_EDIT_MOVE,   /* the file or folder at `from` moves to `to`, where nothing may be */
    BP_EDIT_STAGED, /* `to` becomes the tree of all staged files, replacing what is there */
    BP_EDIT_COPY,   /* `to` becomes what the tip has at `from`, replacing what is there */
    BP_EDIT_REMOVE  /* the file or folder at `to` goes */
};

struct bp_edit {
    enum bp_edit_kind kind;
    const char *from;
    const char *to;
};

struct bp_store_commit {
    char id[BP_STORE_ID_SIZE];
};

/* One commit of a new history. */
struct bp_store_step {
    const struct bp_edit *edits;
    size_t count;
    const char *message;
    int64_t time_ms; /* of the commit */
};

/* The content of a file. */
struct bp_blob {
    char id[BP_STORE_ID_SIZE];
    bool known; /* the base holds it already: it is not sent again */
};

struct bp_store;

struct bp_store_ops {
    /*
     * Look at the branch. A branch that does not exist yet is an empty tree.
     * BP_EUNAVAILABLE, BP_EAUTH, BP_ENOTFOUND (no such repository).
     */
    enum bp_code (*open)(struct bp_store *self, struct bp_err *err);

    /* Whether the branch exists. */
    bool (*exists)(struct bp_store *self);

    /* Look again: the tip may have moved. */
    enum bp_code (*refresh)(struct bp_store *self, struct bp_err *err);

    /* The message of the tip's commit, lent until the tip changes; "" when there is none. */
    const char *(*message)(struct bp_store *self);

    /* Whether anybody may read it without a password or a key, as far as that can be found out. */
    enum bp_code (*is_public)(struct bp_store *self, bool *out, struct bp_err *err);

    /* The names in a folder, in byte order; none when there is no such folder. */
    enum bp_code (*list)(struct bp_store *self, const char *path, struct bp_list *names,
                         struct bp_err *err);

    /* Get the content of all these files, and of all files below these folders, in one go, so
     * that read() finds them without asking the server one by one. What is not there is passed
     * over: read() tells. */
    enum bp_code (*fetch)(struct bp_store *self, const struct bp_list *paths, struct bp_err *err);

    /* Append a file's content. BP_ENOTFOUND; BP_EFAILED when it is larger than limit. Several
     * threads may do it at once, as long as none does anything else. */
    enum bp_code (*read)(struct bp_store *self, const char *path, size_t limit, struct bp_buf *out,
                         struct bp_err *err);

    /* What the tip holds at this path, to be staged again; its content is not fetched.
     * BP_ENOTFOUND: no file. */
    enum bp_code (*find)(struct bp_store *self, const char *path, struct bp_blob *out,
                         struct bp_err *err);

    /*
     * What is put next will mostly be what this folder of the tip holds: such contents are known,
     * neither written nor sent. Without a base nothing is known. Holds on after a refresh().
     */
    enum bp_code (*base)(struct bp_store *self, const char *path, struct bp_err *err);

    /*
     * Bring the content of a file here, unless it is known. After open(); several threads may do it
     * at once, as long as none does anything else. BP_EFAILED: the disk is full ...
     */
    enum bp_code (*put)(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                        struct bp_err *err);

    /* What put() would give, without writing anything; for threads likewise. */
    enum bp_code (*hash)(struct bp_store *self, const void *data, size_t len, struct bp_blob *out,
                         struct bp_err *err);

    /* How many bytes all that was fetched or put so far takes here, compressed: two looks tell what
     * came between them. 0 when nothing is kept here. */
    int64_t (*held)(struct bp_store *self);

    /* Put a content at this path of the tree under construction; the last one of a path counts. */
    enum bp_code (*stage)(struct bp_store *self, const char *path, const struct bp_blob *blob,
                          bool executable, struct bp_err *err);

    /*
     * One commit on top of the tip that was last looked at, and make it the branch's tip for
     * everybody. BP_ELOCKED: somebody else was faster; refresh() and try again (what is staged
     * stays staged). BP_ENOTFOUND: nothing to move. BP_EAUTH. BP_EFAILED: refused by the server;
     * the message holds its words. BP_EUNAVAILABLE, BP_ETIMEOUT: it did not arrive, as far as a
     * second look at the branch tells; what is staged stays staged, so try again.
     *
     * When even that look does not tell, the code is BP_EFAILED, or BP_ESTOPPED after a signal, and
     * the message says "it is not known whether the change arrived". BP_OK: it arrived, whatever
     * happened here afterwards. *out is filled too when BP_EUNAVAILABLE or BP_ETIMEOUT end the
     * push: a server may go on with it after the second look.
     */
    enum bp_code (*commit)(struct bp_store *self, const struct bp_edit *edits, size_t count,
                           const char *message, struct bp_store_commit *out, struct bp_err *err);

    /*
     * Replace the branch's history by these commits. The first one has no parent, and its edits
     * apply to the tip's tree; those of every other one apply to the tree of the one before it.
     * Each file of the new history must be in the tip. Errors as those of commit(); when the server
     * does not let anybody rewrite the branch, BP_EFAILED with its words.
     */
    enum bp_code (*rewrite)(struct bp_store *self, const struct bp_store_step *steps, size_t count,
                            struct bp_store_commit *out, struct bp_err *err);

    /* How many bytes a fresh and whole clone of the branch gets, found out by making one. */
    enum bp_code (*weigh)(struct bp_store *self, int64_t *bytes, struct bp_err *err);

    void (*free)(struct bp_store *self);
};

struct bp_store {
    const struct bp_store_ops *ops;
};

void bp_store_freep(struct bp_store **store); /* for BP_AUTO */

/*
 * Append how two texts differ, for people: what `git diff` shows of a file at this path. NULL
 * stands for no such file; nothing is appended when they are the same.
 */
enum bp_code bp_store_patch(const char *path, const struct bp_buf *old, const struct bp_buf *now,
                            struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* A store that reads through inner, which it takes over, and keeps nothing. */
struct bp_store *bp_store_dry_new(struct bp_store *inner) BP_CHECK;

#endif
