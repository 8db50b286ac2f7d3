#include "flow/init.h"

#include <string.h>

#include "archive/embedded.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

static const char mark[] = " # init: ";
static const char github[] = "https://github.com";

/* ---- the templates ---- */

/* As YAML between single quotes: there nothing but the quote itself has a meaning. */
static void put_yaml(const char *text, struct bp_buf *out)
{
    bp_buf_putc(out, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            bp_buf_putc(out, '\'');
        bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, '\'');
}

/* ["main", "dev"], which an option that is a list reads. */
static void put_list(const struct bp_list *list, struct bp_buf *out)
{
    bp_buf_putc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        BP_AUTO(bp_json_freep) struct bp_json *text = bp_json_text_new(list->at[i]);

        bp_buf_puts(out, i > 0 ? ", " : "");
        bp_json_render(text, 0, out);
    }
    bp_buf_putc(out, ']');
}

static char *backup_address(const struct bp_init_answers *answers)
{
    if (bp_init_check_repo(answers->backup_repo, NULL) == BP_OK)
        return bp_format("%s/%s", answers->server, answers->backup_repo);
    return bp_strdup(answers->backup_repo);
}

/* The answer of this name; NULL: there is none. Owned by the caller. */
static char *answer_of(const struct bp_init_answers *answers, const char *name)
{
    struct bp_buf text = {0};

    if (strcmp(name, "schedule") == 0)
        return bp_strdup(answers->schedule);
    if (strcmp(name, "workflow") == 0)
        return bp_strdup(answers->workflow);
    if (strcmp(name, "backup-repo") == 0)
        return backup_address(answers);
    if (strcmp(name, "branches") == 0)
        put_list(answers->branches, &text);
    else if (strcmp(name, "recipients") == 0)
        put_list(answers->recipients, &text);
    else
        return NULL;
    return bp_buf_take(&text);
}

static bool is_sealed(const struct bp_init_answers *answers)
{
    return answers->recipients != NULL && answers->recipients->count > 0;
}

static bool is_left_out(const char *name, const struct bp_init_answers *answers)
{
    return strcmp(name, "leave out") == 0 ||
           (!is_sealed(answers) &&
            (strcmp(name, "if sealed") == 0 || strcmp(name, "recipients") == 0));
}

static enum bp_code fill_line(char *line, const struct bp_init_answers *answers, struct bp_buf *out,
                              struct bp_err *err)
{
    char *name = strstr(line, mark);
    const char *colon = strstr(line, ": ");

    if (name == NULL) {
        bp_buf_printf(out, "%s\n", line);
        return BP_OK;
    }
    *name = '\0';
    name += sizeof(mark) - 1;
    if (is_left_out(name, answers))
        return BP_OK;
    if (strcmp(name, "if sealed") == 0) {
        bp_buf_printf(out, "%s\n", line);
        return BP_OK;
    }
    BP_AUTO(bp_freep) char *answer = answer_of(answers, name);

    if (answer == NULL || colon == NULL)
        return bp_fail(err, BP_EFAILED, "the template has a mark '%s' that nobody fills in", name);
    bp_buf_add(out, line, (size_t)(colon + 2 - line));
    put_yaml(answer, out);
    bp_buf_putc(out, '\n');
    return BP_OK;
}

enum bp_code bp_init_fill(const char *template, const struct bp_init_answers *answers,
                          struct bp_buf *out, struct bp_err *err)
{
    while (*template != '\0') {
        size_t len = strcspn(template, "\n");
        BP_AUTO(bp_freep) char *line = bp_strndup(template, len);

        if (fill_line(line, answers, out, err) != BP_OK)
            return err->code;
        template += len + (template[len] == '\n');
    }
    return BP_OK;
}

enum bp_code bp_init_backup(const struct bp_init_answers *answers, struct bp_buf *out,
                            struct bp_err *err)
{
    return bp_init_fill(bp_embedded_backup_yml, answers, out, err);
}

enum bp_code bp_init_scheduled(const struct bp_init_answers *answers, struct bp_buf *out,
                               struct bp_err *err)
{
    return bp_init_fill(bp_embedded_scheduled_backup_yml, answers, out, err);
}

/* ---- what is left to do ---- */

/* Of the server's host, where it is not github.com: what gh and the API are told. */
static const char *other_host(const struct bp_init_answers *answers)
{
    return strcmp(answers->server, github) == 0 ? NULL : strstr(answers->server, "://") + 3;
}

static char *set_command(const struct bp_init_answers *answers, const char *name)
{
    const char *host = other_host(answers);

    return bp_format("gh secret set %s -R %s%s%s", name, host != NULL ? host : "",
                     host != NULL ? "/" : "", answers->repo);
}

void bp_init_secrets(const struct bp_init_answers *answers,
                     struct bp_init_secret out[BP_INIT_SECRETS])
{
    static const char *const names[BP_INIT_SECRETS] = {"WORKFLOW_TRIGGER_TOKEN", "BACKUP_TOKEN",
                                                       "DATABASE_URL", "BACKUP_CHUNK_KEY"};
    const size_t count = is_sealed(answers) ? BP_INIT_SECRETS : BP_INIT_SECRETS - 1;
    BP_AUTO(bp_freep) char *backups = backup_address(answers);

    memset(out, 0, BP_INIT_SECRETS * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        out[i].name = names[i];
        out[i].command = set_command(answers, names[i]);
    }
    out[0].what = bp_format("a fine-grained token for %s: Actions: read and write, Contents: read",
                            answers->repo);
    out[1].what = bp_format("a fine-grained token for %s: Contents: read and write", backups);
    out[2].what = bp_strdup("postgresql://user:password@host/database, of a user who may read "
                            "every table and sequence");
    if (is_sealed(answers))
        out[3].what =
            bp_strdup("what 'backproof keygen chunk' prints; with it, what has not changed "
                      "is not pushed again");
}

void bp_init_secrets_free(struct bp_init_secret secrets[BP_INIT_SECRETS])
{
    for (size_t i = 0; i < BP_INIT_SECRETS; i++) {
        bp_free(secrets[i].command);
        bp_free(secrets[i].what);
        secrets[i] = (struct bp_init_secret){0};
    }
}

/* A word that a shell takes as it is. */
static void put_word(const char *word, struct bp_buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_./:@%+,";

    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        bp_buf_puts(out, word);
        return;
    }
    bp_buf_putc(out, '\'');
    for (const char *p = word; *p != '\0'; p++) {
        if (*p == '\'')
            bp_buf_puts(out, "'\\'");
        bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, '\'');
}

void bp_init_put_check(const struct bp_init_answers *answers, struct bp_buf *out)
{
    const char *host = other_host(answers);

    bp_buf_printf(out, "backproof check --repo %s", answers->repo);
    for (size_t i = 0; i < answers->branches->count; i++) {
        bp_buf_puts(out, " --branch ");
        put_word(answers->branches->at[i], out);
    }
    if (strcmp(answers->workflow, "backup.yml") != 0)
        bp_buf_printf(out, " --workflow %s", answers->workflow);
    if (host != NULL && bp_text_ends_with(host, ".ghe.com"))
        bp_buf_printf(out, " --api-url https://api.%s", host);
    else if (host != NULL)
        bp_buf_printf(out, " --api-url %s/api/v3", answers->server);
}
