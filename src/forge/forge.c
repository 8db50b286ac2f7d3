#include "forge/forge.h"

#include "base/mem.h"

void bp_forge_freep(struct bp_forge **forge)
{
    if (*forge != NULL)
        (*forge)->ops->free(*forge);
    *forge = NULL;
}

bool bp_ask_changes(enum bp_ask_kind kind)
{
    return kind == BP_ASK_ENABLE || kind == BP_ASK_DISPATCH || kind == BP_ASK_CANCEL ||
           kind == BP_ASK_STATUS;
}

/* ---- dry run ---- */

/* A question that is answered already and waits for being reported. */
struct answered {
    struct bp_ask *ask;
    struct answered *next;
};

struct dry {
    struct bp_forge base;
    struct bp_forge *inner;
    struct answered *first;
};

static void dry_begin(struct bp_forge *base, struct bp_ask *ask)
{
    struct dry *self = (struct dry *)base;
    struct answered **end = &self->first;

    if (!bp_ask_changes(ask->kind)) {
        self->inner->ops->begin(self->inner, ask);
        return;
    }
    ask->err = (struct bp_err){0};
    ask->reply = (struct bp_reply){
        .dry = true, .retry_after_ms = -1, .budget = -1, .remaining = -1, .reset_in_ms = -1};
    if (ask->kind == BP_ASK_DISPATCH)
        *ask->out.dispatched = (struct bp_dispatched){.outcome = BP_DISPATCH_DRY_RUN};
    while (*end != NULL)
        end = &(*end)->next;
    *end = bp_alloc(1, sizeof(**end));
    (*end)->ask = ask;
    ask->exchange = *end;
}

static struct bp_ask *take_first(struct dry *self)
{
    struct answered *first = self->first;
    struct bp_ask *ask = first->ask;

    self->first = first->next;
    bp_free(first);
    ask->exchange = NULL;
    return ask;
}

static enum bp_code dry_wait(struct bp_forge *base, int64_t timeout_ms, const struct bp_stop *stop,
                             struct bp_ask **done, struct bp_err *err)
{
    struct dry *self = (struct dry *)base;

    *done = NULL;
    if (self->first == NULL)
        return self->inner->ops->wait(self->inner, timeout_ms, stop, done, err);
    if (bp_stop_check(stop, err) != BP_OK)
        return err->code;
    *done = take_first(self);
    return BP_OK;
}

static void dry_drop(struct bp_forge *base, struct bp_ask *ask)
{
    struct dry *self = (struct dry *)base;
    struct answered **at = &self->first;

    if (!bp_ask_changes(ask->kind)) {
        self->inner->ops->drop(self->inner, ask);
        return;
    }
    while (*at != NULL && (*at)->ask != ask)
        at = &(*at)->next;
    if (*at != NULL) {
        struct answered *gone = *at;

        *at = gone->next;
        bp_free(gone);
        ask->exchange = NULL;
    }
}

static void dry_free(struct bp_forge *base)
{
    bp_forge_freep(&((struct dry *)base)->inner);
    bp_free(base);
}

static const struct bp_forge_ops dry_ops = {
    .begin = dry_begin, .wait = dry_wait, .drop = dry_drop, .free = dry_free};

struct bp_forge *bp_forge_dry_new(struct bp_forge *inner)
{
    struct dry *self = bp_alloc(1, sizeof(*self));

    self->base.ops = &dry_ops;
    self->inner = inner;
    return &self->base;
}
