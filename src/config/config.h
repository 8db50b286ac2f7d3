/* The values of options for one call: parsed once, asked by name. */
#ifndef BP_CONFIG_CONFIG_H
#define BP_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/err.h"
#include "base/list.h"
#include "base/secret.h"
#include "config/option.h"

enum bp_origin { BP_FROM_NOWHERE, BP_FROM_DEFAULT, BP_FROM_ENVIRONMENT, BP_FROM_COMMAND_LINE };

struct bp_config {
    struct {
        enum bp_origin origin;
        char name[64];       /* where it came from, for messages: "--repo", "GITHUB_REPOSITORY" */
        char *text;          /* NULL: not set */
        int64_t number;      /* flag, int, duration in ms, time in ms */
        struct bp_list list; /* BP_TYPE_LIST */
    } values[BP_OPT_COUNT];
    struct bp_list args; /* words that are no options */
    bool help;           /* -h or --help was given */
};

/*
 * Parse the words after the command's name, then look up what they do not say. Every secret is
 * registered before anything can print it. BP_EUSAGE names the option and what is wrong.
 */
enum bp_code bp_config_load(struct bp_config *cfg, unsigned groups, const char *const *words,
                            const struct bp_env *env, struct bp_secrets *secrets,
                            struct bp_err *err) BP_CHECK;

const char *bp_config_text(const struct bp_config *cfg, enum bp_opt id); /* NULL: not set */
bool bp_config_flag(const struct bp_config *cfg, enum bp_opt id);
int64_t bp_config_number(const struct bp_config *cfg, enum bp_opt id); /* int, ms */
const struct bp_list *bp_config_list(const struct bp_config *cfg, enum bp_opt id);
bool bp_config_is(const struct bp_config *cfg, enum bp_opt id, const char *choice);
enum bp_origin bp_config_origin(const struct bp_config *cfg, enum bp_opt id);

void bp_config_free(struct bp_config *cfg); /* overwrites secrets */

#endif
