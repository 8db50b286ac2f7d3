/*
 * backproof restore: an archive becomes a database again.
 *
 * This file reads options, asks and prints. The work is in flow/restore.c.
 */
#include <inttypes.h>
#include <strings.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/cmds.h"
#include "cmd/keys.h"
#include "cmd/registry.h"
#include "flow/restore.h"

enum { JOBS_LIMIT = 64 };

/* --yes says it; else a person at a terminal does; else it is not confirmed. */
static bool confirm(void *ctx, const char *question)
{
    struct bp_app *app = ctx;
    char answer[16] = "";

    if (bp_config_flag(&app->cfg, BP_OPT_YES) || bp_config_flag(&app->cfg, BP_OPT_DRY_RUN))
        return true;
    if (!app->in_terminal)
        return false;
    bp_ask(app->out, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), app->in) == NULL)
        return false;
    bp_text_trim(answer);
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static void set_list(struct bp_json *top, const char *key, const struct bp_list *list)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < list->count; i++)
        bp_json_push(array, bp_json_text_new(list->at[i]));
    bp_json_set(top, key, array);
}

static void report_json(struct bp_app *app, const struct bp_restore_result *result)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_set_text(top, "id", result->id);
    bp_json_set_text(top, "database", result->database);
    bp_json_set_int(top, "tables", result->tables);
    bp_json_set_int(top, "rows", result->rows);
    bp_json_set_int(top, "jobs", (int64_t)result->jobs);
    bp_json_set_int(top, "took_ms", result->took_ms);
    bp_json_set_bool(top, "dry_run", bp_config_flag(&app->cfg, BP_OPT_DRY_RUN));
    bp_json_set_int(top, "replaced", result->replaced_count);
    set_list(top, "made", &result->made);
    set_list(top, "skipped", &result->skipped);
    set_list(top, "failures", &result->failures);
    bp_json_render(top, 1, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

static void print_list(struct bp_app *app, const char *title, const struct bp_list *list)
{
    if (list->count > 0)
        bp_print(app->out, "%s\n", title);
    for (size_t i = 0; i < list->count; i++)
        bp_print(app->out, "  %s\n", list->at[i]);
}

/* What a dry run says before its last line. */
static void print_plan(struct bp_app *app, const struct bp_restore_result *result)
{
    print_list(app, "would make:", &result->made);
    print_list(app, "would load:", &result->loaded);
    print_list(app, "would replace:", &result->replaced);
    if (result->replaced_count > (int64_t)result->replaced.count)
        bp_print(app->out, "  ... and %" PRId64 " more\n",
                 result->replaced_count - (int64_t)result->replaced.count);
}

static void report(struct bp_app *app, const struct bp_restore_result *result)
{
    bool dry = bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json")) {
        report_json(app, result);
        return;
    }
    if (dry)
        print_plan(app, result);
    print_list(app, "left out:", &result->skipped);
    print_list(app, "failed:", &result->failures);
    bp_put_count(&text, result->rows);
    bp_buf_puts(&text, " rows in ");
    bp_put_duration(&text, result->took_ms);
    bp_print(app->out, "%s %s into '%s': %" PRId64 " tables, %s\n",
             dry ? "would restore" : "restored", result->id, result->database, result->tables,
             bp_buf_str(&text));
}

static enum bp_code check_options(struct bp_app *app, const struct bp_restore_job *job,
                                  struct bp_err *err)
{
    if (job->archive != NULL && bp_config_text(&app->cfg, BP_OPT_AT) != NULL)
        return bp_fail(err, BP_EUSAGE, "ID and --at exclude each other");
    if (job->archive == NULL && bp_config_text(&app->cfg, BP_OPT_AT) == NULL)
        return bp_fail(err, BP_EUSAGE,
                       "restore needs ID or --at; hint: 'latest' is the newest archive");
    if (job->resume && job->clean)
        return bp_fail(err, BP_EUSAGE,
                       "--resume and --clean exclude each other: go on with what is there, or "
                       "begin anew");
    if (job->jobs > JOBS_LIMIT)
        return bp_fail(err, BP_EUSAGE, "--jobs is %zu, at most %d make sense", job->jobs,
                       JOBS_LIMIT);
    return BP_OK;
}

/* Lists are lent from the configuration. */
static struct bp_restore_want want_of(const struct bp_app *app)
{
    const struct bp_config *cfg = &app->cfg;

    return (struct bp_restore_want){
        .schemas = bp_config_list(cfg, BP_OPT_RESTORE_SCHEMA),
        .tables = bp_config_list(cfg, BP_OPT_RESTORE_TABLE),
        .into_schema = bp_config_text(cfg, BP_OPT_INTO_SCHEMA),
        .no_owner = bp_config_flag(cfg, BP_OPT_NO_OWNER),
        .no_privileges = bp_config_flag(cfg, BP_OPT_NO_PRIVILEGES),
        .role_maps = bp_config_list(cfg, BP_OPT_ROLE_MAP),
    };
}

static enum bp_code restore(struct bp_app *app, struct bp_restore_job *job, struct bp_err *err)
{
    BP_AUTO(bp_identities_free) struct bp_identities identities = {0};
    BP_AUTO(bp_trusted_keys_free) struct bp_trusted_keys trusted = {0};
    BP_AUTO(bp_restore_result_free) struct bp_restore_result result = {0};

    if (bp_keys_identities(app, &identities, err) != BP_OK ||
        bp_keys_trusted(app, &trusted, err) != BP_OK)
        return err->code;
    job->opener = bp_keys_opener(&identities, &trusted);
    if (bp_flow_restore(job, &result, err) != BP_OK) {
        /* What failed before is not less important than what ended it; nor is what a part lacks. */
        print_list(app, "left out:", &result.skipped);
        print_list(app, "failed:", &result.failures);
        return err->code;
    }
    report(app, &result);
    if (result.failures.count > 0)
        return bp_fail(err, BP_EFAILED, "%zu objects of archive %s could not be restored",
                       result.failures.count, result.id);
    return BP_OK;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    struct bp_restore_job job = {
        .clock = app->clock,
        .out = app->out,
        .archive = app->cfg.args.count > 0 ? app->cfg.args.at[0] : NULL,
        .at_ms = bp_config_number(&app->cfg, BP_OPT_AT),
        .branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
        .want = want_of(app),
        .jobs = (size_t)bp_config_number(&app->cfg, BP_OPT_JOBS),
        .clean = bp_config_flag(&app->cfg, BP_OPT_CLEAN),
        .resume = bp_config_flag(&app->cfg, BP_OPT_RESUME),
        .continue_on_error = bp_config_flag(&app->cfg, BP_OPT_CONTINUE_ON_ERROR),
        .confirm = confirm,
        .ctx = app,
    };

    if (check_options(app, &job, err) != BP_OK ||
        bp_registry_archive_store(app, job.archive, &job.archive, &store, err) != BP_OK ||
        bp_registry_target(app, &target, err) != BP_OK)
        return err->code;
    job.store = store;
    job.target = target;
    return restore(app, &job, err);
}

const struct bp_cmd bp_cmd_restore = {
    .doc = {.name = "restore",
            .args = "[ID]",
            .summary = "Restore an archive into a database.",
            .details =
                "ID is 'latest', an id as 'backproof list' shows it, its beginning, or the folder "
                "of an archive; "
                "--at TIME takes the newest archive before a time. Every checksum is "
                "proved first. Several connections load the rows and build the indexes; "
                "when they are cut off, --resume goes on. With --jobs 1 everything "
                "happens in one transaction, so the target holds all of the archive or "
                "is as it was. A target that is not empty is refused unless --clean is "
                "given.",
            .example = "BACKPROOF_TARGET_URL=postgresql://... backproof restore latest "
                       "--backup-repo https://github.com/myorg/myapp-backups --backup-branch main",
            .groups = BP_GROUP_GENERAL | BP_GROUP_STORE | BP_GROUP_RESTORE | BP_GROUP_OPEN},
    .max_args = 1,
    .run = run,
};
