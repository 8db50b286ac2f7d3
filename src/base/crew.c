#include "base/crew.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "base/mem.h"

enum { WATCH_MS = 1000, IDLE_MS = 50 };

struct crew {
    const struct bp_crew_job *job;
    struct bp_stop stop;   /* ends the waits of all workers */
    struct bp_stop done;   /* readable when the last worker has ended */
    struct bp_clock clock; /* the workers' */

    pthread_mutex_t idling; /* while number 0 does what it does then: nobody stops it in that */
    pthread_mutex_t lock;   /* of what follows */
    size_t next;            /* the first task that nobody has taken */
    size_t finished;        /* tasks */
    size_t *refused;        /* tasks that wait for number 0 */
    size_t refused_count;
    size_t began;
    size_t left; /* threads that have not ended, or not even started */
    bool failed;
    struct bp_err err; /* the first failure */
    struct bp_err why; /* why a worker could not begin */
};

struct worker {
    struct crew *crew;
    size_t number;
    pthread_t thread;
};

static void fail(struct crew *crew, const struct bp_err *err)
{
    (void)pthread_mutex_lock(&crew->lock);
    if (!crew->failed)
        crew->err = *err;
    crew->failed = true;
    (void)pthread_mutex_unlock(&crew->lock);
    bp_stop_ask(&crew->stop);
}

/* Under the lock: a task for this worker. */
static bool find_task(struct crew *crew, size_t worker, size_t *task)
{
    if (worker == 0 && crew->refused_count > 0) {
        *task = crew->refused[--crew->refused_count];
        return true;
    }
    if (crew->next == crew->job->tasks)
        return false;
    *task = crew->next++;
    return true;
}

static bool all_done(struct crew *crew)
{
    bool done = false;

    (void)pthread_mutex_lock(&crew->lock);
    done = crew->finished == crew->job->tasks;
    (void)pthread_mutex_unlock(&crew->lock);
    return done;
}

static enum bp_code be_idle(struct crew *crew, struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    (void)pthread_mutex_lock(&crew->idling);
    if (!all_done(crew) && crew->job->idle != NULL)
        rc = crew->job->idle(crew->job->ctx, err);
    (void)pthread_mutex_unlock(&crew->idling);
    return rc;
}

/*
 * The next task; false when there is none for this worker. Number 0 waits for what others may
 * still refuse.
 */
static bool take_task(struct worker *worker, size_t *task, struct bp_err *err)
{
    struct crew *crew = worker->crew;
    bool found = false;

    (void)pthread_mutex_lock(&crew->lock);
    while (!crew->failed && crew->finished < crew->job->tasks) {
        enum bp_code rc = BP_OK;

        found = find_task(crew, worker->number, task);
        if (found || worker->number != 0)
            break;
        (void)pthread_mutex_unlock(&crew->lock);
        rc = bp_clock_sleep(&crew->clock, IDLE_MS, err);
        if (rc == BP_OK)
            rc = be_idle(crew, err);
        /* Stopped: the last task is done, or somebody failed. */
        if (rc != BP_OK && rc != BP_ESTOPPED)
            fail(crew, err);
        (void)pthread_mutex_lock(&crew->lock);
    }
    (void)pthread_mutex_unlock(&crew->lock);
    return found;
}

static void finish_task(struct crew *crew)
{
    bool last = false;

    (void)pthread_mutex_lock(&crew->lock);
    last = ++crew->finished == crew->job->tasks;
    (void)pthread_mutex_unlock(&crew->lock);
    if (!last)
        return;
    /* Somebody may still be trying to begin. */
    (void)pthread_mutex_lock(&crew->idling);
    bp_stop_ask(&crew->stop);
    (void)pthread_mutex_unlock(&crew->idling);
}

static void refuse_task(struct crew *crew, size_t task)
{
    (void)pthread_mutex_lock(&crew->lock);
    crew->refused[crew->refused_count++] = task;
    (void)pthread_mutex_unlock(&crew->lock);
}

static bool begin(struct worker *worker)
{
    struct crew *crew = worker->crew;
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;
    bool needed = false;

    if (crew->job->begin != NULL)
        rc = crew->job->begin(crew->job->ctx, worker->number, &crew->clock, &err);
    (void)pthread_mutex_lock(&crew->lock);
    if (rc == BP_OK)
        crew->began++;
    else if (rc != BP_ESTOPPED)
        crew->why = err;
    /* The others may have done all, which stops whoever still tries. */
    needed = rc != BP_ESTOPPED || crew->finished < crew->job->tasks;
    (void)pthread_mutex_unlock(&crew->lock);
    if (rc != BP_OK && worker->number == 0 && needed)
        fail(crew, &err);
    return rc == BP_OK;
}

static void leave(struct crew *crew)
{
    size_t left = 0;

    (void)pthread_mutex_lock(&crew->lock);
    left = --crew->left;
    (void)pthread_mutex_unlock(&crew->lock);
    if (left == 0)
        bp_stop_ask(&crew->done);
}

static void do_task(struct worker *worker, size_t task)
{
    struct crew *crew = worker->crew;
    const struct bp_crew_job *job = crew->job;
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;

    if (worker->number != 0 && job->claim != NULL)
        rc = job->claim(job->ctx, worker->number, task, &err);
    if (rc == BP_ELOCKED) {
        refuse_task(crew, task);
        return;
    }
    if (rc == BP_OK)
        rc = job->work(job->ctx, worker->number, task, &err);
    if (rc == BP_OK)
        finish_task(crew);
    else
        fail(crew, &err);
}

static void *run_worker(void *arg)
{
    struct worker *worker = arg;
    struct crew *crew = worker->crew;
    struct bp_err err = {0};
    size_t task = 0;

    if (begin(worker)) {
        while (take_task(worker, &task, &err))
            do_task(worker, task);
        if (crew->job->end != NULL)
            crew->job->end(crew->job->ctx, worker->number);
    }
    leave(crew);
    return NULL;
}

/* Until the last worker has ended, or somebody says that all shall. */
static void watch(struct crew *crew)
{
    const struct bp_crew_job *job = crew->job;
    struct bp_err err = {0};
    bool ended = false;

    while (!ended) {
        enum bp_code rc =
            bp_stop_wait(job->clock->stop, crew->done.fd, POLLIN, WATCH_MS, &ended, &err);

        if (rc == BP_OK && job->watch != NULL)
            rc = job->watch(job->ctx, &err);
        if (rc != BP_OK) {
            fail(crew, &err);
            return;
        }
    }
}

/* Start the threads; how many there are. None is a failure. */
static size_t start(struct crew *crew, struct worker *workers, size_t count)
{
    size_t started = 0;

    crew->left = count;
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &workers[started];

        *worker = (struct worker){.crew = crew, .number = started};
        errno = pthread_create(&worker->thread, NULL, run_worker, worker);
        if (errno == 0)
            started++;
        else
            leave(crew);
    }
    return started;
}

enum bp_code bp_crew_run(const struct bp_crew_job *job, size_t *began, struct bp_err *why,
                         struct bp_err *err)
{
    BP_AUTO(bp_freep) struct worker *workers = NULL;
    size_t count = job->workers < job->tasks ? job->workers : job->tasks;
    struct crew crew = {
        .job = job, .idling = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};
    enum bp_code rc = bp_stop_open(&crew.stop, err);
    size_t started = 0;

    if (rc == BP_OK)
        rc = bp_stop_open(&crew.done, err);
    if (rc == BP_OK) {
        count = count > 0 ? count : 1;
        crew.clock = bp_clock_system(&crew.stop);
        workers = bp_alloc(count, sizeof(*workers));
        crew.refused = bp_alloc(job->tasks + 1, sizeof(*crew.refused));
        started = start(&crew, workers, count);
        if (started > 0)
            watch(&crew);
        else
            rc = bp_fail(err, BP_EFAILED, "cannot start a thread: %m");
        for (size_t i = 0; i < started; i++)
            (void)pthread_join(workers[i].thread, NULL);
        bp_stop_close(&crew.done);
    }
    bp_free(crew.refused);
    bp_stop_close(&crew.stop);
    *began = crew.began;
    *why = crew.why;
    if (rc == BP_OK && crew.failed) {
        *err = crew.err;
        rc = crew.err.code;
    }
    return rc;
}

size_t bp_crew_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return CPU_COUNT(&set) > 0 ? (size_t)CPU_COUNT(&set) : 1;
}
