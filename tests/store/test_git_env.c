#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"

static const char *const outside[] = {"PATH=/usr/bin:/bin",
                                      "HOME=/nonexistent",
                                      "GIT_DIR=/elsewhere",
                                      "GIT_INDEX_FILE=/elsewhere/index",
                                      "GIT_TRACE=1",
                                      "GIT_TRACE_PACKET=/tmp/trace",
                                      "GIT_SSL_CAINFO=/old/ca.pem",
                                      "GIT_ASKPASS=/bin/ask",
                                      "SSH_ASKPASS=/bin/ask",
                                      "LC_ALL=de_DE.UTF-8",
                                      "BACKPROOF_TOKEN=other-secret",
                                      "DATABASE_URL=postgres://x:y@z/w",
                                      "NO_PROXY=host.test",
                                      "no_proxy=host.test",
                                      "GIT_CONFIG_NOSYSTEM=1",
                                      "GIT_CONFIG_COUNT=1",
                                      "GIT_CONFIG_KEY_0=user.name",
                                      "GIT_CONFIG_VALUE_0=me",
                                      "GIT_CONFIG_KEY_1=not.counted",
                                      "GIT_CONFIG_VALUE_1=x",
                                      NULL};
static const struct bp_env outside_env = {outside};
static struct bp_clock wire_clock;

static enum bp_code build(struct bp_git_store *git, const char *url, const char *token,
                          struct bp_err *err)
{
    wire_clock = bp_clock_system(NULL);
    git->options.url = url;
    git->options.token = token;
    git->options.env = &outside_env;
    git->options.clock = &wire_clock;
    git->dir = bp_strdup("/the/copy");
    cr_assert_eq(bp_git_url_parse(url, &git->url, err), BP_OK, "%s", err->msg);
    return bp_git_env_build(git, err);
}

static void release(struct bp_git_store *git)
{
    bp_git_env_free(&git->env);
    bp_git_url_free(&git->url);
    bp_freep(&git->dir);
}

/* The value of git setting `key` number `nth`; NULL when there is none. */
static const char *setting(const struct bp_git_store *git, const char *key, int nth)
{
    const struct bp_env env = {(const char *const *)git->env.at};
    int64_t count = 0;

    cr_assert_eq(bp_parse_int(bp_env_get(&env, "GIT_CONFIG_COUNT"), 0, 100, &count, NULL), BP_OK);
    for (int64_t i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *name = bp_format("GIT_CONFIG_KEY_%d", (int)i);
        BP_AUTO(bp_freep) char *value = bp_format("GIT_CONFIG_VALUE_%d", (int)i);

        if (strcmp(bp_env_get(&env, name), key) != 0 || nth-- > 0)
            continue;
        return bp_env_get(&env, value) != NULL ? bp_env_get(&env, value) : "";
    }
    return NULL;
}

Test(store_git_env, git_gets_no_variable_that_would_lead_it_astray)
{
    BP_AUTO(release) struct bp_git_store git = {0};
    struct bp_err err = {0};

    git.options.ca_file = "/new/ca.pem";
    cr_assert_eq(build(&git, "https://host.test:8443/r", "t0ken", &err), BP_OK, "%s", err.msg);
    const struct bp_env env = {(const char *const *)git.env.at};

    cr_expect_str_eq(bp_env_get(&env, "GIT_DIR"), "/the/copy");
    cr_expect_str_eq(bp_env_get(&env, "LC_ALL"), "C");
    cr_expect_str_eq(bp_env_get(&env, "PATH"), "/usr/bin:/bin");
    cr_expect_str_eq(bp_env_get(&env, "GIT_SSL_CAINFO"), "/new/ca.pem");
    cr_expect_str_eq(bp_env_get(&env, "GIT_TRACE_PACKET"), "/tmp/trace");
    cr_expect_str_eq(bp_env_get(&env, "GIT_TERMINAL_PROMPT"), "0");
    cr_expect_null(bp_env_get(&env, "GIT_INDEX_FILE"));
    cr_expect_null(bp_env_get(&env, "GIT_TRACE"));
    cr_expect_null(bp_env_get(&env, "GIT_ASKPASS"));
    cr_expect_null(bp_env_get(&env, "SSH_ASKPASS"));
    cr_expect_null(bp_env_get(&env, "BACKPROOF_TOKEN"));
    cr_expect_null(bp_env_get(&env, "DATABASE_URL"));
    cr_expect_str_eq(setting(&git, "user.name", 0), "me");
    cr_expect_null(setting(&git, "not.counted", 0));
    cr_expect_str_eq(setting(&git, "pack.useSparse", 0), "false");
    cr_expect_str_eq(setting(&git, "core.hooksPath", 0), "/dev/null");
}

Test(store_git_env, the_token_goes_to_its_own_host_only)
{
    BP_AUTO(release) struct bp_git_store git = {0};
    struct bp_err err = {0};

    cr_assert_eq(build(&git, "https://host.test:8443/r", "t0ken", &err), BP_OK, "%s", err.msg);
    const struct bp_env env = {(const char *const *)git.env.at};

    cr_expect_str_eq(setting(&git, "credential.https://host.test:8443.helper", 0), "",
                     "inherited helpers are dropped");
    cr_expect_not_null(strstr(setting(&git, "credential.https://host.test:8443.helper", 1),
                              "$BACKPROOF_GIT_TOKEN"));
    cr_expect_str_eq(bp_env_get(&env, "BACKPROOF_GIT_TOKEN"), "t0ken");
}

Test(store_git_env, a_proxy_that_is_named_is_not_left_out_for_some_hosts)
{
    BP_AUTO(release) struct bp_git_store git = {0};
    struct bp_err err = {0};

    git.options.proxy = "http://user:password@proxy.test:3128";
    git.options.ca_file = "/new/ca.pem";
    cr_assert_eq(build(&git, "https://host.test/r", NULL, &err), BP_OK, "%s", err.msg);
    const struct bp_env env = {(const char *const *)git.env.at};

    cr_expect_str_eq(setting(&git, "remote.backproof.proxy", 0), git.options.proxy);
    cr_expect_null(bp_env_get(&env, "NO_PROXY"));
    cr_expect_null(bp_env_get(&env, "no_proxy"));
    cr_expect_str_eq(bp_env_get(&env, "GIT_PROXY_SSL_CAINFO"), "/new/ca.pem");
}

static void expect_ssh(const char *variable, const char *wanted)
{
    const char *vars[] = {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
                          variable, NULL};
    const struct bp_env from = {vars};
    BP_AUTO(release) struct bp_git_store git = {0};
    struct bp_err err = {0};

    wire_clock = bp_clock_system(NULL);
    git.options.env = &from;
    git.options.clock = &wire_clock;
    git.dir = bp_strdup("/the/copy");
    cr_assert_eq(bp_git_url_parse("git@host.test:r", &git.url, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_git_env_build(&git, &err), BP_OK, "%s", err.msg);
    const struct bp_env env = {(const char *const *)git.env.at};
    const char *got = bp_env_get(&env, "GIT_SSH_COMMAND");

    cr_expect_str_eq(got != NULL ? got : "", wanted, "%s gave '%s'", variable, got);
}

Test(store_git_env, openssh_is_told_never_to_ask)
{
    expect_ssh("A=b", "ssh -oBatchMode=yes");
    expect_ssh("GIT_SSH_COMMAND=ssh -i key", "ssh -i key -oBatchMode=yes");
    expect_ssh("GIT_SSH_COMMAND=/usr/bin/ssh -F x", "/usr/bin/ssh -F x -oBatchMode=yes");
    expect_ssh("GIT_SSH_COMMAND=plink -i key", "plink -i key");
    expect_ssh("GIT_SSH_COMMAND=/opt/sshx/wrapper", "/opt/sshx/wrapper");
    expect_ssh("GIT_SSH=/opt/wrapper", "");
}

Test(store_git_env, a_token_is_not_sent_where_everybody_can_read_it)
{
    static const char *const bad[] = {"http://host.test/r", "http://127.0.0.1.evil.test/r",
                                      "http://localhost.evil.test/r"};
    struct bp_err err = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        BP_AUTO(release) struct bp_git_store git = {0};

        cr_expect_eq(build(&git, bad[i], "t0ken", &err), BP_EUSAGE, "%s", bad[i]);
        cr_expect_not_null(strstr(err.msg, "hint: use https"), "%s", err.msg);
    }
    BP_AUTO(release) struct bp_git_store here = {0};
    BP_AUTO(release) struct bp_git_store broken = {0};

    cr_expect_eq(build(&here, "http://127.0.0.1:8080/r", "t0ken", &err), BP_OK, "%s", err.msg);
    cr_expect_eq(build(&broken, "https://host.test/r", "t0ken\nhost=evil.test", &err), BP_EUSAGE);
    cr_expect_null(strstr(err.msg, "t0ken"), "%s", err.msg);
}
