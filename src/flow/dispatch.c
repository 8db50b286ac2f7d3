#include "flow/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/retry.h"
#include "flow/correlate.h"

/* GitHub asks for at least a second between requests that change something. */
enum { BETWEEN_POSTS_MS = 1000 };

struct flow {
    const struct bp_dispatch_job *job;
    struct bp_dispatch_results *results;
    struct bp_seen seen;  /* runs that were there before we sent anything */
    int64_t end_ms;       /* of the whole, on the monotonic clock */
    int64_t next_post_ms; /* no POST before this */
};

static struct bp_forge_dispatch describe(const struct flow *f, const struct bp_branch_result *b)
{
    return (struct bp_forge_dispatch){.repo = f->job->repo,
                                      .workflow = f->job->workflow,
                                      .branch = b->branch,
                                      .inputs = f->job->inputs};
}

static bool is_over(const struct bp_branch_result *b)
{
    return b->state == BP_BRANCH_STARTED || b->state == BP_BRANCH_DRY_RUN ||
           b->state == BP_BRANCH_FAILED;
}

static void fail(struct flow *f, struct bp_branch_result *b, const struct bp_err *why)
{
    b->state = BP_BRANCH_FAILED;
    b->code = why->code;
    (void)snprintf(b->reason, sizeof(b->reason), "%s", why->msg);
    bp_info(f->job->out, "%s: failed: %s", b->branch, b->reason);
}

static int64_t backoff_ms(const struct flow *f, int64_t attempts)
{
    int64_t delay = f->job->retry_delay_ms;

    for (int64_t i = 1; i < attempts && delay < f->job->timeout_ms; i++)
        delay *= 2;
    return delay;
}

/* Send again after wait_ms, unless that was the last attempt or the time would be over. */
static void retry(struct flow *f, struct bp_branch_result *b, int64_t wait_ms,
                  const struct bp_err *why)
{
    int64_t now = bp_clock_mono(f->job->clock);
    struct bp_err last = *why;

    if (b->attempts > f->job->retries) {
        (void)bp_wrap(&last, "gave up after %" PRId64 " attempts", b->attempts);
        fail(f, b, &last);
        return;
    }
    if (wait_ms >= f->end_ms - now) {
        (void)bp_wrap(&last, "the next try, in %" PRId64 " s, would be after --timeout",
                      wait_ms / 1000);
        fail(f, b, &last);
        return;
    }
    bp_info(f->job->out, "%s: %s; trying again in %" PRId64 " s", b->branch, why->msg,
            wait_ms / 1000);
    b->state = BP_BRANCH_TO_SEND;
    b->due_ms = now + wait_ms;
}

static void start_looking(struct flow *f, struct bp_branch_result *b, enum bp_branch_state state,
                          int64_t for_ms)
{
    int64_t now = bp_clock_mono(f->job->clock);

    b->state = state;
    b->due_ms = now;
    b->deadline_ms = now + for_ms < f->end_ms ? now + for_ms : f->end_ms;
}

static void step_send(struct flow *f, struct bp_branch_result *b)
{
    struct bp_forge_dispatch what = describe(f, b);
    struct bp_dispatch_answer answer = {0};
    struct bp_err err = {0};
    int64_t delay = 0;

    (void)f->job->forge->ops->dispatch(f->job->forge, &what, &answer, &err);
    f->next_post_ms = bp_clock_mono(f->job->clock) + BETWEEN_POSTS_MS;
    b->attempts += answer.outcome != BP_DISPATCH_DRY_RUN;
    delay = backoff_ms(f, b->attempts);
    (void)snprintf(b->url, sizeof(b->url), "%s", answer.url);
    b->run_id = answer.run_id;
    switch (answer.outcome) {
    case BP_DISPATCH_ACCEPTED:
        b->accepted = true;
        if (b->run_id > 0)
            bp_seen_claim(&f->seen, b->run_id);
        start_looking(f, b, b->run_id > 0 ? BP_BRANCH_TO_VERIFY : BP_BRANCH_TO_FIND,
                      f->job->appear_timeout_ms);
        return;
    case BP_DISPATCH_NOT_PROCESSED:
        retry(f, b, answer.retry_after_ms > delay ? answer.retry_after_ms : delay, &err);
        return;
    case BP_DISPATCH_AMBIGUOUS:
        bp_info(f->job->out, "%s: %s; looking whether a run was started", b->branch, err.msg);
        (void)snprintf(b->reason, sizeof(b->reason), "%s", err.msg);
        b->code = err.code;
        start_looking(f, b, BP_BRANCH_TO_FIND,
                      f->job->settle_ms > delay ? f->job->settle_ms : delay);
        return;
    case BP_DISPATCH_DRY_RUN:
        b->state = BP_BRANCH_DRY_RUN;
        (void)snprintf(b->reason, sizeof(b->reason), "would be dispatched");
        return;
    case BP_DISPATCH_REJECTED:
    default:
        fail(f, b, &err);
        return;
    }
}

/* The time to look is over and no run was found. */
static void not_found(struct flow *f, struct bp_branch_result *b, const struct bp_err *last)
{
    struct bp_err why = {0};

    if (b->accepted) {
        (void)bp_fail(&why, BP_ETIMEOUT,
                      "the dispatch was accepted, but no run appeared in time%s%s",
                      last->msg[0] != '\0' ? ": " : "", last->msg);
        fail(f, b, &why);
        return;
    }
    /* Only a look that worked and found nothing allows to send again. */
    if (last->msg[0] != '\0') {
        (void)bp_fail(&why, last->code,
                      "it is unknown whether a run was started, and looking failed: %s; hint: look "
                      "at the repository's Actions page before dispatching again",
                      last->msg);
        fail(f, b, &why);
        return;
    }
    (void)bp_fail(&why, b->code, "%s", b->reason);
    b->resent = true;
    retry(f, b, 0, &why);
}

static void look_again(struct flow *f, struct bp_branch_result *b, const struct bp_err *last)
{
    int64_t now = bp_clock_mono(f->job->clock);

    if (now >= b->deadline_ms) {
        not_found(f, b, last);
        return;
    }
    b->due_ms = now + f->job->poll_interval_ms;
    if (b->due_ms > b->deadline_ms)
        b->due_ms = b->deadline_ms;
}

static void step_find(struct flow *f, struct bp_branch_result *b)
{
    BP_AUTO(bp_freep) struct bp_runs *runs = bp_alloc(1, sizeof(*runs));
    struct bp_forge_dispatch what = describe(f, b);
    const struct bp_run *run = NULL;
    struct bp_err err = {0};

    if (f->job->forge->ops->runs(f->job->forge, &what, runs, &err) == BP_OK)
        run = bp_correlate(&f->seen, runs, b->branch);
    else if (err.code == BP_EAUTH) { /* it will not get better */
        (void)bp_wrap(&err, "cannot look for the run");
        fail(f, b, &err);
        return;
    }
    if (run == NULL) {
        look_again(f, b, &err);
        return;
    }
    bp_seen_claim(&f->seen, run->id);
    b->accepted = true;
    b->run_id = run->id;
    start_looking(f, b, BP_BRANCH_TO_VERIFY, f->job->appear_timeout_ms);
}

/* Whether this status says that the run is queued, in progress or beyond. */
static bool is_under_way(const char *status)
{
    return strcmp(status, "queued") == 0 || strcmp(status, "in_progress") == 0 ||
           strcmp(status, "completed") == 0;
}

/*
 * A request that seemed lost may have been accepted all the same, with a run that the server did
 * not show in time. Nobody shall have to find that out by chance.
 */
static void warn_of_second_run(struct flow *f, const struct bp_branch_result *b)
{
    BP_AUTO(bp_freep) struct bp_runs *runs = bp_alloc(1, sizeof(*runs));
    struct bp_forge_dispatch what = describe(f, b);
    const struct bp_run *other = NULL;
    struct bp_err ignored = {0};

    if (f->job->forge->ops->runs(f->job->forge, &what, runs, &ignored) != BP_OK)
        return;
    other = bp_correlate(&f->seen, runs, b->branch);
    if (other != NULL)
        bp_warn(f->job->out,
                "branch '%s': run %" PRId64 " was started as well, perhaps by a request that "
                "seemed lost: %s",
                b->branch, other->id, other->url);
}

static void accept_run(struct flow *f, struct bp_branch_result *b, const struct bp_run *run)
{
    struct bp_err why = {0};

    (void)snprintf(b->url, sizeof(b->url), "%s", run->url);
    if (strcmp(run->conclusion, "startup_failure") == 0 ||
        strcmp(run->conclusion, "action_required") == 0) {
        (void)bp_fail(&why, BP_EFAILED, "run %" PRId64 " never started: %s; hint: open %s", run->id,
                      run->conclusion, run->url);
        fail(f, b, &why);
        return;
    }
    b->state = BP_BRANCH_STARTED;
    b->code = BP_OK;
    (void)snprintf(b->reason, sizeof(b->reason), "%s%s%s", run->status,
                   run->conclusion[0] != '\0' ? ": " : "", run->conclusion);
    bp_info(f->job->out, "%s: run %" PRId64 " is %s %s", b->branch, run->id, b->reason, b->url);
    if (b->resent)
        warn_of_second_run(f, b);
}

/* The run that the server named is of our branch, and a dispatch started it. */
static bool is_ours(const struct bp_run *run, const struct bp_branch_result *b)
{
    return strcmp(run->branch, b->branch) == 0 && strcmp(run->event, "workflow_dispatch") == 0;
}

static void step_verify(struct flow *f, struct bp_branch_result *b)
{
    struct bp_run run = {0};
    struct bp_err err = {0};

    /* A run that was just made may be unknown for a moment, and a look may fail: both pass. */
    if (f->job->forge->ops->run(f->job->forge, f->job->repo, b->run_id, &run, &err) == BP_OK) {
        if (!is_ours(&run, b)) {
            (void)bp_fail(&err, BP_EFAILED,
                          "the server named run %" PRId64 ", but that is a %s run of branch '%s'",
                          run.id, run.event, run.branch);
            fail(f, b, &err);
            return;
        }
        if (is_under_way(run.status)) {
            accept_run(f, b, &run);
            return;
        }
        (void)snprintf(b->url, sizeof(b->url), "%s", run.url);
        (void)bp_fail(&err, BP_ETIMEOUT, "run %" PRId64 " is still '%s'%s", run.id, run.status,
                      strcmp(run.status, "pending") == 0
                          ? ": its concurrency group lets another run go first"
                          : "");
    } else if (err.code == BP_EAUTH) {
        fail(f, b, &err);
        return;
    }
    look_again(f, b, &err);
}

/* The branch whose time comes first; NULL when all are over. */
static struct bp_branch_result *next_due(struct flow *f, int64_t *due_ms)
{
    struct bp_branch_result *next = NULL;

    for (size_t i = 0; i < f->results->count; i++) {
        struct bp_branch_result *b = &f->results->at[i];
        int64_t due = b->due_ms;

        if (b->state == BP_BRANCH_TO_SEND && due < f->next_post_ms)
            due = f->next_post_ms;
        if (!is_over(b) && (next == NULL || due < *due_ms)) {
            next = b;
            *due_ms = due;
        }
    }
    return next;
}

static void time_out(struct flow *f, struct bp_branch_result *b)
{
    struct bp_err why = {0};

    (void)bp_fail(&why, BP_ETIMEOUT, "not proved to have started within --timeout%s%s",
                  b->reason[0] != '\0' ? ": " : "", b->reason);
    fail(f, b, &why);
}

static void step(struct flow *f, struct bp_branch_result *b)
{
    switch (b->state) {
    case BP_BRANCH_TO_SEND:
        step_send(f, b);
        return;
    case BP_BRANCH_TO_FIND:
        step_find(f, b);
        return;
    case BP_BRANCH_TO_VERIFY:
        step_verify(f, b);
        return;
    case BP_BRANCH_STARTED:
    case BP_BRANCH_DRY_RUN:
    case BP_BRANCH_FAILED:
    default:
        return;
    }
}

static enum bp_code run_all(struct flow *f, struct bp_err *err)
{
    struct bp_branch_result *b = NULL;
    int64_t due = 0;

    while ((b = next_due(f, &due)) != NULL) {
        int64_t now = bp_clock_mono(f->job->clock);

        if (due > now && bp_clock_sleep(f->job->clock, due - now, err) != BP_OK)
            return err->code;
        if (bp_stop_check(f->job->clock->stop, err) != BP_OK)
            return err->code;
        if (bp_clock_mono(f->job->clock) >= f->end_ms)
            time_out(f, b);
        else
            step(f, b);
    }
    return BP_OK;
}

static void count(struct bp_dispatch_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        struct bp_branch_result *b = &results->at[i];

        if (!is_over(b)) {
            b->state = BP_BRANCH_FAILED;
            b->code = BP_ESTOPPED;
            (void)snprintf(b->reason, sizeof(b->reason), "stopped before it was proved to start%s",
                           b->attempts > 0 ? "; a run may have been started" : "");
        }
        if (b->state == BP_BRANCH_FAILED)
            results->failed++;
        else
            results->started++;
    }
}

enum bp_code bp_flow_dispatch(const struct bp_dispatch_job *job,
                              struct bp_dispatch_results *results, struct bp_err *err)
{
    BP_AUTO(bp_freep) struct bp_runs *before = bp_alloc(1, sizeof(*before));
    struct bp_forge_dispatch all = {.repo = job->repo, .workflow = job->workflow};
    struct flow f = {
        .job = job, .results = results, .end_ms = bp_clock_mono(job->clock) + job->timeout_ms};
    struct bp_retry again = {
        .clock = job->clock, .retries = job->retries, .delay_ms = job->retry_delay_ms};
    enum bp_code rc = BP_OK;

    *results = (struct bp_dispatch_results){0};
    do
        rc = job->forge->ops->runs(job->forge, &all, before, err);
    while (rc != BP_OK && bp_retry_again(&again, err));
    if (rc != BP_OK)
        return bp_wrap(err, "cannot list the runs that exist already");
    bp_seen_runs(&f.seen, before);
    results->at = bp_alloc(job->branches->count, sizeof(*results->at));
    results->count = job->branches->count;
    for (size_t i = 0; i < results->count; i++)
        results->at[i].branch = job->branches->at[i];
    rc = run_all(&f, err);
    count(results);
    bp_seen_free(&f.seen);
    return rc;
}

void bp_dispatch_results_free(struct bp_dispatch_results *results)
{
    bp_free(results->at);
    *results = (struct bp_dispatch_results){0};
}
