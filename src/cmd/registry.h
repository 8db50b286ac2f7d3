/*
 * Makes the drivers that options name; the one place that knows them all. With --dry-run they
 * come wrapped, so that nothing they are told to do happens. Each is owned by the caller.
 */
#ifndef BP_CMD_REGISTRY_H
#define BP_CMD_REGISTRY_H

#include "cmd/cmd.h"

enum bp_code bp_registry_forge(struct bp_app *app, struct bp_forge **out,
                               struct bp_err *err) BP_CHECK;
/* What a backup takes, as the options say; its lists are lent by app->cfg. */
struct bp_scope bp_registry_scope(const struct bp_app *app);

enum bp_code bp_registry_source(struct bp_app *app, struct bp_source **out,
                                struct bp_err *err) BP_CHECK;
enum bp_code bp_registry_target(struct bp_app *app, struct bp_target **out,
                                struct bp_err *err) BP_CHECK;
enum bp_code bp_registry_store(struct bp_app *app, struct bp_store **out,
                               struct bp_err *err) BP_CHECK;

/*
 * The store of an archive that a command's ID names: one that holds '/' and is the folder of an
 * archive is a store of its own, in which *id is "latest"; else it is that of --backup-repo, which
 * such a command must not have in its `needs`: BP_EUSAGE tells that it is missing. archive may be
 * NULL; *id is lent like it.
 */
enum bp_code bp_registry_archive_store(struct bp_app *app, const char *archive, const char **id,
                                       struct bp_store **out, struct bp_err *err) BP_CHECK;

/* The same for another branch than the one that options name. */
enum bp_code bp_registry_branch_store(struct bp_app *app, const char *branch, struct bp_store **out,
                                      struct bp_err *err) BP_CHECK;

/* Whether what these name (archive may be NULL) is a plain folder, into which nothing is written.
 */
bool bp_registry_is_folder(const struct bp_app *app, const char *archive);

/* The branches of the backup repository; of a plain folder that of the options. */
enum bp_code bp_registry_branches(struct bp_app *app, struct bp_list *out,
                                  struct bp_err *err) BP_CHECK;

/* Where an archive is proved: --scratch-url, or a throw-away cluster. */
enum bp_code bp_registry_scratch(struct bp_app *app, struct bp_scratch **out,
                                 struct bp_err *err) BP_CHECK;

/* The folder for private temporary folders. Lent. */
const char *bp_registry_temp_parent(const struct bp_app *app);

#endif
