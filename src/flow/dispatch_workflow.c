/* What is asked once per workflow: whether it can be dispatched, and the looks at its runs. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "flow/dispatch_internal.h"
#include "flow/preflight.h"

/* A look is repeated cheaply, so it need not be waited for as long as another request. */
enum { LOOK_TIMEOUT_MS = 10000 };

static void go_on(struct flow *f, struct workflow *w, enum workflow_state state)
{
    w->state = state;
    w->actor.due_ms = flow_now(f);
}

static void ready(struct flow *f, struct workflow *w)
{
    w->state = WORKFLOW_READY;
    for (size_t i = 0; i < f->results->count; i++) {
        if (f->branches[i].workflow == w && f->branches[i].r->verdict == BP_VERDICT_OPEN)
            branch_ready(f, &f->branches[i]);
    }
}

/* None of its branches can be dispatched. */
static void give_up(struct flow *f, struct workflow *w, const struct bp_err *why)
{
    w->state = WORKFLOW_FAILED;
    for (size_t i = 0; i < f->results->count; i++) {
        if (f->branches[i].workflow == w && f->branches[i].r->verdict == BP_VERDICT_OPEN)
            branch_fail(f, &f->branches[i], why);
    }
}

/* It could not be asked; what a look before the work cannot know stops nothing. */
static void unknown(struct flow *f, const struct workflow *w, const char *what)
{
    bp_findings_add(&f->results->findings, BP_FOUND_UNKNOWN, w->repo, "%s: %s", what,
                    w->actor.ask.err.msg);
}

static void failed(struct flow *f, struct workflow *w)
{
    bp_findings_fail(&f->results->findings, w->repo, &w->actor.ask.err);
    give_up(f, w, &w->actor.ask.err);
}

/* ---- asking ---- */

/* Looks that got no answer are given more time, up to what any request gets. */
static int64_t look_timeout_ms(const struct flow *f, const struct workflow *w)
{
    int64_t timeout = LOOK_TIMEOUT_MS;

    for (int64_t i = 0; i < w->failed_looks && timeout < f->job->request_timeout_ms; i++)
        timeout *= 2;
    return timeout < f->job->request_timeout_ms ? timeout : f->job->request_timeout_ms;
}

/* Who dispatches: only of use where a run has to be told from those of others. */
static bool needs_who(const struct flow *f, const struct workflow *w)
{
    if (w->asked_who || w->repo_info.token.robot || f->job->marker_input != NULL)
        return false;
    for (size_t i = 0; i < f->results->count; i++) {
        if (f->branches[i].workflow == w && f->branches[i].state == BRANCH_TO_FIND)
            return true;
    }
    return false;
}

static void look(struct flow *f, struct workflow *w)
{
    w->actor.ask = (struct bp_ask){.workflow = w->name};
    /* When that fails, the list in between serves the branches that need it not. */
    if (needs_who(f, w) && !w->who_failed) {
        w->actor.ask.kind = BP_ASK_USER;
        w->actor.ask.out.text = &w->who;
    } else {
        w->who_failed = false;
        w->looked_ms = flow_now(f);
        w->actor.ask.kind = BP_ASK_RUNS;
        w->actor.ask.event = "workflow_dispatch";
        w->actor.ask.since_ms = w->seen.since_ms > 0 ? w->seen.since_ms - BP_SEEN_SLACK_MS : 0;
        w->actor.ask.out.runs = w->runs;
        w->actor.ask.timeout_ms = look_timeout_ms(f, w);
    }
    flow_ask(f, &w->actor, w->repo);
}

void workflow_turn(struct flow *f, struct workflow *w)
{
    struct bp_ask *ask = &w->actor.ask;

    *ask = (struct bp_ask){.workflow = w->name};
    switch (w->state) {
    case WORKFLOW_REPO:
        ask->kind = BP_ASK_REPO;
        ask->out.repo = &w->repo_info;
        break;
    case WORKFLOW_ACTIONS:
        ask->kind = BP_ASK_ACTIONS;
        ask->out.flag = &w->actions_on;
        break;
    case WORKFLOW_STATE:
        ask->kind = BP_ASK_WORKFLOW;
        ask->out.workflow = &w->info;
        break;
    case WORKFLOW_ENABLE:
        ask->kind = BP_ASK_ENABLE;
        break;
    case WORKFLOW_BEFORE:
        ask->kind = BP_ASK_RUNS;
        ask->out.runs = w->runs;
        break;
    case WORKFLOW_READY:
        look(f, w);
        return;
    case WORKFLOW_FAILED:
    default:
        return;
    }
    flow_ask(f, &w->actor, w->repo);
}

/* ---- answers ---- */

static void got_repo(struct flow *f, struct workflow *w)
{
    const struct bp_dispatch_job *job = f->job;
    struct bp_findings *findings = &f->results->findings;
    int64_t now = bp_clock_wall(job->clock);
    struct bp_err err = {0};

    if (w->actor.ask.err.code != BP_OK) {
        failed(f, w);
        return;
    }
    if (!f->judged_once) {
        f->judged_once = true;
        /* By the server's clock: ours may be off. */
        bp_preflight_token(findings, &w->repo_info.token,
                           w->actor.ask.reply.date_ms != 0 ? w->actor.ask.reply.date_ms : now,
                           job->token_warn_ms);
        bp_preflight_clock(findings, &w->actor.ask.reply, now);
        bp_preflight_budget(findings, &w->actor.ask.reply, f->results->count);
    }
    if (bp_preflight_repo(findings, w->repo, &w->repo_info, &err) != BP_OK)
        give_up(f, w, &err);
    else /* a workflow's own token may never know whether Actions is on */
        go_on(f, w, w->repo_info.token.robot ? WORKFLOW_STATE : WORKFLOW_ACTIONS);
}

static void got_actions(struct flow *f, struct workflow *w)
{
    struct bp_err err = {0};

    if (w->actor.ask.err.code != BP_OK) {
        unknown(f, w, "whether Actions is on");
    } else if (!w->actions_on) {
        (void)bp_fail(&err, BP_EFAILED,
                      "Actions is off in '%s'; hint: Settings, Actions, General: allow actions",
                      w->repo);
        bp_findings_fail(&f->results->findings, w->repo, &err);
        give_up(f, w, &err);
        return;
    } else {
        bp_findings_add(&f->results->findings, BP_FOUND_OK, w->repo, "Actions is on");
    }
    go_on(f, w, WORKFLOW_STATE);
}

/*
 * A workflow may be given by its file and by its number: its branches are dispatched once all the
 * same.
 */
static void fail_twins(struct flow *f, const struct workflow *w, const struct workflow *other)
{
    for (size_t i = 0; i < f->results->count; i++) {
        for (size_t j = 0; j < f->results->count; j++) {
            struct branch *b = &f->branches[i];
            struct bp_err why = {0};

            if (b->workflow != w || f->branches[j].workflow != other ||
                strcmp(b->name, f->branches[j].name) != 0)
                continue;
            (void)bp_fail(&why, BP_EUSAGE,
                          "branch '%s' is given twice: workflow '%s' is '%s'; hint: leave one out",
                          b->name, w->name, other->name);
            branch_fail(f, b, &why);
        }
    }
}

static void find_twin(struct flow *f, const struct workflow *w)
{
    for (size_t i = 0; i < f->workflow_count; i++) {
        const struct workflow *other = &f->workflows[i];

        if (other != w && w->info.id > 0 && other->info.id == w->info.id &&
            strcasecmp(other->repo, w->repo) == 0)
            fail_twins(f, w, other);
    }
}

static void got_state(struct flow *f, struct workflow *w)
{
    struct bp_err err = {0};

    if (w->actor.ask.err.code != BP_OK) {
        failed(f, w);
        return;
    }
    find_twin(f, w);
    if (f->job->enable_inactive && !f->job->check_only && bp_preflight_is_inactive(&w->info))
        go_on(f, w, WORKFLOW_ENABLE);
    else if (bp_preflight_workflow(&f->results->findings, w->repo, w->name, &w->info, &err) !=
             BP_OK)
        give_up(f, w, &err);
    else if (f->job->check_only)
        ready(f, w);
    else
        go_on(f, w, WORKFLOW_BEFORE);
}

static void got_enabled(struct flow *f, struct workflow *w)
{
    const char *done = w->actor.ask.reply.dry ? "would be enabled" : "is enabled again";

    if (w->actor.ask.err.code != BP_OK) {
        (void)bp_wrap(&w->actor.ask.err, "cannot enable workflow '%s'", w->name);
        failed(f, w);
        return;
    }
    bp_findings_add(&f->results->findings, BP_FOUND_WARNING, w->repo,
                    "workflow '%s' was disabled for inactivity and %s", w->name, done);
    go_on(f, w, WORKFLOW_BEFORE);
}

static void got_before(struct flow *f, struct workflow *w)
{
    if (w->actor.ask.err.code != BP_OK) {
        (void)bp_wrap(&w->actor.ask.err, "cannot list the runs that exist already");
        failed(f, w);
        return;
    }
    bp_seen_runs(&w->seen, w->runs);
    w->seen.since_ms = w->actor.ask.reply.date_ms;
    w->seen.robot = w->repo_info.token.robot;
    ready(f, w);
}

/*
 * A look that was under way already when the branch was sent knows nothing of its run, and one says
 * nothing as long as it is unknown who dispatches. That this cannot be asked concerns only those
 * whose run is to be found.
 */
static bool is_of_no_use(const struct flow *f, const struct workflow *w, const struct branch *b)
{
    bool finds = b->state == BRANCH_TO_FIND;

    if (w->actor.sent_ms < b->actor.sent_ms)
        return true;
    return w->actor.ask.kind == BP_ASK_USER ? !finds : finds && needs_who(f, w);
}

static void got_look(struct flow *f, struct workflow *w)
{
    const struct bp_err *err = &w->actor.ask.err;

    if (w->actor.ask.kind == BP_ASK_USER) {
        w->who_failed = true;
        w->failed_whos++;
    } else {
        w->failed_looks = err->code == BP_OK ? 0 : w->failed_looks + 1;
    }
    for (size_t i = 0; i < f->results->count; i++) {
        struct branch *b = &f->branches[i];

        if (b->workflow != w || (b->state != BRANCH_TO_FIND && b->state != BRANCH_TO_WATCH))
            continue;
        if (is_of_no_use(f, w, b))
            continue; /* it has its turn when it was to have it */
        if (err->code == BP_OK)
            watch_looked(f, b);
        else
            watch_look_failed(f, b, err);
    }
}

void workflow_answer(struct flow *f, struct workflow *w)
{
    if (w->actor.ask.kind == BP_ASK_USER && !flow_may_pass(w->actor.ask.err.code)) {
        w->asked_who = true;
        w->seen.actor = w->actor.ask.err.code == BP_OK ? w->who : NULL;
        return;
    }
    if (w->state != WORKFLOW_READY && flow_again(f, &w->actor))
        return;
    switch (w->state) {
    case WORKFLOW_REPO:
        got_repo(f, w);
        return;
    case WORKFLOW_ACTIONS:
        got_actions(f, w);
        return;
    case WORKFLOW_STATE:
        got_state(f, w);
        return;
    case WORKFLOW_ENABLE:
        got_enabled(f, w);
        return;
    case WORKFLOW_BEFORE:
        got_before(f, w);
        return;
    case WORKFLOW_READY:
        got_look(f, w);
        return;
    case WORKFLOW_FAILED:
    default:
        return;
    }
}
