/*
 * config/config.h: each line is a word of the command line; one that begins with "$" is a variable
 * of the environment.
 */
#include <string.h>

#include "base/mem.h"
#include "config/config.h"
#include "fuzz/fuzz.h"

enum { WORDS = 64, ALL_GROUPS = (BP_GROUP_LAST << 1) - 1 };

static void ask_all(const struct bp_config *cfg)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const char *text = bp_config_text(cfg, id);

        must((text != NULL) == (bp_config_origin(cfg, id) != BP_FROM_NOWHERE));
        must(text == NULL || bp_config_is(cfg, id, text));
        must(bp_option(id)->type != BP_TYPE_INT || bp_config_number(cfg, id) >= 0);
        must(bp_option(id)->type != BP_TYPE_DURATION || bp_config_number(cfg, id) >= 0);
        /* Secrets come from the environment only. */
        must(!bp_option(id)->secret || bp_config_origin(cfg, id) != BP_FROM_COMMAND_LINE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_secrets_free) struct bp_secrets secrets = {0};
    BP_AUTO(bp_config_free) struct bp_config cfg = {0};
    const char *words[WORDS + 1] = {NULL};
    const char *vars[WORDS + 1] = {NULL};
    const struct bp_env env = {.vars = vars};
    struct bp_err err = {0};
    size_t word_count = 0;
    size_t var_count = 0;
    char *rest = text;

    while (*rest != '\0' && word_count < WORDS && var_count < WORDS) {
        const char *line = fuzz_line(&rest);

        if (line[0] == '$')
            vars[var_count++] = line + 1;
        else
            words[word_count++] = line;
    }
    if (bp_config_load(&cfg, ALL_GROUPS, words, &env, &secrets, &err) != BP_OK)
        must(err.code == BP_EUSAGE && err.msg[0] != '\0');
    else if (!cfg.help)
        ask_all(&cfg);
    return 0;
}
