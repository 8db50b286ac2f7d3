/* A private folder with a bare Git repository in it, and stores that look at it. */
#ifndef TEST_STORE_GIT_BOX_H
#define TEST_STORE_GIT_BOX_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/list.h"
#include "store/git.h"

struct git_box {
    char *dir;  /* holds server.git, temp/ and whatever a test makes */
    char *bare; /* dir/server.git */
    char *temp; /* where stores put their working copies */
    struct bp_list vars;
    struct bp_env env;
    struct bp_clock clock;
    struct bp_git_options options; /* of the next store; url is bare, branch is main */
};

void git_box_open(struct git_box *box);
void git_box_close(struct git_box *box);

/* One more variable, "NAME=value", for commands and for stores. */
void git_box_set(struct git_box *box, const char *variable);

/* Run a shell command in box->dir. It must succeed; its output is owned by the caller. */
char *git_box_run(struct git_box *box, const char *fmt, ...) BP_PRINTF(2, 3);

/* Make hooks/NAME of the bare repository a shell script with this body. */
void git_box_hook(struct git_box *box, const char *name, const char *body);

/* A store that was opened with box->options. */
struct bp_store *git_box_store(struct git_box *box);

/* Stage one text file. */
void git_box_stage(struct bp_store *store, const char *path, const char *text);

/* Commit all that is staged as the folder `to`; the code, with *err filled. */
enum bp_code git_box_commit(struct bp_store *store, const char *to, struct bp_err *err);

/* The same with one file; it must succeed. */
void git_box_put(struct bp_store *store, const char *to, const char *name, const char *text);

/* The content of a file, or the name of the error; owned by the caller. */
char *git_box_text(struct bp_store *store, const char *path);

/* The names in a folder with spaces in between; owned by the caller. */
char *git_box_names(struct bp_store *store, const char *path);

/* How many objects of a type the only working copy below box->temp holds. */
int git_box_held(struct git_box *box, const char *type);

#endif
