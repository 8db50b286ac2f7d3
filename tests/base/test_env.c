#include <criterion/criterion.h>

#include "base/env.h"

static const char *const vars[] = {"A=1",           "EMPTY=", "AB=2",     "=odd", "NOTHING",
                                   "TWO=first=1=2", "A=late", "SPACE=  ", NULL};
static const struct bp_env env = {.vars = vars};

Test(env, gives_the_value)
{
    cr_expect_str_eq(bp_env_get(&env, "A"), "1", "the first one counts");
    cr_expect_str_eq(bp_env_get(&env, "AB"), "2");
    cr_expect_str_eq(bp_env_get(&env, "TWO"), "first=1=2");
    cr_expect_str_eq(bp_env_get(&env, "SPACE"), "  ", "blanks are a value");
}

Test(env, empty_means_unset)
{
    cr_expect_null(bp_env_get(&env, "EMPTY"));
}

Test(env, what_is_not_there_is_null)
{
    static const char *const names[] = {"a", "B", "ABC", "NOTHING", "EMPTY="};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_null(bp_env_get(&env, names[i]), "'%s' is no variable", names[i]);
}

Test(env, an_empty_environment_has_nothing)
{
    static const char *const none[] = {NULL};
    const struct bp_env nothing = {.vars = none};

    cr_expect_null(bp_env_get(&nothing, "A"));
}
