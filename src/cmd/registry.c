#include "cmd/registry.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "forge/github.h"
#include "net/http_curl.h"
#include "net/url.h"
#include "source/postgres.h"
#include "store/folder.h"
#include "store/git.h"

/* The first part of a push that is sent while the database is still being read. */
enum { PART_SIZE = 16 << 20 };

static bool is_dry(const struct bp_app *app)
{
    return bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
}

const char *bp_registry_temp_parent(const struct bp_app *app)
{
    const char *folder = bp_env_get(app->env, "RUNNER_TEMP");

    if (folder == NULL)
        folder = bp_env_get(app->env, "TMPDIR");
    return folder != NULL ? folder : "/tmp";
}

/* Secrets that an option's value holds: never from the command line, never printed. */
static enum bp_code guard(struct bp_app *app, enum bp_opt id, const struct bp_list *secrets,
                          struct bp_err *err)
{
    char env[64];

    for (size_t i = 0; i < secrets->count; i++)
        bp_secrets_add(&app->out->secrets, secrets->at[i]);
    if (secrets->count == 0 || bp_config_origin(&app->cfg, id) != BP_FROM_COMMAND_LINE)
        return BP_OK;
    bp_option_env(id, env);
    return bp_fail(err, BP_EUSAGE,
                   "the password in --%s would show in the process list; set %s instead",
                   bp_option(id)->name, env);
}

static void free_secrets(struct bp_list *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        explicit_bzero(secrets->at[i], strlen(secrets->at[i]));
    bp_list_free(secrets);
}

/* Of an address: "https://user:password@host". */
static enum bp_code guard_address(struct bp_app *app, enum bp_opt id, struct bp_err *err)
{
    const char *url = bp_config_text(&app->cfg, id);
    BP_AUTO(bp_free_secretp) char *password = url != NULL ? bp_url_password(url) : NULL;
    BP_AUTO(free_secrets) struct bp_list secrets = {0};

    if (password != NULL)
        bp_list_add(&secrets, password);
    return guard(app, id, &secrets, err);
}

/* Of a connection string, in all the forms that libpq knows. */
static enum bp_code guard_connection(struct bp_app *app, enum bp_opt id, struct bp_err *err)
{
    const char *url = bp_config_text(&app->cfg, id);
    BP_AUTO(free_secrets) struct bp_list secrets = {0};

    if (url != NULL)
        bp_postgres_url_secrets(url, &secrets);
    return guard(app, id, &secrets, err);
}

enum bp_code bp_registry_forge(struct bp_app *app, struct bp_forge **out, struct bp_err *err)
{
    const struct bp_config *cfg = &app->cfg;
    const struct bp_curl_options curl = {.ca_file = bp_config_text(cfg, BP_OPT_CA_FILE),
                                         .proxy = bp_config_text(cfg, BP_OPT_PROXY)};
    struct bp_github_options options = {.clock = app->clock,
                                        .api_url = bp_config_text(cfg, BP_OPT_API_URL),
                                        .token = bp_config_text(cfg, BP_OPT_TOKEN),
                                        .request_timeout_ms =
                                            bp_config_number(cfg, BP_OPT_REQUEST_TIMEOUT)};

    if (guard_address(app, BP_OPT_API_URL, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    *out = app->forge;
    app->forge = NULL;
    if (*out == NULL) {
        if (options.token == NULL)
            return bp_fail(err, BP_EAUTH,
                           "there is no trigger token; hint: set WORKFLOW_TRIGGER_TOKEN (in a "
                           "workflow: env: WORKFLOW_TRIGGER_TOKEN: "
                           "${{ secrets.WORKFLOW_TRIGGER_TOKEN }})");
        options.http = bp_http_curl_new(&curl);
        if (bp_github_new(&options, out, err) != BP_OK)
            return err->code;
    }
    if (is_dry(app))
        *out = bp_forge_dry_new(*out);
    return BP_OK;
}

static void tell(void *ctx, const char *words)
{
    bp_info(ctx, "%s", words);
}

static struct bp_postgres_options postgres_options(struct bp_app *app, enum bp_opt url)
{
    const char *password = bp_env_get(app->env, "PGPASSWORD");

    if (password != NULL)
        bp_secrets_add(&app->out->secrets, password);
    return (struct bp_postgres_options){
        .url = bp_config_text(&app->cfg, url),
        .env = app->env,
        .temp_parent = bp_registry_temp_parent(app),
        .clock = app->clock,
        .tell = tell,
        .tell_ctx = app->out,
        .connect_timeout_ms = bp_config_number(&app->cfg, BP_OPT_CONNECT_TIMEOUT),
        .connect_retries = bp_config_number(&app->cfg, BP_OPT_CONNECT_RETRIES),
        .lock_timeout_ms = bp_config_number(&app->cfg, BP_OPT_LOCK_TIMEOUT),
        .jobs = bp_config_number(&app->cfg, BP_OPT_JOBS),
        .ca_file = bp_config_text(&app->cfg, BP_OPT_CA_FILE),
        .proxy = bp_config_text(&app->cfg, BP_OPT_PROXY)};
}

struct bp_scope bp_registry_scope(const struct bp_app *app)
{
    const struct bp_config *cfg = &app->cfg;

    return (struct bp_scope){
        .schemas = *bp_config_list(cfg, BP_OPT_SCHEMA),
        .exclude_schemas = *bp_config_list(cfg, BP_OPT_EXCLUDE_SCHEMA),
        .tables = *bp_config_list(cfg, BP_OPT_TABLE),
        .exclude_tables = *bp_config_list(cfg, BP_OPT_EXCLUDE_TABLE),
        .exclude_table_data = *bp_config_list(cfg, BP_OPT_EXCLUDE_TABLE_DATA),
        .masks = *bp_config_list(cfg, BP_OPT_MASK),
    };
}

enum bp_code bp_registry_source(struct bp_app *app, struct bp_source **out, struct bp_err *err)
{
    struct bp_postgres_options options = postgres_options(app, BP_OPT_DATABASE_URL);

    options.scope = bp_registry_scope(app);
    options.role_passwords = bp_config_flag(&app->cfg, BP_OPT_ROLE_PASSWORDS);
    options.lock_retries = bp_config_number(&app->cfg, BP_OPT_LOCK_RETRIES);
    options.statement_timeout_ms = bp_config_number(&app->cfg, BP_OPT_STATEMENT_TIMEOUT);

    if (guard_connection(app, BP_OPT_DATABASE_URL, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    *out = app->source != NULL ? app->source : bp_postgres_source_new(&options);
    app->source = NULL;
    return BP_OK;
}

enum bp_code bp_registry_target(struct bp_app *app, struct bp_target **out, struct bp_err *err)
{
    const struct bp_postgres_options options = postgres_options(app, BP_OPT_TO);

    if (guard_connection(app, BP_OPT_TO, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    *out = app->target != NULL ? app->target : bp_postgres_target_new(&options);
    app->target = NULL;
    if (is_dry(app))
        *out = bp_target_dry_new(*out);
    return BP_OK;
}

enum bp_code bp_registry_scratch(struct bp_app *app, struct bp_scratch **out, struct bp_err *err)
{
    const struct bp_postgres_options options = postgres_options(app, BP_OPT_SCRATCH_URL);

    if (guard_connection(app, BP_OPT_SCRATCH_URL, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    if (app->scratch != NULL)
        *out = app->scratch;
    else
        *out = options.url != NULL ? bp_postgres_scratch_url_new(&options)
                                   : bp_postgres_scratch_cluster_new(&options);
    app->scratch = NULL;
    return BP_OK;
}

static struct bp_git_options git_options(const struct bp_app *app, const char *branch)
{
    const struct bp_config *cfg = &app->cfg;

    return (struct bp_git_options){
        .url = bp_config_text(cfg, BP_OPT_BACKUP_REPO),
        .branch = branch,
        .token = bp_config_text(cfg, BP_OPT_BACKUP_TOKEN),
        .ca_file = bp_config_text(cfg, BP_OPT_CA_FILE),
        .proxy = bp_config_text(cfg, BP_OPT_PROXY),
        .env = app->env,
        .temp_parent = bp_registry_temp_parent(app),
        .clock = app->clock,
        .timeout_ms = bp_config_number(cfg, BP_OPT_GIT_TIMEOUT),
        .push_limit = bp_config_number(cfg, BP_OPT_PUSH_LIMIT),
        .part_size = bp_config_number(cfg, BP_OPT_PUSH_LIMIT) > 0 ? PART_SIZE : 0};
}

enum bp_code bp_registry_branch_store(struct bp_app *app, const char *branch, struct bp_store **out,
                                      struct bp_err *err)
{
    const struct bp_git_options options = git_options(app, branch);

    if (guard_address(app, BP_OPT_BACKUP_REPO, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    if (app->store != NULL)
        *out = app->store;
    else if (options.url != NULL && bp_folder_kind(options.url) != BP_FOLDER_OTHER)
        *out = bp_folder_store_new(options.url);
    else
        *out = bp_git_store_new(&options);
    app->store = NULL;
    if (is_dry(app))
        *out = bp_store_dry_new(*out);
    return BP_OK;
}

enum bp_code bp_registry_archive_store(struct bp_app *app, const char *archive, const char **id,
                                       struct bp_store **out, struct bp_err *err)
{
    *id = archive;
    if (archive != NULL && strchr(archive, '/') != NULL && app->store == NULL &&
        bp_folder_kind(archive) == BP_FOLDER_ARCHIVE) {
        *id = "latest";
        *out = bp_folder_store_new(archive);
        if (is_dry(app))
            *out = bp_store_dry_new(*out);
        return BP_OK;
    }
    if (bp_config_text(&app->cfg, BP_OPT_BACKUP_REPO) == NULL && app->store == NULL)
        return bp_fail(err, BP_EUSAGE,
                       "it is not told where '%s' is; hint: --backup-repo or "
                       "BACKPROOF_BACKUP_REPO names the backup repository, or write the path of "
                       "an archive's folder, with a '/' in it",
                       archive != NULL ? archive : "the archive");
    return bp_registry_store(app, out, err);
}

enum bp_code bp_registry_store(struct bp_app *app, struct bp_store **out, struct bp_err *err)
{
    return bp_registry_branch_store(app, bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH), out, err);
}

enum bp_code bp_registry_branches(struct bp_app *app, struct bp_list *out, struct bp_err *err)
{
    const struct bp_git_options options = git_options(app, "");

    if (guard_address(app, BP_OPT_BACKUP_REPO, err) != BP_OK ||
        guard_address(app, BP_OPT_PROXY, err) != BP_OK)
        return err->code;
    if (bp_folder_kind(options.url) == BP_FOLDER_OTHER)
        return bp_git_branches(&options, out, err);
    bp_list_add(out, bp_config_text(&app->cfg, BP_OPT_BACKUP_BRANCH));
    return BP_OK;
}

bool bp_registry_is_folder(const struct bp_app *app, const char *archive)
{
    const char *repo = bp_config_text(&app->cfg, BP_OPT_BACKUP_REPO);

    if (archive != NULL && strchr(archive, '/') != NULL &&
        bp_folder_kind(archive) == BP_FOLDER_ARCHIVE)
        return true;
    return repo != NULL && bp_folder_kind(repo) != BP_FOLDER_OTHER;
}
