#include "support/fake_forge.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

enum { SAFETY = 20000 }; /* waits: a flow that loops for ever fails */

static int64_t now_ms(const struct fake_forge *self)
{
    return bp_clock_mono(&self->clock->base);
}

static void copy(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text);
}

/* As the server shows it now. */
static struct bp_run shown(const struct fake_forge *self, const struct fake_run *r)
{
    struct bp_run run = r->run;
    int64_t age = now_ms(self) - r->made_ms;

    copy(run.status, sizeof(run.status), r->plan.before);
    if (r->plan.start_ms >= 0 && age >= r->plan.start_ms)
        copy(run.status, sizeof(run.status), "in_progress");
    if (r->cancelled || (r->plan.finish_ms >= 0 && age >= r->plan.finish_ms)) {
        copy(run.status, sizeof(run.status), "completed");
        copy(run.conclusion, 32, r->cancelled ? "cancelled" : r->plan.conclusion);
    }
    return run;
}

static bool is_visible(const struct fake_forge *self, const struct fake_run *r)
{
    return r->plan.appear_ms >= 0 && now_ms(self) - r->made_ms >= r->plan.appear_ms;
}

static struct fake_run *find_run(struct fake_forge *self, int64_t id)
{
    struct fake_run *found = NULL;

    for (int i = 0; i < self->run_count; i++)
        found = self->runs[i].run.id == id ? &self->runs[i] : found;
    return found != NULL && is_visible(self, found) ? found : NULL;
}

struct fake_run *fake_forge_add_run(struct fake_forge *forge, const char *branch, const char *event)
{
    struct fake_run *made = &forge->runs[forge->run_count++];

    *made = (struct fake_run){.run.id = forge->next_id++,
                              .made_ms = now_ms(forge),
                              .plan = fake_forge_branch(forge, branch)->plan};
    made->run.created_ms = bp_clock_wall(&forge->clock->base) + forge->server_ahead_ms;
    (void)snprintf(made->run.url, sizeof(made->run.url), "https://forge.test/o/r/actions/runs/%d",
                   (int)made->run.id);
    copy(made->run.branch, sizeof(made->run.branch),
         forge->runs_branch != NULL ? forge->runs_branch : branch);
    copy(made->run.event, sizeof(made->run.event), event);
    copy(made->run.actor, sizeof(made->run.actor), forge->actor);
    return made;
}

/* ---- a dispatch ---- */

static void start_run(struct fake_forge *self, const struct bp_ask *ask)
{
    BP_AUTO(bp_buf_free) struct bp_buf inputs = {0};
    struct fake_run *made = NULL;

    if (self->also_by != NULL) {
        made = fake_forge_add_run(self, ask->branch, "workflow_dispatch");
        copy(made->run.actor, sizeof(made->run.actor), self->also_by);
    }
    made = fake_forge_add_run(self, ask->branch, "workflow_dispatch");
    if (ask->inputs != NULL && !self->hides_titles)
        bp_json_render(ask->inputs, 0, &inputs);
    copy(made->run.title, sizeof(made->run.title), bp_buf_str(&inputs));
}

/* What the client is told; of what is not here, that it was accepted. */
static const struct {
    enum bp_dispatch_outcome outcome;
    enum bp_code code;
    const char *why;
} refusals[FAKE_LIMITED + 1] = {
    [FAKE_REJECTED] = {BP_DISPATCH_REJECTED, BP_EFAILED, "refused"},
    [FAKE_NO_BRANCH] = {BP_DISPATCH_REJECTED, BP_ENOTFOUND, "no such branch"},
    [FAKE_FORBIDDEN] = {BP_DISPATCH_REJECTED, BP_EAUTH, "the token may not do this"},
    [FAKE_NOT_SENT] = {BP_DISPATCH_NOT_SENT, BP_EUNAVAILABLE, "connection refused"},
    [FAKE_AMBIGUOUS_NOT] = {BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 500"},
    [FAKE_AMBIGUOUS_TAKEN] = {BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 500"},
    [FAKE_HANGS_NOT] = {BP_DISPATCH_AMBIGUOUS, BP_ETIMEOUT, "no answer"},
    [FAKE_HANGS_TAKEN] = {BP_DISPATCH_AMBIGUOUS, BP_ETIMEOUT, "no answer"},
    [FAKE_LIMITED] = {BP_DISPATCH_LIMITED, BP_EUNAVAILABLE, "the rate limit is reached"},
};

/* Done when the request comes, told later. Whether there is an answer. */
static bool dispatch(struct fake_forge *self, struct bp_ask *ask)
{
    struct fake_branch *b = fake_forge_branch(self, ask->branch);
    int step = b->dispatches < b->script_len ? b->dispatches : b->script_len - 1;
    enum fake_answer what = step < 0 ? FAKE_OK : b->script[step];

    if (b->dispatches < FAKE_SCRIPT)
        b->sent_at_ms[b->dispatches] = now_ms(self);
    b->dispatches++;
    for (; self->crowd > 0; self->crowd--)
        (void)fake_forge_add_run(self, "crowd", "workflow_dispatch");
    for (; what == FAKE_OK && self->late_runs > 0; self->late_runs--)
        start_run(self, ask);
    if (what == FAKE_OK || what == FAKE_OK_NO_ID || what == FAKE_AMBIGUOUS_TAKEN ||
        what == FAKE_HANGS_TAKEN)
        start_run(self, ask);
    *ask->out.dispatched = (struct bp_dispatched){
        .outcome = BP_DISPATCH_ACCEPTED, .run_id = what == FAKE_OK ? self->next_id - 1 : 0};
    if (refusals[what].why != NULL) {
        ask->out.dispatched->outcome = refusals[what].outcome;
        (void)bp_fail(&ask->err, refusals[what].code, "%s", refusals[what].why);
    }
    if (what == FAKE_LIMITED) {
        ask->reply.limited = BP_LIMIT_SECONDARY;
        ask->reply.retry_after_ms = self->retry_after_ms;
    }
    return what != FAKE_HANGS_NOT && what != FAKE_HANGS_TAKEN;
}

/* ---- questions, answered when they are done ---- */

static void list_runs(struct fake_forge *self, struct bp_ask *ask)
{
    struct bp_runs *out = ask->out.runs;

    out->count = 0;
    for (int i = self->run_count - 1; i >= 0 && out->count < BP_RUNS_MAX; i--) {
        const struct fake_run *r = &self->runs[i];

        if (is_visible(self, r) && r->run.created_ms >= ask->since_ms - 999 &&
            (ask->event == NULL || strcmp(ask->event, r->run.event) == 0))
            out->at[out->count++] = shown(self, r);
    }
}

static void get_jobs(struct fake_forge *self, struct bp_ask *ask)
{
    const struct fake_run *r = find_run(self, ask->run_id);
    struct bp_run_job *job = &ask->out.jobs->at[0];
    struct bp_run run = {0};

    *ask->out.jobs = (struct bp_run_jobs){.count = 1};
    if (r == NULL)
        return;
    run = shown(self, r);
    copy(job->name, sizeof(job->name), "backup");
    copy(job->labels, sizeof(job->labels), "self-hosted, linux");
    copy(job->status, sizeof(job->status), run.status);
    copy(job->conclusion, sizeof(job->conclusion), run.conclusion);
    copy(job->url, sizeof(job->url), "https://forge.test/job/1");
    job->started = r->plan.a_job_ran || strcmp(run.status, "in_progress") == 0 ||
                   (run.conclusion[0] != '\0' && !r->plan.no_job_started);
    if (strcmp(run.conclusion, "failure") == 0)
        copy(job->failed_step, sizeof(job->failed_step), "Dump");
}

static void about_run(struct fake_forge *self, struct bp_ask *ask)
{
    struct fake_run *r = find_run(self, ask->run_id);

    if (r == NULL)
        (void)bp_fail(&ask->err, BP_ENOTFOUND, "no run %d", (int)ask->run_id);
    else if (ask->kind == BP_ASK_RUN)
        *ask->out.run = shown(self, r);
    else if (strcmp(shown(self, r).status, "completed") == 0)
        (void)bp_fail(&ask->err, BP_ELOCKED, "it has ended");
    else
        r->cancelled = true;
}

static void about_repo(struct fake_forge *self, struct bp_ask *ask)
{
    *ask->out.repo = (struct bp_forge_repo){
        .default_branch = "main", .archived = self->archived, .token = self->token};
    if (self->repo_result != BP_OK)
        (void)bp_fail(&ask->err, self->repo_result, "no repository '%s'", ask->repo);
}

static void about_workflow(struct fake_forge *self, struct bp_ask *ask)
{
    *ask->out.workflow = (struct bp_forge_workflow){.id = 7};
    copy(ask->out.workflow->state, sizeof(ask->out.workflow->state), self->state);
    if (self->workflow_result != BP_OK)
        (void)bp_fail(&ask->err, self->workflow_result, "no workflow '%s'", ask->workflow);
}

static void about_branch(struct fake_forge *self, struct bp_ask *ask)
{
    const struct fake_branch *b = fake_forge_branch(self, ask->branch);

    copy(*ask->out.text, sizeof(*ask->out.text), "c0ffee");
    if (b->script_len > 0 && b->script[0] == FAKE_NO_BRANCH)
        (void)bp_fail(&ask->err, BP_ENOTFOUND, "no branch '%s' in '%s'", ask->branch, ask->repo);
}

static void answer(struct fake_forge *self, struct bp_ask *ask)
{
    switch (ask->kind) {
    case BP_ASK_REPO:
        about_repo(self, ask);
        return;
    case BP_ASK_ACTIONS:
        *ask->out.flag = !self->actions_off;
        return;
    case BP_ASK_WORKFLOW:
        about_workflow(self, ask);
        return;
    case BP_ASK_BRANCH:
        about_branch(self, ask);
        return;
    case BP_ASK_TRIGGER:
        if (self->trigger_result != BP_OK)
            (void)bp_fail(&ask->err, self->trigger_result, "no trigger");
        return;
    case BP_ASK_USER:
        copy(*ask->out.text, sizeof(*ask->out.text), self->user != NULL ? self->user : "");
        if (self->user == NULL)
            (void)bp_fail(&ask->err, BP_EAUTH, "not told");
        return;
    case BP_ASK_RUN:
    case BP_ASK_CANCEL:
        about_run(self, ask);
        return;
    case BP_ASK_RUNS:
        list_runs(self, ask);
        return;
    case BP_ASK_JOBS:
        get_jobs(self, ask);
        return;
    case BP_ASK_HOLDUP:
        *ask->out.holdup = self->holdup;
        if (self->no_holdup)
            (void)bp_fail(&ask->err, BP_ENOTFOUND, "not told");
        return;
    case BP_ASK_ENABLE:
        self->state = "active";
        return;
    case BP_ASK_DISPATCH: /* done when it came */
    case BP_ASK_STATUS:
    case BP_ASK_COUNT:
        return;
    }
}

/* ---- faults ---- */

/* The fault that strikes this question, or NULL. */
static const struct fake_fault *strike(struct fake_forge *self, enum bp_ask_kind kind)
{
    for (int i = 0; i < self->fault_count; i++) {
        struct fake_fault *fault = &self->faults[i];

        if (fault->kind != kind || fault->times == 0)
            continue;
        if (fault->after > 0) {
            fault->after--;
            continue;
        }
        fault->times--;
        return fault;
    }
    return NULL;
}

/* Whether there will be an answer. */
static bool apply(const struct fake_fault *fault, struct bp_ask *ask)
{
    if (fault->hangs) {
        (void)bp_fail(&ask->err, BP_ETIMEOUT, "no answer");
        return false;
    }
    ask->reply.limited = fault->limited;
    ask->reply.retry_after_ms = fault->retry_after_ms;
    if (fault->limited != BP_LIMIT_NONE)
        (void)bp_fail(&ask->err, BP_EUNAVAILABLE, "the rate limit is reached");
    else
        (void)bp_fail(&ask->err, fault->code, "HTTP 503");
    return true;
}

struct fake_fault *fake_forge_fault(struct fake_forge *forge, enum bp_ask_kind kind, int times,
                                    enum bp_code code)
{
    struct fake_fault *made = &forge->faults[forge->fault_count++];

    *made = (struct fake_fault){.kind = kind, .times = times, .code = code, .retry_after_ms = -1};
    return made;
}

/* ---- the driver ---- */

static void keep(struct fake_forge *self, const struct bp_ask *ask)
{
    struct fake_asked *one = &self->log[self->asked < FAKE_LOG ? self->asked : FAKE_LOG - 1];
    BP_AUTO(bp_buf_free) struct bp_buf inputs = {0};

    self->asked++;
    *one = (struct fake_asked){.kind = ask->kind, .at_ms = now_ms(self), .run_id = ask->run_id};
    if (ask->inputs != NULL)
        bp_json_render(ask->inputs, 0, &inputs);
    copy(one->branch, sizeof(one->branch), ask->branch != NULL ? ask->branch : "");
    copy(one->text, sizeof(one->text), bp_buf_str(&inputs));
    if (ask->kind == BP_ASK_STATUS)
        (void)snprintf(one->text, 256, "%s: %s", ask->status, ask->text);
}

static void begin(struct bp_forge *base, struct bp_ask *ask)
{
    struct fake_forge *self = (struct fake_forge *)base;
    const struct fake_fault *fault = strike(self, ask->kind);
    int64_t timeout = ask->timeout_ms > 0 ? ask->timeout_ms : self->timeout_ms;
    bool answers = true;

    keep(self, ask);
    ask->err = (struct bp_err){0};
    ask->reply = (struct bp_reply){.retry_after_ms = -1,
                                   .budget = 5000,
                                   .remaining = self->remaining,
                                   .reset_in_ms = self->reset_in_ms};
    ask->exchange = self;
    if (fault != NULL)
        answers = apply(fault, ask);
    else if (ask->kind == BP_ASK_DISPATCH)
        answers = dispatch(self, ask);
    self->under_way[self->under_way_count] = ask;
    self->done_at_ms[self->under_way_count++] =
        now_ms(self) + (answers ? self->latency_ms : timeout);
}

static void forget(struct fake_forge *self, int which)
{
    self->under_way[which]->exchange = NULL;
    self->under_way_count--;
    for (int i = which; i < self->under_way_count; i++) {
        self->under_way[i] = self->under_way[i + 1];
        self->done_at_ms[i] = self->done_at_ms[i + 1];
    }
}

/* Let time pass, up to the signal if one comes before. */
static void pass_until(struct fake_forge *self, int64_t until)
{
    if (self->stop_at_ms > 0 && self->stop->signal == 0 && until >= self->stop_at_ms) {
        until = self->stop_at_ms;
        self->stop->signal = SIGTERM;
    }
    fake_clock_advance(self->clock, until > now_ms(self) ? until - now_ms(self) : 0);
}

static enum bp_code wait_for(struct bp_forge *base, int64_t timeout_ms, const struct bp_stop *stop,
                             struct bp_ask **done, struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;
    int64_t until = now_ms(self) + timeout_ms;
    int first = -1;

    *done = NULL;
    if (self->clock->sleeps++ > SAFETY)
        return bp_fail(err, BP_EFAILED, "the flow does not end");
    for (int i = 0; i < self->under_way_count; i++) {
        if (first < 0 || self->done_at_ms[i] < self->done_at_ms[first])
            first = i;
    }
    if (first >= 0 && self->done_at_ms[first] < until)
        until = self->done_at_ms[first];
    else if (first >= 0 && self->done_at_ms[first] > until)
        first = -1;
    pass_until(self, until);
    if (bp_stop_check(stop, err) != BP_OK)
        return err->code;
    if (first < 0 || now_ms(self) < self->done_at_ms[first])
        return BP_OK;
    *done = self->under_way[first];
    (*done)->reply.date_ms = bp_clock_wall(&self->clock->base) + self->server_ahead_ms;
    if ((*done)->err.code == BP_OK)
        answer(self, *done);
    forget(self, first);
    return BP_OK;
}

static void drop(struct bp_forge *base, struct bp_ask *ask)
{
    struct fake_forge *self = (struct fake_forge *)base;

    for (int i = 0; i < self->under_way_count; i++) {
        if (self->under_way[i] == ask) {
            forget(self, i);
            return;
        }
    }
}

static void no_free(struct bp_forge *base)
{
    (void)base;
}

static const struct bp_forge_ops ops = {
    .begin = begin, .wait = wait_for, .drop = drop, .free = no_free};

struct fake_forge fake_forge(struct fake_clock *clock)
{
    return (struct fake_forge){.base.ops = &ops,
                               .clock = clock,
                               .next_id = 100,
                               .state = "active",
                               .timeout_ms = 30000,
                               .remaining = -1,
                               .reset_in_ms = -1,
                               .retry_after_ms = -1,
                               .user = "octocat",
                               .actor = "octocat",
                               .token.kind = "token"};
}

struct fake_branch *fake_forge_branch(struct fake_forge *forge, const char *name)
{
    struct fake_branch *made = forge->branches;

    for (; made < forge->branches + forge->branch_count; made++) {
        if (strcmp(made->name, name) == 0)
            return made;
    }
    forge->branch_count++;
    copy(made->name, sizeof(made->name), name);
    made->plan = (struct fake_plan){
        .start_ms = 2000, .finish_ms = 60000, .before = "queued", .conclusion = "success"};
    return made;
}

int fake_forge_asked(const struct fake_forge *forge, enum bp_ask_kind kind)
{
    int count = 0;

    for (int i = 0; i < forge->asked && i < FAKE_LOG; i++)
        count += forge->log[i].kind == kind;
    return count;
}
