#include "flow/prune.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/growth.h"
#include "flow/prune_internal.h"
#include "flow/push_again.h"

void bp_prune_result_free(struct bp_prune_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        bp_list_free(&result->rows[i].reasons);
    bp_free(result->rows);
    *result = (struct bp_prune_result){0};
}

static void fill_result(const struct bp_prune *p, struct bp_prune_result *result)
{
    bp_prune_result_free(result);
    result->bytes_before = -1;
    result->bytes_after = -1;
    result->rows = bp_alloc(p->catalog.count + 1, sizeof(*result->rows));
    result->count = p->catalog.count;
    for (size_t i = 0; i < result->count; i++) {
        struct bp_prune_row *row = &result->rows[i];

        (void)snprintf(row->id, sizeof(row->id), "%s", p->catalog.at[i].name.id);
        row->kept = p->items[i].kept;
        for (size_t r = 0; r < p->items[i].reasons.count; r++)
            bp_list_add(&row->reasons, p->items[i].reasons.at[r]);
        result->kept += row->kept;
        result->removed += !row->kept;
    }
}

/* "prune: removed 12 of 45 archives", then one trailer for each. */
static void write_message(const struct bp_prune *p, const struct bp_prune_result *result,
                          struct bp_buf *out)
{
    bp_buf_printf(out, "prune: removed %zu of %zu archives\n\nKept: %zu\nPolicy: ", result->removed,
                  result->count, result->kept);
    bp_retention_put_policy(&p->job->policy, out);
    bp_buf_putc(out, '\n');
    for (size_t i = 0; i < result->count; i++) {
        if (!result->rows[i].kept)
            bp_buf_printf(out, "Removed: %s\n", result->rows[i].id);
    }
    bp_growth_carry(p->job->store->ops->message(p->job->store), out);
}

static enum bp_code commit(struct bp_prune *p, struct bp_prune_result *result, struct bp_err *err)
{
    BP_AUTO(bp_freep) struct bp_edit *edits = bp_alloc(p->catalog.count + 1, sizeof(*edits));
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};
    struct bp_store *store = p->job->store;
    struct bp_store_commit done = {0};
    size_t count = 0;

    for (size_t i = 0; i < p->catalog.count; i++) {
        if (!p->items[i].kept)
            edits[count++] = (struct bp_edit){.kind = BP_EDIT_REMOVE, .to = p->catalog.at[i].path};
    }
    if (count == 0)
        return BP_OK;
    write_message(p, result, &message);
    if (store->ops->commit(store, edits, count, bp_buf_str(&message), &done, err) != BP_OK)
        return err->code;
    (void)snprintf(result->commit, sizeof(result->commit), "%s", done.id);
    return BP_OK;
}

struct change {
    struct bp_prune *p;
    struct bp_prune_result *result;
};

static enum bp_code prune_once(void *ctx, struct bp_err *err)
{
    struct bp_prune *p = ((struct change *)ctx)->p;
    struct bp_prune_result *result = ((struct change *)ctx)->result;

    if (bp_prune_plan(p, err) != BP_OK)
        return err->code;
    fill_result(p, result);
    if (p->job->squash && result->kept > 0)
        return bp_squash(p, result, err);
    return commit(p, result, err);
}

/* The branch is rewritten: that its size cannot be told does not undo it. */
static void weigh_again(const struct bp_prune_job *job, struct bp_prune_result *result)
{
    struct bp_err why = {0};

    if (job->store->ops->weigh(job->store, &result->bytes_after, &why) == BP_OK)
        return;
    result->bytes_after = -1;
    bp_warn(job->out, "the branch was rewritten, but its size cannot be told: %s", why.msg);
}

enum bp_code bp_flow_prune(const struct bp_prune_job *job, struct bp_prune_result *result,
                           struct bp_err *err)
{
    BP_AUTO(bp_prune_free) struct bp_prune p = {.job = job};
    struct change change = {.p = &p, .result = result};
    const struct bp_push_again push = {.store = job->store,
                                       .clock = job->clock,
                                       .out = job->out,
                                       .change = prune_once,
                                       .ctx = &change};

    *result = (struct bp_prune_result){.bytes_before = -1, .bytes_after = -1};
    if (job->store->ops->open(job->store, err) != BP_OK)
        return err->code;
    if (!job->store->ops->exists(job->store) && job->coming == NULL)
        return bp_fail(err, BP_ENOTFOUND,
                       "the backup repository has no branch '%s'; hint: --backup-branch names it",
                       job->branch);
    if (bp_push_again(&push, err) != BP_OK)
        return err->code;
    if (result->squashed && result->commit[0] != '\0')
        weigh_again(job, result);
    return BP_OK;
}
