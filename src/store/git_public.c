/*
 * Whether everybody may read the repository: asked as a stranger, with nothing of the user's that
 * could open a door (no token, header, cookie, helper, key or .netrc), but on the user's way to
 * the network (proxy, certificate authorities).
 */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum { PATIENCE_MS = 20000 };

/* Hosts that have the repositories they serve over SSH at the same path over HTTPS. */
static const struct {
    const char *ssh;
    const char *https;
} twins[] = {
    {"github.com", "github.com"},       {"ssh.github.com", "github.com"},
    {"gitlab.com", "gitlab.com"},       {"altssh.gitlab.com", "gitlab.com"},
    {"bitbucket.org", "bitbucket.org"}, {"altssh.bitbucket.org", "bitbucket.org"},
    {"codeberg.org", "codeberg.org"},
};

/* The variables of the git program that a stranger has too. */
static const char *const kept[] = {
    "PATH=",
    "TMPDIR=",
    "LD_LIBRARY_PATH=",
    "GIT_EXEC_PATH=",
    "GIT_SSL_CAINFO=",
    "GIT_SSL_CAPATH=",
    "GIT_SSL_NO_VERIFY=",
    "GIT_PROXY_SSL_CAINFO=",
    "GIT_HTTP_PROXY_AUTHMETHOD=",
    "SSL_CERT_FILE=",
    "SSL_CERT_DIR=",
    "CURL_CA_BUNDLE=",
    "http_proxy=",
    "https_proxy=",
    "all_proxy=",
    "no_proxy=",
    "HTTPS_PROXY=",
    "ALL_PROXY=",
    "NO_PROXY=",
};

/* The same of git's settings. */
static const char *const kept_settings[] = {
    "http.proxy ",     "http.proxyauthmethod ", "http.proxysslcainfo ", "http.sslcainfo ",
    "http.sslcapath ", "http.sslbackend ",      "http.sslverify ",
};

static bool begins_with_one_of(const char *text, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bp_text_starts_with(text, prefixes[i]))
            return true;
    }
    return false;
}

static enum bp_code run_git(struct bp_git_store *git, const char *const *argv,
                            const struct bp_list *env, struct bp_child_result *result,
                            struct bp_err *err)
{
    int64_t limit = git->options.timeout_ms;

    return bp_child_run(
        &(struct bp_child_job){.argv = argv,
                               .env = (const char *const *)env->at,
                               .timeout_ms = limit > 0 && limit < PATIENCE_MS ? limit : PATIENCE_MS,
                               .clock = git->options.clock},
        result, err);
}

/* "git@host:path" and "ssh://git@host:22/path" as "https://host/path"; NULL when no host is known
 * to serve both. */
static char *https_twin(const char *address)
{
    const char *scheme = strstr(address, "://");
    const char *start = scheme != NULL ? scheme + 3 : address;
    const char *at = memrchr(start, '@', strcspn(start, "/"));
    const char *host = at != NULL ? at + 1 : start;
    size_t len = strcspn(host, ":/");
    const char *path = host + len;

    if (scheme != NULL)
        path += strcspn(path, "/");
    path += strspn(path, ":/");
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
        if (strlen(twins[i].ssh) == len && strncasecmp(host, twins[i].ssh, len) == 0)
            return bp_format("https://%s/%s", twins[i].https, path);
    }
    return NULL;
}

/* Where a stranger would ask: without a user's name. NULL when strangers have no way to ask. */
static char *strangers_address(const struct bp_git_url *url)
{
    const char *authority = NULL;

    if (url->transport == BP_GIT_SSH)
        return https_twin(url->full);
    if (url->transport != BP_GIT_HTTP)
        return url->transport == BP_GIT_DAEMON ? bp_strdup(url->full) : NULL;
    authority = strstr(url->full, "://") + 3;
    return bp_format("%s%s", url->site, authority + strcspn(authority, "/?#"));
}

/* The address that git really goes to: the user's configuration may have another in its place. */
static enum bp_code find_address(struct bp_git_store *git, char **out, struct bp_err *err)
{
    static const char *const argv[] = {"git", "ls-remote", "--get-url", BP_GIT_REMOTE, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_git_url_free) struct bp_git_url url = {0};
    BP_AUTO(bp_freep) char *text = NULL;
    struct bp_err ignored;
    enum bp_code rc = run_git(git, argv, &git->env, &result, err);

    if (rc != BP_OK || result.exit_status != 0)
        return rc;
    text = bp_strdup(bp_buf_str(&result.out));
    bp_text_trim(text);
    if (bp_git_url_parse(text, &url, &ignored) == BP_OK)
        *out = strangers_address(&url);
    return BP_OK;
}

struct settings {
    struct bp_list *env;
    int64_t count;
};

static void set(struct settings *to, const char *key, size_t key_len, const char *value)
{
    bp_list_addf(to->env, "GIT_CONFIG_KEY_%" PRId64 "=%.*s", to->count, (int)key_len, key);
    bp_list_addf(to->env, "GIT_CONFIG_VALUE_%" PRId64 "=%s", to->count, value);
    to->count++;
}

/* What the user's configuration says of the way to this address: lines "http.proxy value". */
static enum bp_code copy_way(struct bp_git_store *git, const char *address, struct settings *to,
                             struct bp_err *err)
{
    const char *argv[] = {"git", "config", "--get-urlmatch", "http", address, NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    enum bp_code rc = run_git(git, argv, &git->env, &result, err);
    char *rest = result.out.data;

    if (rc != BP_OK || rest == NULL)
        return rc;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        size_t key = strcspn(line, " ");

        if (begins_with_one_of(line, kept_settings,
                               sizeof(kept_settings) / sizeof(kept_settings[0])))
            set(to, line, key, line + key + 1);
    }
    explicit_bzero(result.out.data, result.out.len); /* a header may be among them */
    return BP_OK;
}

/* Whether the list has one of this one's name. */
static bool has_variable(const struct bp_list *env, const char *var)
{
    size_t len = strcspn(var, "=") + 1;

    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->at[i], var, len) == 0)
            return true;
    }
    return false;
}

static enum bp_code make_env(struct bp_git_store *git, const char *address, const char *ca_file,
                             struct bp_list *env, struct bp_err *err)
{
    struct settings to = {.env = env};
    enum bp_code rc = copy_way(git, address, &to, err);

    if (ca_file != NULL)
        bp_list_addf(env, "GIT_SSL_CAINFO=%s", ca_file);
    if (git->options.proxy != NULL) {
        bp_list_add(env, "NO_PROXY=");
        bp_list_add(env, "no_proxy=");
    }
    for (size_t i = 0; i < git->env.count && git->env.at[i] != NULL; i++) {
        if (begins_with_one_of(git->env.at[i], kept, sizeof(kept) / sizeof(kept[0])) &&
            !has_variable(env, git->env.at[i]))
            bp_list_add(env, git->env.at[i]);
    }
    if (git->options.proxy != NULL)
        set(&to, "http.proxy", strlen("http.proxy"), git->options.proxy);
    set(&to, "http.emptyAuth", strlen("http.emptyAuth"), "false"); /* no Kerberos ticket */
    bp_list_addf(env, "GIT_CONFIG_COUNT=%" PRId64, to.count);
    bp_list_add(env, "GIT_CONFIG_NOSYSTEM=1");
    bp_list_add(env, "GIT_CONFIG_GLOBAL=/dev/null");
    bp_list_addf(env, "HOME=%s/nobody", git->dir); /* is not there: no .netrc, no .gitconfig */
    bp_list_addf(env, "GIT_DIR=%s", git->dir);
    bp_list_add(env, "GIT_TERMINAL_PROMPT=0");
    bp_list_add(env, "GIT_ASKPASS=");
    bp_list_add(env, "LC_ALL=C");
    bp_list_add(env, "GIT_TRACE_PACKET=1"); /* to standard error */
    bp_list_take(env, NULL);
    return rc;
}

/* What speaks Git's protocol, and not a server that says yes to everything: of one that answers
 * with nothing at all, git makes an empty repository of the old kind, which is files alone. */
static const char spoken[] = " packet: ";

static enum bp_code ask(struct bp_git_store *git, const char *address, const char *ca_file,
                        bool *out, struct bp_err *err)
{
    const char *argv[] = {"git", "ls-remote", "--quiet", address, "HEAD", NULL};
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    BP_AUTO(bp_git_env_free) struct bp_list env = {0};
    enum bp_code rc = make_env(git, address, ca_file, &env, err);

    if (rc == BP_OK)
        rc = run_git(git, argv, &env, &result, err);
    *out =
        rc == BP_OK && result.exit_status == 0 && strstr(bp_buf_str(&result.errs), spoken) != NULL;
    return rc;
}

enum bp_code bp_git_is_public(struct bp_store *self, bool *out, struct bp_err *err)
{
    struct bp_git_store *git = (struct bp_git_store *)self;
    BP_AUTO(bp_freep) char *address = NULL;
    enum bp_code rc = BP_OK;

    *out = false;
    if (git->url.transport == BP_GIT_LOCAL)
        return BP_OK;
    rc = find_address(git, &address, err);
    if (rc == BP_OK && address != NULL)
        rc = ask(git, address, NULL, out, err);
    /* Git over SSH knows nothing of --ca-file, which may be for the database alone, or for all. */
    if (rc == BP_OK && address != NULL && !*out && git->url.transport == BP_GIT_SSH &&
        git->options.ca_file != NULL)
        rc = ask(git, address, git->options.ca_file, out, err);
    /* No answer in time is no error: the fetch before has worked, with what strangers lack. */
    return rc == BP_ETIMEOUT ? bp_stop_check(git->options.clock->stop, err) : rc;
}
