#include "cmd/app.h"

#include <string.h>

#include "base/text.h"
#include "gha/command.h"

static const struct bp_cmd *find_cmd(const char *name)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        if (strcmp(bp_cmds[i]->doc.name, name) == 0)
            return bp_cmds[i];
    }
    return NULL;
}

static enum bp_code check_needs(const struct bp_cmd *cmd, const struct bp_config *cfg,
                                struct bp_err *err)
{
    for (const enum bp_opt *need = cmd->needs; need != NULL && *need != BP_OPT_COUNT; need++) {
        char env[64];

        if (bp_config_text(cfg, *need) != NULL)
            continue;
        bp_option_env(*need, env);
        return bp_fail(err, BP_EUSAGE, "%s needs --%s or %s", cmd->doc.name, bp_option(*need)->name,
                       env);
    }
    if (cfg->args.count < cmd->min_args)
        return bp_fail(err, BP_EUSAGE, "%s needs %s; hint: backproof %s --help", cmd->doc.name,
                       cmd->doc.args, cmd->doc.name);
    if (cfg->args.count > cmd->max_args)
        return bp_fail(err, BP_EUSAGE,
                       "%s does not know what to do with '%s'; hint: backproof %s "
                       "--help",
                       cmd->doc.name, cfg->args.at[cmd->max_args], cmd->doc.name);
    return BP_OK;
}

/* How much is printed, and how. */
static void set_up_output(struct bp_app *app)
{
    struct bp_out *out = app->out;

    if (bp_config_flag(&app->cfg, BP_OPT_VERBOSE))
        out->level = BP_LEVEL_VERBOSE;
    else if (bp_config_flag(&app->cfg, BP_OPT_QUIET))
        out->level = BP_LEVEL_QUIET;
    if (bp_config_is(&app->cfg, BP_OPT_COLOR, "always"))
        out->color = true;
    else if (bp_config_is(&app->cfg, BP_OPT_COLOR, "never"))
        out->color = false;
    else
        out->color = out->terminal && bp_env_get(app->env, "NO_COLOR") == NULL;
}

static enum bp_code run_cmd(struct bp_app *app, const struct bp_cmd *cmd, const char *const *words,
                            struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf help = {0};

    if (bp_config_load(&app->cfg, cmd->doc.groups, words, app->env, &app->out->secrets, err) !=
        BP_OK)
        return err->code;
    if (app->cfg.help) {
        bp_render_cmd_help(&cmd->doc, &help);
        bp_print(app->out, "%s", bp_buf_str(&help));
        return BP_OK;
    }
    set_up_output(app);
    if (check_needs(cmd, &app->cfg, err) != BP_OK)
        return err->code;
    return cmd->run(app, err);
}

static enum bp_code run_words(struct bp_app *app, const char *const *words, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf help = {0};
    const struct bp_cmd *cmd = NULL;

    if (words[0] == NULL || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0) {
        cmd = words[0] != NULL && words[1] != NULL ? find_cmd(words[1]) : NULL;
        if (cmd != NULL)
            bp_render_cmd_help(&cmd->doc, &help);
        else
            bp_render_help(bp_cmd_program(), &help);
        bp_print(app->out, "%s", bp_buf_str(&help));
        return words[0] != NULL ? BP_OK : bp_fail(err, BP_EUSAGE, "no command is given");
    }
    cmd = find_cmd(strcmp(words[0], "--version") == 0 ? "version" : words[0]);
    if (cmd == NULL)
        return bp_fail(err, BP_EUSAGE, "no command '%s'; hint: backproof --help lists them",
                       words[0]);
    return run_cmd(app, cmd, words + 1, err);
}

/* What was printed must have arrived: a full disk behind stdout is a failure. */
static enum bp_code flush(struct bp_out *out, struct bp_err *err)
{
    bp_progress_end(out);
    if (fflush(out->out) != 0 || ferror(out->out) != 0)
        return bp_fail(err, BP_EFAILED, "cannot write the results: %m");
    return BP_OK;
}

int bp_app_run(struct bp_app *app, const char *const *words)
{
    struct bp_err err = {0};
    struct bp_err late = {0};
    enum bp_code rc = BP_OK;

    app->out->runner = bp_gha_is_runner(app->env);
    app->out->annotate = app->out->runner ? bp_gha_annotate : NULL;
    rc = run_words(app, words, &err);
    if (flush(app->out, &late) != BP_OK && rc == BP_OK) {
        rc = late.code;
        err = late;
    }
    if (rc != BP_OK)
        bp_error(app->out, "%s", err.msg);
    bp_forge_freep(&app->forge);
    bp_source_freep(&app->source);
    bp_target_freep(&app->target);
    bp_store_freep(&app->store);
    bp_config_free(&app->cfg);
    if (rc == BP_ESTOPPED && bp_stop_signal(app->clock->stop) != 0)
        return 128 + bp_stop_signal(app->clock->stop);
    return bp_code_exit_status(rc);
}
