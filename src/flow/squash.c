/*
 * The history after a squash: one commit for each archive that is kept, oldest first, each made as
 * its backup made it. The files after the last one are those of the tip without what goes.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/growth.h"
#include "flow/prune_internal.h"

/* Steps on their way to the store. */
struct chain {
    struct bp_prune *p;
    size_t *order; /* kept archives of the catalog; the last one is the tip's latest */
    size_t count;
    bool has_current; /* the tip has backups/current */
    struct bp_edit *edits;
    size_t edit_count;
    struct bp_store_step *steps;
    struct bp_list texts; /* what edits and steps point to */
};

static void free_chain(struct chain *chain)
{
    bp_free(chain->order);
    bp_free(chain->edits);
    bp_free(chain->steps);
    bp_list_free(&chain->texts);
}

static const struct bp_catalog_entry *entry_of(const struct chain *chain, size_t step)
{
    return &chain->p->catalog.at[chain->order[step]];
}

/* Oldest first, but what has the place of the latest at the end: a clock may have been wrong. */
static void choose_order(struct chain *chain)
{
    const struct bp_prune *p = chain->p;

    chain->order = bp_alloc(p->catalog.count + 1, sizeof(*chain->order));
    for (int latest = 0; latest <= 1; latest++) {
        for (size_t i = p->catalog.count; i-- > 0;) {
            if (p->items[i].kept && p->catalog.at[i].name.latest == (latest == 1))
                chain->order[chain->count++] = i;
        }
    }
}

static void add_edit(struct chain *chain, enum bp_edit_kind kind, const char *from, const char *to)
{
    chain->edits[chain->edit_count++] = (struct bp_edit){.kind = kind, .from = from, .to = to};
}

static const char *keep_text(struct chain *chain, char *text)
{
    bp_list_take(&chain->texts, text);
    return text;
}

static bool is_archive(const struct chain *chain, const char *folder, const char *name)
{
    size_t len = strlen(folder);

    for (size_t i = 0; i < chain->p->catalog.count; i++) {
        const char *path = chain->p->catalog.at[i].path;

        if (strncmp(path, folder, len) == 0 && path[len] == '/' &&
            strcmp(path + len + 1, name) == 0)
            return true;
    }
    return false;
}

/* Without any archive. What people have put beside them stays. */
static void empty_folder(struct chain *chain, const char *folder, const struct bp_list *names)
{
    if (names->count == 0)
        return;
    add_edit(chain, BP_EDIT_REMOVE, NULL, folder);
    for (size_t i = 0; i < names->count; i++) {
        const char *path = NULL;

        if (is_archive(chain, folder, names->at[i]))
            continue;
        path = keep_text(chain, bp_format("%s/%s", folder, names->at[i]));
        add_edit(chain, BP_EDIT_COPY, path, path);
    }
}

/* Where an archive is as long as it is the latest. */
static const char *latest_path(struct chain *chain, const struct bp_catalog_entry *entry)
{
    struct bp_archive_name name = entry->name;
    char folder[BP_ARCHIVE_NAME_SIZE];

    name.latest = true;
    bp_archive_name_format(&name, folder);
    return keep_text(chain, bp_format("%s/%s", BP_PATH_LATEST, folder));
}

static void add_archive(struct chain *chain, size_t step)
{
    const struct bp_catalog_entry *entry = entry_of(chain, step);

    if (step > 0) {
        const struct bp_catalog_entry *last = entry_of(chain, step - 1);
        const char *was = latest_path(chain, last);

        if (strcmp(was, last->path) != 0)
            add_edit(chain, BP_EDIT_MOVE, was, last->path);
    }
    if (step + 1 < chain->count) {
        add_edit(chain, BP_EDIT_COPY, entry->path, latest_path(chain, entry));
        add_edit(chain, BP_EDIT_COPY, entry->path, BP_PATH_CURRENT);
        return;
    }
    /* As it is in the tip. */
    add_edit(chain, BP_EDIT_COPY, entry->path, entry->path);
    if (chain->has_current)
        add_edit(chain, BP_EDIT_COPY, BP_PATH_CURRENT, BP_PATH_CURRENT);
    else if (step > 0)
        add_edit(chain, BP_EDIT_REMOVE, NULL, BP_PATH_CURRENT);
}

/* The last commit's message. All that is kept was read, so it is here: about what a clone takes,
 * and the size of the branch is counted anew from it. */
static const char *last_message(struct chain *chain, const char *message)
{
    const struct bp_prune_job *job = chain->p->job;
    struct bp_buf text = {0};
    struct bp_growth growth = {0};

    bp_buf_printf(&text, "%sSquashed: kept %zu of %zu archives\n", message, chain->count,
                  chain->p->catalog.count);
    bp_growth_add(&growth, job->store->ops->held(job->store), bp_clock_wall(job->clock));
    bp_growth_write(&growth, &text);
    return keep_text(chain, bp_buf_take(&text));
}

static void add_steps(struct chain *chain, const struct bp_list *messages)
{
    chain->steps = bp_alloc(chain->count, sizeof(*chain->steps));
    for (size_t i = 0; i < chain->count; i++) {
        struct bp_store_step *step = &chain->steps[i];
        size_t first = i > 0 ? chain->edit_count : 0; /* the first step empties the folders too */
        const char *message = messages->at[chain->order[i]];

        add_archive(chain, i);
        if (i + 1 == chain->count)
            message = last_message(chain, message);
        *step = (struct bp_store_step){.edits = chain->edits + first,
                                       .count = chain->edit_count - first,
                                       .message = message,
                                       .time_ms = entry_of(chain, i)->name.time_ms};
    }
}

static enum bp_code build(struct chain *chain, const struct bp_list *messages, struct bp_err *err)
{
    enum { MOST_EDITS = 4 }; /* of one archive */
    static const char *const folders[] = {BP_PATH_ARCHIVE, BP_PATH_LATEST};
    BP_AUTO(bp_list_free) struct bp_list top = {0};
    BP_AUTO(bp_list_free) struct bp_list archive = {0};
    BP_AUTO(bp_list_free) struct bp_list latest = {0};
    struct bp_store *store = chain->p->job->store;

    if (store->ops->list(store, BP_PATH_BACKUPS, &top, err) != BP_OK ||
        store->ops->list(store, folders[0], &archive, err) != BP_OK ||
        store->ops->list(store, folders[1], &latest, err) != BP_OK)
        return err->code;
    choose_order(chain);
    chain->has_current = bp_list_has(&top, strrchr(BP_PATH_CURRENT, '/') + 1);
    chain->edits = bp_alloc(archive.count + latest.count + MOST_EDITS * (chain->count + 1),
                            sizeof(*chain->edits));
    empty_folder(chain, folders[0], &archive);
    empty_folder(chain, folders[1], &latest);
    add_steps(chain, messages);
    return BP_OK;
}

/* A branch that nobody may rewrite is the usual reason for a refusal. */
static enum bp_code refused(struct bp_err *err)
{
    const struct bp_err inner = *err;

    if (inner.code != BP_EFAILED)
        return bp_wrap(err, "the branch cannot be squashed");
    if (strstr(inner.msg, "hint: ") != NULL)
        return bp_wrap(err, "the branch cannot be squashed, which takes a force push");
    return bp_fail(err, inner.code,
                   "the branch cannot be squashed: %s; hint: a squash replaces the branch, so its "
                   "protection must allow force pushes",
                   inner.msg);
}

/* It takes a clone of the whole history, which may be too large for this disk or damaged: the very
 * reasons to squash it. */
static enum bp_code weigh(struct bp_prune *p, struct bp_prune_result *result, struct bp_err *err)
{
    struct bp_store *store = p->job->store;
    struct bp_err why = {0};

    if (store->ops->weigh(store, &result->bytes_before, &why) == BP_OK)
        return BP_OK;
    result->bytes_before = -1;
    if (bp_stop_check(p->job->clock->stop, err) != BP_OK)
        return err->code;
    bp_warn(p->job->out, "what the squash frees cannot be told: %s", why.msg);
    return BP_OK;
}

enum bp_code bp_squash(struct bp_prune *p, struct bp_prune_result *result, struct bp_err *err)
{
    BP_AUTO(free_chain) struct chain chain = {.p = p};
    BP_AUTO(bp_list_free) struct bp_list messages = {0};
    struct bp_store *store = p->job->store;
    struct bp_store_commit done = {0};

    bp_info(p->job->out, "reading all that is kept");
    if (bp_squash_check(p, &messages, err) != BP_OK || weigh(p, result, err) != BP_OK)
        return err->code;
    result->squashed = true;
    if (p->job->coming != NULL) /* it is not in the branch, so there is nothing to build on */
        return BP_OK;
    if (build(&chain, &messages, err) != BP_OK)
        return err->code;
    bp_info(p->job->out, "replacing the history of branch '%s'", p->job->branch);
    if (store->ops->rewrite(store, chain.steps, chain.count, &done, err) != BP_OK)
        return err->code == BP_ELOCKED ? err->code : refused(err);
    (void)snprintf(result->commit, sizeof(result->commit), "%s", done.id);
    return BP_OK;
}
