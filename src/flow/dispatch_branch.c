/* A branch until its request is accepted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dispatch_internal.h"
#include "flow/report.h"

static void add_finding(struct flow *f, const struct branch *b, enum bp_finding_level level,
                        const char *what)
{
    BP_AUTO(bp_freep) char *about = bp_format("%s@%s", b->workflow->repo, b->name);

    bp_findings_add(&f->results->findings, level, about, "%s", what);
}

/* ---- whether to dispatch at all ---- */

static const struct bp_run *active_run(const struct branch *b)
{
    const struct bp_runs *runs = b->workflow->runs;

    for (size_t i = 0; i < runs->count; i++) {
        if (strcmp(runs->at[i].branch, b->name) == 0 &&
            strcmp(runs->at[i].status, "completed") != 0)
            return &runs->at[i];
    }
    return NULL;
}

/* One that did not fail: what failed does not count as done. */
static const struct bp_run *recent_run(const struct flow *f, const struct branch *b)
{
    const struct bp_run *run = bp_runs_newest(b->workflow->runs, b->name);
    int64_t now = b->workflow->seen.since_ms;

    if (now == 0)
        now = bp_clock_wall(f->job->clock);
    if (run == NULL || run->created_ms == 0 || now - run->created_ms >= f->job->min_interval_ms)
        return NULL;
    return run->conclusion[0] == '\0' || strcmp(run->conclusion, "success") == 0 ? run : NULL;
}

static void skip(struct flow *f, struct branch *b, enum bp_verdict verdict,
                 const struct bp_run *run)
{
    b->r->run_id = run->id;
    (void)snprintf(b->r->url, sizeof(b->r->url), "%s", run->url);
    (void)snprintf(b->r->status, sizeof(b->r->status), "%s", run->status);
    (void)snprintf(b->r->conclusion, sizeof(b->r->conclusion), "%s", run->conclusion);
    flow_words(b->r->reason, sizeof(b->r->reason), "run %" PRId64 " is %s%s: not dispatched",
               run->id, run->status,
               verdict == BP_VERDICT_RECENT ? ", younger than --min-interval" : "");
    bp_info(f->job->out, "%s: %s", b->name, b->r->reason);
    branch_succeed(f, b, verdict);
}

void branch_ready(struct flow *f, struct branch *b)
{
    const struct bp_run *run = NULL;

    if (b->name[0] == '\0')
        b->name = b->workflow->repo_info.default_branch;
    if (f->job->skip_if_active && (run = active_run(b)) != NULL)
        skip(f, b, BP_VERDICT_ALREADY_RUNNING, run);
    else if (f->job->min_interval_ms > 0 && (run = recent_run(f, b)) != NULL)
        skip(f, b, BP_VERDICT_RECENT, run);
    else
        branch_next(f, b, BRANCH_TO_LOOK_UP);
}

/* ---- asking ---- */

static void ask_to_tell(struct flow *f, struct branch *b)
{
    BP_AUTO(bp_freep) char *reason = NULL;
    struct bp_ask *ask = &b->actor.ask;
    size_t len = 0;

    bp_buf_cut(&b->told, 0);
    ask->kind = BP_ASK_STATUS;
    ask->commit = b->r->commit;
    ask->context = f->job->status_context;
    ask->status = bp_verdict_is_good(b->r->verdict) ? "success" : "failure";
    (void)bp_report_hint(b->r->reason, &len);
    reason = bp_strndup(b->r->reason, len);
    /* Before it is cut: a part of a secret is not known as one. */
    bp_secrets_mask(&f->job->out->secrets, reason, &b->told);
    ask->text = bp_buf_str(&b->told);
    ask->url = b->r->url[0] != '\0' ? b->r->url : NULL;
}

void branch_turn(struct flow *f, struct branch *b)
{
    struct bp_ask *ask = &b->actor.ask;

    *ask = (struct bp_ask){.workflow = b->workflow->name,
                           .branch = b->name,
                           .inputs = b->inputs,
                           .marker = f->job->marker_input,
                           .run_id = b->r->run_id};
    switch (b->state) {
    case BRANCH_TO_LOOK_UP:
        ask->kind = BP_ASK_BRANCH;
        ask->out.text = &b->text;
        break;
    case BRANCH_TO_READ:
        ask->kind = BP_ASK_TRIGGER;
        break;
    case BRANCH_TO_SEND:
        ask->kind = BP_ASK_DISPATCH;
        ask->out.dispatched = &b->dispatched;
        if (b->r->attempts == 0)
            b->first_ms = flow_now(f);
        break;
    case BRANCH_TO_LOOK_AT:
        ask->kind = BP_ASK_RUN;
        ask->out.run = &b->run;
        break;
    case BRANCH_TO_TELL:
        ask_to_tell(f, b);
        break;
    case BRANCH_TO_EXPLAIN:
        explain_turn(f, b);
        return;
    case BRANCH_TO_CANCEL:
        cancel_turn(f, b);
        return;
    case BRANCH_WAITS: /* these have no turns */
    case BRANCH_TO_FIND:
    case BRANCH_TO_WATCH:
    case BRANCH_OVER:
    default:
        return;
    }
    flow_ask(f, &b->actor, b->workflow->repo);
}

/* ---- answers ---- */

static void got_branch(struct flow *f, struct branch *b)
{
    const struct bp_err *err = &b->actor.ask.err;

    if (err->code == BP_ENOTFOUND || err->code == BP_EFAILED) {
        branch_fail(f, b, err);
        return;
    }
    if (err->code == BP_OK) {
        (void)snprintf(b->r->commit, sizeof(b->r->commit), "%s", b->text);
        add_finding(f, b, BP_FOUND_OK, "the branch exists");
    } else { /* the dispatch itself will tell */
        add_finding(f, b, BP_FOUND_UNKNOWN, err->msg);
    }
    branch_next(f, b, BRANCH_TO_READ);
}

static void got_trigger(struct flow *f, struct branch *b)
{
    const struct bp_err *err = &b->actor.ask.err;

    if (err->code == BP_ENOTFOUND || err->code == BP_EFAILED) {
        branch_fail(f, b, err);
        return;
    }
    if (err->code == BP_OK)
        add_finding(f, b, BP_FOUND_OK, "its workflow takes this dispatch");
    else
        add_finding(f, b, BP_FOUND_UNKNOWN, err->msg);
    if (f->job->check_only) {
        flow_words(b->r->reason, sizeof(b->r->reason), "a dispatch would work");
        branch_succeed(f, b, BP_VERDICT_CHECKED);
        return;
    }
    branch_next(f, b, BRANCH_TO_SEND);
}

static void accepted(struct flow *f, struct branch *b)
{
    b->accepted = true;
    b->r->run_id = b->dispatched.run_id;
    (void)snprintf(b->r->url, sizeof(b->r->url), "%s", b->dispatched.url);
    if (b->r->run_id > 0)
        bp_seen_claim(&b->workflow->seen, b->r->run_id);
    watch_stage(f, b, STAGE_APPEAR);
}

/* Whether a run was started has to be looked for before anything is sent again. */
static void look_first(struct flow *f, struct branch *b, int64_t for_ms)
{
    const struct bp_err *err = &b->actor.ask.err;

    flow_words(b->r->reason, sizeof(b->r->reason), "%s", err->msg);
    b->r->code = err->code;
    watch_settle(f, b, for_ms);
}

static void got_dispatch(struct flow *f, struct branch *b)
{
    const struct bp_ask *ask = &b->actor.ask;
    enum bp_dispatch_outcome outcome = b->dispatched.outcome;
    int64_t delay = 0;

    b->r->attempts += outcome != BP_DISPATCH_DRY_RUN;
    delay = flow_backoff_ms(f, b->r->attempts);
    if (ask->reply.request_id[0] != '\0')
        (void)snprintf(b->r->request_id, sizeof(b->r->request_id), "%s", ask->reply.request_id);
    switch (outcome) {
    case BP_DISPATCH_ACCEPTED:
        accepted(f, b);
        return;
    case BP_DISPATCH_NOT_SENT:
        branch_retry(f, b, delay, &ask->err);
        return;
    case BP_DISPATCH_LIMITED:
        if (b->r->attempts > f->job->retries)
            branch_retry(f, b, 0, &ask->err);
        else
            look_first(f, b, f->pace.open_ms - flow_now(f));
        return;
    case BP_DISPATCH_AMBIGUOUS:
        b->ambiguous = true;
        bp_info(f->job->out, "%s: %s; looking whether a run was started", b->name, ask->err.msg);
        look_first(f, b, f->job->settle_ms > delay ? f->job->settle_ms : delay);
        return;
    case BP_DISPATCH_DRY_RUN:
        flow_words(b->r->reason, sizeof(b->r->reason), "would be dispatched");
        branch_succeed(f, b, BP_VERDICT_DRY_RUN);
        return;
    case BP_DISPATCH_REJECTED:
    default:
        branch_fail(f, b, &ask->err);
        return;
    }
}

static void told(struct flow *f, struct branch *b)
{
    if (b->actor.ask.err.code != BP_OK)
        bp_warn(f->job->out, "branch '%s': cannot set the commit status: %s", b->name,
                b->actor.ask.err.msg);
    b->state = BRANCH_OVER;
}

void branch_answer(struct flow *f, struct branch *b)
{
    /* Of these, one answer is enough, or they have rules of their own for another try. */
    if (b->state != BRANCH_TO_READ && b->state != BRANCH_TO_SEND && b->state != BRANCH_TO_LOOK_AT &&
        flow_again(f, &b->actor))
        return;
    switch (b->state) {
    case BRANCH_TO_LOOK_UP:
        got_branch(f, b);
        return;
    case BRANCH_TO_READ:
        got_trigger(f, b);
        return;
    case BRANCH_TO_SEND:
        got_dispatch(f, b);
        return;
    case BRANCH_TO_LOOK_AT:
        watch_looked_alone(f, b);
        return;
    case BRANCH_TO_EXPLAIN:
        explain_answer(f, b);
        return;
    case BRANCH_TO_CANCEL:
        cancel_answer(f, b);
        return;
    case BRANCH_TO_TELL:
        told(f, b);
        return;
    case BRANCH_WAITS:
    case BRANCH_TO_FIND:
    case BRANCH_TO_WATCH:
    case BRANCH_OVER:
    default:
        return;
    }
}
