#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "forge/github_token.h"
#include "forge/test_github_support.h"

static struct bp_forge_token token;

/* scopes NULL: the answer has no such header. */
static void read_token(const char *text, const char *scopes, const char *repo)
{
    BP_AUTO(bp_http_response_free) struct bp_http_response response = {.status = 200};
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    if (scopes != NULL)
        bp_list_addf(&response.headers, "X-OAuth-Scopes: %s", scopes);
    cr_assert_eq(bp_json_parse(repo, strlen(repo), &json, &err), BP_OK, "%s", err.msg);
    bp_github_token_read(text, &response, json, &token);
}

Test(github_token, tells_the_kind_by_the_prefix)
{
    static const struct {
        const char *text;
        const char *kind;
        bool robot;
    } rows[] = {
        {"ghp_0123", "classic personal access token", false},
        {"github_pat_11A_b", "fine-grained personal access token", false},
        {"gho_x", "OAuth token", false},
        {"ghu_x", "app user token", false},
        {"ghs_x", "app installation token", true},
        {"ghs_12345_eyJhbGciOiJ.eyJpc3MiOi.c2ln-x_y", "app installation token", true},
        {"0123456789abcdef0123456789abcdef01234567", "token of an unknown kind", false},
        {"GHS_x", "token of an unknown kind", false},
        {"gh", "token of an unknown kind", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_token(rows[i].text, NULL, "{}");
        cr_expect_str_eq(token.kind, rows[i].kind);
        cr_expect_eq(token.robot, rows[i].robot, "%s", rows[i].text);
        cr_expect_eq(token.may_dispatch, BP_UNKNOWN, "%s", rows[i].text);
    }
}

Test(github_token, may_have_any_length)
{
    char text[4096];
    struct bp_err err;

    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "ghs_1_", 6);
    text[sizeof(text) - 1] = '\0';
    cr_expect_eq(bp_github_token_check(text, &err), BP_OK);
    cr_expect_eq(bp_github_token_check("ghs_1_a.b-c_d+e/f=", &err), BP_OK);
    cr_expect_eq(bp_github_token_check("ghr_x", &err), BP_EAUTH);
    cr_expect(holds(err.msg, "refresh token"));
    cr_expect_eq(bp_github_token_check("", &err), BP_EAUTH);
    cr_expect_eq(bp_github_token_check("a\tb", &err), BP_EAUTH);
}

Test(github_token, tells_by_scopes_and_role_whether_it_may_dispatch)
{
    static const char pushes[] = "{\"private\": true, \"permissions\": {\"push\": true}}";
    static const char reads[] = "{\"private\": true, \"permissions\": {\"push\": false}}";
    static const char public_repo[] = "{\"private\": false, \"permissions\": {\"push\": true}}";
    static const struct {
        const char *text;
        const char *scopes;
        const char *repo;
        enum bp_known may;
    } rows[] = {
        {"ghp_x", "repo", pushes, BP_YES},
        {"ghp_x", "gist, repo, workflow", pushes, BP_YES},
        {"ghp_x", "gist,repo", pushes, BP_YES},
        {"ghp_x", "repo", "{}", BP_YES},
        {"ghp_x", "repo", reads, BP_NO},
        {"ghp_x", "repo:status, read:org", pushes, BP_NO},
        {"ghp_x", "", pushes, BP_NO},
        {"ghp_x", "public_repo", pushes, BP_NO},
        {"ghp_x", "public_repo", "{}", BP_NO},
        {"ghp_x", "public_repo", public_repo, BP_YES},
        {"ghp_x", "repository", pushes, BP_NO},
        {"ghp_x", NULL, reads, BP_UNKNOWN},
        {"gho_x", "repo", pushes, BP_YES},
        {"gho_x", "user", pushes, BP_NO},
        {"github_pat_x", NULL, pushes, BP_UNKNOWN},
        {"github_pat_x", NULL, reads, BP_UNKNOWN},
        {"ghu_x", "", pushes, BP_UNKNOWN},
        {"ghs_x", NULL, reads, BP_UNKNOWN},
        {"ghs_x", "", reads, BP_UNKNOWN},
        {"0123", "repo", pushes, BP_YES},
        {"0123", "gist", pushes, BP_NO},
        {"0123", "", pushes, BP_UNKNOWN},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_token(rows[i].text, rows[i].scopes, rows[i].repo);
        cr_expect_eq(token.may_dispatch, rows[i].may, "row %zu", i);
        cr_expect_str_eq(token.scopes, rows[i].scopes != NULL ? rows[i].scopes : "");
    }
}

Test(github_token, reads_when_it_expires)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2021-10-07 19:07:53 UTC", INT64_C(1633633673000)},
        {"2021-10-07 21:07:53 +0200", INT64_C(1633633673000)},
        {"2021-10-07 21:07:53 +02:00", INT64_C(1633633673000)},
        {"2021-10-07 11:07:53 -0800", INT64_C(1633633673000)},
        {"2021-10-07 19:07:53 Z", INT64_C(1633633673000)},
        {"2021-10-07 19:07:53", 0},
        {"2021-10-07 19:07:53 CEST", 0},
        {"2021-10-07 19:07:53 UTC ", 0},
        {"2021-10-07 21:07:53 +02:00x", 0},
        {"2021-13-07 19:07:53 UTC", 0},
        {"1921-10-07 19:07:53 UTC", 0},
        {"2021-10-07", 0},
        {"never", 0},
        {"", 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(bp_github_token_expiry(rows[i].text), rows[i].ms, "'%s'", rows[i].text);
}

Test(github_token, is_described_with_the_repository, .init = github_set_up,
     .fini = github_tear_down)
{
    struct bp_forge_repo repo;
    struct bp_ask ask = {.kind = BP_ASK_REPO, .out.repo = &repo};

    github_use_token("ghp_x");
    rig.http.exchanges[0] = (struct fake_exchange){
        .status = 200,
        .body = "{\"default_branch\": \"main\", \"permissions\": {\"push\": true}}",
        .header = "X-OAuth-Scopes: repo, gi\x1bst",
        .more_headers = {"GitHub-Authentication-Token-Expiration: 2021-10-07 19:07:53 UTC"}};
    cr_assert_eq(github_ask(&ask), BP_OK, "%s", ask.err.msg);
    cr_expect_str_eq(repo.token.kind, "classic personal access token");
    cr_expect_str_eq(repo.token.scopes, "repo, gi st");
    cr_expect_eq(repo.token.expires_ms, INT64_C(1633633673000));
    cr_expect_eq(repo.token.may_dispatch, BP_YES);
    cr_expect_eq(github_answer(&ask, 200, "{}"), BP_OK);
    cr_expect_eq(repo.token.expires_ms, 0);
}
