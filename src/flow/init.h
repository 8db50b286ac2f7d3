/*
 * The first set-up: from a person's answers to the texts of two workflow files, and what is left
 * to do. Nothing here reads or writes a file, or asks.
 *
 * The files are templates with marks: of a line that ends in "# init: NAME" the value is replaced
 * by the answer of that name, one that ends in "# init: leave out" is left out, and one that ends
 * in
 * "# init: if sealed" is, too, when the backups are readable.
 */
#ifndef BP_FLOW_INIT_H
#define BP_FLOW_INIT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

#define BP_INIT_FOLDER    ".github/workflows"
#define BP_INIT_SCHEDULED "scheduled-backup.yml"

/* All lent. */
struct bp_init_answers {
    const char *server;               /* "https://github.com" */
    const char *repo;                 /* "owner/name" */
    const struct bp_list *branches;   /* at least one */
    const char *schedule;             /* five fields */
    const char *workflow;             /* the backup workflow's file name */
    const char *backup_repo;          /* an address, or "owner/name" on the same server */
    const struct bp_list *recipients; /* of sealed backups; none: they are readable */
};

/* Each BP_EUSAGE, with the reason and how to write it. Nothing that passes can leave its YAML. */
enum bp_code bp_init_check_repo(const char *repo, struct bp_err *err) BP_CHECK;
enum bp_code bp_init_check_branch(const char *branch, struct bp_err *err) BP_CHECK;
enum bp_code bp_init_check_schedule(const char *schedule, struct bp_err *err) BP_CHECK;
enum bp_code bp_init_check_workflow(const char *file, struct bp_err *err) BP_CHECK;
enum bp_code bp_init_check_backup_repo(const char *address, struct bp_err *err) BP_CHECK;
/* A public key of age; a secret one is refused without showing it. */
enum bp_code bp_init_check_recipient(const char *recipient, struct bp_err *err) BP_CHECK;
enum bp_code bp_init_check(const struct bp_init_answers *answers, struct bp_err *err) BP_CHECK;

/*
 * The server and the repository that a Git remote's address names: "git@github.com:o/n.git" gives
 * "https://github.com" and "o/n". BP_EUSAGE when it names none. Owned by the caller.
 */
enum bp_code bp_init_read_remote(const char *address, char **out_server, char **out_repo,
                                 struct bp_err *err) BP_CHECK;

/* Append the backup workflow and the scheduled one. The answers are checked. */
enum bp_code bp_init_backup(const struct bp_init_answers *answers, struct bp_buf *out,
                            struct bp_err *err) BP_CHECK;
enum bp_code bp_init_scheduled(const struct bp_init_answers *answers, struct bp_buf *out,
                               struct bp_err *err) BP_CHECK;

/* What both do with their template. BP_EFAILED: it has a mark that nobody knows. */
enum bp_code bp_init_fill(const char *template, const struct bp_init_answers *answers,
                          struct bp_buf *out, struct bp_err *err) BP_CHECK;

/* A secret of the repository that the workflows use. */
struct bp_init_secret {
    const char *name;
    char *command; /* that sets it */
    char *what;    /* what it has to be, and to be allowed */
};

enum { BP_INIT_SECRETS = 4 };

/* Fills them; the name of one that is not needed is NULL. Owned by the caller. */
void bp_init_secrets(const struct bp_init_answers *answers,
                     struct bp_init_secret out[BP_INIT_SECRETS]);
void bp_init_secrets_free(struct bp_init_secret secrets[BP_INIT_SECRETS]);

/* Append the `backproof check` that looks whether all is well, for a shell. */
void bp_init_put_check(const struct bp_init_answers *answers, struct bp_buf *out);

#endif
