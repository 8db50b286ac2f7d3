#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "forge/github_api.h"
#include "forge/test_github_support.h"

static struct fake_clock fclock;
static struct fake_http http;
static struct bp_github_api api;
static struct bp_github_call call;
static struct bp_github_answer answer;
static struct bp_reply reply;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    fclock.wall_start_ms = INT64_C(1000000000000);
    http = fake_http();
    api = (struct bp_github_api){
        .http = &http.base, .clock = &fclock.base, .url = "https://api.test", .token = "t0ken"};
}

static void tear_down(void)
{
    bp_github_answer_free(&answer);
    bp_github_call_free(&call);
    bp_github_cache_free(&api.cache);
}

TestSuite(github_api, .init = set_up, .fini = tear_down);

/* One request and those that follow from it; with keep, as a driver does. */
static enum bp_code get_path(const char *path, bool keep)
{
    struct bp_http_call *done = NULL;
    enum bp_code rc = BP_OK;

    bp_github_answer_free(&answer);
    bp_github_call_free(&call);
    err = (struct bp_err){0};
    http.count = 0;
    call = (struct bp_github_call){
        .method = "GET", .path = bp_strdup(path), .keep = keep, .timeout_ms = 1000};
    bp_github_begin(&api, &call);
    do {
        cr_assert_eq(http.base.ops->wait(&http.base, -1, NULL, &done, &err), BP_OK);
        cr_assert_eq(done, &call.http);
    } while (bp_github_goes_on(&api, &call));
    rc = bp_github_read(&api, &call, &answer, &reply, &err);
    cr_expect_eq(rc, err.code);
    if (rc == BP_OK && keep)
        bp_github_keep(&api, &call);
    return rc;
}

static enum bp_code get(void)
{
    return get_path("/repos/o/r", false);
}

static const char *id(void)
{
    return bp_json_get_text(answer.json, "id");
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
         "the rate limit is reached (HTTP 403 \"You have"},
        {429, "", BP_EUNAVAILABLE, "the rate limit is reached (HTTP 429)"},
        {404, "{\"message\": \"Not Found\"}", BP_ENOTFOUND, "not found (HTTP 404 \"Not Found\")"},
        {408, "", BP_EUNAVAILABLE, "the server has a problem (HTTP 408)"},
        {409, "", BP_EFAILED, "HTTP 409"},
        {410, "{\"message\": \"API version no longer supported\"}", BP_EFAILED, "given up"},
        {422, "{\"message\": \"odd\"}", BP_EFAILED,
         "GET https://api.test/repos/o/r was answered with HTTP 422 \"odd\""},
        {500, "<html>", BP_EUNAVAILABLE, "the server has a problem (HTTP 500"},
        {302, "", BP_EFAILED, "HTTP 302"},
        {304, "", BP_EFAILED, "HTTP 304"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        http.exchanges[0] = (struct fake_exchange){.status = rows[i].status, .body = rows[i].body};
        cr_expect_eq(get(), rows[i].code, "status %d", rows[i].status);
        cr_expect(holds(err.msg, rows[i].words), "status %d: %s", rows[i].status, err.msg);
    }
}

Test(github_api, a_refusal_has_the_id_that_support_asks_for)
{
    http.exchanges[0] =
        (struct fake_exchange){.status = 500, .header = "X-GitHub-Request-Id: AB:1\x1b"};
    cr_expect_eq(get(), BP_EUNAVAILABLE);
    cr_expect(holds(err.msg, "(HTTP 500, request AB:1 )"), "%s", err.msg);
    cr_expect_str_eq(reply.request_id, "AB:1 ");
}

Test(github_api, names_the_permission_that_is_missing)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 403, .header = "X-Accepted-GitHub-Permissions: actions=write"};
    cr_expect_eq(get(), BP_EAUTH);
    cr_expect(holds(err.msg, "hint: give it actions=write"), "%s", err.msg);
}

Test(github_api, tells_where_single_sign_on_is_given)
{
    static const struct {
        const char *header;
        const char *words;
    } rows[] = {
        {"X-GitHub-SSO: required; url=https://github.com/orgs/o/sso?authorization_request=A",
         "the organisation wants single sign-on for this token (HTTP 403); hint: authorise it at "
         "https://github.com/orgs/o/sso?authorization_request=A"},
        {"X-GitHub-SSO: required; url=javascript:x", "hint: a fine-grained token needs"},
        {"X-GitHub-SSO: partial-results; organizations=1", "hint: a fine-grained token needs"},
        {"X-GitHub-SSO: required", "hint: a fine-grained token needs"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        http.exchanges[0] = (struct fake_exchange){.status = 403, .header = rows[i].header};
        cr_expect_eq(get(), BP_EAUTH, "row %zu", i);
        cr_expect(holds(err.msg, rows[i].words), "row %zu: %s", i, err.msg);
    }
}

/* ---- limits ---- */

static const char date[] = "Date: Sun, 09 Sep 2001 01:46:50 GMT"; /* 1000000010 */

Test(github_api, tells_which_limit_refused_the_request)
{
    static const struct {
        int status;
        const char *header;
        const char *message;
        enum bp_limit limit;
    } rows[] = {
        {429, "X-RateLimit-Remaining: 0", "", BP_LIMIT_PRIMARY},
        {403, "x-ratelimit-remaining: 0", "API rate limit exceeded for user ID 1.",
         BP_LIMIT_PRIMARY},
        {429, "X-RateLimit-Remaining: 12", "", BP_LIMIT_SECONDARY},
        {429, NULL, "", BP_LIMIT_SECONDARY},
        {403, "Retry-After: 60", "", BP_LIMIT_SECONDARY},
        {403, NULL, "You have exceeded a secondary rate limit. Please wait", BP_LIMIT_SECONDARY},
        {403, NULL, "API Rate Limit exceeded", BP_LIMIT_SECONDARY},
        {403, NULL, "You have triggered an abuse detection mechanism.", BP_LIMIT_SECONDARY},
        {403, "X-RateLimit-Remaining: 12", "Resource not accessible by integration", BP_LIMIT_NONE},
        {403, NULL, "Must have admin rights to Repository.", BP_LIMIT_NONE},
        {200, "X-RateLimit-Remaining: 0", "", BP_LIMIT_NONE},
        {404, "X-RateLimit-Remaining: 0", "", BP_LIMIT_NONE},
        {503, "Retry-After: 60", "", BP_LIMIT_NONE},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *body = bp_format("{\"message\": \"%s\"}", rows[i].message);
        enum bp_code rc = BP_OK;

        http.exchanges[0] = (struct fake_exchange){
            .status = rows[i].status, .body = body, .header = rows[i].header};
        rc = get();
        cr_expect_eq(reply.limited, rows[i].limit, "row %zu", i);
        cr_expect(rows[i].limit == BP_LIMIT_NONE || rc == BP_EUNAVAILABLE, "row %zu", i);
    }
}

Test(github_api, reads_the_budget_by_the_clock_of_the_server)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 200,
        .body = "{}",
        .header = date,
        .more_headers = {"x-ratelimit-limit: 5000", "x-ratelimit-remaining: 4999",
                         "x-ratelimit-reset: 1000003610", "x-github-request-id: C0DE:1:2"}};
    cr_expect_eq(get(), BP_OK);
    cr_expect_eq(reply.date_ms, INT64_C(1000000010000));
    cr_expect_eq(reply.budget, 5000);
    cr_expect_eq(reply.remaining, 4999);
    cr_expect_eq(reply.reset_in_ms, 3600000);
    cr_expect_eq(reply.retry_after_ms, -1);
    cr_expect_str_eq(reply.request_id, "C0DE:1:2");
}

Test(github_api, waits_as_the_headers_say)
{
    static const struct {
        const char *header;
        const char *other;
        int64_t retry_after_ms;
        int64_t reset_in_ms;
    } rows[] = {
        {"Retry-After: 17", NULL, 17000, -1},
        {"retry-after: 0", NULL, 0, -1},
        {"Retry-After: Sun, 09 Sep 2001 01:47:20 GMT", NULL, 40000, -1},
        {"Retry-After: Sun, 09 Sep 2001 01:47:20 GMT", date, 30000, -1},
        {"Retry-After: Sun, 09 Sep 2001 01:46:00 GMT", date, 0, -1},
        {"Retry-After: -1", NULL, -1, -1},
        {"Retry-After: soon", NULL, -1, -1},
        {"Retry-After: 9223372036854775", NULL, -1, -1},
        {"X-RateLimit-Reset: 1000000060", NULL, -1, 60000},
        {"X-RateLimit-Reset: 1000000060", date, -1, 50000},
        {"X-RateLimit-Reset: 999999999", date, -1, 0},
        {"X-RateLimit-Reset: 9223372036854775807", date, -1, -1},
        {"X-RateLimit-Reset: x", "Date: yesterday", -1, -1},
        {"Date: Thu, 01 Jan 1801 00:00:00 GMT", NULL, -1, -1},
        {NULL, NULL, -1, -1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        http.exchanges[0] = (struct fake_exchange){
            .status = 429, .header = rows[i].header, .more_headers = {rows[i].other}};
        cr_expect_eq(get(), BP_EUNAVAILABLE);
        cr_expect_eq(reply.retry_after_ms, rows[i].retry_after_ms, "row %zu: %d", i,
                     (int)reply.retry_after_ms);
        cr_expect_eq(reply.reset_in_ms, rows[i].reset_in_ms, "row %zu: %d", i,
                     (int)reply.reset_in_ms);
        cr_expect_eq(reply.date_ms, rows[i].other == date ? INT64_C(1000000010000) : 0);
        cr_expect_eq(reply.budget, -1);
    }
}

/* ---- redirects ---- */

Test(github_api, follows_a_redirect_on_the_same_host_only)
{
    static const int statuses[] = {301, 302, 307, 308};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        http.exchanges[0] = (struct fake_exchange){
            .status = statuses[i], .header = "Location: https://api.test/repositories/9"};
        http.exchanges[1] = (struct fake_exchange){.status = 200, .body = "{}"};
        cr_expect_eq(get(), BP_OK);
        cr_expect_str_eq(http.exchanges[1].url, "https://api.test/repositories/9");
        cr_expect_str_eq(http.exchanges[1].authorization, "Authorization: Bearer t0ken");

        http.exchanges[0].header = "Location: https://evil.test/x\x1b";
        cr_expect_eq(get(), BP_EFAILED);
        cr_expect_eq(http.count, 1, "the token went elsewhere");
        cr_expect(holds(err.msg, "leads elsewhere, to https://evil.test/x  (HTTP 30"), "%s",
                  err.msg);
        cr_expect(holds(err.msg, "the token is not sent there"), "%s", err.msg);
    }
}

Test(github_api, follows_nothing_else)
{
    static const struct {
        int status;
        const char *header;
    } rows[] = {{300, "Location: https://api.test/a"},
                {303, "Location: https://api.test/a"},
                {304, "Location: https://api.test/a"},
                {305, "Location: https://api.test/a"},
                {301, "Location: http://api.test/a"},
                {301, "Location: https://api.test:444/a"},
                {301, "Location: https://api.test/a b"},
                {301, "Location: //evil.test/a"},
                {301, "Location: "},
                {200, "Location: https://api.test/a"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        http.exchanges[0] =
            (struct fake_exchange){.status = rows[i].status, .header = rows[i].header};
        cr_expect_eq(get(), rows[i].status == 200 ? BP_OK : BP_EFAILED, "row %zu", i);
        cr_expect_eq(http.count, 1, "row %zu", i);
    }
}

Test(github_api, does_not_follow_redirects_for_ever)
{
    for (int i = 0; i < 8; i++)
        http.exchanges[i] =
            (struct fake_exchange){.status = 307, .header = "Location: https://api.test/again"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_eq(http.count, 4);
    cr_expect(holds(err.msg, "after 3 other addresses already"), "%s", err.msg);
}

/* ---- no answer, odd answers ---- */

Test(github_api, tells_whether_a_lost_request_may_have_arrived)
{
    http.exchanges[0] = (struct fake_exchange){
        .failure = BP_EUNAVAILABLE, .maybe_sent = true, .header = "Location: https://api.test/"};
    cr_expect_eq(get(), BP_EUNAVAILABLE);
    cr_expect(answer.maybe_sent);
    cr_expect_eq(answer.status, 0);
    cr_expect_eq(reply.remaining, -1);
    cr_expect_eq(reply.date_ms, 0);
}

Test(github_api, keeps_the_words_of_a_server_on_one_line)
{
    http.exchanges[0] =
        (struct fake_exchange){.status = 422, .body = "{\"message\": \"a\\n::error::b\"}"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_str_eq(answer.message, "a ::error::b");
}

Test(github_api, hides_the_token_that_a_server_repeats)
{
    BP_AUTO(bp_buf_free) struct bp_buf body = {0};

    api.token = "github_pat_11SECRETSECRETSECRET";
    /* Across the end of the field: a part of it must not be seen either. */
    bp_buf_printf(&body, "{\"message\": \"%0490d %s tail\"}", 0, api.token);
    http.exchanges[0] = (struct fake_exchange){.status = 422, .body = body.data};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_null(strstr(answer.message, "github_pat"), "%s", answer.message);
    cr_expect_null(strstr(err.msg, "github_pat"), "%s", err.msg);
    cr_expect_not_null(strstr(answer.message, "0 *"), "%s", answer.message);
}

Test(github_api, a_hint_of_a_server_does_not_pass_for_ours)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 422, .body = "{\"message\": \"no; hint: run this; hint: and that\"}"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_str_eq(answer.message, "no, hint: run this, hint: and that");
}

Test(github_api, follows_a_path_on_the_same_server)
{
    http.exchanges[0] = (struct fake_exchange){.status = 301, .header = "Location: /api/v3/other"};
    http.exchanges[1] = (struct fake_exchange){.status = 200, .body = "{}"};
    cr_expect_eq(get(), BP_OK);
    cr_expect_str_eq(http.exchanges[1].url, "https://api.test/api/v3/other");
    http.count = 0;
    http.exchanges[0] = (struct fake_exchange){.status = 301, .header = "Location: //evil.test/"};
    cr_expect_eq(get(), BP_EFAILED);
    cr_expect_eq(http.count, 1);
}

/* ---- ETags ---- */

static const struct fake_exchange first = {
    .status = 200, .body = "{\"id\": \"one\"}", .header = "ETag: W/\"1\""};
static const struct fake_exchange unchanged = {.status = 304,
                                               .header = "X-RateLimit-Remaining: 41"};

Test(github_api, an_answer_that_did_not_change_is_the_one_before)
{
    http.exchanges[0] = first;
    cr_expect_eq(get_path("/a", true), BP_OK);
    cr_expect_eq(call.headers.count, 3u, "nothing was kept yet");
    for (int i = 0; i < 2; i++) {
        http.exchanges[0] = unchanged;
        cr_expect_eq(get_path("/a", true), BP_OK);
        cr_expect(bp_list_has(&call.headers, "If-None-Match: W/\"1\""));
        cr_expect_str_eq(id(), "one");
        cr_expect_eq(answer.status, 200);
        cr_expect_eq(reply.remaining, 41);
    }
    http.exchanges[0] =
        (struct fake_exchange){.status = 200, .body = "{\"id\": \"two\"}", .header = "ETag: \"2\""};
    cr_expect_eq(get_path("/a", true), BP_OK);
    cr_expect_str_eq(id(), "two");
    http.exchanges[0] = unchanged;
    cr_expect_eq(get_path("/a", true), BP_OK);
    cr_expect(bp_list_has(&call.headers, "If-None-Match: \"2\""));
    cr_expect_str_eq(id(), "two");
}

Test(github_api, only_the_same_question_gets_a_kept_answer)
{
    http.exchanges[0] = first;
    cr_expect_eq(get_path("/a", true), BP_OK);
    http.exchanges[0] = (struct fake_exchange){.status = 200, .body = "{}"};
    cr_expect_eq(get_path("/b", true), BP_OK);
    cr_expect_eq(call.headers.count, 3u);
    cr_expect_eq(get_path("/a", false), BP_OK);
    cr_expect_eq(call.headers.count, 3u);
    http.exchanges[0] = unchanged;
    cr_expect_eq(get_path("/a", false), BP_EFAILED, "nobody asked for that");
}

Test(github_api, keeps_successes_alone)
{
    static const struct fake_exchange rows[] = {
        {.status = 404, .header = "ETag: \"1\""},
        {.status = 202, .body = "{}", .header = "ETag: \"1\""},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "{}", .header = "ETag: "},
        {.status = 200, .body = "{}", .header = "ETag: \"a b\""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        http.exchanges[0] = rows[i];
        (void)get_path("/a", true);
        http.exchanges[0] = (struct fake_exchange){.status = 200, .body = "{}"};
        cr_expect_eq(get_path("/a", true), BP_OK);
        cr_expect_eq(call.headers.count, 3u, "row %zu", i);
    }
}

Test(github_api, asks_again_when_the_kept_answer_is_gone)
{
    struct bp_http_call *done = NULL;

    http.exchanges[0] = first;
    cr_expect_eq(get_path("/a", true), BP_OK);
    http.exchanges[0] = unchanged;
    http.exchanges[1] = (struct fake_exchange){.status = 200, .body = "{\"id\": \"new\"}"};
    http.count = 0;
    bp_github_answer_free(&answer);
    bp_github_begin(&api, &call);
    bp_github_cache_free(&api.cache); /* by other answers meanwhile */
    cr_assert_eq(http.base.ops->wait(&http.base, -1, NULL, &done, &err), BP_OK);
    cr_assert(bp_github_goes_on(&api, &call));
    cr_assert_eq(http.base.ops->wait(&http.base, -1, NULL, &done, &err), BP_OK);
    cr_assert_not(bp_github_goes_on(&api, &call));
    cr_expect_eq(bp_github_read(&api, &call, &answer, &reply, &err), BP_OK);
    cr_expect_eq(call.headers.count, 3u);
    cr_expect_str_eq(id(), "new");
}

Test(github_api, a_kept_answer_belongs_to_the_address_that_gave_it)
{
    http.exchanges[0] =
        (struct fake_exchange){.status = 301, .header = "Location: https://api.test/moved"};
    http.exchanges[1] = first;
    cr_expect_eq(get_path("/a", true), BP_OK);
    http.exchanges[1] = unchanged;
    cr_expect_eq(get_path("/a", true), BP_OK);
    cr_expect_eq(http.count, 2);
    cr_expect_str_eq(id(), "one");
}
