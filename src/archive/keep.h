/*
 * backups/keep: the archives that somebody wants to keep whatever the retention says. A line for
 * each, "ID  reason"; comments begin with "#". People may edit it in the forge's pages, so a
 * folder's name is taken for the id too, and a line that cannot be read is an error: nobody shall
 * lose an archive because of a misspelling.
 */
#ifndef BP_ARCHIVE_KEEP_H
#define BP_ARCHIVE_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/name.h"
#include "base/buf.h"
#include "base/err.h"

#define BP_PATH_KEEP "backups/keep"

enum { BP_KEEP_LIMIT = 1 << 20, BP_KEEP_LINE_LIMIT = 1000, BP_KEEP_REASON_LIMIT = 500 };

struct bp_mark {
    char id[BP_ARCHIVE_ID_SIZE];
    char *reason; /* owned; may be "" */
};

/* A zeroed struct has none. */
struct bp_marks {
    struct bp_mark *at;
    size_t count;
};

/* BP_EUSAGE names the line and what is wrong with it. */
enum bp_code bp_marks_parse(const char *text, size_t len, struct bp_marks *out,
                            struct bp_err *err) BP_CHECK;

/* The first mark of this archive, or NULL. Lent. */
const struct bp_mark *bp_marks_find(const struct bp_marks *marks, const char *id);

void bp_marks_free(struct bp_marks *marks); /* for BP_AUTO */

/*
 * Append text, which can be parsed, with this archive marked (reason is one line without blanks
 * around it, or "") or without its mark (NULL). Other lines and comments stay as they are.
 */
void bp_marks_edit(const char *text, const char *id, const char *reason, struct bp_buf *out);

#endif
