/* Files and private temporary folders. */
#ifndef BP_BASE_FILE_H
#define BP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Append the whole file to out. BP_ENOTFOUND; BP_EFAILED also when it has more than limit bytes. */
enum bp_code bp_file_read(const char *path, size_t limit, struct bp_buf *out,
                          struct bp_err *err) BP_CHECK;

/* Make or replace a file that only this user can read. */
enum bp_code bp_file_write(const char *path, const void *data, size_t len,
                           struct bp_err *err) BP_CHECK;

/*
 * Make a file that everybody may read, whole or not at all, together with the folders it is in.
 * BP_ELOCKED when there is something of that name and replace is false.
 */
enum bp_code bp_file_put(const char *path, const char *text, bool replace,
                         struct bp_err *err) BP_CHECK;

bool bp_file_is_folder(const char *path);

/*
 * A new folder that only this user can enter, in the folder `parent` (such as $TMPDIR or /tmp).
 * The path is owned by the caller.
 */
enum bp_code bp_tempdir_new(const char *parent, char **out_path, struct bp_err *err) BP_CHECK;

/* Remove the folder with all that is in it, best effort, and free the path. For BP_AUTO. */
void bp_tempdir_removep(char **path);

#endif
