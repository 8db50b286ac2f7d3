#include "forge/github_token.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

static const struct kind {
    const char *prefix;
    const char *name;
    bool robot;
    bool scoped; /* its answers list its scopes */
} kinds[] = {
    {"ghp_", "classic personal access token", false, true},
    {"github_pat_", "fine-grained personal access token", false, false},
    {"gho_", "OAuth token", false, true},
    {"ghu_", "app user token", false, false},
    {"ghs_", "app installation token", true, false}, /* GITHUB_TOKEN is one */
    {"", "token of an unknown kind", false, true},
};

static const struct kind *kind_of(const char *token)
{
    const struct kind *kind = kinds;

    while (!bp_text_starts_with(token, kind->prefix))
        kind++;
    return kind;
}

enum bp_code bp_github_token_check(const char *token, struct bp_err *err)
{
    if (token[0] == '\0')
        return bp_fail(err, BP_EAUTH, "the token is empty; hint: set WORKFLOW_TRIGGER_TOKEN");
    if (bp_text_starts_with(token, "ghr_"))
        return bp_fail(err, BP_EAUTH,
                       "the token is a refresh token (ghr_); hint: use the access token");
    for (const char *p = token; *p != '\0'; p++) {
        if (!isgraph((unsigned char)*p))
            return bp_fail(err, BP_EAUTH,
                           "the token is malformed: it has a blank, a line end or another odd "
                           "character in it; hint: copy it again, without anything around it");
    }
    return BP_OK;
}

int64_t bp_github_token_expiry(const char *text)
{
    static const size_t moment_len = sizeof("2021-10-07 19:07:53") - 1;
    char iso[BP_TIME_SIZE];
    struct bp_err ignored;
    const char *zone = NULL;
    int64_t ms = 0;

    if (strlen(text) < moment_len || text[moment_len] != ' ')
        return 0;
    zone = text + moment_len + 1;
    if (strlen(zone) > sizeof("+02:00") - 1)
        return 0;
    if (strcmp(zone, "UTC") == 0)
        zone = "Z";
    (void)snprintf(iso, sizeof(iso), "%.*s%s", (int)moment_len, text, zone);
    if (bp_time_parse(iso, &ms, &ignored) != BP_OK || ms < 0)
        return 0;
    return ms;
}

/* "repo" in "gist, repo"; not in "repo:status". */
static bool has_scope(const char *scopes, const char *wanted)
{
    size_t len = strlen(wanted);

    while (*scopes != '\0') {
        scopes += strspn(scopes, ", ");
        if (strcspn(scopes, ", ") == len && strncmp(scopes, wanted, len) == 0)
            return true;
        scopes += strcspn(scopes, ", ");
    }
    return false;
}

/*
 * By the scopes, and by the role of the token's owner. What a repository's "permissions" mean for
 * a token with permissions of its own is not documented, so nothing is concluded from them there.
 */
static enum bp_known may_dispatch(const char *scopes, const struct bp_json *repo)
{
    bool is_public = !bp_json_get_bool(repo, "private", true);

    if (!has_scope(scopes, "repo") && !(is_public && has_scope(scopes, "public_repo")))
        return BP_NO;
    return bp_json_get_bool(bp_json_get(repo, "permissions"), "push", true) ? BP_YES : BP_NO;
}

void bp_github_token_read(const char *token, const struct bp_http_response *response,
                          const struct bp_json *repo, struct bp_forge_token *out)
{
    const struct kind *kind = kind_of(token);
    const char *scopes = bp_http_header(response, "x-oauth-scopes");
    const char *expires = bp_http_header(response, "github-authentication-token-expiration");

    *out = (struct bp_forge_token){.robot = kind->robot};
    (void)snprintf(out->kind, sizeof(out->kind), "%s", kind->name);
    bp_copy_foreign(out->scopes, sizeof(out->scopes), scopes);
    if (expires != NULL)
        out->expires_ms = bp_github_token_expiry(expires);
    /* A token without a prefix is an old classic one, or of some other kind without scopes. */
    if (kind->scoped && scopes != NULL && (kind->prefix[0] != '\0' || scopes[0] != '\0'))
        out->may_dispatch = may_dispatch(scopes, repo);
}
