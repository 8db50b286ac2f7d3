/*
 * backproof check: would a dispatch work, and would a backup?
 *
 * This file reads options and prints. The work is in flow/dispatch.c, which stops before it sends,
 * and in flow/check_backup.c.
 */
#include <string.h>

#include "cmd/backup_keys.h"
#include "cmd/cmds.h"
#include "cmd/dispatch_setup.h"
#include "cmd/registry.h"
#include "flow/check_backup.h"
#include "flow/report.h"

/* What is configured, and so is looked at. */
struct scope {
    bool dispatch;
    bool database;
    bool store;
};

static bool has_database(const struct bp_app *app)
{
    /* What names a server or a database to libpq. */
    static const char *const vars[] = {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"};

    /* init asks for the check of a dispatch alone, and reads no options of a database. */
    if (bp_config_origin(&app->cfg, BP_OPT_CONNECT_TIMEOUT) == BP_FROM_NOWHERE)
        return false;
    for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
        if (bp_env_get(app->env, vars[i]) != NULL)
            return true;
    }
    return bp_config_text(&app->cfg, BP_OPT_DATABASE_URL) != NULL;
}

/* Every job of a workflow has GITHUB_REPOSITORY, whatever it is about. */
static bool names_repository(const struct bp_config *cfg)
{
    return bp_config_list(cfg, BP_OPT_TARGET)->count > 0 ||
           (bp_config_text(cfg, BP_OPT_REPO) != NULL &&
            strcmp(cfg->values[BP_OPT_REPO].name, "GITHUB_REPOSITORY") != 0);
}

static enum bp_code choose(const struct bp_app *app, struct scope *out, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;

    out->database = has_database(app);
    out->store = bp_config_text(cfg, BP_OPT_BACKUP_REPO) != NULL;
    out->dispatch = names_repository(cfg) || bp_config_text(cfg, BP_OPT_TOKEN) != NULL;
    if (!out->database && !out->store && bp_config_text(cfg, BP_OPT_REPO) != NULL)
        out->dispatch = true;
    if (!out->database && !out->store && !out->dispatch)
        return bp_fail(err, BP_EUSAGE,
                       "nothing to check is named; hint: a dispatch is checked with --repo and a "
                       "trigger token, a database with DATABASE_URL or libpq's variables, a backup "
                       "repository with --backup-repo");
    return BP_OK;
}

static void print_findings(struct bp_app *app, const struct bp_findings *findings, bool ok)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (bp_config_is(&app->cfg, BP_OPT_FORMAT, "json"))
        bp_report_check_json(findings, ok, &app->out->secrets, &text);
    else
        bp_report_check_text(findings, &app->out->secrets, &text);
    bp_print(app->out, "%s", bp_buf_str(&text));
}

/* The first `dispatched` findings are about a dispatch, the others about a backup. */
static enum bp_code judge(const struct bp_findings *findings, size_t dispatched, struct bp_err *err)
{
    const struct bp_finding *failure = NULL;
    size_t failures = 0;
    bool dispatch = false;
    bool backup = false;
    const char *what = "a dispatch and a backup would fail";

    for (size_t i = 0; i < findings->count; i++) {
        if (findings->at[i].level != BP_FOUND_FAILURE)
            continue;
        failures++;
        failure = &findings->at[i];
        dispatch = dispatch || i < dispatched;
        backup = backup || i >= dispatched;
    }
    if (!backup)
        what = "a dispatch would fail";
    else if (!dispatch)
        what = "a backup would fail";
    /* One failure is told as it is, several by their number. */
    if (failures == 1)
        return bp_fail(err, failure->code, "%s: %s%s%s", what, failure->what,
                       failure->fix[0] != '\0' ? "; hint: " : "", failure->fix);
    if (failures > 1)
        return bp_fail(err, bp_findings_verdict(findings), "%s, for the %zu reasons above", what,
                       failures);
    return BP_OK;
}

/* Out of time, or a limit: nothing was found to be wrong, and nothing is known. */
static enum bp_code judge_branches(const struct bp_dispatch_results *results, struct bp_err *err)
{
    for (size_t i = 0; i < results->count; i++) {
        if (!bp_verdict_is_good(results->at[i].verdict))
            return bp_fail(err, results->at[i].code, "%s", results->at[i].reason);
    }
    return BP_OK;
}

/* All that a check needs, owned. */
struct parts {
    struct scope scope;
    struct bp_dispatch_setup dispatch;
    struct bp_source *source;
    struct bp_store *store;
};

static void free_parts(struct parts *parts)
{
    bp_dispatch_setup_free(&parts->dispatch);
    bp_source_freep(&parts->source);
    bp_store_freep(&parts->store);
}

static enum bp_code make_parts(struct bp_app *app, struct parts *parts, struct bp_err *err)
{
    enum bp_code rc = choose(app, &parts->scope, err);

    if (rc == BP_OK && parts->scope.dispatch)
        rc = bp_dispatch_setup_read(app, true, &parts->dispatch, err);
    if (rc == BP_OK && parts->scope.database)
        rc = bp_registry_source(app, &parts->source, err);
    if (rc == BP_OK && parts->scope.store)
        rc = bp_registry_store(app, &parts->store, err);
    return rc;
}

/* What a backup would refuse of its keys; gives the number of recipients. */
static size_t look_at_keys(struct bp_app *app, struct bp_findings *findings)
{
    BP_AUTO(bp_backup_keys_free) struct bp_backup_keys keys = {0};
    struct bp_err why = {0};

    if (bp_backup_keys_load(app, &keys, &why) != BP_OK)
        bp_findings_fail(findings, "sealing", &why);
    return keys.recipients.count;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    BP_AUTO(free_parts) struct parts parts = {0};
    BP_AUTO(bp_dispatch_results_free) struct bp_dispatch_results results = {0};
    struct bp_check_backup_job backup = {.branch = bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH),
                                         .clock = app->clock,
                                         .allow_public =
                                             bp_config_flag(&app->cfg, BP_OPT_ALLOW_PUBLIC)};
    size_t dispatched = 0;
    enum bp_code rc = make_parts(app, &parts, err);

    if (rc != BP_OK)
        return rc;
    backup.source = parts.source;
    backup.store = parts.store;
    if (parts.scope.dispatch)
        rc = bp_flow_dispatch(&parts.dispatch.job, &results, err);
    dispatched = results.findings.count;
    if (rc == BP_OK && (parts.scope.store || parts.scope.database))
        backup.recipients = look_at_keys(app, &results.findings);
    if (rc == BP_OK)
        rc = bp_flow_check_backup(&backup, &results.findings, err);
    if (rc == BP_OK)
        rc = judge(&results.findings, dispatched, err);
    if (rc == BP_OK)
        rc = judge_branches(&results, err);
    print_findings(app, &results.findings, rc == BP_OK);
    return rc;
}

const struct bp_cmd bp_cmd_check = {
    .doc =
        {.name = "check",
         .args = "",
         .summary = "Tell whether a dispatch and a backup would work; changes nothing.",
         .details =
             "One line for each thing that was looked at, with its fix when something is wrong. "
             "Of a dispatch: the token (kind, expiry, access), this machine's clock, the rate "
             "limit, the repository, whether Actions is on, the workflow, and for each branch "
             "whether it exists and its copy of the workflow takes this dispatch; without a "
             "branch it looks at the default branch. Of a database, when one is named: "
             "connection, pooler, version, pg_dump, rights, row-level security, extensions, "
             "locks, connections, room for temporary files. Of a backup repository, when one is "
             "named: whether it can be read, how large its branch is and when it is full. Of keys for "
             "sealing and signing: whether a backup can use them.",
         .example = "WORKFLOW_TRIGGER_TOKEN=... backproof check --repo myorg/myapp --branch main",
         .groups = BP_GROUP_GENERAL | BP_GROUP_FORGE | BP_GROUP_SOURCE | BP_GROUP_BACKUP |
                   BP_GROUP_STORE},
    .run = run,
};
