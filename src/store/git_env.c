#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

enum { SETTINGS_MAX = 1000 }; /* that the caller's environment may hold */

/* Of the variables that begin with GIT_, only these may reach the git program: the others point
 * it to another repository or change what it does. */
static const char *const kept_git[] = {"GIT_SSL_",           "GIT_SSH",
                                       "GIT_EXEC_PATH=",     "GIT_HTTP_",
                                       "GIT_PROXY_",         "GIT_ALLOW_PROTOCOL=",
                                       "GIT_TRACE=",         "GIT_TRACE_",
                                       "GIT_TRACE2",         "GIT_CONFIG_GLOBAL=",
                                       "GIT_CONFIG_SYSTEM=", "GIT_CONFIG_NOSYSTEM="};

/* Secrets that git has no use for, and what is set below. */
static const char *const dropped[] = {
    "BACKPROOF_",    "WORKFLOW_TRIGGER_TOKEN=",
    "DATABASE_URL=", "PGPASSWORD=",
    "LC_ALL=",       "LANGUAGE=",
    "SSH_ASKPASS",   "GCM_INTERACTIVE=",
};

/* What must hold whatever the user's own configuration says. */
static const struct {
    const char *key;
    const char *value;
} settings[] = {
    {"protocol.version", "2"},   /* older ones refuse to send single files */
    {"pack.useSparse", "false"}, /* true sends again, and fetches to do so, each file that moved */
    {"core.bigFileThreshold", "1m"}, /* no search for differences among large files */
    {"core.hooksPath", "/dev/null"}, {"core.fsmonitor", "false"},         {"gc.auto", "0"},
    {"maintenance.auto", "false"},   {"fetch.writeCommitGraph", "false"}, {"fetch.prune", "false"},
    {"push.followTags", "false"},    {"push.gpgSign", "false"},           {"push.pushOption", ""},
    {"submodule.recurse", "false"},
};

/* "get" only: git also asks to store and to erase. */
static const char helper[] = "!f() { test \"$1\" = get && printf "
                             "'username=x-access-token\\npassword=%s\\n' "
                             "\"$" BP_GIT_TOKEN_VARIABLE "\"; }; f";

struct builder {
    struct bp_git_store *git;
    struct bp_list *env;
    int64_t count; /* of settings */
};

static bool starts_with_one_of(const char *text, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bp_text_starts_with(text, prefixes[i]))
            return true;
    }
    return false;
}

/* A trace goes to a file: on standard error it would be taken for git's own words. */
static bool is_trace_elsewhere(const char *var)
{
    const char *value = strchr(var, '=');

    return !bp_text_starts_with(var, "GIT_TRACE") || (value != NULL && value[1] == '/');
}

static bool is_kept(const char *var)
{
    if (starts_with_one_of(var, dropped, sizeof(dropped) / sizeof(dropped[0])))
        return false;
    if (!bp_text_starts_with(var, "GIT_"))
        return true;
    return starts_with_one_of(var, kept_git, sizeof(kept_git) / sizeof(kept_git[0])) &&
           is_trace_elsewhere(var);
}

static void set(struct builder *b, const char *key, const char *value)
{
    bp_list_addf(b->env, "GIT_CONFIG_KEY_%" PRId64 "=%s", b->count, key);
    bp_list_addf(b->env, "GIT_CONFIG_VALUE_%" PRId64 "=%s", b->count, value);
    b->count++;
}

/* Settings that the caller gives git through the environment come first: ours then win. */
static void copy_settings(struct builder *b)
{
    const struct bp_env *from = b->git->options.env;
    const char *text = bp_env_get(from, "GIT_CONFIG_COUNT");
    int64_t count = 0;

    if (text == NULL || bp_parse_int(text, 0, SETTINGS_MAX, &count, NULL) != BP_OK)
        return;
    for (int64_t i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *key_name = bp_format("GIT_CONFIG_KEY_%" PRId64, i);
        BP_AUTO(bp_freep) char *value_name = bp_format("GIT_CONFIG_VALUE_%" PRId64, i);
        const char *key = bp_env_get(from, key_name);
        const char *value = bp_env_get(from, value_name);

        if (key != NULL)
            set(b, key, value != NULL ? value : "");
    }
}

static void copy_variables(struct builder *b)
{
    for (const char *const *var = b->git->options.env->vars; *var != NULL; var++) {
        if (is_kept(*var))
            bp_list_add(b->env, *var);
    }
    bp_list_add(b->env, "LC_ALL=C"); /* git_words.c knows English only */
    bp_list_add(b->env, "GIT_TERMINAL_PROMPT=0");
    bp_list_add(b->env, "GIT_ASKPASS=");
    bp_list_add(b->env, "SSH_ASKPASS_REQUIRE=never");
    bp_list_add(b->env, "GCM_INTERACTIVE=never");
}

/* A variable that may be set already: the first one in the list would win. */
static void replace_variable(struct builder *b, const char *name, const char *value)
{
    BP_AUTO(bp_freep) char *prefix = bp_format("%s=", name);

    for (size_t i = 0; i < b->env->count; i++) {
        if (!bp_text_starts_with(b->env->at[i], prefix))
            continue;
        bp_free(b->env->at[i]);
        b->env->at[i] = bp_format("%s%s", prefix, value);
        return;
    }
    bp_list_addf(b->env, "%s%s", prefix, value);
}

/*
 * What git's configuration says in the current folder, such as what a checkout step left in the
 * repository there; the working copy is elsewhere and does not see it. "" when it says nothing.
 */
static enum bp_code ask_here(struct builder *b, const char *const *argv, char **answer,
                             struct bp_err *err)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_list env = {0};
    enum bp_code rc = BP_OK;

    for (size_t i = 0; i < b->env->count; i++)
        bp_list_add(&env, b->env->at[i]);
    bp_list_addf(&env, "GIT_CONFIG_COUNT=%" PRId64, b->count);
    bp_list_take(&env, NULL);
    rc = bp_child_run(&(struct bp_child_job){.argv = argv,
                                             .env = (const char *const *)env.at,
                                             .timeout_ms = b->git->options.timeout_ms,
                                             .clock = b->git->options.clock},
                      &result, err);
    bp_git_env_free(&env);
    if (rc != BP_OK)
        return rc;
    *answer = bp_strdup(result.exit_status == 0 ? bp_buf_str(&result.out) : "");
    bp_text_trim(*answer);
    if (result.out.data != NULL)
        explicit_bzero(result.out.data, result.out.len);
    return BP_OK;
}

/* Only to this machine may a token travel unencrypted. */
static bool is_safe_site(const char *site)
{
    static const char *const here[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
        size_t len = strlen(here[i]);

        if (bp_text_starts_with(site, here[i]) && (site[len] == ':' || site[len] == '\0'))
            return true;
    }
    return bp_text_starts_with(site, "https://");
}

static enum bp_code set_token(struct builder *b, struct bp_err *err)
{
    const char *token = b->git->options.token;
    const struct bp_git_url *url = &b->git->url;
    BP_AUTO(bp_freep) char *key = bp_format("credential.%s.helper", url->site);

    for (const char *p = token; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            return bp_fail(err, BP_EUSAGE,
                           "the token of the backup repository holds a line end or another "
                           "control character");
    }
    if (!is_safe_site(url->site))
        return bp_fail(err, BP_EUSAGE, "'%s' would carry the token unencrypted; hint: use https",
                       url->full);
    set(b, key, ""); /* forget the helpers that were set before */
    set(b, key, helper);
    bp_list_addf(b->env, "%s=%s", BP_GIT_TOKEN_VARIABLE, token);
    return BP_OK;
}

/* What actions/checkout leaves for the repository it checked out. */
static enum bp_code set_header_of_checkout(struct builder *b, struct bp_err *err)
{
    const struct bp_git_url *url = &b->git->url;
    const char *argv[] = {"git", "config", "--get-urlmatch", "http.extraheader", url->full, NULL};
    BP_AUTO(bp_free_secretp) char *header = NULL;
    enum bp_code rc = ask_here(b, argv, &header, err);

    if (rc == BP_OK && *header != '\0') {
        BP_AUTO(bp_freep) char *key = bp_format("http.%s/.extraheader", url->site);

        set(b, key, ""); /* a list: an inherited one would be sent twice */
        set(b, key, header);
    }
    return rc;
}

/* "ssh -i key" and "/usr/bin/ssh", as git itself tells OpenSSH from its likes. */
static bool is_openssh(const char *command)
{
    size_t len = strcspn(command, " \t");
    const char *slash = memrchr(command, '/', len);
    const char *name = slash != NULL ? slash + 1 : command;

    return (size_t)(command + len - name) == strlen("ssh") && strncmp(name, "ssh", 3) == 0;
}

/* ssh must fail rather than ask. What the user chose instead of plain ssh is kept. */
static enum bp_code set_ssh(struct builder *b, struct bp_err *err)
{
    static const char *const argv[] = {"git", "config", "--get", "core.sshCommand", NULL};
    const struct bp_env *env = b->git->options.env;
    const char *given = bp_env_get(env, "GIT_SSH_COMMAND");
    BP_AUTO(bp_freep) char *command = given != NULL ? bp_strdup(given) : NULL;
    BP_AUTO(bp_freep) char *quiet = NULL;

    if (command == NULL && ask_here(b, argv, &command, err) != BP_OK)
        return err->code;
    if (*command == '\0' && bp_env_get(env, "GIT_SSH") != NULL)
        return BP_OK;
    quiet = bp_format("%s -oBatchMode=yes", *command != '\0' ? command : "ssh");
    replace_variable(b, "GIT_SSH_COMMAND",
                     *command == '\0' || is_openssh(command) ? quiet : command);
    return BP_OK;
}

static enum bp_code set_transport(struct builder *b, struct bp_err *err)
{
    const struct bp_git_options *options = &b->git->options;

    if (b->git->url.transport == BP_GIT_SSH)
        return set_ssh(b, err);
    if (b->git->url.transport != BP_GIT_HTTP)
        return BP_OK;
    if (options->ca_file != NULL) {
        replace_variable(b, "GIT_SSL_CAINFO", options->ca_file);
        replace_variable(b, "GIT_PROXY_SSL_CAINFO", options->ca_file);
    }
    if (options->proxy != NULL) {
        set(b, "remote." BP_GIT_REMOTE ".proxy", options->proxy);
        replace_variable(b, "NO_PROXY", ""); /* the environment's, for its own proxy */
        replace_variable(b, "no_proxy", "");
    }
    return options->token != NULL ? set_token(b, err) : set_header_of_checkout(b, err);
}

/* A repository on this machine need not be told before that it may be read in parts. The settings
 * of our environment do not reach the program that reads it. Of several, git takes the first. */
static void set_local_reader(struct builder *b)
{
    if (b->git->url.transport == BP_GIT_LOCAL)
        set(b, "remote." BP_GIT_REMOTE ".uploadpack",
            "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack");
}

enum bp_code bp_git_env_build(struct bp_git_store *git, struct bp_err *err)
{
    struct builder b = {.git = git, .env = &git->env};
    enum bp_code rc = BP_OK;

    bp_git_env_free(&git->env);
    copy_variables(&b);
    copy_settings(&b);
    set_local_reader(&b);
    rc = set_transport(&b, err);
    if (rc != BP_OK)
        return rc;
    set(&b, "remote." BP_GIT_REMOTE ".url", git->url.full);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        set(&b, settings[i].key, settings[i].value);
    bp_list_addf(b.env, "GIT_CONFIG_COUNT=%" PRId64, b.count);
    bp_list_addf(b.env, "GIT_DIR=%s", git->dir);
    bp_list_take(b.env, NULL);
    return BP_OK;
}

void bp_git_env_free(struct bp_list *env)
{
    for (size_t i = 0; i < env->count; i++) {
        if (env->at[i] != NULL)
            explicit_bzero(env->at[i], strlen(env->at[i]));
    }
    bp_list_free(env);
}
