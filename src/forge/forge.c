#include "forge/forge.h"

#include "base/mem.h"

void bp_forge_freep(struct bp_forge **forge)
{
    if (*forge != NULL)
        (*forge)->ops->free(*forge);
    *forge = NULL;
}

/* ---- dry run ---- */

struct dry {
    struct bp_forge base;
    struct bp_forge *inner;
};

static struct bp_forge *inner_of(struct bp_forge *self)
{
    return ((struct dry *)self)->inner;
}

static enum bp_code dry_repo(struct bp_forge *self, const char *repo, struct bp_forge_repo *out,
                             struct bp_err *err)
{
    return inner_of(self)->ops->repo(inner_of(self), repo, out, err);
}

static enum bp_code dry_workflow(struct bp_forge *self, const char *repo, const char *workflow,
                                 struct bp_forge_workflow *out, struct bp_err *err)
{
    return inner_of(self)->ops->workflow(inner_of(self), repo, workflow, out, err);
}

static enum bp_code dry_branch_exists(struct bp_forge *self, const char *repo, const char *branch,
                                      struct bp_err *err)
{
    return inner_of(self)->ops->branch_exists(inner_of(self), repo, branch, err);
}

/* The one thing that a dispatch can be refused for beforehand is a branch that is not there. */
static enum bp_code dry_dispatch(struct bp_forge *self, const struct bp_forge_dispatch *what,
                                 struct bp_dispatch_answer *answer, struct bp_err *err)
{
    enum bp_code rc = dry_branch_exists(self, what->repo, what->branch, err);

    *answer = (struct bp_dispatch_answer){.outcome = BP_DISPATCH_DRY_RUN};
    if (rc != BP_OK)
        answer->outcome = bp_code_is_transient(rc) || rc == BP_ETIMEOUT ? BP_DISPATCH_NOT_PROCESSED
                                                                        : BP_DISPATCH_REJECTED;
    return rc;
}

static enum bp_code dry_run(struct bp_forge *self, const char *repo, int64_t id, struct bp_run *out,
                            struct bp_err *err)
{
    return inner_of(self)->ops->run(inner_of(self), repo, id, out, err);
}

static enum bp_code dry_runs(struct bp_forge *self, const struct bp_forge_dispatch *what,
                             struct bp_runs *out, struct bp_err *err)
{
    return inner_of(self)->ops->runs(inner_of(self), what, out, err);
}

static void dry_free(struct bp_forge *self)
{
    bp_forge_freep(&((struct dry *)self)->inner);
    bp_free(self);
}

static const struct bp_forge_ops dry_ops = {
    .repo = dry_repo,
    .workflow = dry_workflow,
    .branch_exists = dry_branch_exists,
    .dispatch = dry_dispatch,
    .run = dry_run,
    .runs = dry_runs,
    .free = dry_free,
};

struct bp_forge *bp_forge_dry_new(struct bp_forge *inner)
{
    struct dry *self = bp_alloc(1, sizeof(*self));

    self->base.ops = &dry_ops;
    self->inner = inner;
    return &self->base;
}
