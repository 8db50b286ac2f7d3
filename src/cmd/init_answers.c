#include "cmd/init_answers.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { LINE_MAX_LEN = 1024, TRIES = 3 };

struct question {
    enum bp_opt id;
    const char *words;
    const char *guess; /* NULL: none */
    enum bp_code (*check)(const char *answer, struct bp_err *err);
};

/* Until there is a line, or we are asked to end. A terminal gives one line at a time, so none waits
 * in the stream's own memory. */
static enum bp_code wait_for_line(struct bp_app *app, struct bp_err *err)
{
    const struct bp_stop *stop = app->clock->stop;
    int fd = fileno(app->in);
    bool ready = false;

    if (fd < 0 || stop == NULL)
        return BP_OK;
    return bp_stop_wait(stop, fd, POLLIN, -1, &ready, err);
}

static enum bp_code read_line(struct bp_app *app, char line[LINE_MAX_LEN], struct bp_err *err)
{
    if (wait_for_line(app, err) != BP_OK)
        return err->code;
    if (fgets(line, LINE_MAX_LEN, app->in) != NULL) {
        bp_text_trim(line);
        return BP_OK;
    }
    return bp_fail(err, BP_EUSAGE, "the questions were not answered, nothing was written");
}

/* A wrong answer is asked for again. */
static enum bp_code ask_person(struct bp_app *app, const struct question *q, char **out,
                               struct bp_err *err)
{
    char line[LINE_MAX_LEN] = "";

    for (int i = 0; i < TRIES; i++) {
        if (q->guess != NULL)
            bp_ask(app->out, "%s [%s]: ", q->words, q->guess);
        else
            bp_ask(app->out, "%s: ", q->words);
        if (read_line(app, line, err) != BP_OK)
            return err->code;
        bp_free(*out);
        *out = bp_strdup(line[0] == '\0' && q->guess != NULL ? q->guess : line);
        if (q->check(*out, err) == BP_OK)
            return BP_OK;
        if (i + 1 < TRIES)
            bp_warn(app->out, "%s", err->msg);
    }
    return err->code;
}

/* An option, else a person, else the guess. */
static enum bp_code answer(struct bp_app *app, const struct question *q, char **out,
                           struct bp_err *err)
{
    const char *given = bp_config_text(&app->cfg, q->id);
    char env[64];

    if (bp_config_origin(&app->cfg, q->id) > BP_FROM_DEFAULT)
        *out = bp_strdup(given);
    else if (app->in_terminal)
        return ask_person(app, q, out, err);
    else if (q->guess != NULL)
        *out = bp_strdup(q->guess);
    if (*out != NULL)
        return BP_OK;
    bp_option_env(q->id, env);
    return bp_fail(err, BP_EUSAGE, "init needs --%s or %s", bp_option(q->id)->name, env);
}

/* Typed on one line: "main, dev" or "main dev". */
static void split(char *text, struct bp_list *out)
{
    char *more = NULL;

    for (char *word = strtok_r(text, ", ", &more); word != NULL;
         word = strtok_r(NULL, ", ", &more)) {
        if (!bp_list_has(out, word))
            bp_list_add(out, word);
    }
}

static enum bp_code check_branches(const char *text, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    BP_AUTO(bp_list_free) struct bp_list branches = {0};

    split(copy, &branches);
    for (size_t i = 0; i < branches.count; i++) {
        if (bp_init_check_branch(branches.at[i], err) != BP_OK)
            return err->code;
    }
    return branches.count > 0 ? BP_OK : bp_init_check_branch("", err);
}

static enum bp_code answer_branches(struct bp_app *app, const struct bp_init_place *place,
                                    struct bp_list *out, struct bp_err *err)
{
    const struct bp_list *given = bp_config_list(&app->cfg, BP_OPT_BRANCH);
    const struct question q = {BP_OPT_BRANCH, "branches to back up",
                               place->branch != NULL ? place->branch : "main", check_branches};
    BP_AUTO(bp_freep) char *typed = NULL;

    for (size_t i = 0; i < given->count; i++) {
        if (!bp_list_has(out, given->at[i]))
            bp_list_add(out, given->at[i]);
    }
    if (out->count > 0)
        return BP_OK;
    if (answer(app, &q, &typed, err) != BP_OK)
        return err->code;
    split(typed, out);
    return BP_OK;
}

static enum bp_code check_recipients(const char *text, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    BP_AUTO(bp_list_free) struct bp_list recipients = {0};

    split(copy, &recipients);
    for (size_t i = 0; i < recipients.count; i++) {
        if (bp_init_check_recipient(recipients.at[i], err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

/* Nobody has to be named: then the backups are readable. */
static enum bp_code answer_recipients(struct bp_app *app, struct bp_list *out, struct bp_err *err)
{
    const struct bp_list *given = bp_config_list(&app->cfg, BP_OPT_RECIPIENT);
    const struct question q = {BP_OPT_RECIPIENT,
                               "age recipients who can open the backups, or nothing for readable "
                               "ones",
                               NULL, check_recipients};
    BP_AUTO(bp_freep) char *typed = NULL;

    for (size_t i = 0; i < given->count; i++) {
        if (!bp_list_has(out, given->at[i]))
            bp_list_add(out, given->at[i]);
    }
    if (out->count > 0 || !app->in_terminal)
        return BP_OK;
    if (ask_person(app, &q, &typed, err) != BP_OK)
        return err->code;
    split(typed, out);
    return BP_OK;
}

/* https://HOST/api/v3 is the API of the server https://HOST; owned by the caller. */
static char *server_of(const struct bp_app *app, const struct bp_init_place *place)
{
    static const char path[] = "/api/v3";
    const char *api = bp_config_text(&app->cfg, BP_OPT_API_URL);
    const char *server = bp_env_get(app->env, "GITHUB_SERVER_URL");

    if (bp_config_origin(&app->cfg, BP_OPT_API_URL) == BP_FROM_COMMAND_LINE &&
        bp_text_ends_with(api, path))
        return bp_strndup(api, strlen(api) - strlen(path));
    if (place->server != NULL)
        return bp_strdup(place->server);
    return bp_strdup(server != NULL ? server : "https://github.com");
}

enum bp_code bp_init_ask(struct bp_app *app, const struct bp_init_place *place,
                         struct bp_init_asked *out, struct bp_err *err)
{
    const struct question repo = {BP_OPT_REPO, "repository of the application, owner/name",
                                  place->repo, bp_init_check_repo};
    const struct question schedule = {BP_OPT_SCHEDULE, "schedule in UTC",
                                      bp_config_text(&app->cfg, BP_OPT_SCHEDULE),
                                      bp_init_check_schedule};
    BP_AUTO(bp_freep) char *guess = NULL;

    if (answer(app, &repo, &out->repo, err) != BP_OK ||
        answer_branches(app, place, &out->branches, err) != BP_OK ||
        answer(app, &schedule, &out->schedule, err) != BP_OK)
        return err->code;
    /* A guess only for a person, who sees it. */
    guess = app->in_terminal ? bp_format("%s-backups", out->repo) : NULL;
    const struct question backups = {BP_OPT_BACKUP_REPO, "private repository for the backups",
                                     guess, bp_init_check_backup_repo};

    if (answer(app, &backups, &out->backup_repo, err) != BP_OK ||
        answer_recipients(app, &out->recipients, err) != BP_OK)
        return err->code;
    out->server = server_of(app, place);
    out->answers = (struct bp_init_answers){.server = out->server,
                                            .repo = out->repo,
                                            .branches = &out->branches,
                                            .schedule = out->schedule,
                                            .workflow = bp_config_text(&app->cfg, BP_OPT_WORKFLOW),
                                            .backup_repo = out->backup_repo,
                                            .recipients = &out->recipients};
    return bp_init_check(&out->answers, err);
}

void bp_init_asked_free(struct bp_init_asked *asked)
{
    bp_free(asked->repo);
    bp_free(asked->schedule);
    bp_free(asked->backup_repo);
    bp_free(asked->server);
    bp_list_free(&asked->branches);
    bp_list_free(&asked->recipients);
    *asked = (struct bp_init_asked){0};
}
