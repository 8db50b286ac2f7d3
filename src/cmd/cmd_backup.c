/*
 * backproof backup: one snapshot of the database becomes one commit in the backup repository.
 *
 * This file reads options and prints. The work is in flow/backup.c.
 */
#include "cmd/cmds.h"
#include "cmd/registry.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cmd/backup_keys.h"
#include "cmd/backup_proof.h"
#include "cmd/pruning.h"
#include "flow/backup.h"
#include "gha/context.h"
#include "gha/outputs.h"

enum { LIMIT_MS = 30 * 60 * 1000, MOST_JOBS = 64 };

static const enum bp_opt needs[] = {BP_OPT_BACKUP_REPO, BP_OPT_COUNT};

/* What comes after the backup, when something is to come: first the proof, and only when that
 * succeeds the pruning. */
struct pruning {
    struct bp_prune_job job;
    struct bp_prune_result result;
    enum bp_code code;
    bool begun;
};

struct after {
    const struct bp_backup_keys *keys;
    struct bp_backup_proof *proof;
    struct pruning *pruning;
};

static void free_pruning(struct pruning *pruning)
{
    bp_prune_result_free(&pruning->result);
}

static struct bp_json *pruning_new(const struct bp_app *app, const struct pruning *pruning,
                                   const char *reason)
{
    struct bp_json *top = NULL;

    if (pruning->code == BP_OK)
        return bp_pruning_json(app, &pruning->result);
    top = bp_json_object_new();
    bp_json_set_text(top, "error", reason);
    return top;
}

/* reason: why what came last failed. */
static void report_json(struct bp_app *app, const struct bp_backup_result *result,
                        const struct after *after, const char *reason)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    char full[BP_TIME_SIZE] = "";

    bp_json_set_bool(top, "skipped", result->skipped);
    if (result->skipped)
        bp_json_set_text(top, "reason", result->reason);
    bp_json_set_text(top, "id", result->id);
    bp_json_set_text(top, "path", result->path);
    bp_json_set_text(top, "commit", result->commit);
    bp_json_set_text(top, "branch", bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    bp_json_set_int(top, "tables", result->tables);
    bp_json_set_int(top, "rows", result->rows);
    bp_json_set_int(top, "bytes", result->bytes);
    bp_json_set_int(top, "took_ms", result->took_ms);
    bp_json_set_int(top, "kept_files", result->kept_files);
    bp_json_set_int(top, "pushed_bytes", result->pushed_bytes);
    bp_json_set_int(top, "store_bytes", result->growth.bytes);
    if (result->full_ms > 0)
        bp_time_format(result->full_ms, full);
    bp_json_set_text(top, "store_full_at", full);
    bp_json_set_bool(top, "dry_run", bp_config_flag(&app->cfg, BP_OPT_DRY_RUN));
    if (after->proof->begun)
        bp_json_set(top, "verification", bp_backup_proof_json(after->proof, reason));
    if (after->pruning->begun)
        bp_json_set(top, "prune", pruning_new(app, after->pruning, reason));
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static void report_text(struct bp_app *app, const struct bp_backup_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (result->skipped) {
        bp_print(app->out, "skipped: %s\n", result->reason);
        return;
    }
    bp_buf_printf(&text, "%s %s: %lld tables, ",
                  bp_config_flag(&app->cfg, BP_OPT_DRY_RUN) ? "would commit" : "backed up",
                  result->id, (long long)result->tables);
    bp_put_count(&text, result->rows);
    bp_buf_puts(&text, " rows, ");
    bp_put_size(&text, result->bytes);
    bp_buf_puts(&text, " in ");
    bp_put_duration(&text, result->took_ms);
    bp_print(app->out, "%s\n  branch  %s\n  commit  %s\n  path    %s\n", bp_buf_str(&text),
             bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
             result->commit[0] != '\0' ? result->commit : "none", result->path);
    bp_buf_cut(&text, 0);
    bp_growth_put(&result->growth, bp_clock_wall(app->clock), &text);
    if (text.len > 0)
        bp_print(app->out, "  holds   %s\n", bp_buf_str(&text));
}

static enum bp_backup_if_locked if_locked(const struct bp_config *cfg)
{
    if (bp_config_is(cfg, BP_OPT_IF_LOCKED, "skip"))
        return BP_BACKUP_SKIP;
    return bp_config_is(cfg, BP_OPT_IF_LOCKED, "fail") ? BP_BACKUP_FAIL : BP_BACKUP_WAIT;
}

static void read_job(struct bp_app *app, const struct bp_gha_context *context,
                     struct bp_backup_job *job)
{
    const struct bp_config *cfg = &app->cfg;
    const char *event = bp_config_text(cfg, BP_OPT_TRIGGER);

    *job = (struct bp_backup_job){.clock = app->clock,
                                  .out = app->out,
                                  .branch = bp_config_text(cfg, BP_OPT_BACKUP_BRANCH),
                                  .tool_version = bp_version(),
                                  .repository = context->repository,
                                  .ref = context->ref,
                                  .sha = context->sha,
                                  .event = event != NULL ? event : context->event,
                                  .run_id = context->run_id,
                                  .run_url = context->run_url,
                                  .jobs = (size_t)bp_config_number(cfg, BP_OPT_JOBS),
                                  .lock_retries = bp_config_number(cfg, BP_OPT_LOCK_RETRIES),
                                  .if_locked = if_locked(cfg),
                                  .schema_dumps = bp_config_flag(cfg, BP_OPT_SCHEMA_DUMPS),
                                  .allow_empty = bp_config_flag(cfg, BP_OPT_ALLOW_EMPTY),
                                  .allow_public = bp_config_flag(cfg, BP_OPT_ALLOW_PUBLIC)};
}

/* The retention looks at the branch with the new archive, also when a dry run did not add it. */
static enum bp_code prune(struct bp_app *app, const struct bp_backup_result *backup,
                          struct pruning *pruning, struct bp_err *err)
{
    if (bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        pruning->job.coming = backup->id;
    pruning->code = bp_flow_prune(&pruning->job, &pruning->result, err);
    if (pruning->code != BP_OK)
        (void)bp_wrap(err, "the backup %s is safe, but old archives were not removed", backup->id);
    return pruning->code;
}

/* For later steps of the workflow; the backup is made, so nothing here may fail it. */
static void tell_runner(struct bp_app *app, const struct bp_backup_result *result,
                        const struct bp_backup_proof *proof)
{
    BP_AUTO(bp_list_free) struct bp_list outputs = {0};
    struct bp_err err = {0};

    bp_list_add(&outputs, "id");
    bp_list_add(&outputs, result->id);
    bp_list_add(&outputs, "commit");
    bp_list_add(&outputs, result->commit);
    bp_list_add(&outputs, "path");
    bp_list_add(&outputs, result->path);
    bp_list_add(&outputs, "rows");
    bp_list_addf(&outputs, "%" PRId64, result->rows);
    bp_list_add(&outputs, "verified");
    bp_list_add(&outputs, bp_backup_proof_level(proof));
    if (bp_gha_outputs(app->env, &app->out->secrets, &outputs, &err) != BP_OK)
        bp_warn(app->out, "%s", err.msg);
}

/* Text comes piece by piece; JSON is one object, so it waits for all. */
static enum bp_code finish(struct bp_app *app, const struct bp_backup_result *result,
                           const struct after *after, struct bp_err *err)
{
    bool json = bp_config_is(&app->cfg, BP_OPT_FORMAT, "json");
    bool dry = bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
    struct pruning *pruning = after->pruning;
    enum bp_code rc = BP_OK;

    if (!json)
        report_text(app, result);
    after->proof->begun = after->proof->wanted && !result->skipped && !dry;
    if (after->proof->begun)
        rc = bp_backup_proof_run(app, result->id, after->keys, after->proof, err);
    if (after->proof->begun && !json)
        bp_backup_proof_print(app, after->proof);
    pruning->begun = rc == BP_OK && bp_config_flag(&app->cfg, BP_OPT_PRUNE) && !result->skipped;
    if (pruning->begun)
        rc = prune(app, result, pruning, err);
    if (pruning->begun && rc == BP_OK && !json)
        bp_pruning_print(app, &pruning->result);
    if (json)
        report_json(app, result, after, err->msg);
    if (!result->skipped)
        tell_runner(app, result, after->proof);
    return rc;
}

static enum bp_code check_options(const struct bp_app *app, const struct bp_backup_job *job,
                                  const struct bp_scope *scope, struct bp_err *err)
{
    if (job->jobs > MOST_JOBS)
        return bp_fail(err, BP_EUSAGE, "--jobs takes at most %d", MOST_JOBS);
    if (job->schema_dumps && scope->masks.count > 0)
        return bp_fail(err, BP_EUSAGE,
                       "--schema-dumps would hold the values that --mask hides; hint: use one of "
                       "them");
    if (job->schema_dumps && bp_config_list(&app->cfg, BP_OPT_RECIPIENT)->count > 0)
        return bp_fail(err, BP_EUSAGE,
                       "--schema-dumps would lie on this machine's disk until they are sealed; "
                       "hint: leave them out of sealed archives");
    return BP_OK;
}

static enum bp_code back_up(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_source_freep) struct bp_source *source = NULL;
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(free_pruning) struct pruning pruning = {.code = BP_OK};
    BP_AUTO(bp_backup_keys_free) struct bp_backup_keys keys = {0};
    BP_AUTO(bp_backup_proof_free) struct bp_backup_proof proof = {0};
    const struct after after = {.keys = &keys, .proof = &proof, .pruning = &pruning};
    struct bp_scope scope = bp_registry_scope(app);
    struct bp_gha_context context = {0};
    struct bp_backup_job job = {0};
    struct bp_backup_result result = {0};

    bp_gha_context_read(app->env, &context);
    read_job(app, &context, &job);
    if (check_options(app, &job, &scope, err) != BP_OK ||
        bp_pruning_unasked(&app->cfg, err) != BP_OK ||
        (bp_config_flag(&app->cfg, BP_OPT_PRUNE) &&
         bp_pruning_job(app, &pruning.job, err) != BP_OK) ||
        bp_backup_keys_load(app, &keys, err) != BP_OK ||
        bp_backup_proof_load(app, &proof, err) != BP_OK ||
        bp_registry_source(app, &source, err) != BP_OK ||
        bp_registry_store(app, &store, err) != BP_OK)
        return err->code;
    bp_backup_keys_lend(&keys, &job);
    job.source = source;
    job.store = store;
    job.scope = &scope;
    pruning.job.store = store;
    if (bp_flow_backup(&job, &result, err) != BP_OK)
        return err->code;
    return finish(app, &result, &after, err);
}

/* Everything that the backup does is under its time limit. */
static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    const struct bp_stop *stop = app->clock->stop;
    struct bp_stop limited = bp_stop_limited(stop, LIMIT_MS);
    enum bp_code rc = BP_OK;

    if (bp_config_origin(&app->cfg, BP_OPT_TIMEOUT) != BP_FROM_NOWHERE)
        limited = bp_stop_limited(stop, bp_config_number(&app->cfg, BP_OPT_TIMEOUT));
    app->clock->stop = &limited;
    rc = back_up(app, err);
    app->clock->stop = stop;
    if (rc != BP_ETIMEOUT || strstr(err->msg, "hint: ") != NULL)
        return rc;
    {
        const struct bp_err inner = *err;

        return bp_fail(err, BP_ETIMEOUT,
                       "%s; hint: see what takes so long, or allow more with "
                       "--timeout",
                       inner.msg);
    }
}

const struct bp_cmd bp_cmd_backup = {
    .doc = {.name = "backup",
            .args = "",
            .summary = "Back up a PostgreSQL database into a Git repository, in one commit.",
            .details = "Locks every table, takes one snapshot, reads definitions and rows in it "
                       "and pushes a timestamped archive to a branch of the backup repository. "
                       "When anything fails, the branch is as it was. With --recipient it "
                       "is sealed: only who holds the key can read it. With --verify it is proved "
                       "from what the server holds then. With --prune, archives that no rule "
                       "keeps leave the branch afterwards.",
            .example = "DATABASE_URL=postgresql://... backproof backup "
                       "--backup-repo https://github.com/myorg/myapp-backups",
            .groups = BP_GROUP_GENERAL | BP_GROUP_SOURCE | BP_GROUP_BACKUP | BP_GROUP_STORE |
                      BP_GROUP_RETENTION | BP_GROUP_PROOF},
    .needs = needs,
    .run = run,
};
