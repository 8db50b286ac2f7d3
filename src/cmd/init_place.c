#include "cmd/init_place.h"

#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/init.h"

enum { GIT_TIMEOUT_MS = 10000 };

/* All that git needs here; no token among it. */
static void put_environment(const struct bp_env *env, struct bp_list *out)
{
    static const char *const kept[] = {"PATH=", "HOME=", "XDG_CONFIG_HOME=", "GIT_"};

    for (const char *const *var = env->vars; *var != NULL; var++) {
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            if (bp_text_starts_with(*var, kept[i]))
                bp_list_add(out, *var);
        }
    }
    bp_list_add(out, "LC_ALL=C");
    bp_list_take(out, NULL);
}

/* What git answers, without the line end; NULL when it knows none. Owned by the caller. */
static enum bp_code ask_git(struct bp_app *app, const char *const *argv, char **out,
                            struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_list_free) struct bp_list env = {0};
    struct bp_child_job job = {.argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .clock = app->clock};
    enum bp_code rc = BP_OK;

    put_environment(app->env, &env);
    job.env = (const char *const *)env.at;
    rc = bp_child_run(&job, &result, err);
    if (rc == BP_ENOTFOUND)
        return bp_fail(err, BP_EUSAGE, "cannot run git; hint: install it");
    if (rc != BP_OK || result.exit_status != 0)
        return rc;
    bp_buf_puts(&result.out, "");
    *out = bp_buf_take(&result.out);
    bp_text_trim(*out);
    if (**out == '\0')
        bp_freep(out);
    return BP_OK;
}

static enum bp_code find_branch(struct bp_app *app, struct bp_init_place *out, struct bp_err *err)
{
    static const char *const main_one[] = {
        "git", "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", NULL};
    static const char *const current[] = {"git",     "symbolic-ref", "--quiet",
                                          "--short", "HEAD",         NULL};
    static const char prefix[] = "origin/";

    if (ask_git(app, main_one, &out->branch, err) != BP_OK)
        return err->code;
    if (out->branch != NULL && bp_text_starts_with(out->branch, prefix)) {
        char *name = bp_strdup(out->branch + sizeof(prefix) - 1);

        bp_free(out->branch);
        out->branch = name;
    }
    return out->branch != NULL ? BP_OK : ask_git(app, current, &out->branch, err);
}

enum bp_code bp_init_place_find(struct bp_app *app, struct bp_init_place *out, struct bp_err *err)
{
    static const char *const top[] = {"git", "rev-parse", "--show-toplevel", NULL};
    static const char *const remote[] = {"git", "remote", "get-url", "origin", NULL};
    BP_AUTO(bp_freep) char *address = NULL;

    if (ask_git(app, top, &out->top, err) != BP_OK)
        return err->code;
    if (out->top == NULL)
        return BP_OK;
    if (ask_git(app, remote, &address, err) != BP_OK || find_branch(app, out, err) != BP_OK)
        return err->code;
    /* An address that names no repository says nothing; --repo does. */
    if (address != NULL && bp_init_read_remote(address, &out->server, &out->repo, NULL) != BP_OK)
        bp_debug(app->out, "the remote 'origin' names no owner/name on a server");
    return BP_OK;
}

void bp_init_place_free(struct bp_init_place *place)
{
    bp_free(place->top);
    bp_free(place->server);
    bp_free(place->repo);
    bp_free(place->branch);
    *place = (struct bp_init_place){0};
}
