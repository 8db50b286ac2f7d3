#include "config/config.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* ---- values ---- */

static bool parse_flag(const char *text, int64_t *out)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static enum bp_code check_choice(const struct bp_option *option, const char *text,
                                 struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf all = {0};

    for (const char *const *choice = option->choices; *choice != NULL; choice++) {
        if (strcmp(text, *choice) == 0)
            return BP_OK;
        bp_buf_printf(&all, "%s%s", all.len > 0 ? ", " : "", *choice);
    }
    return bp_fail(err, BP_EUSAGE, "'%s' is none of %s", text, bp_buf_str(&all));
}

/* ["main", "dev"]: what toJSON() of a workflow gives. */
static enum bp_code set_json_list(struct bp_list *list, const char *text, struct bp_err *err)
{
    BP_AUTO(bp_json_freep) struct bp_json *array = NULL;

    if (bp_json_parse(text, strlen(text), &array, err) != BP_OK) {
        err->code = BP_EUSAGE;
        return bp_wrap(err, "what begins with '[' must be a JSON array of strings");
    }
    for (const struct bp_json *c = bp_json_first(array); c != NULL; c = bp_json_next(c)) {
        BP_AUTO(bp_freep) char *one = bp_strdup(bp_json_text(c));

        if (one == NULL)
            return bp_fail(err, BP_EUSAGE,
                           "the JSON array holds something else than strings; hint: write it like "
                           "[\"main\", \"dev\"]");
        bp_text_trim(one);
        if (one[0] != '\0')
            bp_list_add(list, one);
    }
    return BP_OK;
}

static void set_lines(struct bp_list *list, const char *text)
{
    BP_AUTO(bp_freep) char *copy = bp_strdup(text);
    char *more = NULL;

    for (char *line = strtok_r(copy, "\r\n", &more); line != NULL;
         line = strtok_r(NULL, "\r\n", &more)) {
        bp_text_trim(line);
        if (line[0] != '\0')
            bp_list_add(list, line);
    }
}

static enum bp_code set_list(struct bp_list *list, const char *text, struct bp_err *err)
{
    const char *start = text + strspn(text, " \t\r\n");

    if (start[0] == '[')
        return set_json_list(list, start, err);
    set_lines(list, text);
    return BP_OK;
}

static enum bp_code parse_value(struct bp_config *cfg, enum bp_opt id, const char *text,
                                struct bp_err *err)
{
    const struct bp_option *option = bp_option(id);
    int64_t *number = &cfg->values[id].number;

    switch (option->type) {
    case BP_TYPE_FLAG:
        if (!parse_flag(text, number))
            return bp_fail(err, BP_EUSAGE, "'%s' is neither true nor false", text);
        return BP_OK;
    case BP_TYPE_INT:
        return bp_parse_int(text, 0, 1000000, number, err);
    case BP_TYPE_SIZE:
        return bp_parse_size(text, number, err);
    case BP_TYPE_DURATION:
        return bp_parse_duration(text, number, err);
    case BP_TYPE_TIME:
        return bp_time_parse(text, number, err);
    case BP_TYPE_CHOICE:
        return check_choice(option, text, err);
    case BP_TYPE_LIST:
        return set_list(&cfg->values[id].list, text, err);
    case BP_TYPE_TEXT:
    default:
        return BP_OK;
    }
}

static enum bp_code set_value(struct bp_config *cfg, enum bp_opt id, const char *text,
                              enum bp_origin origin, const char *name, struct bp_err *err)
{
    cfg->values[id].origin = origin;
    (void)snprintf(cfg->values[id].name, sizeof(cfg->values[id].name), "%s", name);
    bp_free_secretp(&cfg->values[id].text);
    cfg->values[id].text = bp_strdup(text);
    if (parse_value(cfg, id, text, err) != BP_OK)
        return bp_wrap(err, "%s", name);
    return BP_OK;
}

/* ---- the command line ---- */

/* How many letters differ: for "did you mean". Texts of up to 40 letters. */
static size_t distance(const char *a, size_t a_len, const char *b)
{
    size_t row[42];
    size_t b_len = strlen(b);

    if (a_len > 40 || b_len > 40)
        return 99;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_len];
}

static enum bp_code unknown_option(unsigned groups, const char *name, size_t len,
                                   struct bp_err *err)
{
    const char *best = NULL;
    size_t best_distance = 3;

    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *option = bp_option(id);

        if ((option->group & groups) != 0 && distance(name, len, option->name) < best_distance) {
            best = option->name;
            best_distance = distance(name, len, option->name);
        }
    }
    if (best != NULL)
        return bp_fail(err, BP_EUSAGE, "no option --%.*s; hint: did you mean --%s?", (int)len, name,
                       best);
    return bp_fail(err, BP_EUSAGE, "no option --%.*s; hint: --help lists the options", (int)len,
                   name);
}

static enum bp_code refuse_secret(enum bp_opt id, struct bp_err *err)
{
    char env[64];

    bp_option_env(id, env);
    return bp_fail(err, BP_EUSAGE, "--%s would show in the process list; set %s instead",
                   bp_option(id)->name, env);
}

/* What stands for an option: value if it is not NULL, else the next word, which is used then. */
static enum bp_code take_value(struct bp_config *cfg, enum bp_opt id, const char *value,
                               const char *next, size_t *used, struct bp_err *err)
{
    char shown[64];

    (void)snprintf(shown, sizeof(shown), "--%s", bp_option(id)->name);
    if (value == NULL && bp_option(id)->type == BP_TYPE_FLAG)
        value = "true";
    if (value == NULL) {
        value = next;
        *used = 2;
    }
    if (value == NULL)
        return bp_fail(err, BP_EUSAGE, "%s needs a value", shown);
    if (value[0] == '\0')
        return bp_fail(err, BP_EUSAGE, "%s is empty", shown);
    return set_value(cfg, id, value, BP_FROM_COMMAND_LINE, shown, err);
}

/* "--name", "--name=value" or "--name value"; *used is how many words that took. */
static enum bp_code take_long(struct bp_config *cfg, unsigned groups, const char *const *words,
                              size_t *used, struct bp_err *err)
{
    const char *name = words[0] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    enum bp_opt id = bp_option_find(groups, name, len);

    *used = 1;
    if (id == BP_OPT_COUNT)
        return unknown_option(groups, name, len, err);
    if (bp_option(id)->secret)
        return refuse_secret(id, err);
    return take_value(cfg, id, value, words[1], used, err);
}

/* "-v", "-vq", "-j4" or "-j 4": what follows the letter of an option with a value is its value. */
static enum bp_code take_letters(struct bp_config *cfg, unsigned groups, const char *const *words,
                                 size_t *used, struct bp_err *err)
{
    for (const char *letter = words[0] + 1; *letter != '\0'; letter++) {
        enum bp_opt id = 0;

        if (*letter == 'h') {
            cfg->help = true;
            continue;
        }
        while (id < BP_OPT_COUNT &&
               (bp_option(id)->letter != *letter || (bp_option(id)->group & groups) == 0))
            id++;
        if (id == BP_OPT_COUNT)
            return bp_fail(err, BP_EUSAGE, "no option -%c; hint: --help lists the options",
                           *letter);
        if (bp_option(id)->type != BP_TYPE_FLAG)
            return take_value(cfg, id, letter[1] != '\0' ? letter + 1 : NULL, words[1], used, err);
        if (take_value(cfg, id, NULL, NULL, used, err) != BP_OK)
            return err->code;
    }
    return BP_OK;
}

static enum bp_code take_words(struct bp_config *cfg, unsigned groups, const char *const *words,
                               struct bp_err *err)
{
    bool only_args = false;

    while (*words != NULL) {
        enum bp_code rc = BP_OK;
        size_t used = 1;

        if (only_args || (*words)[0] != '-' || (*words)[1] == '\0')
            bp_list_add(&cfg->args, *words);
        else if (strcmp(*words, "--") == 0)
            only_args = true;
        else if (strcmp(*words, "--help") == 0)
            cfg->help = true;
        else if ((*words)[1] == '-')
            rc = take_long(cfg, groups, words, &used, err);
        else
            rc = take_letters(cfg, groups, words, &used, err);
        if (rc != BP_OK)
            return rc;
        words += used;
    }
    return BP_OK;
}

/* ---- the environment ---- */

static const char *look_up(enum bp_opt id, const struct bp_env *env, char name[64])
{
    const struct bp_option *option = bp_option(id);
    const char *value = NULL;

    bp_option_env(id, name);
    value = bp_env_get(env, name);
    for (size_t i = 0; value == NULL && option->also[i] != NULL; i++) {
        (void)snprintf(name, 64, "%s", option->also[i]);
        value = bp_env_get(env, name);
    }
    return value;
}

static enum bp_code look_up_rest(struct bp_config *cfg, unsigned groups, const struct bp_env *env,
                                 struct bp_err *err)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *option = bp_option(id);
        const char *value = NULL;
        char name[64];
        enum bp_code rc = BP_OK;

        if ((option->group & groups) == 0 || cfg->values[id].origin == BP_FROM_COMMAND_LINE)
            continue;
        if (!option->no_env)
            value = look_up(id, env, name);
        if (value != NULL)
            rc = set_value(cfg, id, value, BP_FROM_ENVIRONMENT, name, err);
        else if (option->fallback != NULL)
            rc = set_value(cfg, id, option->fallback, BP_FROM_DEFAULT, option->name, err);
        if (rc != BP_OK)
            return rc;
    }
    return BP_OK;
}

/* Of all options and under all names: what is not used must not be shown either. */
static void register_secrets(const struct bp_env *env, struct bp_secrets *secrets)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *option = bp_option(id);
        char name[64];

        if (!option->secret)
            continue;
        bp_option_env(id, name);
        if (bp_env_get(env, name) != NULL)
            bp_secrets_add(secrets, bp_env_get(env, name));
        for (size_t i = 0; option->also[i] != NULL; i++) {
            if (bp_env_get(env, option->also[i]) != NULL)
                bp_secrets_add(secrets, bp_env_get(env, option->also[i]));
        }
    }
}

enum bp_code bp_config_load(struct bp_config *cfg, unsigned groups, const char *const *words,
                            const struct bp_env *env, struct bp_secrets *secrets,
                            struct bp_err *err)
{
    enum bp_code rc = BP_OK;

    *cfg = (struct bp_config){0};
    register_secrets(env, secrets);
    rc = take_words(cfg, groups, words, err);
    if (rc == BP_OK && !cfg->help)
        rc = look_up_rest(cfg, groups, env, err);
    return rc;
}

/* ---- asking ---- */

const char *bp_config_text(const struct bp_config *cfg, enum bp_opt id)
{
    return cfg->values[id].text;
}

bool bp_config_flag(const struct bp_config *cfg, enum bp_opt id)
{
    return cfg->values[id].number != 0;
}

int64_t bp_config_number(const struct bp_config *cfg, enum bp_opt id)
{
    return cfg->values[id].number;
}

const struct bp_list *bp_config_list(const struct bp_config *cfg, enum bp_opt id)
{
    return &cfg->values[id].list;
}

bool bp_config_is(const struct bp_config *cfg, enum bp_opt id, const char *choice)
{
    return cfg->values[id].text != NULL && strcmp(cfg->values[id].text, choice) == 0;
}

enum bp_origin bp_config_origin(const struct bp_config *cfg, enum bp_opt id)
{
    return cfg->values[id].origin;
}

void bp_config_free(struct bp_config *cfg)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        bp_free_secretp(&cfg->values[id].text);
        bp_list_free(&cfg->values[id].list);
    }
    bp_list_free(&cfg->args);
}
