/*
 * backproof init: the two workflow files of a repository, and what is left to do.
 *
 * This file writes and prints. What the files say is in flow/init.c, the answers are got by
 * init_answers.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "cmd/cmds.h"
#include "cmd/init_answers.h"

enum { FILES = 2, OLD_LIMIT = 1024 * 1024 };

struct files {
    struct {
        char *shown; /* below the repository's folder */
        char *path;
        struct bp_buf text;
        bool there; /* with another content */
        bool same;
    } at[FILES];
};

static void files_free(struct files *files)
{
    for (size_t i = 0; i < FILES; i++) {
        bp_free(files->at[i].shown);
        bp_free(files->at[i].path);
        bp_buf_free(&files->at[i].text);
    }
}

static enum bp_code make_files(const struct bp_init_answers *answers, const char *top,
                               struct files *out, struct bp_err *err)
{
    const char *const names[FILES] = {answers->workflow, BP_INIT_SCHEDULED};

    for (size_t i = 0; i < FILES; i++) {
        out->at[i].shown = bp_format(BP_INIT_FOLDER "/%s", names[i]);
        out->at[i].path = bp_format("%s/%s", top != NULL ? top : ".", out->at[i].shown);
    }
    if (bp_init_backup(answers, &out->at[0].text, err) != BP_OK ||
        bp_init_scheduled(answers, &out->at[1].text, err) != BP_OK)
        return err->code;
    return BP_OK;
}

/* Before anything is written: all names that are taken, at once. */
static enum bp_code look_at_old(struct files *files, bool force, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf taken = {0};

    for (size_t i = 0; i < FILES; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf old = {0};
        enum bp_code rc = bp_file_read(files->at[i].path, OLD_LIMIT, &old, NULL);

        if (rc != BP_OK && rc != BP_ENOTFOUND)
            return bp_fail(err, BP_EFAILED, "cannot read '%s', nothing was written",
                           files->at[i].shown);
        files->at[i].same =
            rc == BP_OK && strcmp(bp_buf_str(&old), bp_buf_str(&files->at[i].text)) == 0;
        files->at[i].there = rc != BP_ENOTFOUND && !files->at[i].same;
        if (files->at[i].there)
            bp_buf_printf(&taken, "%s%s", taken.len > 0 ? " and " : "", files->at[i].shown);
    }
    if (taken.len == 0 || force)
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "there is already %s, nothing was written; hint: --force replaces, --print "
                   "shows what would be written",
                   taken.data);
}

static enum bp_code write_files(struct bp_app *app, struct files *files, struct bp_err *err)
{
    bool force = bp_config_flag(&app->cfg, BP_OPT_FORCE);

    if (look_at_old(files, force, err) != BP_OK)
        return err->code;
    for (size_t i = 0; i < FILES; i++) {
        if (!files->at[i].same &&
            bp_file_put(files->at[i].path, bp_buf_str(&files->at[i].text), force, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

/* ---- what is said ---- */

static const char *state_of(const struct files *files, size_t i, bool dry)
{
    if (dry)
        return "would write";
    if (files->at[i].same)
        return "unchanged";
    return files->at[i].there ? "replaced" : "wrote";
}

static void report_json(struct bp_app *app, const struct bp_init_answers *answers,
                        const struct files *files, bool dry)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_json *list = bp_json_array_new();
    struct bp_json *secrets = bp_json_array_new();
    struct bp_init_secret needed[BP_INIT_SECRETS] = {0};

    for (size_t i = 0; i < FILES; i++) {
        struct bp_json *one = bp_json_object_new();

        bp_json_set_text(one, "path", files->at[i].shown);
        bp_json_set_text(one, "state", state_of(files, i, dry));
        bp_json_set_text(one, "text", bp_buf_str(&files->at[i].text));
        bp_json_push(list, one);
    }
    bp_init_secrets(answers, needed);
    for (size_t i = 0; i < BP_INIT_SECRETS && needed[i].name != NULL; i++) {
        struct bp_json *one = bp_json_object_new();

        bp_json_set_text(one, "name", needed[i].name);
        bp_json_set_text(one, "command", needed[i].command);
        bp_json_set_text(one, "what", needed[i].what);
        bp_json_push(secrets, one);
    }
    bp_init_secrets_free(needed);
    bp_json_set_text(top, "repository", answers->repo);
    bp_json_set(top, "files", list);
    bp_json_set(top, "secrets", secrets);
    bp_json_render(top, 2, &text);
    bp_print(app->out, "%s\n", bp_buf_str(&text));
}

/* Two YAML documents, of which each is a file. */
static void show_files(struct bp_app *app, const struct files *files)
{
    for (size_t i = 0; i < FILES; i++)
        bp_print(app->out, "--- # %s\n%s", files->at[i].shown, bp_buf_str(&files->at[i].text));
}

static void report_text(struct bp_app *app, const struct bp_init_answers *answers,
                        const struct files *files)
{
    struct bp_init_secret needed[BP_INIT_SECRETS] = {0};

    for (size_t i = 0; i < FILES; i++)
        bp_print(app->out, "%s %s\n", state_of(files, i, false), files->at[i].shown);
    bp_print(app->out, "\nthe workflows need these secrets, each command asks for the value:\n\n");
    bp_init_secrets(answers, needed);
    for (size_t i = 0; i < BP_INIT_SECRETS && needed[i].name != NULL; i++)
        bp_print(app->out, "  %s\n      %s\n", needed[i].command, needed[i].what);
    bp_init_secrets_free(needed);
    bp_print(app->out,
             "\nthen commit both files on the default branch, and %s on each branch\n"
             "that is backed up, and push\n",
             answers->workflow);
}

/* ---- the look whether it works ---- */

/* An option of this call that `check` has to know as well. */
static void pass_on(const struct bp_app *app, enum bp_opt id, struct bp_list *words)
{
    if (bp_config_origin(&app->cfg, id) == BP_FROM_COMMAND_LINE)
        bp_list_addf(words, "--%s=%s", bp_option(id)->name, bp_config_text(&app->cfg, id));
}

static bool has_token(const struct bp_app *app)
{
    const struct bp_option *token = bp_option(BP_OPT_TOKEN);
    char name[64];
    bool found = false;

    bp_option_env(BP_OPT_TOKEN, name);
    found = bp_env_get(app->env, name) != NULL;
    for (size_t i = 0; !found && token->also[i] != NULL; i++)
        found = bp_env_get(app->env, token->also[i]) != NULL;
    return found;
}

/* The token goes to the server that its owner named, never to one that was only guessed. */
static bool may_check(const struct bp_app *app, const struct bp_init_answers *answers)
{
    return has_token(app) && (strcmp(answers->server, "https://github.com") == 0 ||
                              bp_config_origin(&app->cfg, BP_OPT_API_URL) > BP_FROM_DEFAULT);
}

/* `check` with what was answered. */
static enum bp_code run_check(struct bp_app *app, const struct bp_init_answers *answers,
                              struct bp_err *err)
{
    struct bp_app sub = *app;
    BP_AUTO(bp_list_free) struct bp_list words = {0};
    enum bp_code rc = BP_OK;

    app->forge = NULL;
    bp_list_addf(&words, "--repo=%s", answers->repo);
    bp_list_addf(&words, "--workflow=%s", answers->workflow);
    for (size_t i = 0; i < answers->branches->count; i++)
        bp_list_addf(&words, "--branch=%s", answers->branches->at[i]);
    pass_on(app, BP_OPT_API_URL, &words);
    pass_on(app, BP_OPT_CA_FILE, &words);
    pass_on(app, BP_OPT_PROXY, &words);
    bp_list_take(&words, NULL);
    /* Of a dispatch alone: the database and its repository may be out of reach from here. */
    rc = bp_config_load(&sub.cfg, BP_GROUP_GENERAL | BP_GROUP_FORGE, (const char *const *)words.at,
                        app->env, &app->out->secrets, err);
    if (rc == BP_OK)
        rc = bp_cmd_check.run(&sub, err);
    bp_forge_freep(&sub.forge);
    bp_config_free(&sub.cfg);
    return rc;
}

/* Files that are not pushed yet are no failure of this call. */
static enum bp_code look_whether_it_works(struct bp_app *app, const struct bp_init_answers *answers,
                                          struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf command = {0};
    struct bp_err why = {0};

    bp_init_put_check(answers, &command);
    if (!may_check(app, answers)) {
        bp_print(app->out, "next: export WORKFLOW_TRIGGER_TOKEN=... && %s\n", command.data);
        return BP_OK;
    }
    bp_print(app->out, "\n%s:\n", command.data);
    if (run_check(app, answers, &why) == BP_OK)
        return BP_OK;
    if (why.code == BP_ESTOPPED)
        return bp_fail(err, why.code, "%s", why.msg);
    bp_warn(app->out, "not ready yet: %s", why.msg);
    bp_print(app->out, "next: when the files are pushed, %s\n", command.data);
    return BP_OK;
}

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    bool dry = bp_config_flag(&app->cfg, BP_OPT_PRINT) || bp_config_flag(&app->cfg, BP_OPT_DRY_RUN);
    bool json = bp_config_is(&app->cfg, BP_OPT_FORMAT, "json");
    BP_AUTO(bp_init_place_free) struct bp_init_place place = {0};
    BP_AUTO(bp_init_asked_free) struct bp_init_asked asked = {0};
    BP_AUTO(files_free) struct files files = {0};
    size_t minute = 0;

    if (bp_init_place_find(app, &place, err) != BP_OK)
        return err->code;
    if (place.top == NULL && !dry)
        return bp_fail(err, BP_EUSAGE,
                       "this folder is in no Git repository; hint: run it in the working copy of "
                       "the application, or with --print");
    if (bp_init_ask(app, &place, &asked, err) != BP_OK ||
        make_files(&asked.answers, place.top, &files, err) != BP_OK ||
        (!dry && write_files(app, &files, err) != BP_OK))
        return err->code;
    minute = strspn(asked.schedule, "0");
    if (minute > 0 && strchr(" ,", asked.schedule[minute]) != NULL)
        bp_warn(app->out,
                "'%s' is at the full hour, when GitHub is late most often; hint: take "
                "another minute",
                asked.schedule);
    if (json) {
        report_json(app, &asked.answers, &files, dry);
        return BP_OK;
    }
    if (dry) {
        show_files(app, &files);
        return BP_OK;
    }
    report_text(app, &asked.answers, &files);
    return look_whether_it_works(app, &asked.answers, err);
}

const struct bp_cmd bp_cmd_init = {
    .doc =
        {.name = "init",
         .args = "",
         .summary = "Write the two workflow files of a repository, and say what is left to do.",
         .details =
             "Asks, at a terminal, for what is not given: --repo (guessed from the remote "
             "origin), --branch for each branch, --schedule, --backup-repo, and --recipient for "
             "sealed backups. Writes below .github/workflows of the repository that the current folder is in and replaces "
             "no file unless --force is given. Then it names the secrets, each with the command "
             "that sets it, and runs 'check' if there is a token in the environment.",
         .example = "backproof init --branch main --branch dev --backup-repo myorg/myapp-backups",
         .groups = BP_GROUP_GENERAL | BP_GROUP_INIT},
    .run = run,
};
