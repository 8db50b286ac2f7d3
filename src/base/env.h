/* The environment is given, never fetched: main() passes the real one, tests pass their own. */
#ifndef BP_BASE_ENV_H
#define BP_BASE_ENV_H

struct bp_env {
    const char *const *vars; /* "NAME=value" strings, NULL at the end */
};

/* The value, lent; NULL when unset or empty (a composite action passes '' for what is not given).
 */
const char *bp_env_get(const struct bp_env *env, const char *name);

#endif
