#include "flow/mark.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/catalog.h"
#include "flow/growth.h"
#include "flow/push_again.h"

/* A commit puts folders in place: the file comes in one, and moves out of it. */
#define STAGED_NAME   "keep"
#define STAGED_FOLDER BP_PATH_KEEP ".new"

enum bp_code bp_marks_read(struct bp_store *store, struct bp_marks *marks, struct bp_buf *text,
                           struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf own = {0};
    struct bp_buf *buf = text != NULL ? text : &own;
    enum bp_code rc = store->ops->read(store, BP_PATH_KEEP, BP_KEEP_LIMIT, buf, err);

    *marks = (struct bp_marks){0};
    if (rc == BP_ENOTFOUND)
        return BP_OK;
    return rc == BP_OK ? bp_marks_parse(bp_buf_str(buf), buf->len, marks, err) : rc;
}

static enum bp_code check_reason(const char *reason, struct bp_err *err)
{
    if (reason == NULL)
        return BP_OK;
    if (strlen(reason) > BP_KEEP_REASON_LIMIT)
        return bp_fail(err, BP_EUSAGE, "the reason has more than %d bytes", BP_KEEP_REASON_LIMIT);
    for (const char *p = reason; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            return bp_fail(err, BP_EUSAGE, "the reason must be one line of plain text");
    }
    if (!bp_text_is_utf8(reason, strlen(reason)))
        return bp_fail(err, BP_EUSAGE, "the reason is not UTF-8");
    return BP_OK;
}

/* A mark can be taken from an archive that is not there any more, by its whole id. */
static enum bp_code find(const struct bp_mark_job *job, const struct bp_marks *marks,
                         struct bp_mark_result *result, struct bp_err *err)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    struct bp_catalog_entry *entry = NULL;
    const char *id = job->archive;
    enum bp_code rc = bp_catalog_load(job->store, &catalog, err);

    if (rc != BP_OK)
        return rc;
    if (!job->undo || bp_marks_find(marks, id) == NULL) {
        rc = bp_catalog_find(&catalog, job->archive, &entry, err);
        if (rc != BP_OK)
            return rc;
        id = entry->name.id;
    }
    (void)snprintf(result->id, sizeof(result->id), "%s", id);
    return BP_OK;
}

static enum bp_code commit(const struct bp_mark_job *job, const struct bp_buf *text,
                           struct bp_mark_result *result, struct bp_err *err)
{
    struct bp_store *store = job->store;
    const struct bp_edit edits[] = {
        {.kind = BP_EDIT_REMOVE, .to = BP_PATH_KEEP},
        {.kind = BP_EDIT_STAGED, .to = STAGED_FOLDER},
        {.kind = BP_EDIT_MOVE, .from = STAGED_FOLDER "/" STAGED_NAME, .to = BP_PATH_KEEP},
    };
    size_t first = 0;
    size_t end = text->len > 0 ? sizeof(edits) / sizeof(edits[0]) : 1;
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    struct bp_blob blob = {0};
    struct bp_store_commit done = {0};
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    BP_AUTO(bp_buf_free) struct bp_buf size = {0};

    if (store->ops->list(store, BP_PATH_BACKUPS, &names, err) != BP_OK ||
        store->ops->put(store, bp_buf_str(text), text->len, &blob, err) != BP_OK ||
        store->ops->stage(store, STAGED_NAME, &blob, false, err) != BP_OK)
        return err->code;
    first = bp_list_has(&names, STAGED_NAME) ? 0 : 1;
    bp_growth_carry(store->ops->message(store), &size);
    bp_buf_printf(&message, "keep: %s %s%s%s\n%s%s", job->undo ? "unmarked" : "marked", result->id,
                  result->reason[0] != '\0' ? ", " : "", result->reason, size.len > 0 ? "\n" : "",
                  bp_buf_str(&size));
    if (store->ops->commit(store, edits + first, end - first, bp_buf_str(&message), &done, err) !=
        BP_OK)
        return err->code;
    (void)snprintf(result->commit, sizeof(result->commit), "%s", done.id);
    return BP_OK;
}

struct change {
    const struct bp_mark_job *job;
    struct bp_mark_result *result;
};

static enum bp_code mark_once(void *ctx, struct bp_err *err)
{
    const struct bp_mark_job *job = ((struct change *)ctx)->job;
    struct bp_mark_result *result = ((struct change *)ctx)->result;
    BP_AUTO(bp_marks_free) struct bp_marks marks = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_buf_free) struct bp_buf edited = {0};
    BP_AUTO(bp_freep) char *reason = NULL;
    const struct bp_mark *mark = NULL;

    *result = (struct bp_mark_result){0};
    if (bp_marks_read(job->store, &marks, &text, err) != BP_OK ||
        find(job, &marks, result, err) != BP_OK)
        return err->code;
    mark = bp_marks_find(&marks, result->id);
    if (!job->undo) {
        reason = bp_strdup(job->reason != NULL ? job->reason : mark != NULL ? mark->reason : "");
        bp_text_trim(reason);
        bp_copy_foreign(result->reason, sizeof(result->reason), reason);
    }
    result->changed = job->undo ? mark != NULL : mark == NULL || strcmp(mark->reason, reason) != 0;
    if (!result->changed)
        return BP_OK;
    bp_marks_edit(bp_buf_str(&text), result->id, reason, &edited);
    if (edited.len > BP_KEEP_LIMIT)
        return bp_fail(err, BP_EUSAGE, "%s would have more than %d bytes; hint: remove lines of it",
                       BP_PATH_KEEP, BP_KEEP_LIMIT);
    return commit(job, &edited, result, err);
}

enum bp_code bp_flow_mark(const struct bp_mark_job *job, struct bp_mark_result *result,
                          struct bp_err *err)
{
    struct change change = {.job = job, .result = result};
    const struct bp_push_again push = {.store = job->store,
                                       .clock = job->clock,
                                       .out = job->out,
                                       .change = mark_once,
                                       .ctx = &change};

    *result = (struct bp_mark_result){0};
    if (check_reason(job->reason, err) != BP_OK || job->store->ops->open(job->store, err) != BP_OK)
        return err->code;
    if (!job->store->ops->exists(job->store))
        return bp_fail(err, BP_ENOTFOUND,
                       "the backup repository has no branch '%s'; hint: --backup-branch names it",
                       job->branch);
    return bp_push_again(&push, err);
}
