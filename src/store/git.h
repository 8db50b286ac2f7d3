/* The Git driver of store.h: libgit2 makes and reads objects, the git program moves them. */
#ifndef BP_STORE_GIT_H
#define BP_STORE_GIT_H

#include "base/clock.h"
#include "base/env.h"
#include "store/store.h"

/* All lent for the life of the driver. */
struct bp_git_options {
    const char *url;          /* https://, ssh://, user@host:path, file:// or a path */
    const char *branch;       /* "main" */
    const char *token;        /* for https; NULL: what git's own configuration has */
    const char *ca_file;      /* NULL: the system's */
    const char *proxy;        /* NULL: the environment's */
    const struct bp_env *env; /* for the git program */
    const char *temp_parent;  /* where the working copy goes */
    struct bp_clock *clock;   /* with its stop */
    int64_t timeout_ms;       /* of one git command; 0: none */
    int64_t push_limit;       /* in bytes: more is sent in several pushes; 0: one push */
    int64_t part_size;        /* in bytes: so much is sent while more is put; 0: nothing is */
};

/* Nothing is opened before the first call. Owned by the caller. */
struct bp_store *bp_git_store_new(const struct bp_git_options *options) BP_CHECK;

/*
 * The names of the branches of the backup repository, sorted, added to out. options->branch does
 * not count. A clone that was never pushed to has what it got from its origin. BP_EUNAVAILABLE,
 * BP_EAUTH, BP_ENOTFOUND (no such repository).
 */
enum bp_code bp_git_branches(const struct bp_git_options *options, struct bp_list *out,
                             struct bp_err *err) BP_CHECK;

#endif
