/* Definitions: one after the other, or a group of them at the same time. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/restore_internal.h"

/* So many definitions have one transaction: each takes locks, of which a server has not endless. */
enum { BATCH = 500 };

static enum bp_code define(struct bp_restore *r, struct bp_restore_seat *seat, const void *what,
                           struct bp_err *err)
{
    const struct bp_restore_step *step = what;

    (void)r;
    return seat->writer->ops->define(seat->writer, step->sql, step->label, err);
}

enum phase { PRE, POST, REFRESH };

static const struct bp_restore_step *step_at(const struct bp_restore *r, enum phase phase, size_t i)
{
    const struct bp_restore_steps *const steps[] = {
        [PRE] = &r->plan.pre, [POST] = &r->plan.post, [REFRESH] = &r->plan.refresh};

    return &steps[phase]->at[i];
}

static enum bp_code do_step(struct bp_restore *r, struct bp_restore_seat *seat, enum phase phase,
                            size_t i, bool *locked, struct bp_err *err)
{
    static const char *const names[] = {[PRE] = "pre", [POST] = "post", [REFRESH] = "refresh"};
    BP_AUTO(bp_freep) char *mark = bp_format("%s %zu", names[phase], i);
    const struct bp_restore_part part = {
        .mark = mark, .work = define, .what = step_at(r, phase, i)};

    return bp_restore_do(r, seat, &part, locked, err);
}

/* ---- before the rows ---- */

static enum bp_code make_roles(struct bp_restore *r, struct bp_restore_seat *seat, const void *what,
                               struct bp_err *err)
{
    (void)what;
    if (r->plan.roles[0] == '\0')
        return BP_OK;
    return seat->writer->ops->run(seat->writer, r->plan.roles, "roles.sql", err);
}

/* Each for itself, because some may fail. The roles are number 0. */
static enum bp_code define_each(struct bp_restore *r, size_t next, struct bp_err *err)
{
    const struct bp_restore_part roles = {.mark = "roles", .work = make_roles};
    enum bp_code rc = BP_OK;

    for (; rc == BP_OK && next <= r->plan.pre.count; next++)
        rc = next == 0 ? bp_restore_do(r, &r->seats[0], &roles, NULL, err)
                       : do_step(r, &r->seats[0], PRE, next - 1, NULL, err);
    return rc;
}

/*
 * The number of definitions that batches of an earlier run have made, those of the roles included.
 * Behind them some may have been made each for itself, and others have failed.
 */
static size_t count_defined(const struct bp_restore *r)
{
    static const char word[] = "pre to ";
    size_t count = 0;

    for (size_t i = 0; i < r->marks.done.count; i++) {
        const char *mark = r->marks.done.at[i];
        size_t number = 0;

        if (!bp_text_starts_with(mark, word))
            continue;
        number = strtoul(mark + strlen(word), NULL, 10) + 2;
        count = number > count ? number : count;
    }
    return count;
}

static bool is_defined(const struct bp_restore *r, size_t number)
{
    BP_AUTO(bp_freep)
    char *mark = number > 0 ? bp_format("pre %zu", number - 1) : bp_strdup("roles");

    return bp_restore_is_done(r, mark);
}

/* In the transaction: the roles, which are number 0, and definitions, at most a batch of them. */
static enum bp_code define_some(struct bp_restore *r, size_t *next, struct bp_err *err)
{
    struct bp_restore_seat *seat = &r->seats[0];
    BP_AUTO(bp_freep) char *mark = NULL;
    size_t end = *next + BATCH;
    enum bp_code rc = BP_OK;

    for (; rc == BP_OK && *next <= r->plan.pre.count && *next < end; (*next)++) {
        rc = bp_stop_check(seat->clock->stop, err);
        if (rc == BP_OK && !is_defined(r, *next))
            rc = *next == 0 ? make_roles(r, seat, NULL, err)
                            : define(r, seat, &r->plan.pre.at[*next - 1], err);
    }
    mark = *next > 1 ? bp_format("pre to %zu", *next - 2) : bp_strdup("roles");
    return rc == BP_OK ? seat->writer->ops->mark(seat->writer, mark, err) : rc;
}

/* A commit that was not answered may have been done. */
static enum bp_code commit_edge(struct bp_restore *r, struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;
    enum bp_code rc = writer->ops->commit(writer, err);

    r->unsure = rc == BP_EUNAVAILABLE || rc == BP_ESTOPPED || rc == BP_ETIMEOUT;
    return rc;
}

static enum bp_code define_batch(struct bp_restore *r, size_t *next, struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;
    enum bp_code rc = writer->ops->begin(writer, false, err);

    if (rc == BP_OK && !r->began) {
        rc = bp_restore_make_room(r, err);
        if (rc == BP_OK)
            rc = writer->ops->mark_begin(writer, r->entry->name.id, r->plan_sum, err);
    }
    if (rc == BP_OK && !r->job->continue_on_error)
        rc = define_some(r, next, err);
    if (rc == BP_OK)
        rc = r->began ? writer->ops->commit(writer, err) : commit_edge(r, err);
    if (rc == BP_OK)
        r->began = true;
    else
        writer->ops->rollback(writer);
    return rc;
}

enum bp_code bp_restore_pre_data(struct bp_restore *r, struct bp_err *err)
{
    size_t next = count_defined(r);
    enum bp_code rc = r->began ? BP_OK : define_batch(r, &next, err);

    if (rc == BP_OK && r->job->continue_on_error)
        return define_each(r, next, err);
    while (rc == BP_OK && next <= r->plan.pre.count)
        rc = define_batch(r, &next, err);
    return rc;
}

/* ---- behind the rows ---- */

enum bp_code bp_restore_post_step(struct bp_restore *r, struct bp_restore_seat *seat, size_t i,
                                  bool *locked, struct bp_err *err)
{
    return do_step(r, seat, POST, i, locked, err);
}

enum bp_code bp_restore_post_data(struct bp_restore *r, struct bp_err *err)
{
    const struct bp_restore_steps *post = &r->plan.post;
    enum bp_code rc = BP_OK;

    for (size_t i = r->built, count = 0; rc == BP_OK && i < r->events; i += count) {
        for (count = 1; i + count < r->events && post->at[i + count].group == post->at[i].group;)
            count++;
        if (count > 1)
            rc = bp_restore_group(r, i, count, NULL, err);
        else
            rc = do_step(r, &r->seats[0], POST, i, NULL, err);
    }
    return rc;
}

/* Behind event triggers it is a part of the end: it has to switch them off meanwhile. */
static bool refreshes_at_the_end(const struct bp_restore *r)
{
    return r->events < r->plan.post.count;
}

enum bp_code bp_restore_refresh(struct bp_restore *r, struct bp_err *err)
{
    const struct bp_restore_steps *steps = &r->plan.refresh;
    enum bp_code rc = BP_OK;

    for (size_t i = 0; rc == BP_OK && !refreshes_at_the_end(r) && i < steps->count; i++)
        rc = do_step(r, &r->seats[0], REFRESH, i, NULL, err);
    return rc;
}

/* ---- the end ---- */

/* There are no marks any more, in which this could be written. */
static enum bp_code define_last(struct bp_restore *r, const struct bp_restore_step *step,
                                struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;
    enum bp_code rc = writer->ops->begin(writer, true, err);

    if (rc == BP_OK)
        rc = define(r, &r->seats[0], step, err);
    if (rc == BP_OK)
        rc = writer->ops->commit(writer, err);
    if (rc == BP_OK)
        return rc;
    writer->ops->rollback(writer);
    return bp_restore_goes_on(r, err) ? BP_OK : rc;
}

/* Event triggers, and what comes behind them: in the transaction, or each for itself. */
static enum bp_code define_end(struct bp_restore *r, bool each, struct bp_err *err)
{
    const struct bp_restore_plan *plan = &r->plan;
    size_t events = plan->post.count - r->events;
    size_t count = events + (refreshes_at_the_end(r) ? plan->refresh.count : 0);
    enum bp_code rc = BP_OK;

    for (size_t i = 0; rc == BP_OK && i < count; i++) {
        const struct bp_restore_step *step =
            i < events ? &plan->post.at[r->events + i] : &plan->refresh.at[i - events];

        rc = each ? define_last(r, step, err) : define(r, &r->seats[0], step, err);
    }
    return rc;
}

/*
 * The marks go, and event triggers come, which could see that and refuse it. The commit is durable,
 * so it waits for all that the others before it have written.
 */
enum bp_code bp_restore_finish(struct bp_restore *r, struct bp_err *err)
{
    struct bp_writer *writer = r->seats[0].writer;
    bool each = r->job->continue_on_error;
    enum bp_code rc = writer->ops->begin(writer, true, err);

    if (rc == BP_OK)
        rc = writer->ops->mark_end(writer, err);
    if (rc == BP_OK && !each)
        rc = define_end(r, false, err);
    if (rc == BP_OK)
        rc = commit_edge(r, err);
    if (rc != BP_OK)
        writer->ops->rollback(writer);
    r->ended = rc == BP_OK;
    return rc == BP_OK && each ? define_end(r, true, err) : rc;
}
