#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

static const struct {
    const char *scheme;
    enum bp_git_transport transport;
} schemes[] = {
    {"https://", BP_GIT_HTTP}, {"http://", BP_GIT_HTTP},  {"ssh://", BP_GIT_SSH},
    {"git://", BP_GIT_DAEMON}, {"file://", BP_GIT_LOCAL},
};

/* Beginnings of access tokens that people put where a user name belongs. */
static const char *const token_marks[] = {"ghp_", "gho_",        "ghu_",  "ghs_",
                                          "ghr_", "github_pat_", "glpat-"};

/* git's own rule: a colon before the first slash is user@host:path. */
static bool is_scp_like(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *slash = strchr(text, '/');

    return colon != NULL && colon > text && (slash == NULL || colon < slash);
}

static bool looks_like_token(const char *user)
{
    for (size_t i = 0; i < sizeof(token_marks) / sizeof(token_marks[0]); i++) {
        if (bp_text_starts_with(user, token_marks[i]))
            return true;
    }
    return false;
}

/* git shows the address in process lists and in messages: nothing secret may be in it. */
static enum bp_code check_user(const char *authority, size_t len, struct bp_err *err)
{
    const char *at = memrchr(authority, '@', len);

    if (at == NULL)
        return BP_OK;
    if (memchr(authority, ':', (size_t)(at - authority)) != NULL || looks_like_token(authority))
        return bp_fail(err, BP_EUSAGE,
                       "the address of the backup repository holds a password, which would show "
                       "in the process list; hint: take it out and set BACKPROOF_BACKUP_TOKEN");
    return BP_OK;
}

static enum bp_code take_url(const char *text, const char *scheme, struct bp_git_url *out,
                             struct bp_err *err)
{
    const char *authority = text + strlen(scheme);
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);
    const char *host = at != NULL ? at + 1 : authority;

    if (out->transport != BP_GIT_LOCAL && len == 0)
        return bp_fail(err, BP_EUSAGE, "the address of the backup repository names no host: '%s'",
                       text);
    if (check_user(authority, len, err) != BP_OK)
        return BP_EUSAGE;
    out->full = bp_strdup(text);
    if (out->transport == BP_GIT_HTTP)
        out->site = bp_format("%s%.*s", scheme, (int)(authority + len - host), host);
    return BP_OK;
}

/* Only through file:// does git leave out what was not asked for; a plain path copies it all. */
static enum bp_code take_path(const char *text, struct bp_git_url *out, struct bp_err *err)
{
    char *real = realpath(text, NULL);

    if (real == NULL)
        return bp_fail(err, BP_ENOTFOUND,
                       "cannot find the backup repository '%s': %m; hint: a repository on GitHub "
                       "is written https://github.com/owner/name",
                       text);
    BP_AUTO(bp_freep) char *owned = real;
    BP_AUTO(bp_freep) char *encoded = bp_percent_encode(owned, "/-._~");

    out->transport = BP_GIT_LOCAL;
    out->full = bp_format("file://%s", encoded);
    return BP_OK;
}

enum bp_code bp_git_url_parse(const char *text, struct bp_git_url *out, struct bp_err *err)
{
    *out = (struct bp_git_url){0};
    if (text == NULL || *text == '\0')
        return bp_fail(err, BP_EUSAGE, "no backup repository was given; hint: set --backup-repo");
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!bp_text_starts_with(text, schemes[i].scheme))
            continue;
        out->transport = schemes[i].transport;
        return take_url(text, schemes[i].scheme, out, err);
    }
    if (!is_scp_like(text))
        return take_path(text, out, err);
    if (strstr(text, "://") != NULL || strstr(text, "::") != NULL || *text == '-')
        return bp_fail(err, BP_EUSAGE,
                       "the address of the backup repository has a transport that is not "
                       "supported: '%s'; hint: use https, ssh, file or a path",
                       text);
    out->transport = BP_GIT_SSH;
    out->full = bp_strdup(text);
    return BP_OK;
}

void bp_git_url_free(struct bp_git_url *url)
{
    bp_free(url->full);
    bp_free(url->site);
    *url = (struct bp_git_url){0};
}
