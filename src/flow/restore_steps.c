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

enum state { WAITING, RUNNING, LOCKED, DONE };

/* A group whose steps run at the same time. */
struct group {
    struct bp_restore *r; /* first */
    size_t first;
    size_t count;
    size_t *order;     /* the steps, those of large tables first */
    enum state *state; /* of each, in that order */
    size_t running[BP_RESTORE_JOBS_LIMIT];
    size_t running_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_size_t finished;
};

static const struct bp_restore_step *step_of(const struct group *g, size_t i)
{
    return &g->r->plan.post.at[g->order[i]];
}

static bool same(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static bool collide(const struct bp_restore_step *a, const struct bp_restore_step *b)
{
    return (a->locks || b->locks) && (same(a->table, b->table) || same(a->table, b->other) ||
                                      same(a->other, b->table) || same(a->other, b->other));
}

/* Under the lock: whether nothing that runs is in its way. */
static bool is_free(const struct group *g, size_t i)
{
    for (size_t k = 0; k < g->running_count; k++) {
        if (collide(step_of(g, i), step_of(g, g->running[k])))
            return false;
    }
    return true;
}

/* Under the lock: the first step that can run now; g->count: none. */
static size_t find_free(const struct group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->state[i] == WAITING && is_free(g, i))
            return i;
    }
    return g->count;
}

/* When none can run, others do, and their end is told. */
static size_t take(struct group *g)
{
    size_t i = 0;

    (void)pthread_mutex_lock(&g->lock);
    for (i = find_free(g); i == g->count; i = find_free(g))
        (void)pthread_cond_wait(&g->changed, &g->lock);
    g->state[i] = RUNNING;
    g->running[g->running_count++] = i;
    (void)pthread_mutex_unlock(&g->lock);
    return i;
}

static void give_back(struct group *g, size_t i, enum state state)
{
    size_t k = 0;

    (void)pthread_mutex_lock(&g->lock);
    g->state[i] = state;
    while (g->running[k] != i)
        k++;
    g->running[k] = g->running[--g->running_count];
    atomic_fetch_add(&g->finished, 1);
    (void)pthread_cond_broadcast(&g->changed);
    (void)pthread_mutex_unlock(&g->lock);
}

/* There are as many tasks as steps; which step a task is, is decided when it begins. */
static enum bp_code work_group(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct group *g = ctx;
    size_t i = take(g);
    bool locked = false;
    enum bp_code rc = do_step(g->r, &g->r->seats[worker], POST, g->order[i], &locked, err);

    (void)task;
    give_back(g, i, locked ? LOCKED : DONE);
    return rc;
}

static enum bp_code watch_group(void *ctx, struct bp_err *err)
{
    struct group *g = ctx;

    (void)err;
    bp_progress(g->r->job->out, "indexes and constraints: %zu of %zu",
                g->first + atomic_load(&g->finished), g->r->plan.post.count);
    return BP_OK;
}

struct weighed {
    size_t step;
    int64_t bytes;
};

static int heaviest_first(const void *left, const void *right)
{
    const struct weighed *a = left;
    const struct weighed *b = right;

    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return a->step < b->step ? -1 : 1;
}

static int64_t bytes_of(const struct bp_restore *r, const char *table)
{
    for (size_t i = 0; table != NULL && i < r->plan.table_count; i++) {
        if (strcmp(r->plan.tables[i].target, table) == 0)
            return r->plan.tables[i].table->bytes;
    }
    return 0;
}

static void sort_group(struct group *g)
{
    BP_AUTO(bp_freep) struct weighed *all = bp_alloc(g->count, sizeof(*all));

    for (size_t i = 0; i < g->count; i++) {
        all[i].step = g->first + i;
        all[i].bytes = bytes_of(g->r, g->r->plan.post.at[g->first + i].table);
    }
    qsort(all, g->count, sizeof(*all), heaviest_first);
    for (size_t i = 0; i < g->count; i++)
        g->order[i] = all[i].step;
}

/* Those that met a lock of somebody, once more and alone. */
static enum bp_code do_again(struct group *g, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = 0; rc == BP_OK && i < g->count; i++) {
        if (g->state[i] == LOCKED)
            rc = do_step(g->r, &g->r->seats[0], POST, g->order[i], NULL, err);
    }
    return rc;
}

static enum bp_code do_group(struct bp_restore *r, size_t first, size_t count, struct bp_err *err)
{
    BP_AUTO(bp_freep) size_t *order = bp_alloc(count, sizeof(*order));
    BP_AUTO(bp_freep) enum state *state = bp_alloc(count, sizeof(*state));
    struct group g = {.r = r,
                      .first = first,
                      .count = count,
                      .order = order,
                      .state = state,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .changed = PTHREAD_COND_INITIALIZER};
    struct bp_crew_job job = {.tasks = count, .work = work_group, .watch = watch_group, .ctx = &g};
    enum bp_code rc = BP_OK;

    sort_group(&g);
    rc = bp_restore_share(r, &job, err);
    return rc == BP_OK ? do_again(&g, err) : rc;
}

enum bp_code bp_restore_post_data(struct bp_restore *r, struct bp_err *err)
{
    const struct bp_restore_steps *post = &r->plan.post;
    enum bp_code rc = BP_OK;

    for (size_t i = 0, count = 0; rc == BP_OK && i < r->events; i += count) {
        for (count = 1; i + count < r->events && post->at[i + count].group == post->at[i].group;)
            count++;
        if (count > 1)
            rc = do_group(r, i, count, err);
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
