/* A file that was not there before, made whole or not at all. */
#ifndef BP_FLOW_NEW_FILE_H
#define BP_FLOW_NEW_FILE_H

#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

/* Zero it; what it holds it owns, but for the path. */
struct bp_new_file {
    const char *path;
    FILE *to;
    char *aside; /* what it is called until it is kept */
};

/* BP_EUSAGE: there is something of that name. to is not buffered when only the user may read it. */
enum bp_code bp_new_file_open(struct bp_new_file *file, const char *path, mode_t mode,
                              struct bp_err *err) BP_CHECK;

/* All that was written is on the disk, and has its name. BP_EUSAGE: somebody else made one. */
enum bp_code bp_new_file_keep(struct bp_new_file *file, struct bp_err *err) BP_CHECK;

/* Close it; unless it was kept, nothing is left of it. For BP_AUTO. */
void bp_new_file_free(struct bp_new_file *file);

#endif
