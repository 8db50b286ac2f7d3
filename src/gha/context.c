#include "gha/context.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *event_of(const char *name)
{
    if (name == NULL)
        return "standalone";
    if (strcmp(name, "push") == 0 || strcmp(name, "schedule") == 0)
        return name;
    return bp_text_starts_with(name, "pull_request") ? "pr" : "manual";
}

void bp_gha_context_read(const struct bp_env *env, struct bp_gha_context *out)
{
    const char *server = bp_env_get(env, "GITHUB_SERVER_URL");
    const char *head = bp_env_get(env, "GITHUB_HEAD_REF");

    *out = (struct bp_gha_context){
        .repository = bp_env_get(env, "GITHUB_REPOSITORY"),
        .ref = head != NULL ? head : bp_env_get(env, "GITHUB_REF_NAME"),
        .sha = bp_env_get(env, "GITHUB_SHA"),
        .event = event_of(bp_env_get(env, "GITHUB_EVENT_NAME")),
        .run_id = bp_env_get(env, "GITHUB_RUN_ID"),
    };
    if (server != NULL && out->repository != NULL && out->run_id != NULL &&
        snprintf(out->run_url, sizeof(out->run_url), "%s/%s/actions/runs/%s", server,
                 out->repository, out->run_id) >= (int)sizeof(out->run_url))
        out->run_url[0] = '\0'; /* a part of an address leads nowhere */
}
