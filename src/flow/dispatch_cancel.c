/*
 * Asked to end, or out of time: what is not sent is given up, and the runs of this call are
 * cancelled. A runner that cancels a job leaves 7.5 s before it sends SIGTERM, so everything that
 * is asked now is asked at once, and given up soon.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flow/dispatch_internal.h"

enum { CLOSING_MS = 6000, AGAIN_MS = 500 };

static bool has_ended(const struct branch *b)
{
    return strcmp(b->r->status, "completed") == 0;
}

/* ---- the questions ---- */

void cancel_turn(struct flow *f, struct branch *b)
{
    if (b->state != BRANCH_TO_CANCEL)
        return;
    b->actor.ask = (struct bp_ask){.kind = BP_ASK_CANCEL,
                                   .run_id = b->surplus_id > 0 ? b->surplus_id : b->r->run_id};
    flow_ask(f, &b->actor, b->workflow->repo);
}

static void say_failure(struct flow *f, struct branch *b)
{
    bp_warn(f->job->out, "branch '%s': cannot cancel run %" PRId64 ": %s", b->name,
            b->actor.ask.run_id, b->actor.ask.err.msg);
}

/* A second run of ours: the branch's own has its verdict already. */
static void surplus_was_cancelled(struct flow *f, struct branch *b)
{
    enum bp_code code = b->actor.ask.err.code;

    if (code != BP_OK && code != BP_ELOCKED)
        say_failure(f, b);
    b->surplus_id = 0;
    if (b->r->verdict == BP_VERDICT_STOPPED && !has_ended(b)) /* asked to end in between */
        branch_cancel(f, b);
    else
        branch_tell(f, b);
}

static void was_cancelled(struct flow *f, struct branch *b)
{
    enum bp_code code = b->actor.ask.err.code;

    b->r->cancelled = code == BP_OK;
    if (code == BP_OK) {
        branch_add_words(b, "its run was cancelled");
    } else if (code == BP_ELOCKED) {
        branch_add_words(b, "its run had ended");
    } else {
        say_failure(f, b);
        branch_add_words(b, "its run could not be cancelled");
    }
    branch_tell(f, b);
}

void cancel_found(struct flow *f, struct branch *b)
{
    if (b->r->run_id > 0)
        branch_cancel(f, b);
    else
        b->actor.due_ms = flow_now(f) + AGAIN_MS;
}

void cancel_given_up(struct flow *f)
{
    for (size_t i = 0; i < f->results->count; i++) {
        struct branch *b = &f->branches[i];

        if (b->state == BRANCH_OVER)
            continue;
        flow_drop(f, &b->actor);
        b->state = BRANCH_OVER;
        branch_add_words(b, b->r->run_id > 0 ? "its run could not be cancelled in time"
                                             : "a run may have been started");
    }
}

void cancel_answer(struct flow *f, struct branch *b)
{
    enum bp_code code = b->actor.ask.err.code;

    if (b->actor.ask.kind == BP_ASK_CANCEL) {
        /* A run that was just made may be unknown for a moment. */
        if (f->closing && (flow_may_pass(code) || code == BP_ENOTFOUND))
            b->actor.due_ms = flow_now(f) + AGAIN_MS;
        else if (b->actor.ask.run_id == b->surplus_id)
            surplus_was_cancelled(f, b);
        else
            was_cancelled(f, b);
        return;
    }
    /* A request to dispatch that was under way. */
    (void)snprintf(b->r->request_id, sizeof(b->r->request_id), "%s", b->actor.ask.reply.request_id);
    if (b->dispatched.outcome == BP_DISPATCH_ACCEPTED && b->dispatched.run_id > 0) {
        b->r->run_id = b->dispatched.run_id;
        (void)snprintf(b->r->url, sizeof(b->r->url), "%s", b->dispatched.url);
        branch_next(f, b, BRANCH_TO_CANCEL);
    } else if (b->dispatched.outcome == BP_DISPATCH_ACCEPTED ||
               b->dispatched.outcome == BP_DISPATCH_AMBIGUOUS) {
        b->state = BRANCH_TO_FIND;
        b->actor.due_ms = flow_now(f);
    } else {
        branch_add_words(b, "nothing was started");
        b->state = BRANCH_OVER;
    }
}

/* ---- closing down ---- */

/* The verdict of a branch that is not proved; one that is stays so when nothing is cancelled. */
static void set_verdict(struct flow *f, struct branch *b, const struct bp_err *why, bool sending)
{
    b->r->verdict = why->code == BP_ETIMEOUT ? BP_VERDICT_TIMED_OUT : BP_VERDICT_STOPPED;
    b->r->code = why->code;
    if (has_ended(b) && why->code == BP_ETIMEOUT) { /* badly, else it would be proved */
        b->r->verdict = BP_VERDICT_FAILED;
        b->r->code = BP_EFAILED;
    }
    b->r->attempts += sending;
    b->r->took_ms = b->r->attempts > 0 ? flow_now(f) - b->first_ms : 0;
    flow_words(b->r->reason, sizeof(b->r->reason), "%s", why->msg);
    if (b->r->run_id > 0 && b->r->status[0] != '\0')
        branch_add_words(b, "run %" PRId64 " is '%s'%s%s", b->r->run_id, b->r->status,
                         b->held[0] != '\0' || has_ended(b) ? ": " : "",
                         has_ended(b) ? b->r->conclusion : b->held);
    else if (b->r->run_id > 0)
        branch_add_words(b, "run %" PRId64 " was accepted", b->r->run_id);
    else if (!sending && b->state != BRANCH_TO_FIND)
        branch_add_words(b, "nothing was started");
}

/* What is left to do for a branch whose run is to be cancelled. */
static void clean_up(struct flow *f, struct branch *b)
{
    if (b->r->run_id > 0 && !has_ended(b))
        branch_cancel(f, b);
    else if (b->r->run_id == 0 && b->state == BRANCH_TO_FIND)
        b->actor.due_ms = flow_now(f);
    else if (!b->actor.asking)
        b->state = BRANCH_OVER;
}

static void close_branch(struct flow *f, struct branch *b, const struct bp_err *why, bool cancel)
{
    bool sending = b->state == BRANCH_TO_SEND && b->actor.asking;
    bool unknown = sending || b->state == BRANCH_TO_FIND;
    bool child = b->r->attempts > 0 && b->r->run_id > 0 && !has_ended(b) && !b->r->cancelled;

    if (!sending || !cancel)
        flow_drop(f, &b->actor);
    /* A run that is proved is a child of this call all the same: a stopped call takes it along. */
    if (b->r->verdict == BP_VERDICT_OPEN)
        set_verdict(f, b, why, sending);
    else if (why->code == BP_ESTOPPED && cancel && child)
        set_verdict(f, b, why, false);
    else
        cancel = unknown = false;
    if (cancel)
        clean_up(f, b);
    else if (b->state != BRANCH_TO_CANCEL)
        b->state = BRANCH_OVER;
    if (unknown && !cancel)
        branch_add_words(b, "a run may have been started");
}

void cancel_all(struct flow *f, const struct bp_err *why)
{
    bool cancel = why->code == BP_ESTOPPED ? !f->job->detach : f->job->cancel_on_timeout;

    f->closing = true;
    f->end_ms = flow_now(f) + CLOSING_MS;
    for (size_t i = 0; i < f->workflow_count; i++) {
        struct workflow *w = &f->workflows[i];

        flow_drop(f, &w->actor);
        if (w->state != WORKFLOW_READY)
            w->state = WORKFLOW_FAILED;
    }
    for (size_t i = 0; i < f->results->count; i++)
        close_branch(f, &f->branches[i], why, cancel);
}
