/* What becomes of a branch: another try, or a verdict and what is left to do after it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dispatch_internal.h"

void branch_next(struct flow *f, struct branch *b, enum branch_state state)
{
    b->state = state;
    b->actor.due_ms = flow_now(f);
    b->actor.tries = 0;
}

static void add_failure(struct flow *f, const struct branch *b, const struct bp_err *why)
{
    BP_AUTO(bp_freep) char *about = bp_format("%s@%s", b->workflow->repo, b->name);

    bp_findings_fail(&f->results->findings, about, why);
}

void branch_tell(struct flow *f, struct branch *b)
{
    bool worth = f->job->status_context != NULL && b->r->commit[0] != '\0' && !f->closing &&
                 !f->job->check_only && b->r->verdict != BP_VERDICT_DRY_RUN;

    if (worth && bp_pace_from(&f->pace, true, flow_now(f)) >= f->end_ms) {
        bp_warn(f->job->out, "branch '%s': no commit status: the rate limit is reached", b->name);
        worth = false;
    }
    branch_next(f, b, worth ? BRANCH_TO_TELL : BRANCH_OVER);
}

void branch_add_words(struct branch *b, const char *fmt, ...)
{
    char words[1024];
    size_t used = strlen(b->r->reason);
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, args);
    va_end(args);
    flow_words(b->r->reason + used, sizeof(b->r->reason) - used, "; %s", words);
}

void branch_cancel(struct flow *f, struct branch *b)
{
    if (!b->guessed) {
        branch_next(f, b, BRANCH_TO_CANCEL);
        return;
    }
    branch_add_words(b, "its run is left alone, because it may be somebody else's");
    branch_tell(f, b);
}

static void decide(struct flow *f, struct branch *b, enum bp_verdict verdict)
{
    b->r->verdict = verdict;
    b->r->took_ms = b->r->attempts > 0 ? flow_now(f) - b->first_ms : 0;
}

void branch_succeed(struct flow *f, struct branch *b, enum bp_verdict verdict)
{
    decide(f, b, verdict);
    b->r->code = BP_OK;
    bp_free(b->r->jobs); /* they explain failures */
    b->r->jobs = NULL;
    if (b->surplus_id > 0)
        branch_next(f, b, BRANCH_TO_CANCEL);
    else
        branch_tell(f, b);
}

void branch_fail(struct flow *f, struct branch *b, const struct bp_err *why)
{
    decide(f, b, why->code == BP_ETIMEOUT ? BP_VERDICT_TIMED_OUT : BP_VERDICT_FAILED);
    b->r->code = why->code;
    flow_words(b->r->reason, sizeof(b->r->reason), "%s", why->msg);
    if (!f->job->check_only)
        bp_info(f->job->out, "%s: failed: %s", b->name, b->r->reason);
    else if (b->workflow->state == WORKFLOW_READY)
        add_failure(f, b, why);
    if (why->code == BP_ETIMEOUT && f->job->cancel_on_timeout && b->r->run_id > 0)
        branch_cancel(f, b);
    else
        branch_tell(f, b);
}

void branch_retry(struct flow *f, struct branch *b, int64_t wait_ms, const struct bp_err *why)
{
    int64_t now = flow_now(f);
    struct bp_err last = *why;

    if (b->r->attempts > f->job->retries) {
        (void)bp_wrap(&last, "gave up after %" PRId64 " attempts", b->r->attempts);
        branch_fail(f, b, &last);
        return;
    }
    if (wait_ms >= f->end_ms - now) {
        (void)bp_wrap(&last, "the next try, in %" PRId64 " s, would be after --timeout",
                      wait_ms / 1000);
        branch_fail(f, b, &last);
        return;
    }
    bp_info(f->job->out, "%s: %s; trying again in %" PRId64 " s", b->name, why->msg,
            wait_ms / 1000);
    b->state = BRANCH_TO_SEND;
    b->actor.due_ms = now + wait_ms;
}
