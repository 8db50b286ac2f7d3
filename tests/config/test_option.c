#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "base/env.h"
#include "base/list.h"
#include "base/secret.h"
#include "config/config.h"
#include "config/option.h"

enum { ALL_GROUPS = (BP_GROUP_LAST << 1) - 1 };

Test(option, every_row_is_filled)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *o = bp_option(id);

        cr_assert_not_null(o->name, "row %d", (int)id);
        cr_expect_neq(o->group, 0u, "%s", o->name);
        cr_expect_neq(o->group & ALL_GROUPS, 0u, "%s", o->name);
        cr_expect_not_null(o->help, "%s", o->name);
        cr_expect_eq(o->help[strlen(o->help) - 1], '.', "%s", o->name);
        cr_expect_eq(o->value == NULL, o->type == BP_TYPE_FLAG, "%s", o->name);
        cr_expect_eq(o->choices[0] != NULL, o->type == BP_TYPE_CHOICE, "%s", o->name);
        cr_expect(!o->secret || !o->no_env, "%s could not be given at all", o->name);
    }
}

/* A default that its own type refuses would break every call. */
Test(option, every_default_is_a_value)
{
    static const char *const none[] = {NULL};
    struct bp_env env = {.vars = none};
    struct bp_secrets secrets = {0};
    struct bp_config cfg;
    struct bp_err err;

    cr_expect_eq(bp_config_load(&cfg, ALL_GROUPS, none, &env, &secrets, &err), BP_OK, "%s",
                 err.msg);
    bp_config_free(&cfg);
}

Test(option, environment_names_are_unique_and_plain)
{
    BP_AUTO(bp_list_free) struct bp_list names = {0};

    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        char name[64];

        if (bp_option(id)->no_env)
            continue;
        bp_option_env(id, name);
        cr_expect_eq(strncmp(name, "BACKPROOF_", 10), 0, "%s", name);
        for (const char *p = name; *p != '\0'; p++)
            cr_expect(isupper((unsigned char)*p) || *p == '_', "%s", name);
        cr_expect_not(bp_list_has(&names, name), "%s", name);
        bp_list_add(&names, name);
    }
}

Test(option, is_found_by_its_name_in_the_groups_of_a_command)
{
    cr_expect_eq(bp_option_find(BP_GROUP_FORGE, "repo=x", 4), BP_OPT_REPO);
    cr_expect_eq(bp_option_find(BP_GROUP_FIND, "repo", 4), BP_OPT_FROM_REPO);
    cr_expect_eq(bp_option_find(BP_GROUP_STORE, "repo", 4), BP_OPT_COUNT);
    cr_expect_eq(bp_option_find(BP_GROUP_FORGE, "rep", 3), BP_OPT_COUNT);
    cr_expect_eq(bp_option_find(BP_GROUP_FORGE, "", 0), BP_OPT_COUNT);
}

Test(option, a_name_of_its_own_replaces_the_usual_one)
{
    char name[64];

    bp_option_env(BP_OPT_TO, name);
    cr_expect_str_eq(name, "BACKPROOF_TARGET_URL");
    bp_option_env(BP_OPT_BACKUP_REPO, name);
    cr_expect_str_eq(name, "BACKPROOF_BACKUP_REPO");
}
