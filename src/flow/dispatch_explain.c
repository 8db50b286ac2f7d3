/* Why a run is stuck, and what failed in one that ended. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/dispatch_internal.h"
#include "flow/report.h"

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

void explain_begin(struct flow *f, struct branch *b, bool last)
{
    (void)snprintf(b->seen_status, sizeof(b->seen_status), "%s", b->r->status);
    b->held[0] = '\0';
    b->verdict_next = last;
    branch_next(f, b, BRANCH_TO_EXPLAIN);
}

void explain_turn(struct flow *f, struct branch *b)
{
    struct bp_ask *ask = &b->actor.ask;

    *ask = (struct bp_ask){.run_id = b->r->run_id, .status = b->r->status};
    if (b->held[0] == '\0' && (is(b->r->status, "pending") || is(b->r->status, "waiting"))) {
        ask->kind = BP_ASK_HOLDUP;
        ask->out.holdup = &b->holdup;
    } else {
        ask->kind = BP_ASK_JOBS;
        if (b->r->jobs == NULL)
            b->r->jobs = bp_alloc(1, sizeof(*b->r->jobs));
        ask->out.jobs = b->r->jobs;
    }
    flow_ask(f, &b->actor, b->workflow->repo);
}

/* ---- a run that is held back ---- */

static void words_of_review(struct branch *b)
{
    const char *names = b->holdup.environments;

    if (names[0] != '\0')
        flow_words(b->held, sizeof(b->held),
                   "it waits for a review of environment '%s'; hint: approve it on its page: %s",
                   names, b->r->url);
    else
        flow_words(b->held, sizeof(b->held),
                   "it waits for a review of an environment; hint: approve it on its page: %s",
                   b->r->url);
}

static void words_of_group(struct branch *b)
{
    const struct bp_holdup *h = &b->holdup;

    if (h->group[0] == '\0')
        flow_words(b->held, sizeof(b->held), "its concurrency group lets another run go first");
    else if (h->ahead > 0)
        flow_words(b->held, sizeof(b->held),
                   "concurrency group '%s' lets %" PRId64 " other %s go first", h->group, h->ahead,
                   h->ahead == 1 ? "run" : "runs");
    else
        flow_words(b->held, sizeof(b->held), "concurrency group '%s' lets another run go first",
                   h->group);
}

static void words_of_holdup(struct branch *b, bool known)
{
    if (!known)
        b->holdup = (struct bp_holdup){0};
    if (is(b->r->status, "waiting"))
        words_of_review(b);
    else
        words_of_group(b);
}

/* Queued: which job has no runner. */
static void words_of_queue(struct branch *b)
{
    const struct bp_run_jobs *jobs = b->r->jobs;

    for (size_t i = 0; i < jobs->count; i++) {
        const struct bp_run_job *job = &jobs->at[i];

        if (job->started || is(job->status, "completed"))
            continue;
        flow_words(b->held, sizeof(b->held),
                   "no runner%s%s%s has taken its job '%s'; hint: see whether a runner with "
                   "these labels is online and free, and the server's status page",
                   job->labels[0] != '\0' ? " with the labels '" : "", job->labels,
                   job->labels[0] != '\0' ? "'" : "", job->name);
        return;
    }
    if (jobs->count == 0)
        flow_words(b->held, sizeof(b->held), "no job of it was made yet");
}

static void still_stuck(struct flow *f, struct branch *b)
{
    BP_AUTO(bp_buf_free) struct bp_buf waited = {0};
    struct bp_err why = {0};

    bp_put_duration(&waited, flow_now(f) - b->stage_ms);
    (void)bp_fail(&why, BP_ETIMEOUT, "run %" PRId64 " is still '%s' after %s%s%s", b->r->run_id,
                  b->r->status, bp_buf_str(&waited), b->held[0] != '\0' ? ": " : "", b->held);
    branch_fail(f, b, &why);
}

static bool any_job_started(const struct bp_run_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->at[i].started)
            return true;
    }
    return false;
}

/*
 * Out of time. Between two of its jobs a run is queued, pending or waiting again: that one of them
 * has run is proof that it started.
 */
static void decide_stuck(struct flow *f, struct branch *b, bool known)
{
    bool has_jobs = known && b->actor.ask.kind == BP_ASK_JOBS;

    if (f->job->until == BP_UNTIL_STARTED && b->actor.ask.kind == BP_ASK_HOLDUP) {
        branch_next(f, b, BRANCH_TO_EXPLAIN); /* the jobs as well */
    } else if (f->job->until == BP_UNTIL_STARTED && has_jobs && any_job_started(b->r->jobs)) {
        flow_words(b->r->reason, sizeof(b->r->reason), "a job has run; now %s", b->r->status);
        branch_succeed(f, b, BP_VERDICT_STARTED);
    } else {
        still_stuck(f, b);
    }
}

/* ---- a run that ended ---- */

/* known: its jobs are. */
static void never_started(struct flow *f, struct branch *b, bool known)
{
    const struct bp_run *newer = bp_runs_newest(b->workflow->runs, b->name);
    struct bp_err why = {0};

    if (!known)
        (void)bp_fail(&why, BP_EFAILED,
                      "run %" PRId64 " ended with '%s', and whether a job had started cannot be "
                      "read; hint: open %s",
                      b->r->run_id, b->r->conclusion, b->r->url);
    else if (is(b->r->conclusion, "cancelled") && newer != NULL && newer->id > b->r->run_id)
        (void)bp_fail(&why, BP_EFAILED,
                      "run %" PRId64 " was cancelled before it started, most likely by the newer "
                      "run %" PRId64 " of its concurrency group; hint: that one does the work: %s",
                      b->r->run_id, newer->id, newer->url);
    else
        (void)bp_fail(&why, BP_EFAILED,
                      "run %" PRId64 " ended with '%s' before a job started; hint: its page tells "
                      "why: %s",
                      b->r->run_id, b->r->conclusion, b->r->url);
    branch_fail(f, b, &why);
}

static const struct bp_run_job *first_failed(const struct bp_run_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        if (bp_report_job_failed(&jobs->at[i]))
            return &jobs->at[i];
    }
    return NULL;
}

static void ended_badly(struct flow *f, struct branch *b, bool known)
{
    const struct bp_run_job *job = known ? first_failed(b->r->jobs) : NULL;
    struct bp_err why = {0};

    if (job == NULL)
        (void)bp_fail(&why, BP_EFAILED, "run %" PRId64 " ended with '%s'; hint: open %s",
                      b->r->run_id, b->r->conclusion, b->r->url);
    else
        (void)bp_fail(&why, BP_EFAILED,
                      "run %" PRId64 " ended with '%s': job '%s'%s%s%s; hint: its log is at %s",
                      b->r->run_id, b->r->conclusion, job->name,
                      job->failed_step[0] != '\0' ? " failed in step '" : "", job->failed_step,
                      job->failed_step[0] != '\0' ? "'" : "",
                      job->url[0] != '\0' ? job->url : b->r->url);
    branch_fail(f, b, &why);
}

static void conclude_ended(struct flow *f, struct branch *b, bool known)
{
    bool started = b->ran || (known && any_job_started(b->r->jobs));

    if (!started && (known || f->job->until != BP_UNTIL_FINISHED)) {
        never_started(f, b, known);
    } else if (f->job->until == BP_UNTIL_FINISHED) {
        ended_badly(f, b, known);
    } else {
        flow_words(b->r->reason, sizeof(b->r->reason), "completed: %s", b->r->conclusion);
        branch_succeed(f, b, BP_VERDICT_STARTED);
    }
}

void explain_answer(struct flow *f, struct branch *b)
{
    bool known = b->actor.ask.err.code == BP_OK;

    if (is(b->r->status, "completed")) {
        conclude_ended(f, b, known);
        return;
    }
    if (b->actor.ask.kind == BP_ASK_HOLDUP)
        words_of_holdup(b, known);
    else if (known && b->held[0] == '\0')
        words_of_queue(b);
    if (b->verdict_next) {
        decide_stuck(f, b, known);
        return;
    }
    bp_warn(f->job->out, "branch '%s': run %" PRId64 " is held back: %s", b->name, b->r->run_id,
            b->held);
    watch_on(f, b);
}
