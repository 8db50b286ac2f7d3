/* The run of a branch, from the accepted request until it is proved. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow/dispatch_internal.h"

/* A look is late by an eighth of what the run took so far, at most, and by this. */
enum { SLOWER_BY = 8, SLOWEST_MS = 30000, CLOSING_LOOK_MS = 500, TO_EXPLAIN_MS = 3000 };

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static int64_t stage_timeout_ms(const struct flow *f, enum stage stage)
{
    switch (stage) {
    case STAGE_APPEAR:
        return f->job->appear_timeout_ms;
    case STAGE_START:
        return f->job->start_timeout_ms;
    case STAGE_FINISH:
    default:
        return f->job->finish_timeout_ms;
    }
}

/* When to look next: not long after the deadline, because that look decides. */
static void schedule(struct flow *f, struct branch *b)
{
    int64_t now = flow_now(f);
    int64_t interval = (now - b->stage_ms) / SLOWER_BY;

    if (interval > SLOWEST_MS)
        interval = SLOWEST_MS;
    if (interval < f->job->poll_interval_ms)
        interval = f->job->poll_interval_ms;
    if (f->closing)
        interval = CLOSING_LOOK_MS;
    b->actor.due_ms = now + interval;
    if (b->deadline_ms > now && b->actor.due_ms > b->deadline_ms)
        b->actor.due_ms = b->deadline_ms;
}

static void begin_stage(struct flow *f, struct branch *b, enum stage stage, int64_t timeout_ms)
{
    b->stage = stage;
    b->stage_ms = flow_now(f);
    b->deadline_ms = b->stage_ms + timeout_ms;
}

/* Of an accepted dispatch: early enough before the end of the whole to ask why it is stuck. */
static void begin_proof(struct flow *f, struct branch *b, enum stage stage)
{
    int64_t left = f->end_ms - flow_now(f);
    int64_t margin = left / 4 < TO_EXPLAIN_MS ? left / 4 : TO_EXPLAIN_MS;

    begin_stage(f, b, stage, stage_timeout_ms(f, stage));
    if (b->deadline_ms > f->end_ms - margin)
        b->deadline_ms = f->end_ms - margin;
}

/*
 * The first look: at once when the run has to be found, later when its id is known, because no run
 * starts at once. One look in an interval is enough for all branches.
 */
static void look_soon(struct flow *f, struct branch *b)
{
    int64_t now = flow_now(f);
    int64_t next = b->workflow->looked_ms + f->job->poll_interval_ms;

    b->actor.due_ms = b->workflow->looked_ms == 0 || next < now ? now : next;
    if (b->r->run_id > 0 && f->job->until != BP_UNTIL_APPEARED)
        b->actor.due_ms = now + f->job->poll_interval_ms;
    if (b->actor.due_ms > b->deadline_ms)
        b->actor.due_ms = b->deadline_ms;
}

void watch_stage(struct flow *f, struct branch *b, enum stage stage)
{
    begin_proof(f, b, stage);
    b->state = b->r->run_id > 0 ? BRANCH_TO_WATCH : BRANCH_TO_FIND;
    look_soon(f, b);
}

void watch_settle(struct flow *f, struct branch *b, int64_t for_ms)
{
    begin_stage(f, b, STAGE_APPEAR, for_ms);
    b->state = BRANCH_TO_FIND;
    look_soon(f, b);
}

void watch_on(struct flow *f, struct branch *b)
{
    b->state = BRANCH_TO_WATCH;
    schedule(f, b);
}

/* ---- not found ---- */

/*
 * Whether a list without our run is no proof that there is none: it is full of new runs, or it has
 * one that does not show the mark which it should.
 */
static bool may_be_hidden(const struct branch *b)
{
    const struct bp_runs *runs = b->workflow->runs;
    size_t fresh = 0;

    for (size_t i = 0; i < runs->count; i++)
        fresh += runs->at[i].id > b->workflow->seen.newest;
    return fresh == BP_RUNS_MAX || bp_correlate(&b->workflow->seen, runs, b->name, NULL) != NULL;
}

/* The time to look is over, and a look that worked found no run. */
static void not_found(struct flow *f, struct branch *b)
{
    struct bp_err why = {0};

    if (b->accepted) {
        (void)bp_fail(&why, BP_ETIMEOUT,
                      "the dispatch was accepted, but no run appeared in time; hint: look at the "
                      "repository's Actions page and at the server's status page");
        branch_fail(f, b, &why);
        return;
    }
    if (may_be_hidden(b)) {
        (void)bp_fail(&why, BP_EFAILED,
                      "it is unknown whether a run was started: there are new runs of the branch "
                      "that may be it; hint: look at the repository's Actions page before "
                      "dispatching again");
        branch_fail(f, b, &why);
        return;
    }
    (void)bp_fail(&why, b->r->code, "%s", b->r->reason);
    b->resent = b->ambiguous;
    branch_retry(f, b, 0, &why);
}

void watch_look_failed(struct flow *f, struct branch *b, const struct bp_err *err)
{
    const struct workflow *w = b->workflow;
    bool over = flow_now(f) >= b->deadline_ms &&
                (w->failed_looks > f->job->retries || w->failed_whos > f->job->retries);
    struct bp_err why = *err;

    if (f->closing || (!over && err->code != BP_EAUTH)) {
        schedule(f, b);
        return;
    }
    if (b->accepted)
        (void)bp_wrap(&why, "the dispatch was accepted, but its run cannot be looked at");
    else
        (void)bp_fail(&why, err->code,
                      "it is unknown whether a run was started, and looking failed: %s; hint: look "
                      "at the repository's Actions page before dispatching again",
                      err->msg);
    branch_fail(f, b, &why);
}

/* ---- a look at the run ---- */

/*
 * A request that seemed lost may have been accepted all the same, with a run that the server did
 * not show in time. Nobody shall have to find that out by chance; one that bears our mark is ours
 * without doubt and is cancelled.
 */
static void find_surplus(struct flow *f, struct branch *b)
{
    const char *mark = b->mark[0] != '\0' ? b->mark : NULL;
    const struct bp_run *other = bp_correlate(&b->workflow->seen, b->workflow->runs, b->name, mark);

    if (other == NULL)
        return;
    bp_warn(f->job->out,
            "branch '%s': run %" PRId64 " was started as well, %s by a request that seemed lost%s: "
            "%s",
            b->name, other->id, mark != NULL ? "surely" : "perhaps",
            mark != NULL ? ", and is cancelled" : "", other->url);
    if (mark != NULL)
        b->surplus_id = other->id;
}

static void proved(struct flow *f, struct branch *b, enum bp_verdict verdict)
{
    flow_words(b->r->reason, sizeof(b->r->reason), "%s%s%s", b->r->status,
               b->r->conclusion[0] != '\0' ? ": " : "", b->r->conclusion);
    if (b->resent && !b->rechecked && b->state == BRANCH_TO_LOOK_AT) {
        b->rechecked = true; /* only a list that is new shows a second run */
        branch_next(f, b, BRANCH_TO_WATCH);
        return;
    }
    if (b->resent)
        find_surplus(f, b);
    branch_succeed(f, b, verdict);
}

/* What never ran, whatever is waited for. */
static bool never_ran(struct flow *f, struct branch *b)
{
    struct bp_err why = {0};
    const char *what = NULL;

    if (is(b->r->conclusion, "startup_failure"))
        what = "the workflow's file is wrong or calls one that it may not; open its page";
    else if (is(b->r->conclusion, "action_required"))
        what = "somebody has to approve it on its page";
    else if (is(b->r->conclusion, "skipped"))
        what = "an 'if:' left out all its jobs";
    else if (is(b->r->conclusion, "stale"))
        what = "the server gave it up after too long a wait";
    if (what == NULL)
        return false;
    (void)bp_fail(&why, BP_EFAILED, "run %" PRId64 " never started: %s; hint: %s: %s", b->r->run_id,
                  b->r->conclusion, what, b->r->url);
    branch_fail(f, b, &why);
    return true;
}

static void judge_ended(struct flow *f, struct branch *b)
{
    if (never_ran(f, b))
        return;
    if (f->job->until == BP_UNTIL_APPEARED)
        proved(f, b, BP_VERDICT_APPEARED);
    else if (f->job->until == BP_UNTIL_FINISHED && is(b->r->conclusion, "success"))
        proved(f, b, BP_VERDICT_FINISHED);
    else if (f->job->until == BP_UNTIL_FINISHED || (!b->ran && !is(b->r->conclusion, "success")))
        explain_begin(f, b, true); /* which job failed; whether one had started at all */
    else
        proved(f, b, BP_VERDICT_STARTED);
}

/* Held back: pending or waiting. Said at once, because a person may have to act. */
static bool is_held(const struct branch *b)
{
    return is(b->r->status, "pending") || is(b->r->status, "waiting");
}

static void judge_open(struct flow *f, struct branch *b, int64_t looked_ms)
{
    if (is(b->r->status, "in_progress")) {
        b->ran = true;
        if (f->job->until == BP_UNTIL_STARTED) {
            proved(f, b, BP_VERDICT_STARTED);
            return;
        }
        if (f->job->until == BP_UNTIL_FINISHED && b->stage != STAGE_FINISH)
            begin_proof(f, b, STAGE_FINISH);
    }
    if (f->job->until == BP_UNTIL_APPEARED) {
        proved(f, b, BP_VERDICT_APPEARED);
        return;
    }
    if (b->stage == STAGE_APPEAR)
        begin_proof(f, b, STAGE_START);
    if (looked_ms >= b->deadline_ms) {
        explain_begin(f, b, true);
        return;
    }
    watch_on(f, b);
    if (is_held(b) && !is(b->r->status, b->seen_status))
        explain_begin(f, b, false);
}

/* The run that the server named is of our branch, and a dispatch started it. */
static bool is_ours(const struct bp_run *run, const struct branch *b)
{
    return is(run->branch, b->name) && is(run->event, "workflow_dispatch");
}

static void judge(struct flow *f, struct branch *b, const struct bp_run *run, int64_t looked_ms)
{
    struct bp_err why = {0};

    if (!is_ours(run, b)) {
        (void)bp_fail(&why, BP_EFAILED,
                      "the server named run %" PRId64 ", but that is a %s run of branch '%s'",
                      run->id, run->event, run->branch);
        b->guessed = true;
        branch_fail(f, b, &why);
        return;
    }
    (void)snprintf(b->r->url, sizeof(b->r->url), "%s", run->url);
    (void)snprintf(b->r->conclusion, sizeof(b->r->conclusion), "%s", run->conclusion);
    if (!is(b->r->status, run->status)) {
        (void)snprintf(b->r->status, sizeof(b->r->status), "%s", run->status);
        b->held[0] = '\0';
        bp_info(f->job->out, "%s: run %" PRId64 " is %s%s%s %s", b->name, run->id, run->status,
                run->conclusion[0] != '\0' ? ": " : "", run->conclusion, run->url);
    }
    if (is(run->status, "completed"))
        judge_ended(f, b);
    else
        judge_open(f, b, looked_ms);
}

static void found(struct branch *b, const struct bp_run *run)
{
    bp_seen_claim(&b->workflow->seen, run->id);
    b->accepted = true;
    b->guessed = b->mark[0] == '\0' && b->workflow->seen.actor == NULL;
    b->r->run_id = run->id;
    (void)snprintf(b->r->url, sizeof(b->r->url), "%s", run->url);
}

void watch_looked(struct flow *f, struct branch *b)
{
    const struct bp_runs *runs = b->workflow->runs;
    int64_t looked_ms = b->workflow->actor.sent_ms;
    const struct bp_run *run = NULL;

    if (b->state == BRANCH_TO_WATCH) {
        run = bp_runs_find(runs, b->r->run_id);
    } else {
        run = bp_correlate(&b->workflow->seen, runs, b->name, b->mark[0] != '\0' ? b->mark : NULL);
        if (run != NULL)
            found(b, run);
    }
    if (f->closing) {
        cancel_found(f, b);
    } else if (run != NULL) {
        judge(f, b, run, looked_ms);
    } else if (b->state == BRANCH_TO_WATCH) {
        branch_next(f, b, BRANCH_TO_LOOK_AT);
    } else if (looked_ms >= b->deadline_ms) {
        not_found(f, b);
    } else {
        schedule(f, b);
    }
}

void watch_looked_alone(struct flow *f, struct branch *b)
{
    const struct bp_err *err = &b->actor.ask.err;
    struct bp_err why = *err;

    if (err->code == BP_OK) {
        judge(f, b, &b->run, b->actor.sent_ms);
        return;
    }
    /* A run that was just made may be unknown for a moment, and a look may fail: both pass. */
    if (err->code != BP_EAUTH && b->actor.sent_ms < b->deadline_ms) {
        watch_on(f, b);
        return;
    }
    if (err->code == BP_ENOTFOUND)
        why.code = BP_ETIMEOUT;
    (void)bp_wrap(&why, "the dispatch was accepted, but its run did not appear in time");
    branch_fail(f, b, &why);
}
