#include <criterion/criterion.h>
#include <string.h>

#include "forge/github_api.h"
#include "support/fake_clock.h"
#include "support/fake_http.h"

static struct fake_clock fclock;
static struct fake_http http;
static struct bp_github_api api;
static struct bp_github_answer answer;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    fclock.wall_start_ms = INT64_C(1000000000000);
    http = fake_http();
    api = (struct bp_github_api){.http = &http.base,
                                 .clock = &fclock.base,
                                 .url = "https://api.test",
                                 .token = "t0ken",
                                 .timeout_ms = 1000};
}

static void tear_down(void)
{
    bp_github_answer_free(&answer);
}

TestSuite(github_api, .init = set_up, .fini = tear_down);

static enum bp_code get(void)
{
    bp_github_answer_free(&answer);
    http.count = 0;
    return bp_github_call(&api, "GET", "/repos/o/r", NULL, &answer, &err);
}

Test(github_api, sends_the_token_and_reads_the_object)
{
    http.exchanges[0] = (struct fake_exchange){.status = 200, .body = "{\"id\": 7}"};
    cr_assert_eq(get(), BP_OK, "%s", err.msg);
    cr_expect_str_eq(http.exchanges[0].url, "https://api.test/repos/o/r");
    cr_expect_str_eq(http.exchanges[0].authorization, "Authorization: Bearer t0ken");
    cr_expect(bp_json_is_object(answer.json));
}

Test(github_api, gives_each_refusal_its_code)
{
    static const struct {
        int status;
        const char *body;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {401, "{\"message\": \"Bad credentials\"}", BP_EAUTH, "make a new one"},
        {403, "{\"message\": \"Resource not accessible\"}", BP_EAUTH, "Actions: write"},
        {403, "{\"message\": \"You have exceeded a secondary rate limit\"}", BP_EUNAVAILABLE,
         "rate limit"},
        {429, "", BP_EUNAVAILABLE, "rate limit"},
        {404, "{\"message\": \"Not Found\"}", BP_ENOTFOUND, "not found"},
        {422, "{\"message\": \"odd\"}", BP_EFAILED, "HTTP 422 \"odd\""},
        {500, "<html>", BP_EUNAVAILABLE, "the server has a problem (HTTP 500"},
        {302, "", BP_EFAILED, "HTTP 302"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http.exchanges[0] = (struct fake_exchange){.status = rows[i].status, .body = rows[i].body};
        cr_expect_eq(get(), rows[i].code, "status %d", rows[i].status);
        cr_expect(strstr(err.msg, rows[i].words) != NULL, "status %d: %s", rows[i].status, err.msg);
    }
}

Test(github_api, names_the_permission_that_is_missing)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 403, .header = "X-Accepted-GitHub-Permissions: actions=write"};
    cr_expect_eq(get(), BP_EAUTH);
    cr_expect(strstr(err.msg, "hint: give it actions=write") != NULL, "%s", err.msg);
}

Test(github_api, waits_as_the_headers_say)
{
    static const struct {
        int status;
        const char *header;
        int64_t wait_ms;
    } rows[] = {
        {429, "Retry-After: 17", 17000},
        {403, "retry-after: 0", 0},
        {429, NULL, 60000},
        {403, "X-RateLimit-Remaining: 0", 60000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http.exchanges[0] =
            (struct fake_exchange){.status = rows[i].status, .header = rows[i].header};
        cr_expect_eq(get(), BP_EUNAVAILABLE);
        cr_expect(answer.rate_limited);
        cr_expect_eq(answer.retry_after_ms, rows[i].wait_ms, "row %zu: %d", i,
                     (int)answer.retry_after_ms);
    }
}

Test(github_api, follows_a_redirect_on_the_same_host_only)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 301, .header = "Location: https://api.test/repositories/9"};
    http.exchanges[1] = (struct fake_exchange){.status = 200, .body = "{}"};
    cr_expect_eq(get(), BP_OK);
    cr_expect_str_eq(http.exchanges[1].url, "https://api.test/repositories/9");

    http.exchanges[0] =
        (struct fake_exchange){.status = 301, .header = "Location: https://evil.test/x"};
    cr_expect_neq(get(), BP_OK);
    cr_expect_eq(http.count, 1, "the token went elsewhere");
}

Test(github_api, does_not_follow_redirects_for_ever)
{
    for (int i = 0; i < 8; i++)
        http.exchanges[i] =
            (struct fake_exchange){.status = 307, .header = "Location: https://api.test/again"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_eq(http.count, 4);
}

Test(github_api, tells_whether_a_lost_request_may_have_arrived)
{
    http.exchanges[0] = (struct fake_exchange){.failure = BP_EUNAVAILABLE, .maybe_sent = true};
    cr_expect_eq(get(), BP_EUNAVAILABLE);
    cr_expect(answer.maybe_sent);
    cr_expect_eq(answer.status, 0);
}

Test(github_api, keeps_the_words_of_a_server_on_one_line)
{
    http.exchanges[0] =
        (struct fake_exchange){.status = 422, .body = "{\"message\": \"a\\n::error::b\"}"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_str_eq(answer.message, "a ::error::b");
}
