#include "cmd/backup_proof.h"

#include "cmd/proving.h"
#include "cmd/registry.h"

enum bp_code bp_backup_proof_load(struct bp_app *app, struct bp_backup_proof *out,
                                  struct bp_err *err)
{
    const char *level = bp_config_text(&app->cfg, BP_OPT_VERIFY);

    *out = (struct bp_backup_proof){.wanted = level != NULL};
    if (!out->wanted)
        return BP_OK;
    out->job.level = bp_proof_parse(level);
    if (bp_proving_checks(app, &out->checks, err) != BP_OK)
        return err->code;
    if (out->job.level == BP_L5 && out->checks.count == 0)
        return bp_fail(err, BP_EUSAGE,
                       "--verify L5 needs your own checks; hint: --check-sql names a file of "
                       "queries, each of which must return true");
    return BP_OK;
}

static enum bp_code prove(struct bp_app *app, const char *id, const struct bp_backup_keys *keys,
                          struct bp_backup_proof *proof, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;
    struct bp_verify_job *job = &proof->job;

    /* A new working copy has nothing but what the server gives. */
    if (bp_registry_store(app, &store, err) != BP_OK ||
        (job->level >= BP_L2 && bp_registry_scratch(app, &scratch, err) != BP_OK))
        return err->code;
    job->store = store;
    job->scratch = scratch;
    job->clock = app->clock;
    job->out = app->out;
    job->archive = id;
    job->branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH);
    job->opener = bp_backup_keys_opener(keys);
    job->checks = &proof->checks;
    job->jobs = (size_t)bp_config_number(&app->cfg, BP_OPT_JOBS);
    job->record = true;
    return bp_flow_verify(job, &proof->result, err);
}

enum bp_code bp_backup_proof_run(struct bp_app *app, const char *id,
                                 const struct bp_backup_keys *keys, struct bp_backup_proof *proof,
                                 struct bp_err *err)
{
    proof->code = prove(app, id, keys, proof, err);
    if (proof->code != BP_OK)
        (void)bp_wrap(err, "the backup %s is pushed, but not proved", id);
    return proof->code;
}

/* A stop or an outage found nothing that could be told. */
static bool has_found(const struct bp_backup_proof *proof)
{
    return proof->result.id[0] != '\0' &&
           (proof->code == BP_OK || proof->code == BP_EINTEGRITY || proof->code == BP_EFAILED);
}

void bp_backup_proof_print(struct bp_app *app, const struct bp_backup_proof *proof)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (!has_found(proof))
        return;
    bp_verify_text(&proof->job, &proof->result, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

struct bp_json *bp_backup_proof_json(const struct bp_backup_proof *proof, const char *reason)
{
    struct bp_json *top =
        has_found(proof) ? bp_verify_json(&proof->job, &proof->result) : bp_json_object_new();

    if (proof->code != BP_OK)
        bp_json_set_text(top, "error", reason);
    return top;
}

const char *bp_backup_proof_level(const struct bp_backup_proof *proof)
{
    if (!proof->begun || !has_found(proof) || proof->result.level == BP_UNPROVED)
        return "";
    return bp_proof_name(proof->result.level);
}

void bp_backup_proof_free(struct bp_backup_proof *proof)
{
    bp_list_free(&proof->checks);
    bp_verify_result_free(&proof->result);
}
