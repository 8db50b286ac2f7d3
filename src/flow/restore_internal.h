/*
 * Private to the restore. Files, in the order in which they work:
 *   restore.c         the steps
 *   restore_check.c   every checksum
 *   restore_plan.c    what is to be done
 *   restore_target.c  whether the target may be changed
 *   restore_single.c  all of it in one transaction
 *   restore_crew.c    all of it by several connections, in transactions with marks
 *   restore_steps.c   definitions, one by one or a group at a time
 *   restore_group.c   such a group, of which the first begins while rows are being loaded
 *   restore_rows.c    the rows of a table, the large objects
 */
#ifndef BP_FLOW_RESTORE_INTERNAL_H
#define BP_FLOW_RESTORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/crew.h"
#include "flow/restore.h"

enum { BP_RESTORE_JOBS_LIMIT = 64 };

/* What belongs to one worker. */
struct bp_restore_seat {
    struct bp_writer *writer; /* NULL before it is needed */
    struct bp_clock *clock;
    struct bp_buf text; /* a file of rows */
};

struct bp_restore {
    const struct bp_restore_job *job;
    const struct bp_catalog_entry *entry;
    const struct bp_manifest *manifest;
    struct bp_restore_result *result;
    struct bp_restore_plan plan;
    char plan_sum[65]; /* tells plans apart */
    size_t built;      /* so many steps of plan.post were made together with the rows */
    size_t events;     /* the first event trigger in plan.post: they come when all else is done */

    struct bp_target_info info;
    struct bp_target_marks marks; /* found only when it is gone on with them */
    bool must_clean;
    struct bp_list replace; /* of a part: quoted names of the tables that go first */
    bool single;            /* one transaction */
    bool began;             /* a first transaction was committed */
    bool unsure;            /* whether the first or the last transaction was committed */
    bool ended;             /* the marks are gone, there is nothing to go on with */

    size_t jobs;
    size_t workers;                /* of the jobs those for which there is a connection */
    struct bp_restore_seat *seats; /* one for each job */

    atomic_llong rows; /* so far */
    atomic_llong bytes;
    int64_t all_bytes;
    int64_t started_ms;
    pthread_mutex_t lock; /* of the result's failures */
};

/* restore_check.c */
enum bp_code bp_restore_check_files(const struct bp_restore_job *job,
                                    const struct bp_catalog_entry *entry,
                                    struct bp_err *err) BP_CHECK;

/* restore_target.c: look at the target, take its lock, ask, and decide how it is done. */
enum bp_code bp_restore_look(struct bp_restore *r, struct bp_err *err) BP_CHECK;

/* restore_rows.c; seat->writer is in a transaction. */
enum bp_code bp_restore_load_table(struct bp_restore *r, struct bp_restore_seat *seat,
                                   const struct bp_restore_table *table,
                                   struct bp_err *err) BP_CHECK;
enum bp_code bp_restore_load_objects(struct bp_restore *r, struct bp_restore_seat *seat,
                                     struct bp_err *err) BP_CHECK;
bool bp_restore_has_objects(const struct bp_restore *r);
void bp_restore_show_rows(struct bp_restore *r);

/* restore_single.c, restore_crew.c */
enum bp_code bp_restore_single(struct bp_restore *r, struct bp_err *err) BP_CHECK;
enum bp_code bp_restore_crew(struct bp_restore *r, struct bp_err *err) BP_CHECK;

/* The connection of a seat, with this clock; it is made when there is none yet. */
enum bp_code bp_restore_sit(struct bp_restore *r, size_t seat, struct bp_clock *clock,
                            struct bp_err *err) BP_CHECK;

/* Let all connections work off tasks; ctx of work is the caller's, and r must be first in it. */
enum bp_code bp_restore_share(struct bp_restore *r, struct bp_crew_job *job,
                              struct bp_err *err) BP_CHECK;

/* A part of the work that has a transaction of its own, with a mark. */
struct bp_restore_part {
    const char *mark; /* NULL: it is done anew by each run */
    enum bp_code (*work)(struct bp_restore *r, struct bp_restore_seat *seat, const void *what,
                         struct bp_err *err);
    const void *what;
};

/*
 * Do it. With continue_on_error a failure that is its own is written down, and BP_OK returned.
 * *locked (may be NULL): another session was in the way; it is rolled back, and BP_OK returned.
 */
enum bp_code bp_restore_do(struct bp_restore *r, struct bp_restore_seat *seat,
                           const struct bp_restore_part *part, bool *locked,
                           struct bp_err *err) BP_CHECK;

/* Whether the restore goes on after this failure, which is written down then. */
bool bp_restore_goes_on(struct bp_restore *r, const struct bp_err *err);

/* Whether an earlier run has done this. */
bool bp_restore_is_done(const struct bp_restore *r, const char *mark);

/* Empty the target, or remove what a part replaces, in the transaction of seat 0. */
enum bp_code bp_restore_make_room(struct bp_restore *r, struct bp_err *err) BP_CHECK;

/* Statistics of what was restored; a table whose ANALYZE fails is warned of. */
enum bp_code bp_restore_analyze(struct bp_restore *r, struct bp_err *err) BP_CHECK;

/* restore_steps.c */
enum bp_code bp_restore_pre_data(struct bp_restore *r, struct bp_err *err) BP_CHECK;
enum bp_code bp_restore_post_data(struct bp_restore *r, struct bp_err *err) BP_CHECK;
enum bp_code bp_restore_refresh(struct bp_restore *r, struct bp_err *err) BP_CHECK;
enum bp_code bp_restore_finish(struct bp_restore *r, struct bp_err *err) BP_CHECK;
/* Step i of plan.post; *locked as bp_restore_do() has it. */
enum bp_code bp_restore_post_step(struct bp_restore *r, struct bp_restore_seat *seat, size_t i,
                                  bool *locked, struct bp_err *err) BP_CHECK;

/* restore_group.c */

/* What is loaded, by tasks of a crew. */
struct bp_restore_loads {
    size_t count;
    enum bp_code (*work)(void *ctx, size_t worker, size_t task, struct bp_err *err);
    /* The table of the plan that a task fills; NULL: none. */
    const struct bp_restore_table *(*table)(void *ctx, size_t task);
    void *ctx;
};

/*
 * So many steps of plan.post, from first on, which may run at the same time, by all connections.
 * With loads: these too, and a step as soon as its table is filled and a connection has nothing
 * left to load. A step that met a lock of somebody is tried again at the end, alone.
 */
enum bp_code bp_restore_group(struct bp_restore *r, size_t first, size_t count,
                              const struct bp_restore_loads *loads, struct bp_err *err) BP_CHECK;

/* How many steps, from the first on, each need nothing but the rows of a table. */
size_t bp_restore_early_steps(const struct bp_restore *r);

#endif
