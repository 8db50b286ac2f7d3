#include <criterion/criterion.h>
#include <string.h>

#include "store/git_internal.h"

static enum bp_code parse(const char *text, struct bp_git_url *out, struct bp_err *err)
{
    *err = (struct bp_err){0};
    return bp_git_url_parse(text, out, err);
}

Test(store_git_url, addresses_are_told_apart)
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

Test(store_git_url, a_path_becomes_an_absolute_file_address)
{
    BP_AUTO(bp_git_url_free) struct bp_git_url url = {0};
    struct bp_err err;

    cr_assert_eq(parse("/usr/../tmp", &url, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(url.transport, BP_GIT_LOCAL);
    cr_expect_str_eq(url.full, "file:///tmp");
}

Test(store_git_url, addresses_that_are_unsafe_or_unknown_are_refused)
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
