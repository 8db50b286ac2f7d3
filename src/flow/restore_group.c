/* Steps that run at the same time, the first of them while rows are still being loaded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/restore_internal.h"

#define NONE SIZE_MAX

enum state { WAITING, RUNNING, LOCKED, DONE };

/* A group whose steps run at the same time. */
struct group {
    struct bp_restore *r; /* first */
    size_t first;
    size_t count;
    size_t *order;     /* the steps, those of large tables first */
    enum state *state; /* of each, in that order */
    size_t *table;     /* likewise: the only one that it is for, by its number in the plan; NONE */
    const struct bp_restore_loads *loads; /* NULL: all rows are there */
    bool *loaded;                         /* of each table of the plan */
    size_t left;                          /* loads that have not ended */
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

/* Under the lock: whether its rows are there. One that is for more than one table waits for all. */
static bool is_ready(const struct group *g, size_t i)
{
    return g->left == 0 || (g->table[i] != NONE && g->loaded[g->table[i]]);
}

/* Under the lock: whether nothing that runs is in its way. */
static bool is_free(const struct group *g, size_t i)
{
    if (!is_ready(g, i))
        return false;
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

/* Also when it failed: nobody may wait for it. */
static void tell_loaded(struct group *g, const struct bp_restore_table *table)
{
    (void)pthread_mutex_lock(&g->lock);
    if (table != NULL)
        g->loaded[table - g->r->plan.tables] = true;
    g->left--;
    (void)pthread_cond_broadcast(&g->changed);
    (void)pthread_mutex_unlock(&g->lock);
}

/*
 * First the loads, then as many tasks as steps; which step a task is, is decided when it begins. A
 * worker has nothing to load any more when it comes to the steps, so whoever waits there waits for
 * others that are at work.
 */
static enum bp_code work_group(void *ctx, size_t worker, size_t task, struct bp_err *err)
{
    struct group *g = ctx;
    const struct bp_restore_loads *loads = g->loads;
    bool locked = false;
    enum bp_code rc = BP_OK;
    size_t i = 0;

    if (loads != NULL && task < loads->count) {
        rc = loads->work(loads->ctx, worker, task, err);
        tell_loaded(g, loads->table(loads->ctx, task));
        return rc;
    }
    i = take(g);
    rc = bp_restore_post_step(g->r, &g->r->seats[worker], g->order[i], &locked, err);
    give_back(g, i, locked ? LOCKED : DONE);
    return rc;
}

static enum bp_code watch_group(void *ctx, struct bp_err *err)
{
    struct group *g = ctx;

    bool loading = false;

    (void)err;
    (void)pthread_mutex_lock(&g->lock);
    loading = g->left > 0;
    (void)pthread_mutex_unlock(&g->lock);
    if (loading) {
        bp_restore_show_rows(g->r);
        return BP_OK;
    }
    bp_progress(g->r->job->out, "indexes and constraints: %zu of %zu",
                g->first + atomic_load(&g->finished), g->r->plan.post.count);
    return BP_OK;
}

struct weighed {
    size_t step;
    int64_t bytes;
    size_t table;
};

static int heaviest_first(const void *left, const void *right)
{
    const struct weighed *a = left;
    const struct weighed *b = right;

    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return a->step < b->step ? -1 : 1;
}

/* The only table of the plan with this name; NONE: there are others, or none. */
static size_t find_table(const struct bp_restore *r, const char *table)
{
    size_t found = NONE;

    for (size_t i = 0; table != NULL && i < r->plan.table_count; i++) {
        if (strcmp(r->plan.tables[i].target, table) != 0)
            continue;
        if (found != NONE)
            return NONE;
        found = i;
    }
    return found;
}

static void sort_group(struct group *g)
{
    BP_AUTO(bp_freep) struct weighed *all = bp_alloc(g->count + 1, sizeof(*all));

    for (size_t i = 0; i < g->count; i++) {
        const struct bp_restore_step *step = &g->r->plan.post.at[g->first + i];
        size_t table = find_table(g->r, step->table);

        all[i].step = g->first + i;
        all[i].bytes = table != NONE ? g->r->plan.tables[table].table->bytes : 0;
        all[i].table = step->other == NULL ? table : NONE;
    }
    qsort(all, g->count, sizeof(*all), heaviest_first);
    for (size_t i = 0; i < g->count; i++) {
        g->order[i] = all[i].step;
        g->table[i] = all[i].table;
    }
}

/* Those that met a lock of somebody, once more and alone. */
static enum bp_code do_again(struct group *g, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    for (size_t i = 0; rc == BP_OK && i < g->count; i++) {
        if (g->state[i] == LOCKED)
            rc = bp_restore_post_step(g->r, &g->r->seats[0], g->order[i], NULL, err);
    }
    return rc;
}

enum bp_code bp_restore_group(struct bp_restore *r, size_t first, size_t count,
                              const struct bp_restore_loads *loads, struct bp_err *err)
{
    BP_AUTO(bp_freep) size_t *order = bp_alloc(count + 1, sizeof(*order));
    BP_AUTO(bp_freep) size_t *table = bp_alloc(count + 1, sizeof(*table));
    BP_AUTO(bp_freep) enum state *state = bp_alloc(count + 1, sizeof(*state));
    BP_AUTO(bp_freep) bool *loaded = bp_alloc(r->plan.table_count + 1, sizeof(*loaded));
    struct group g = {.r = r,
                      .first = first,
                      .count = count,
                      .order = order,
                      .state = state,
                      .table = table,
                      .loads = loads,
                      .loaded = loaded,
                      .left = loads != NULL ? loads->count : 0,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .changed = PTHREAD_COND_INITIALIZER};
    struct bp_crew_job job = {
        .tasks = count + g.left, .work = work_group, .watch = watch_group, .ctx = &g};
    enum bp_code rc = BP_OK;

    sort_group(&g);
    rc = bp_restore_share(r, &job, err);
    return rc == BP_OK ? do_again(&g, err) : rc;
}

size_t bp_restore_early_steps(const struct bp_restore *r)
{
    const struct bp_restore_step *steps = r->plan.post.at;
    size_t count = 0;

    for (; count < r->events && steps[count].group == steps[0].group; count++) {
        if (steps[count].table == NULL)
            return 0;
    }
    return count;
}
