#include "base/env.h"

#include <stddef.h>
#include <string.h>

const char *bp_env_get(const struct bp_env *env, const char *name)
{
    size_t len = strlen(name);

    for (const char *const *var = env->vars; *var != NULL; var++) {
        if (strncmp(*var, name, len) == 0 && (*var)[len] == '=')
            return (*var)[len + 1] != '\0' ? *var + len + 1 : NULL;
    }
    return NULL;
}
