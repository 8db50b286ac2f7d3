#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/git_internal.h"
#include "test_git_box.h"

/* Stands before git: keeps what a stranger's question was, and answers it as the file `answer`
 * says. */
static const char shim[] = "#!/bin/sh\n"
                           "if [ \"$1 $2\" = \"ls-remote --quiet\" ]; then\n"
                           "    echo \"$3\" >\"$FOLDER/asked\"\n"
                           "    env >\"$FOLDER/environment\"\n"
                           "    git() { /usr/bin/env PATH=/usr/bin:/bin git \"$@\"; }\n"
                           "    git config --get-regexp '.*' >\"$FOLDER/settings\"\n"
                           "    cat \"$FOLDER/said\" >&2\n"
                           "    exit \"$(cat \"$FOLDER/answer\")\"\n"
                           "fi\n"
                           "PATH=/usr/bin:/bin exec git \"$@\"\n";

static struct git_box box;

static void set_up(void)
{
    git_box_open(&box);
    BP_AUTO(bp_freep) char *path = bp_format("%s/bin:/usr/bin:/bin", box.dir);

    bp_free(git_box_run(
        &box,
        "mkdir bin && echo 0 >answer && "
        "echo 'pkt-line.c:80 packet:  ls-remote< version 2' >said && cat >bin/git <<'END'\n%sEND\n"
        "sed -i \"s|[$]FOLDER|$PWD|g\" bin/git && chmod 755 bin/git",
        shim));
    cr_assert_eq(setenv("PATH", path, 1), 0); /* where programs are looked for */
}

static void tear_down(void)
{
    git_box_close(&box);
}

TestSuite(store_git_public, .init = set_up, .fini = tear_down, .timeout = 60);

static bool is_public(const char *address)
{
    struct bp_git_store git = {0};
    struct bp_err err = {0};
    bool found = true;

    bp_free(git_box_run(&box, "rm -f asked"));
    git.options = box.options;
    git.options.url = address;
    git.dir = bp_strdup(box.bare);
    cr_assert_eq(bp_git_url_parse(address, &git.url, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_git_env_build(&git, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_git_is_public(&git.base, &found, &err), BP_OK, "%s", err.msg);
    bp_git_env_free(&git.env);
    bp_git_url_free(&git.url);
    bp_freep(&git.dir);
    return found;
}

static void expect_asked(const char *address, const char *wanted)
{
    bool found = is_public(address);
    BP_AUTO(bp_freep) char *asked = git_box_run(&box, "cat asked 2>/dev/null || true");

    cr_expect_str_eq(asked, wanted, "of '%s' was asked '%s'", address, asked);
    cr_expect_eq(found, *wanted != '\0', "%s", address);
}

Test(store_git_public, is_asked_where_a_stranger_would_ask)
{
    expect_asked("https://git.test/o/r.git", "https://git.test/o/r.git");
    expect_asked("https://me@git.test:8443/o/r.git", "https://git.test:8443/o/r.git");
    expect_asked("http://127.0.0.1:1234/r", "http://127.0.0.1:1234/r");
    expect_asked("git@github.com:o/r.git", "https://github.com/o/r.git");
    expect_asked("ssh://git@github.com/o/r", "https://github.com/o/r");
    expect_asked("ssh://git@ssh.github.com:443/o/r.git", "https://github.com/o/r.git");
    expect_asked("git@gitlab.com:group/sub/r.git", "https://gitlab.com/group/sub/r.git");
    expect_asked("git@bitbucket.org:o/r.git", "https://bitbucket.org/o/r.git");
    expect_asked("git@Codeberg.org:o/r.git", "https://codeberg.org/o/r.git");
    expect_asked("git://git.test/r.git", "git://git.test/r.git"); /* knows no passwords */
}

Test(store_git_public, is_not_asked_where_strangers_have_no_way_to_ask)
{
    expect_asked("git@git.test:o/r.git", "");
    expect_asked("ssh://git@github.com.evil.test/o/r", "");
    expect_asked("ssh://github.com@git.test/o/r", "");
    expect_asked("file:///srv/r.git", "");
}

Test(store_git_public, a_refusal_means_no)
{
    bp_free(git_box_run(&box, "echo 128 >answer"));
    cr_expect_not(is_public("https://git.test/o/r.git"));
}

Test(store_git_public, a_server_that_says_yes_to_everything_is_no_repository)
{
    bp_free(git_box_run(&box, "echo >said"));
    cr_expect_not(is_public("https://git.test/o/r.git"));
}

Test(store_git_public, is_asked_by_both_authorities_when_the_repository_is_reached_by_ssh)
{
    box.options.ca_file = "/ca.pem";
    box.options.proxy = "http://proxy.test:3128";
    git_box_set(&box, "NO_PROXY=github.com");
    git_box_set(&box, "GIT_SSL_CAINFO=/users.pem");
    bp_free(git_box_run(&box, "sed -i 's|exit .*|test \"$GIT_SSL_CAINFO\" = \"$(cat "
                              "\"'$PWD'/answer\")\"; exit|' bin/git; echo /ca.pem >answer"));
    cr_expect(is_public("git@github.com:o/r.git"));
    BP_AUTO(bp_freep) char *away = git_box_run(&box, "grep -i '^no_proxy=.' environment || true");
    cr_expect_str_empty(away, "%s", away);
    bp_free(git_box_run(&box, "echo /users.pem >answer"));
    cr_expect(is_public("git@github.com:o/r.git"));
    bp_free(git_box_run(&box, "echo /others.pem >answer"));
    cr_expect_not(is_public("git@github.com:o/r.git"));
}

Test(store_git_public, follows_what_the_users_configuration_has_in_place_of_an_address)
{
    bp_free(git_box_run(&box, "/usr/bin/git config --global url.https://mirror.test/.insteadOf "
                              "https://git.test/ && /usr/bin/git config --global "
                              "url.git@git.test:.insteadOf https://private.test/"));
    expect_asked("https://git.test/o/r.git", "https://mirror.test/o/r.git");
    expect_asked("https://private.test/o/r.git", "");
}

Test(store_git_public, a_stranger_has_no_credentials_and_the_users_way_to_the_network)
{
    box.options.token = "t0ken";
    box.options.ca_file = "/ca.pem";
    box.options.proxy = "http://proxy.test:3128";
    git_box_set(&box, "NO_PROXY=other.test");
    git_box_set(&box, "SSH_AUTH_SOCK=/agent");
    git_box_set(&box, "GIT_SSL_CERT=/mine.pem");
    git_box_set(&box, "GIT_CONFIG_COUNT=1");
    git_box_set(&box, "GIT_CONFIG_KEY_0=http.extraHeader");
    git_box_set(&box, "GIT_CONFIG_VALUE_0=Authorization: Basic c2VjcmV0");
    bp_free(git_box_run(&box, "/usr/bin/git config --global http.extraheader 'X-Key: c2VjcmV0'; "
                              "/usr/bin/git config --global http.cookieFile /cookies; "
                              "/usr/bin/git config --global http.https://git.test.sslVerify false; "
                              "/usr/bin/git config --global credential.helper store; "
                              "echo 'https://u:c2VjcmV0@git.test' >.git-credentials"));
    cr_expect(is_public("https://git.test/o/r.git"));
    BP_AUTO(bp_freep) char *all = git_box_run(&box, "cat environment settings");
    BP_AUTO(bp_freep) char *settings = git_box_run(&box, "grep ^http settings");

    cr_expect_null(strstr(all, "t0ken"), "%s", all);
    cr_expect_null(strstr(all, "c2VjcmV0"), "%s", all);
    cr_expect_null(strstr(all, "/agent"), "%s", all);
    cr_expect_null(strstr(all, "/mine.pem"), "%s", all);
    cr_expect_null(strstr(all, "/cookies"), "%s", all);
    cr_expect_not_null(strstr(all, "GIT_SSL_CAINFO=/ca.pem\n"), "%s", all);
    cr_expect_not_null(strstr(all, "GIT_TERMINAL_PROMPT=0\n"), "%s", all);
    cr_expect_str_eq(settings,
                     "http.sslverify false\nhttp.proxy http://proxy.test:3128\n"
                     "http.emptyauth false",
                     "%s", settings);
    BP_AUTO(bp_freep)
    char *home = git_box_run(&box, "test ! -e \"$(sed -n s/^HOME=//p environment)\" && echo none");
    cr_expect_str_eq(home, "none");
}

Test(store_git_public, no_answer_is_no_error_and_a_stop_is)
{
    static struct bp_stop asked = {.signal = 15, .fd = -1, .write_fd = -1};
    struct bp_git_store git = {0};
    struct bp_err err = {0};
    bool found = true;

    git.options = box.options;
    git.dir = bp_strdup(box.bare);
    cr_assert_eq(bp_git_url_parse("https://git.test/r", &git.url, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_git_env_build(&git, &err), BP_OK, "%s", err.msg);
    bp_free(git_box_run(&box, "sed -i 's/exit .*/exec sleep 60/' bin/git"));
    git.options.timeout_ms = 200;
    cr_expect_eq(bp_git_is_public(&git.base, &found, &err), BP_OK, "%s", err.msg);
    cr_expect_not(found);
    box.clock.stop = &asked;
    cr_expect_eq(bp_git_is_public(&git.base, &found, &err), BP_ESTOPPED);
    box.clock.stop = NULL;
    bp_git_env_free(&git.env);
    bp_git_url_free(&git.url);
    bp_freep(&git.dir);
}
