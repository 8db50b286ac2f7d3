/* Marks: an archive that somebody wants to keep, whatever the retention says (archive/keep.h). */
#ifndef BP_FLOW_MARK_H
#define BP_FLOW_MARK_H

#include "archive/keep.h"
#include "base/clock.h"
#include "base/print.h"
#include "store/store.h"

/* All lent for the length of the call. */
struct bp_mark_job {
    struct bp_store *store;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *branch;  /* for messages */
    const char *archive; /* "latest", an id, its beginning, a folder's name */
    const char *reason;  /* NULL: as it is, or none */
    bool undo;           /* take the mark away */
};

struct bp_mark_result {
    char id[BP_ARCHIVE_ID_SIZE];
    char reason[BP_KEEP_REASON_LIMIT + 1]; /* of a mark that is there now */
    char commit[BP_STORE_ID_SIZE];         /* "": it was so already, or the run was dry */
    bool changed;
};

/* One commit, or none when it is so already. BP_ENOTFOUND (no such branch or archive), BP_EUSAGE
 * (a line of the file cannot be read, a reason that cannot be written), and what the store gives.
 */
enum bp_code bp_flow_mark(const struct bp_mark_job *job, struct bp_mark_result *result,
                          struct bp_err *err) BP_CHECK;

/* The marks of the branch that the store has open, and unless text is NULL the file itself. No
 * file: none. */
enum bp_code bp_marks_read(struct bp_store *store, struct bp_marks *marks, struct bp_buf *text,
                           struct bp_err *err) BP_CHECK;

#endif
