#include "support/fake_forge.h"

#include <stdio.h>
#include <string.h>

static enum bp_code repo(struct bp_forge *base, const char *name, struct bp_forge_repo *out,
                         struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;

    *out = (struct bp_forge_repo){.default_branch = "main", .archived = self->archived};
    if (self->outages > 0) {
        self->outages--;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 502");
    }
    if (self->repo_result != BP_OK)
        return bp_fail(err, self->repo_result, "repository '%s': no", name);
    return BP_OK;
}

static enum bp_code workflow(struct bp_forge *base, const char *name, const char *file,
                             struct bp_forge_workflow *out, struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;

    *out = (struct bp_forge_workflow){.id = 7};
    (void)snprintf(out->state, sizeof(out->state), "%s", self->state);
    (void)snprintf(out->path, sizeof(out->path), ".github/workflows/%s", file);
    if (self->workflow_result != BP_OK)
        return bp_fail(err, self->workflow_result, "no workflow '%s' in '%s'", file, name);
    return BP_OK;
}

static enum bp_code branch_exists(struct bp_forge *base, const char *name, const char *branch,
                                  struct bp_err *err)
{
    struct fake_branch *b = fake_forge_branch((struct fake_forge *)base, branch);

    if (b->script_len > 0 && b->script[0] == FAKE_NO_BRANCH)
        return bp_fail(err, BP_ENOTFOUND, "no branch '%s' in '%s'", branch, name);
    return BP_OK;
}

static enum bp_code answer_with(struct fake_forge *self, enum fake_answer what, const char *branch,
                                struct bp_dispatch_answer *answer, struct bp_err *err)
{
    switch (what) {
    case FAKE_OK:
        for (; self->late_runs > 0; self->late_runs--)
            fake_forge_add_run(self, branch, "workflow_dispatch");
        answer->outcome = BP_DISPATCH_ACCEPTED;
        answer->run_id = self->next_id;
        fake_forge_add_run(self, branch, "workflow_dispatch");
        return BP_OK;
    case FAKE_OK_NO_ID:
        answer->outcome = BP_DISPATCH_ACCEPTED;
        fake_forge_add_run(self, branch, "workflow_dispatch");
        return BP_OK;
    case FAKE_REJECTED:
        answer->outcome = BP_DISPATCH_REJECTED;
        return bp_fail(err, BP_EFAILED, "refused");
    case FAKE_NO_BRANCH:
        answer->outcome = BP_DISPATCH_REJECTED;
        return bp_fail(err, BP_ENOTFOUND, "no branch '%s'", branch);
    case FAKE_FORBIDDEN:
        answer->outcome = BP_DISPATCH_REJECTED;
        return bp_fail(err, BP_EAUTH, "the token may not do this");
    case FAKE_AMBIGUOUS_TAKEN:
        fake_forge_add_run(self, branch, "workflow_dispatch");
        answer->outcome = BP_DISPATCH_AMBIGUOUS;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 500");
    case FAKE_AMBIGUOUS_NOT:
        answer->outcome = BP_DISPATCH_AMBIGUOUS;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 502");
    case FAKE_RATE_LIMITED:
        answer->retry_after_ms = self->retry_after_ms;
        answer->outcome = BP_DISPATCH_NOT_PROCESSED;
        return bp_fail(err, BP_EUNAVAILABLE, "rate limit");
    case FAKE_NOT_PROCESSED:
    default:
        answer->outcome = BP_DISPATCH_NOT_PROCESSED;
        return bp_fail(err, BP_EUNAVAILABLE, "connection refused");
    }
}

static enum bp_code dispatch(struct bp_forge *base, const struct bp_forge_dispatch *what,
                             struct bp_dispatch_answer *answer, struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;
    struct fake_branch *b = fake_forge_branch(self, what->branch);
    int step = b->dispatches < b->script_len ? b->dispatches : b->script_len - 1;

    if (b->dispatches < FAKE_SCRIPT)
        b->sent_at_ms[b->dispatches] = bp_clock_mono(self->clock);
    b->dispatches++;
    *answer = (struct bp_dispatch_answer){0};
    return answer_with(self, step < 0 ? FAKE_OK : b->script[step], what->branch, answer, err);
}

static enum bp_code run(struct bp_forge *base, const char *name, int64_t id, struct bp_run *out,
                        struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;

    self->gets++;
    if (self->unknown_looks > 0) {
        self->unknown_looks--;
        return bp_fail(err, BP_ENOTFOUND, "no run in '%s'", name);
    }
    for (int i = 0; i < self->run_count; i++) {
        if (self->runs[i].id != id)
            continue;
        *out = self->runs[i];
        if (self->looks_until_queued > 0) {
            self->looks_until_queued--;
            (void)snprintf(out->status, sizeof(out->status), "pending");
        }
        return BP_OK;
    }
    return bp_fail(err, BP_ENOTFOUND, "no run");
}

static enum bp_code runs(struct bp_forge *base, const struct bp_forge_dispatch *what,
                         struct bp_runs *out, struct bp_err *err)
{
    struct fake_forge *self = (struct fake_forge *)base;

    self->lists++;
    out->count = 0;
    if (self->list_failures > 0) {
        self->list_failures--;
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 503");
    }
    for (int i = self->run_count - 1; i >= 0; i--) {
        if (what->branch == NULL || strcmp(self->runs[i].branch, what->branch) == 0)
            out->at[out->count++] = self->runs[i];
    }
    return BP_OK;
}

static void no_free(struct bp_forge *base)
{
    (void)base;
}

static const struct bp_forge_ops ops = {
    .repo = repo,
    .workflow = workflow,
    .branch_exists = branch_exists,
    .dispatch = dispatch,
    .run = run,
    .runs = runs,
    .free = no_free,
};

struct fake_forge fake_forge(struct bp_clock *clock)
{
    return (struct fake_forge){.base.ops = &ops, .clock = clock, .next_id = 100, .state = "active"};
}

struct fake_branch *fake_forge_branch(struct fake_forge *forge, const char *name)
{
    for (int i = 0; i < forge->branch_count; i++) {
        if (strcmp(forge->branches[i].name, name) == 0)
            return &forge->branches[i];
    }
    struct fake_branch *made = &forge->branches[forge->branch_count++];

    (void)snprintf(made->name, sizeof(made->name), "%s", name);
    return made;
}

void fake_forge_add_run(struct fake_forge *forge, const char *branch, const char *event)
{
    struct bp_run *made = &forge->runs[forge->run_count++];

    *made = (struct bp_run){.id = forge->next_id++};
    (void)snprintf(made->url, sizeof(made->url), "https://forge.test/o/r/actions/runs/%d",
                   (int)made->id);
    (void)snprintf(made->branch, sizeof(made->branch), "%s",
                   forge->runs_branch != NULL ? forge->runs_branch : branch);
    (void)snprintf(made->event, sizeof(made->event), "%s", event);
    (void)snprintf(made->status, sizeof(made->status), "%s",
                   forge->conclusion != NULL ? "completed" : "queued");
    if (forge->conclusion != NULL)
        (void)snprintf(made->conclusion, sizeof(made->conclusion), "%s", forge->conclusion);
}
