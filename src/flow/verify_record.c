/* The result is written into the archive's manifest: one commit, which changes nothing else. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/growth.h"
#include "flow/push_again.h"
#include "flow/verify_internal.h"

/* A commit puts folders in place: the files come in one, and move out of it. */
#define STAGED_FOLDER  BP_PATH_BACKUPS "/verify.new"
#define STAGED_OWN     "manifest.json"
#define STAGED_CURRENT "current.json"

enum { MOST_EDITS = 5 };

struct recording {
    struct bp_verify *v;
    enum bp_code rc;
    bool staged_current; /* by an earlier try */
};

/* ---- what is written ---- */

/*
 * A machine that could not go on says nothing against the archive, and who asked for less has not
 * taken back what was proved before.
 */
static bool is_worth(const struct recording *r, const struct bp_manifest *now)
{
    enum bp_proof before = bp_proof_parse(now->verification.level);
    enum bp_proof level = r->v->result->level;

    if (r->rc == BP_EINTEGRITY)
        return level != BP_UNPROVED || before != BP_UNPROVED;
    if (r->rc == BP_EFAILED)
        return level > before;
    return level >= before;
}

static enum bp_code make_text(const struct recording *r, const struct bp_buf *old,
                              struct bp_buf *out, struct bp_err *err)
{
    const struct bp_verify_result *result = r->v->result;
    struct bp_manifest_verification now = {.at_ms = bp_clock_wall(r->v->job->clock),
                                           .took_ms = result->took_ms,
                                           .except = result->except};
    BP_AUTO(bp_list_free) struct bp_list veiled = {0};
    BP_AUTO(bp_freep) char *level = bp_strdup(bp_proof_name(result->level));

    now.level = level;
    /* The half of a sealed manifest that everybody can read names nothing of the database. */
    if (r->v->entry->identities != NULL && result->except.count > 0) {
        bp_list_add(&veiled, "what the report of this verification named");
        now.except = veiled;
    }
    return bp_manifest_set_verification(bp_buf_str(old), old->len,
                                        result->level != BP_UNPROVED ? &now : NULL, out, err);
}

static void make_message(const struct recording *r, struct bp_buf *out)
{
    const struct bp_verify_result *result = r->v->result;
    BP_AUTO(bp_buf_free) struct bp_buf size = {0};

    bp_growth_carry(r->v->job->store->ops->message(r->v->job->store), &size);
    if (result->level == BP_UNPROVED)
        bp_buf_printf(out, "verify: %s is damaged", result->id);
    else
        bp_buf_printf(out, "verify: %s reached %s%s", result->id, bp_proof_name(result->level),
                      result->except.count > 0 ? ", with exceptions" : "");
    bp_buf_printf(out, "\n%s%s", size.len > 0 ? "\n" : "", bp_buf_str(&size));
}

/* ---- the commit ---- */

static enum bp_code stage(struct bp_store *store, const struct bp_buf *text, const char *name,
                          struct bp_err *err)
{
    struct bp_blob blob = {0};

    if (store->ops->put(store, bp_buf_str(text), text->len, &blob, err) != BP_OK)
        return err->code;
    return store->ops->stage(store, name, &blob, false, err);
}

/* Whether backups/current holds this very manifest. */
static bool is_current(struct bp_store *store, const struct bp_buf *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf current = {0};
    struct bp_err ignored = {0};

    return store->ops->read(store, BP_PATH_CURRENT "/" BP_MANIFEST_NAME, BP_MANIFEST_LIMIT,
                            &current, &ignored) == BP_OK &&
           current.len == text->len && memcmp(bp_buf_str(&current), text->data, text->len) == 0;
}

static enum bp_code commit(struct recording *r, const char *path, const struct bp_buf *old,
                           const struct bp_buf *text, struct bp_err *err)
{
    struct bp_store *store = r->v->job->store;
    bool current = is_current(store, old);
    struct bp_edit edits[MOST_EDITS] = {
        {.kind = BP_EDIT_REMOVE, .to = path},
        {.kind = BP_EDIT_STAGED, .to = STAGED_FOLDER},
        {.kind = BP_EDIT_MOVE, .from = STAGED_FOLDER "/" STAGED_OWN, .to = path},
    };
    size_t count = 3;
    struct bp_store_commit done = {0};
    BP_AUTO(bp_buf_free) struct bp_buf message = {0};

    if (stage(store, text, STAGED_OWN, err) != BP_OK ||
        (current && stage(store, text, STAGED_CURRENT, err) != BP_OK))
        return err->code;
    r->staged_current = r->staged_current || current;
    if (current) {
        edits[count++] =
            (struct bp_edit){.kind = BP_EDIT_REMOVE, .to = BP_PATH_CURRENT "/" BP_MANIFEST_NAME};
        edits[count++] = (struct bp_edit){.kind = BP_EDIT_MOVE,
                                          .from = STAGED_FOLDER "/" STAGED_CURRENT,
                                          .to = BP_PATH_CURRENT "/" BP_MANIFEST_NAME};
    } else if (r->staged_current) {
        edits[count++] =
            (struct bp_edit){.kind = BP_EDIT_REMOVE, .to = STAGED_FOLDER "/" STAGED_CURRENT};
    }
    make_message(r, &message);
    if (store->ops->commit(store, edits, count, bp_buf_str(&message), &done, err) != BP_OK)
        return err->code;
    (void)snprintf(r->v->result->commit, sizeof(r->v->result->commit), "%s", done.id);
    return BP_OK;
}

/* The archive as the branch has it now; another backup may have moved it meanwhile. */
static enum bp_code record_once(void *ctx, struct bp_err *err)
{
    struct recording *r = ctx;
    struct bp_store *store = r->v->job->store;
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    BP_AUTO(bp_freep) char *path = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf old = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_catalog_entry *entry = NULL;

    if (bp_catalog_load(store, &catalog, err) != BP_OK ||
        bp_catalog_find(&catalog, r->v->result->id, &entry, err) != BP_OK)
        return err->code;
    path = bp_format("%s/" BP_MANIFEST_NAME, entry->path);
    bp_list_add(&paths, path);
    bp_list_add(&paths, BP_PATH_CURRENT "/" BP_MANIFEST_NAME);
    if (store->ops->fetch(store, &paths, err) != BP_OK ||
        bp_catalog_describe(store, entry, err) != BP_OK ||
        store->ops->read(store, path, BP_MANIFEST_LIMIT, &old, err) != BP_OK)
        return err->code;
    if (!is_worth(r, &entry->manifest))
        return BP_OK;
    if (make_text(r, &old, &text, err) != BP_OK)
        return err->code;
    return commit(r, path, &old, &text, err);
}

enum bp_code bp_verify_record(struct bp_verify *v, enum bp_code rc, struct bp_err *err)
{
    struct recording recording = {.v = v, .rc = rc};
    const struct bp_push_again push = {.store = v->job->store,
                                       .clock = v->job->clock,
                                       .out = v->job->out,
                                       .change = record_once,
                                       .ctx = &recording};
    /* Somebody may have pushed while we were at it: that costs one more try otherwise. */
    enum bp_code rc2 = v->job->store->ops->refresh(v->job->store, err);

    return rc2 == BP_OK ? bp_push_again(&push, err) : rc2;
}
