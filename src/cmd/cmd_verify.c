/*
 * backproof verify: proves that an archive can be restored, and to what.
 *
 * This file reads options and prints. The work is in flow/verify.c.
 */
#include "base/json.h"
#include "cmd/cmds.h"
#include "cmd/proving.h"
#include "cmd/registry.h"
#include "flow/verify.h"

static void report(struct bp_app *app, const struct bp_verify_job *job,
                   const struct bp_verify_result *result)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        BP_AUTO(bp_json_freep) struct bp_json *top = bp_verify_json(job, result);

        bp_json_render(top, 1, &text);
        bp_print(app->out, "%s\n", bp_buf_str(&text));
        return;
    }
    bp_verify_text(job, result, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

/* ID, or --at, or the latest. */
static enum bp_code choose(const struct bp_app *app, struct bp_verify_job *job, struct bp_err *err)
{
    bool at = bp_config_origin(&app->cfg, BP_OPT_AT) != BP_FROM_NOWHERE;

    if (app->cfg.args.count > 0 && at)
        return bp_fail(err, BP_EUSAGE, "an ID and --at name two archives; hint: give one of them");
    job->archive = at ? NULL : app->cfg.args.count > 0 ? app->cfg.args.at[0] : "latest";
    job->at_ms = at ? bp_config_number(&app->cfg, BP_OPT_AT) : 0;
    return BP_OK;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_proving_free) struct bp_proving proving = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_scratch_freep) struct bp_scratch *scratch = NULL;
    BP_AUTO(bp_verify_result_free) struct bp_verify_result result = {0};
    struct bp_verify_job job = {.clock = app->clock,
                                .out = app->out,
                                .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH)};
    const char *id = NULL;
    bool folder = false;
    enum bp_code rc = BP_OK;

    if (choose(app, &job, err) != BP_OK || bp_proving_load(app, &proving, err) != BP_OK ||
        bp_registry_archive_store(app, job.archive, &id, &store, err) != BP_OK ||
        (proving.level >= BP_L2 && bp_registry_scratch(app, &scratch, err) != BP_OK))
        return err->code;
    folder = bp_registry_is_folder(app, job.archive);
    job.archive = id;
    job.store = store;
    job.scratch = scratch;
    job.opener = proving.opener;
    job.level = proving.level;
    job.checks = &proving.checks;
    job.jobs = proving.jobs;
    job.record = proving.record && !folder;
    rc = bp_flow_verify(&job, &result, err);
    /* What it found is told as well as that it failed; a stop or an outage found nothing. */
    if (result.id[0] != '\0' && (rc == BP_OK || rc == BP_EINTEGRITY || rc == BP_EFAILED))
        report(app, &job, &result);
    return rc;
}

const struct bp_cmd bp_cmd_verify = {
    .doc =
        {.name = "verify",
         .args = "[ID]",
         .summary = "Prove that an archive can be restored.",
         .details =
             "ID is 'latest' (the default), an id as 'backproof list' shows it, or its "
             "beginning, or the path of an archive's folder. L0: the checksum of every file. L1: every file can be read. L2: "
             "restored into a scratch database. L3: every table there has the rows that "
             "the source had. L4: every definition is what pg_dump wrote of the source. "
             "L5: your own queries return true. The scratch is a throw-away cluster made "
             "with initdb, or --scratch-url. The result is written into the archive's "
             "manifest. Exit status 8: the archive is at fault; 1: something else kept it "
             "from being proved, such as an extension that is missing here.",
         .example = "backproof verify --level L4 --backup-repo "
                    "https://github.com/myorg/myapp-backups --backup-branch main",
         .groups =
             BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_OPEN | BP_GROUP_PROOF | BP_GROUP_VERIFY},
    .max_args = 1,
    .run = run,
};
