#include "flow/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dispatch_internal.h"

/*
 * The server asks for few questions at once. One that has no answer after a while does not count:
 * it must not hold up the others.
 */
enum { FRESH_MAX = 10, FRESH_MS = 2000 };

#define NEVER INT64_MAX

/* ---- whose turn it is ---- */

/* Whether only its workflow's looks take the branch further. */
static bool is_looked_for(const struct branch *b)
{
    return b->state == BRANCH_TO_FIND || b->state == BRANCH_TO_WATCH;
}

static int64_t workflow_due(const struct flow *f, const struct workflow *w)
{
    int64_t due = NEVER;

    if (w->actor.asking || w->state == WORKFLOW_FAILED)
        return NEVER;
    if (w->state != WORKFLOW_READY)
        return w->actor.due_ms;
    for (size_t i = 0; i < f->results->count; i++) {
        const struct branch *b = &f->branches[i];

        if (b->workflow == w && is_looked_for(b) && b->actor.due_ms < due)
            due = b->actor.due_ms;
    }
    return due;
}

static int64_t branch_due(const struct branch *b)
{
    if (b->actor.asking || b->state == BRANCH_WAITS || b->state == BRANCH_OVER || is_looked_for(b))
        return NEVER;
    return b->actor.due_ms;
}

static void count_fresh(const struct actor *a, const char *repo, int64_t now, size_t *count,
                        int64_t *oldest)
{
    if (!a->asking || bp_ask_changes(a->ask.kind) || strcmp(a->ask.repo, repo) != 0 ||
        a->sent_ms + FRESH_MS <= now)
        return;
    ++*count;
    if (a->sent_ms < *oldest)
        *oldest = a->sent_ms;
}

/* When the next question about this repository may go out, as far as their number is concerned. */
static int64_t room_from(const struct flow *f, const char *repo, int64_t now)
{
    int64_t oldest = now;
    size_t count = 0;

    for (size_t i = 0; i < f->workflow_count; i++)
        count_fresh(&f->workflows[i].actor, repo, now, &count, &oldest);
    for (size_t i = 0; i < f->results->count; i++)
        count_fresh(&f->branches[i].actor, repo, now, &count, &oldest);
    return count < FRESH_MAX ? 0 : oldest + FRESH_MS;
}

/* When something that is due then may go out. Cleaning up does not wait. */
static int64_t paced(const struct flow *f, const char *repo, bool changes, int64_t due, int64_t now)
{
    int64_t room = 0;

    if (due == NEVER || f->closing)
        return due;
    due = bp_pace_from(&f->pace, changes, due);
    if (!changes && due <= now)
        room = room_from(f, repo, now);
    return room > due ? room : due;
}

static int64_t turn_workflow(struct flow *f, struct workflow *w, int64_t now)
{
    int64_t due = paced(f, w->repo, w->state == WORKFLOW_ENABLE, workflow_due(f, w), now);

    if (due > now)
        return due;
    workflow_turn(f, w);
    return now;
}

/* A dispatch that is due goes before a commit status. */
static bool sends_first(const struct flow *f, int64_t now)
{
    for (size_t i = 0; i < f->results->count; i++) {
        const struct branch *b = &f->branches[i];

        if (b->state == BRANCH_TO_SEND && !b->actor.asking && b->actor.due_ms <= now)
            return true;
    }
    return false;
}

static int64_t turn_branch(struct flow *f, struct branch *b, int64_t now)
{
    bool changes =
        b->state == BRANCH_TO_SEND || b->state == BRANCH_TO_CANCEL || b->state == BRANCH_TO_TELL;
    int64_t due = paced(f, b->workflow->repo, changes, branch_due(b), now);

    if (due <= now && b->state == BRANCH_TO_TELL && sends_first(f, now))
        due = now + 1; /* the dispatch's turn is in this round */
    if (due > now)
        return due;
    if (f->closing)
        cancel_turn(f, b);
    else
        branch_turn(f, b);
    return now;
}

/* Give a turn to all that are due. When the next one is due; now: look again at once. */
static int64_t give_turns(struct flow *f, int64_t now)
{
    int64_t next = NEVER;

    for (size_t i = 0; i < f->workflow_count; i++) {
        int64_t due = turn_workflow(f, &f->workflows[i], now);

        next = due < next ? due : next;
    }
    for (size_t i = 0; i < f->results->count; i++) {
        int64_t due = turn_branch(f, &f->branches[i], now);

        next = due < next ? due : next;
    }
    return next;
}

/* ---- answers ---- */

/* What that means for a branch: whoever reads it must not start a run twice. */
static void limit_words(const struct flow *f, const struct branch *b, struct bp_err *err)
{
    struct bp_err limit = {0};

    flow_limit_words(f, &limit);
    if (b->r->run_id > 0)
        (void)bp_fail(err, limit.code, "run %" PRId64 " was accepted, but not proved: %s; hint: %s",
                      b->r->run_id, limit.msg, b->r->url);
    else if (b->state == BRANCH_TO_FIND)
        (void)bp_fail(
            err, limit.code,
            "%s: %s; hint: look at the repository's Actions page before dispatching again",
            b->accepted ? "the dispatch was accepted, but its run is not known"
                        : "it is unknown whether a run was started",
            limit.msg);
    else
        (void)bp_fail(err, limit.code,
                      "%s; hint: dispatch again then, or give this job a token of its own",
                      limit.msg);
}

static void limit_is_too_long(struct flow *f)
{
    for (size_t i = 0; i < f->workflow_count; i++) {
        flow_drop(f, &f->workflows[i].actor);
        if (f->workflows[i].state != WORKFLOW_READY)
            f->workflows[i].state = WORKFLOW_FAILED;
    }
    for (size_t i = 0; i < f->results->count; i++) {
        struct branch *b = &f->branches[i];
        struct bp_err why = {0};

        /* What becomes of a request to change something is to be known first. */
        if (b->state == BRANCH_OVER || (b->actor.asking && bp_ask_changes(b->actor.ask.kind)))
            continue;
        flow_drop(f, &b->actor);
        limit_words(f, b, &why);
        if (b->r->verdict == BP_VERDICT_OPEN)
            branch_fail(f, b, &why);
        else
            bp_warn(f->job->out, "branch '%s': no commit status, nothing cancelled: %s", b->name,
                    why.msg);
        b->state = BRANCH_OVER;
    }
}

static void hand_over(struct flow *f, struct actor *a)
{
    if (a->is_workflow)
        workflow_answer(f, (struct workflow *)a);
    else if (f->closing)
        cancel_answer(f, (struct branch *)a);
    else
        branch_answer(f, (struct branch *)a);
}

static void take_answer(struct flow *f, struct bp_ask *ask)
{
    struct actor *a = ask->owner;

    a->asking = false;
    if (ask->reply.dry) { /* nothing was sent, so nothing has to be kept apart */
        f->results->requests--;
        f->pace.next_change_ms = 0;
    }
    bp_pace_answer(&f->pace, &ask->reply, a->sent_ms, flow_now(f));
    if (ask->err.code == BP_OK)
        a->tries = 0;
    /* Of a dispatch a branch has to know more: whether it may be sent again. */
    if (ask->reply.limited != BP_LIMIT_NONE && ask->kind != BP_ASK_DISPATCH && !f->closing) {
        bp_info(f->job->out, "%s; waiting until it is renewed", ask->err.msg);
        a->due_ms = f->pace.open_ms;
    } else {
        hand_over(f, a);
    }
    if (f->pace.open_ms >= f->end_ms && !f->closing)
        limit_is_too_long(f);
}

/* ---- the loop ---- */

static bool is_over(const struct flow *f)
{
    for (size_t i = 0; i < f->results->count; i++) {
        if (f->branches[i].state != BRANCH_OVER)
            return false;
    }
    return true;
}

static void time_over(struct flow *f)
{
    struct bp_err why = {0};

    (void)bp_fail(&why, BP_ETIMEOUT, "not proved within --timeout");
    cancel_all(f, &why);
}

/* Turns, and the wait for the next one or for an answer. */
static enum bp_code go_round(struct flow *f, const struct bp_stop *stop, struct bp_err *err)
{
    struct bp_forge *forge = f->job->forge;
    struct bp_ask *done = NULL;
    int64_t now = flow_now(f);
    int64_t due = give_turns(f, now);

    if (due > f->end_ms)
        due = f->end_ms;
    if (forge->ops->wait(forge, due > now ? due - now : 0, stop, &done, err) != BP_OK)
        return err->code;
    if (done != NULL)
        take_answer(f, done);
    return BP_OK;
}

/* stopped: why it was cut short, if it was. */
static enum bp_code run_all(struct flow *f, struct bp_err *stopped, struct bp_err *err)
{
    while (!is_over(f)) {
        const struct bp_stop *stop = f->closing ? NULL : f->job->clock->stop;
        enum bp_code rc = bp_stop_check(stop, err);

        if (rc == BP_OK && flow_now(f) < f->end_ms)
            rc = go_round(f, stop, err);
        else if (rc == BP_OK && f->closing)
            cancel_given_up(f);
        else if (rc == BP_OK)
            time_over(f);
        if (rc != BP_OK && rc != BP_ESTOPPED)
            return rc;
        if (rc == BP_ESTOPPED) {
            *stopped = *err;
            cancel_all(f, err);
        }
    }
    return BP_OK;
}

/* ---- set up, tidy up ---- */

static struct workflow *find_workflow(struct flow *f, const struct bp_dispatch_target *target)
{
    struct workflow *w = NULL;

    for (size_t i = 0; i < f->workflow_count; i++) {
        w = &f->workflows[i];
        if (bp_dispatch_targets_share_workflow(w->target, target))
            return w;
    }
    w = &f->workflows[f->workflow_count++];
    w->target = target;
    w->repo = target->repo;
    w->name = target->workflow;
    w->actor.is_workflow = true;
    w->actor.due_ms = f->begin_ms;
    w->runs = bp_alloc(1, sizeof(*w->runs));
    return w;
}

static void set_inputs(struct flow *f, struct branch *b)
{
    const struct bp_dispatch_job *job = f->job;

    if (job->inputs != NULL)
        b->inputs = bp_json_copy(job->inputs);
    if (job->marker_input == NULL)
        return;
    if (b->inputs == NULL)
        b->inputs = bp_json_object_new();
    (void)snprintf(b->mark, sizeof(b->mark), "bp-%016" PRIx64, flow_random(f));
    bp_json_set_text(b->inputs, job->marker_input, b->mark);
}

static void set_up(struct flow *f)
{
    const struct bp_dispatch_targets *targets = f->job->targets;

    f->results->at = bp_alloc(targets->count, sizeof(*f->results->at));
    f->results->count = targets->count;
    f->branches = bp_alloc(targets->count, sizeof(*f->branches));
    f->workflows = bp_alloc(targets->count, sizeof(*f->workflows));
    for (size_t i = 0; i < targets->count; i++) {
        struct branch *b = &f->branches[i];

        b->r = &f->results->at[i];
        b->r->target = &targets->at[i];
        b->name = targets->at[i].branch;
        b->workflow = find_workflow(f, &targets->at[i]);
        set_inputs(f, b);
    }
}

static void tear_down(struct flow *f)
{
    for (size_t i = 0; i < f->workflow_count; i++) {
        flow_drop(f, &f->workflows[i].actor);
        bp_seen_free(&f->workflows[i].seen);
        bp_free(f->workflows[i].runs);
    }
    for (size_t i = 0; i < f->results->count; i++) {
        flow_drop(f, &f->branches[i].actor);
        bp_json_free(f->branches[i].inputs);
        bp_buf_free(&f->branches[i].told);
    }
    bp_free(f->workflows);
    bp_free(f->branches);
}

bool bp_verdict_is_good(enum bp_verdict verdict)
{
    return verdict >= BP_VERDICT_CHECKED && verdict <= BP_VERDICT_FINISHED;
}

enum bp_code bp_flow_dispatch(const struct bp_dispatch_job *job,
                              struct bp_dispatch_results *results, struct bp_err *err)
{
    struct flow f = {.job = job,
                     .results = results,
                     .begin_ms = bp_clock_mono(job->clock),
                     .end_ms = bp_clock_mono(job->clock) + job->timeout_ms,
                     .random = job->seed};
    struct bp_err stopped = {0};
    enum bp_code rc = BP_OK;

    *results = (struct bp_dispatch_results){0};
    set_up(&f);
    rc = run_all(&f, &stopped, err);
    for (size_t i = 0; i < results->count; i++) {
        if (bp_verdict_is_good(results->at[i].verdict))
            results->succeeded++;
        else
            results->failed++;
    }
    results->took_ms = flow_now(&f) - f.begin_ms;
    bp_findings_group(&results->findings);
    tear_down(&f);
    if (rc == BP_OK && stopped.code != BP_OK)
        return bp_fail(err, stopped.code, "%s", stopped.msg);
    return rc;
}

void bp_dispatch_results_free(struct bp_dispatch_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        bp_free(results->at[i].jobs);
    bp_free(results->at);
    bp_findings_free(&results->findings);
    *results = (struct bp_dispatch_results){0};
}
