#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"
#include "test_git_box.h"

TestSuite(store_git_wire, .timeout = 60);

/* The address */

static enum bp_code parse(const char *text, struct bp_git_url *out, struct bp_err *err)
{
    *err = (struct bp_err){0};
    return bp_git_url_parse(text, out, err);
}

Test(store_git_wire, addresses_are_told_apart)
{
    static const struct {
        const char *text;
        enum bp_git_transport transport;
        const char *site;
    } rows[] = {
        {"https://github.com/owner/name", BP_GIT_HTTP, "https://github.com"},
        {"https://github.com:8443/owner/name.git", BP_GIT_HTTP, "https://github.com:8443"},
        {"https://me@dev.example.test/x", BP_GIT_HTTP, "https://dev.example.test"},
        {"http://[::1]:80/x", BP_GIT_HTTP, "http://[::1]:80"},
        {"https://host.test", BP_GIT_HTTP, "https://host.test"},
        {"ssh://git@github.com/owner/name", BP_GIT_SSH, NULL},
        {"git@github.com:owner/name.git", BP_GIT_SSH, NULL},
        {"git://host.test/x", BP_GIT_DAEMON, NULL},
        {"file:///srv/x.git", BP_GIT_LOCAL, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_git_url_free) struct bp_git_url url = {0};
        struct bp_err err;

        cr_assert_eq(parse(rows[i].text, &url, &err), BP_OK, "%s: %s", rows[i].text, err.msg);
        cr_expect_eq(url.transport, rows[i].transport, "%s", rows[i].text);
        cr_expect_str_eq(url.full, rows[i].text);
        cr_expect_str_eq(url.site != NULL ? url.site : "", rows[i].site != NULL ? rows[i].site : "",
                         "%s", rows[i].text);
    }
}

Test(store_git_wire, a_path_becomes_an_absolute_file_address)
{
    BP_AUTO(bp_git_url_free) struct bp_git_url url = {0};
    struct bp_err err;

    cr_assert_eq(parse("/usr/../tmp", &url, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(url.transport, BP_GIT_LOCAL);
    cr_expect_str_eq(url.full, "file:///tmp");
}

Test(store_git_wire, addresses_that_are_unsafe_or_unknown_are_refused)
{
    static const struct {
        const char *text;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {"https://me:s3cret@github.com/o/r", BP_EUSAGE, "holds a password"},
        {"https://ghp_0123456789@github.com/o/r", BP_EUSAGE, "holds a password"},
        {"ssh://me:s3cret@host.test/r", BP_EUSAGE, "holds a password"},
        {"ext::sh -c true", BP_EUSAGE, "not supported"},
        {"ftp://host.test/r", BP_EUSAGE, "not supported"},
        {"-oProxyCommand=true:r", BP_EUSAGE, "not supported"},
        {"https:///r", BP_EUSAGE, "names no host"},
        {"", BP_EUSAGE, "--backup-repo"},
        {"owner/name", BP_ENOTFOUND, "https://github.com/owner/name"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_git_url_free) struct bp_git_url url = {0};
        struct bp_err err;

        cr_expect_eq(parse(rows[i].text, &url, &err), rows[i].code, "%s", rows[i].text);
        cr_expect_not_null(strstr(err.msg, rows[i].words), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "s3cret"), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "0123456789"), "%s", err.msg);
    }
}

/* The environment of the git program */

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

Test(store_git_wire, git_gets_no_variable_that_would_lead_it_astray)
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

Test(store_git_wire, the_token_goes_to_its_own_host_only)
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

Test(store_git_wire, a_token_is_not_sent_where_everybody_can_read_it)
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

Test(store_git_wire, the_users_own_ssh_is_kept)
{
    struct git_box box;
    struct bp_err err = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;

    git_box_open(&box);
    bp_free(git_box_run(&box, "printf '#!/bin/sh\\necho \"git@host: Permission denied "
                              "(publickey).\" >&2\\nexit 255\\n' > ssh && chmod 755 ssh"));
    BP_AUTO(bp_freep) char *command = bp_format("GIT_SSH_COMMAND=%s/ssh", box.dir);
    git_box_set(&box, command);
    box.options.url = "git@host.test:owner/name.git";
    store = bp_git_store_new(&box.options);
    cr_expect_eq(store->ops->open(store, &err), BP_EAUTH);
    cr_expect_str_eq(err.msg, "cannot read the backup repository 'git@host.test:owner/name.git': "
                              "git@host: Permission denied (publickey).; hint: does the server "
                              "know the SSH key, and can ssh read it?");
    bp_store_freep(&store);
    git_box_close(&box);
}

Test(store_git_wire, an_old_git_or_none_is_told)
{
    struct git_box box;
    struct bp_err err = {0};
    BP_AUTO(bp_store_freep) struct bp_store *store = NULL;

    git_box_open(&box);
    bp_free(git_box_run(&box, "mkdir bin && printf '#!/bin/sh\\necho git version 2.30.2\\n' "
                              "> bin/git && chmod 755 bin/git"));
    store = bp_git_store_new(&box.options);
    BP_AUTO(bp_freep) char *path = bp_format("%s/bin:/usr/bin:/bin", box.dir);

    cr_assert_eq(setenv("PATH", path, 1), 0);
    cr_expect_eq(store->ops->open(store, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "git is version 2.30; hint: install 2.31 or newer");
    cr_assert_eq(setenv("PATH", "/nonexistent", 1), 0);
    cr_expect_eq(store->ops->open(store, &err), BP_EUSAGE);
    cr_expect_str_eq(err.msg, "cannot run git; hint: install it");
    bp_store_freep(&store);
    git_box_close(&box);
}

/* Words of git and of servers, as they were seen */

Test(store_git_wire, words_of_git_become_codes)
{
    static const struct {
        const char *errs;
        enum bp_code code;
        const char *hint; /* part of the message */
    } rows[] = {
        {"remote: Repository not found.\nfatal: repository 'https://github.com/o/r/' not found\n",
         BP_ENOTFOUND, "no right to see"},
        {"ERROR: Repository not found.\nfatal: Could not read from remote repository.\n\nPlease "
         "make sure you have the correct access rights\nand the repository exists.\n",
         BP_ENOTFOUND, "no right to see"},
        {"fatal: '/srv/x' does not appear to be a git repository\n", BP_ENOTFOUND, "--bare"},
        {"remote: Invalid username or token. Password authentication is not supported for Git "
         "operations.\nfatal: Authentication failed for 'https://github.com/o/r/'\n",
         BP_EAUTH, "BACKPROOF_BACKUP_TOKEN"},
        {"fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
         BP_EAUTH, "BACKPROOF_BACKUP_TOKEN"},
        {"remote: Permission to o/r.git denied to somebody.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EAUTH, "cannot write"},
        {"remote: Write access to repository not granted.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EAUTH, "Contents: read and write"},
        {"remote: This repository was archived so it is read-only.\nfatal: unable to access "
         "'https://github.com/o/r/': The requested URL returned error: 403\n",
         BP_EFAILED, "unarchive"},
        {"ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could "
         "not read from remote repository.\n",
         BP_EAUTH, "deploy key"},
        {"Host key verification failed.\nfatal: Could not read from remote repository.\n", BP_EAUTH,
         "known_hosts"},
        {"fatal: unable to access 'https://h/': Could not resolve host: h\n", BP_EUNAVAILABLE,
         "Could not resolve host"},
        {"fatal: unable to access 'https://h/': Failed to connect to h port 443 after 21 ms: "
         "Connection refused\n",
         BP_EUNAVAILABLE, "refused"},
        {"fatal: unable to access 'https://h/': SSL certificate problem: self-signed "
         "certificate\n",
         BP_EUNAVAILABLE, "--ca-file"},
        {"fatal: unable to access 'https://h/': The requested URL returned error: 503\n",
         BP_EUNAVAILABLE, "503"},
        {"error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502\nsend-pack: "
         "unexpected disconnect while reading sideband packet\nfatal: the remote end hung up "
         "unexpectedly\n",
         BP_EUNAVAILABLE, "502"},
        {"ssh: connect to host h port 22: Connection timed out\nfatal: Could not read from remote "
         "repository.\n",
         BP_EUNAVAILABLE, "timed out"},
        {"fatal: mismatched algorithms: client sha1; server sha256\n", BP_EFAILED, "SHA-256"},
        {"fatal: write error: No space left on device\n", BP_EFAILED, "TMPDIR"},
        {"fatal: something new\n", BP_EFAILED, "something new"},
        {"", BP_EFAILED, "git gave no reason"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_err err = {0};

        cr_expect_eq(bp_git_words_fail("URL", true, rows[i].errs, &err), rows[i].code, "%s",
                     rows[i].errs);
        cr_expect_not_null(strstr(err.msg, rows[i].hint), "'%s' is not in '%s'", rows[i].hint,
                           err.msg);
        cr_expect(bp_text_starts_with(err.msg, "cannot write to the backup repository 'URL': "));
        cr_expect_null(strchr(err.msg, '\n'));
    }
}

Test(store_git_wire, the_ends_of_a_push_become_codes)
{
    static const struct {
        const char *reason;
        const char *errs;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {"[rejected] (stale info)", "", BP_ELOCKED, "somebody else"},
        {"[rejected] (fetch first)", "", BP_ELOCKED, "somebody else"},
        {"[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)", "",
         BP_ELOCKED, "somebody else"},
        {"[remote rejected] (failed to update ref)",
         "remote: error: cannot lock ref 'refs/heads/main': is at 1 but expected 2\n", BP_ELOCKED,
         "somebody else"},
        {"[remote rejected] (failed to update ref)",
         "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create "
         "'refs/heads/a/b'\n",
         BP_EFAILED, "cannot create"},
        {"[remote rejected] (branch is currently checked out)",
         "remote: error: refusing to update checked out branch: refs/heads/main\n", BP_EFAILED,
         "use a bare repository"},
        {"[remote rejected] (push declined due to repository rule violations)",
         "remote: error: GH013: Repository rule violations found for refs/heads/main.\nremote: \n"
         "remote: - GITHUB PUSH PROTECTION\nremote:   ————————————————\nremote:     - Push cannot "
         "contain secrets\n",
         BP_EFAILED, "--recipient"},
        {"[remote rejected] (protected branch hook declined)",
         "remote: error: GH006: Protected branch update failed for refs/heads/main.\n", BP_EFAILED,
         "protected branch"},
        {"[remote rejected] (pre-receive hook declined)",
         "remote: error: GH001: Large files detected.\nremote: error: File x is 120.00 MB; this "
         "exceeds GitHub's file size limit of 100.00 MB\n",
         BP_EFAILED, "larger than the server allows"},
        {"[remote rejected] (pre-receive hook declined)", "remote: not today\n", BP_EFAILED,
         "not today"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep)
        char *out =
            bp_format("To https://h/r\n!\t1234:refs/heads/main\t%s\nDone\n", rows[i].reason);
        struct bp_err err = {0};
        struct bp_git_push_end end = bp_git_words_push("URL", out, rows[i].errs, &err);

        cr_expect(end.told);
        cr_expect_eq(end.code, rows[i].code, "%s", rows[i].reason);
        cr_expect_not_null(strstr(err.msg, rows[i].words), "%s", err.msg);
        cr_expect_null(strstr(err.msg, "——"), "%s", err.msg);
    }
}

Test(store_git_wire, a_push_without_an_answer_is_not_decided)
{
    static const char *const silent[] = {
        "", "To https://h/r\n", "Done\n", "garbage",
        "To x\n!\t1:refs/heads/main\t[remote failure] (remote failed to report status)\nDone\n"};

    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        struct bp_err err = {0};

        cr_expect_not(bp_git_words_push("URL", silent[i], "", &err).told, "%s", silent[i]);
    }
    cr_expect(bp_git_words_push("URL", "*\t1:refs/heads/main\t[new branch]\n", "", NULL).told);
}

Test(store_git_wire, foreign_words_stay_on_one_line_and_short)
{
    BP_AUTO(bp_buf_free) struct bp_buf errs = {0};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_buf_puts(&errs, "remote: a\033[31m b   \r\nremote:\nremote: =====\nwarning: no\nhint: no\n");
    for (int i = 0; i < 1000; i++)
        bp_buf_puts(&errs, "error: line\n");
    bp_git_words_put(&out, bp_buf_str(&errs));
    cr_expect(bp_text_starts_with(bp_buf_str(&out), "a [31m b; line; line; "), "%s", out.data);
    cr_expect_lt(out.len, 430);
}
