#include "forge/github_api.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "net/url.h"

enum { HOPS = 3, ANSWER_LIMIT = 16 << 20 };

/* A shorter one would hide words that are none. */
enum { TOKEN_MIN = 8 };

/* ---- asking ---- */

static void free_headers(struct bp_list *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        explicit_bzero(headers->at[i], strlen(headers->at[i]));
    bp_list_free(headers);
}

static void set_headers(struct bp_github_api *api, struct bp_github_call *call)
{
    const struct bp_github_kept *kept =
        call->keep ? bp_github_cache_find(&api->cache, call->url) : NULL;

    free_headers(&call->headers);
    bp_list_add(&call->headers, "Accept: application/vnd.github+json");
    bp_list_add(&call->headers, call->version == BP_GITHUB_2022_11_28
                                    ? "X-GitHub-Api-Version: 2022-11-28"
                                    : "X-GitHub-Api-Version: 2026-03-10");
    bp_list_addf(&call->headers, "Authorization: Bearer %s", api->token);
    if (call->body != NULL)
        bp_list_add(&call->headers, "Content-Type: application/json");
    if (kept != NULL)
        bp_list_addf(&call->headers, "If-None-Match: %s", kept->etag);
}

/* One request, to call->url. */
static void send_request(struct bp_github_api *api, struct bp_github_call *call)
{
    void *owner = call->http.owner;

    set_headers(api, call);
    bp_http_response_free(&call->http.response);
    call->http = (struct bp_http_call){.owner = owner,
                                       .request = {.method = call->method,
                                                   .url = call->url,
                                                   .headers = &call->headers,
                                                   .timeout_ms = call->timeout_ms,
                                                   .response_limit = ANSWER_LIMIT}};
    if (call->body != NULL) {
        call->http.request.body = bp_buf_str(&call->text);
        call->http.request.body_len = call->text.len;
    }
    api->http->ops->begin(api->http, &call->http);
}

void bp_github_begin(struct bp_github_api *api, struct bp_github_call *call)
{
    bp_free(call->url);
    call->url = bp_format("%s%s", api->url, call->path);
    call->version = api->version;
    call->hops = 0;
    bp_buf_cut(&call->text, 0);
    if (call->body != NULL)
        bp_json_render(call->body, 0, &call->text);
    send_request(api, call);
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 307 || status == 308;
}

/* It becomes a part of messages. */
static bool is_plain(const char *url)
{
    while (isgraph((unsigned char)*url))
        url++;
    return *url == '\0';
}

/* The address on the same server that the answer sends us to; NULL: none. Owned by the caller. */
static char *redirection(const struct bp_github_call *call)
{
    const struct bp_http_response *response = &call->http.response;
    const char *location = bp_http_header(response, "location");
    char *url = NULL;

    if (call->http.err.code != BP_OK || !is_redirect(response->status) || location == NULL)
        return NULL;
    url = bp_url_location(call->url, location);
    if (url != NULL && (!bp_url_same_origin(call->url, url) || !is_plain(url)))
        bp_freep(&url);
    return url;
}

bool bp_github_goes_on(struct bp_github_api *api, struct bp_github_call *call)
{
    BP_AUTO(bp_freep) char *elsewhere = redirection(call);
    /* Another answer took the place of the kept one while this request was under way. */
    bool lost = call->http.err.code == BP_OK && call->http.response.status == 304 && call->keep &&
                bp_github_cache_find(&api->cache, call->url) == NULL;

    if ((elsewhere == NULL && !lost) || call->hops == HOPS)
        return false;
    if (elsewhere != NULL) {
        bp_free(call->url);
        call->url = elsewhere;
        elsewhere = NULL;
    }
    call->hops++;
    send_request(api, call);
    return true;
}

/* ---- what an answer says about limits ---- */

static int64_t header_number(const struct bp_http_response *response, const char *name)
{
    const char *text = bp_http_header(response, name);
    struct bp_err ignored;
    int64_t number = -1;

    if (text == NULL || bp_parse_int(text, 0, INT32_MAX * INT64_C(2), &number, &ignored) != BP_OK)
        return -1;
    return number;
}

/* 0: there is none, or it makes no sense. */
static int64_t header_time(const struct bp_http_response *response, const char *name)
{
    const char *text = bp_http_header(response, name);
    struct bp_err ignored;
    int64_t ms = 0;

    if (text == NULL || bp_time_parse_http(text, &ms, &ignored) != BP_OK || ms < 0)
        return 0;
    return ms;
}

static int64_t from_now(int64_t moment_ms, int64_t now_ms)
{
    return moment_ms > now_ms ? moment_ms - now_ms : 0;
}

static int64_t retry_after(const struct bp_http_response *response, int64_t now_ms)
{
    int64_t seconds = header_number(response, "retry-after");
    int64_t moment = header_time(response, "retry-after");

    if (seconds >= 0)
        return seconds * 1000;
    return moment > 0 ? from_now(moment, now_ms) : -1;
}

/* https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
static enum bp_limit limit_of(const struct bp_github_answer *answer, const struct bp_reply *reply)
{
    if (answer->status != 403 && answer->status != 429)
        return BP_LIMIT_NONE;
    if (reply->remaining == 0)
        return BP_LIMIT_PRIMARY;
    if (answer->status == 429 || reply->retry_after_ms >= 0 ||
        strcasestr(answer->message, "rate limit") != NULL ||
        strcasestr(answer->message, "abuse detection") != NULL) /* older servers */
        return BP_LIMIT_SECONDARY;
    return BP_LIMIT_NONE;
}

struct bp_reply bp_github_no_reply(void)
{
    return (struct bp_reply){
        .retry_after_ms = -1, .budget = -1, .remaining = -1, .reset_in_ms = -1};
}

static void read_reply(const struct bp_github_api *api, const struct bp_github_answer *answer,
                       struct bp_reply *reply)
{
    const struct bp_http_response *response = answer->response;
    int64_t reset = header_number(response, "x-ratelimit-reset");
    int64_t now = 0;

    bp_copy_foreign(reply->request_id, sizeof(reply->request_id),
                    bp_http_header(response, "x-github-request-id"));
    reply->date_ms = header_time(response, "date");
    now = reply->date_ms > 0 ? reply->date_ms : bp_clock_wall(api->clock);
    reply->retry_after_ms = retry_after(response, now);
    reply->budget = header_number(response, "x-ratelimit-limit");
    reply->remaining = header_number(response, "x-ratelimit-remaining");
    reply->reset_in_ms = reset >= 0 ? from_now(reset * 1000, now) : -1;
    reply->limited = limit_of(answer, reply);
}

/* ---- refusals ---- */

/* The organisation's address for it: "required; url=https://...". NULL: it is not about that. */
static const char *sso_url(const struct bp_github_answer *answer)
{
    const char *sso = bp_http_header(answer->response, "x-github-sso");
    const char *url =
        sso != NULL && bp_text_starts_with(sso, "required") ? strstr(sso, "url=") : NULL;

    return url != NULL && bp_text_starts_with(url + 4, "https://") ? url + 4 : NULL;
}

static enum bp_code forbidden(const struct bp_github_answer *answer, struct bp_err *err)
{
    const char *needs = bp_http_header(answer->response, "x-accepted-github-permissions");
    const char *sso = sso_url(answer);
    BP_AUTO(bp_buf_free) struct bp_buf detail = {0};

    if (sso != NULL) {
        bp_put_foreign(&detail, sso, 300);
        return bp_fail(err, BP_EAUTH,
                       "the organisation wants single sign-on for this token (%s); hint: authorise "
                       "it at %s",
                       answer->words, bp_buf_str(&detail));
    }
    if (needs != NULL) {
        bp_put_foreign(&detail, needs, 100);
        return bp_fail(err, BP_EAUTH, "the token may not do this (%s); hint: give it %s",
                       answer->words, bp_buf_str(&detail));
    }
    return bp_fail(err, BP_EAUTH,
                   "the token may not do this (%s); hint: a fine-grained token needs Actions: "
                   "write, a classic one the scope repo, GITHUB_TOKEN 'permissions: actions: "
                   "write'",
                   answer->words);
}

static enum bp_code led_elsewhere(const struct bp_github_call *call,
                                  const struct bp_github_answer *answer, struct bp_err *err)
{
    const char *location = bp_http_header(answer->response, "location");
    BP_AUTO(bp_buf_free) struct bp_buf shown = {0};

    if (location == NULL)
        return bp_fail(err, BP_EFAILED, "%s %s was answered with %s", call->method, call->url,
                       answer->words);
    bp_put_foreign(&shown, location, 200);
    if (call->hops == HOPS)
        return bp_fail(err, BP_EFAILED, "%s %s leads to %s, after %d other addresses already (%s)",
                       call->method, call->url, bp_buf_str(&shown), HOPS, answer->words);
    return bp_fail(err, BP_EFAILED,
                   "%s %s leads elsewhere, to %s (%s): the token is not sent there; hint: check "
                   "the address of the API",
                   call->method, call->url, bp_buf_str(&shown), answer->words);
}

bool bp_github_is_retired(const struct bp_github_answer *answer)
{
    return answer->status == 410 && strcasestr(answer->message, "api version") != NULL;
}

static enum bp_code refusal(const struct bp_github_call *call,
                            const struct bp_github_answer *answer, const struct bp_reply *reply,
                            struct bp_err *err)
{
    if (reply->limited != BP_LIMIT_NONE)
        return bp_fail(err, BP_EUNAVAILABLE, "the rate limit is reached (%s)", answer->words);
    if (answer->status == 401)
        return bp_fail(err, BP_EAUTH,
                       "the token is not valid (%s); hint: it has expired, was revoked or was "
                       "pasted wrongly: make a new one and set WORKFLOW_TRIGGER_TOKEN",
                       answer->words);
    if (answer->status == 403)
        return forbidden(answer, err);
    if (answer->status == 404)
        return bp_fail(err, BP_ENOTFOUND, "not found (%s)", answer->words);
    if (answer->status == 408 || answer->status >= 500)
        return bp_fail(err, BP_EUNAVAILABLE, "the server has a problem (%s)", answer->words);
    if (bp_github_is_retired(answer))
        return bp_fail(err, BP_EFAILED,
                       "the server has given up the versions of its API that this program speaks "
                       "(%s); hint: use a newer version of backproof",
                       answer->words);
    if (is_redirect(answer->status))
        return led_elsewhere(call, answer, err);
    return bp_fail(err, BP_EFAILED, "%s %s was answered with %s", call->method, call->url,
                   answer->words);
}

/* ---- answers ---- */

static void put_words(struct bp_github_answer *answer, const char *request_id)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    bp_buf_printf(&words, "HTTP %d", answer->status);
    if (answer->message[0] != '\0')
        bp_buf_printf(&words, " \"%s\"", answer->message);
    if (request_id[0] != '\0')
        bp_buf_printf(&words, ", request %s", request_id);
    bp_copy_foreign(answer->words, sizeof(answer->words), bp_buf_str(&words));
}

void bp_github_copy(char *out, size_t size, const char *text)
{
    bp_copy_foreign(out, size, text);
    for (char *at = out; (at = strstr(at, "; hint:")) != NULL; at++)
        *at = ',';
}

/*
 * A server that repeats the token must not make us show it: further on texts are cut, and a part of
 * a secret is not known as one.
 */
static void hide_token(const struct bp_github_api *api, const struct bp_buf *body)
{
    size_t len = strlen(api->token);
    size_t from = 0;

    while (len >= TOKEN_MIN && from < body->len) {
        char *at = memmem(body->data + from, body->len - from, api->token, len);

        if (at == NULL)
            return;
        memset(at, '*', len);
        from = (size_t)(at - body->data) + len;
    }
}

enum bp_code bp_github_read(struct bp_github_api *api, const struct bp_github_call *call,
                            struct bp_github_answer *answer, struct bp_reply *reply,
                            struct bp_err *err)
{
    const struct bp_http_response *response = &call->http.response;
    const struct bp_buf *body = &response->body;
    const struct bp_github_kept *kept = NULL;
    struct bp_err ignored;

    *answer = (struct bp_github_answer){.maybe_sent = response->maybe_sent, .response = response};
    *reply = bp_github_no_reply();
    if (call->http.err.code != BP_OK) {
        *err = call->http.err;
        return err->code;
    }
    hide_token(api, body);
    answer->status = response->status;
    if (response->status == 304 && call->keep)
        kept = bp_github_cache_find(&api->cache, call->url);
    if (kept != NULL) {
        answer->status = 200;
        body = &kept->body;
    }
    if (body->len > 0 && bp_json_parse(body->data, body->len, &answer->json, &ignored) == BP_OK)
        bp_github_copy(answer->message, sizeof(answer->message),
                       bp_json_get_text(answer->json, "message"));
    read_reply(api, answer, reply);
    put_words(answer, reply->request_id);
    if (answer->status >= 200 && answer->status < 300)
        return BP_OK;
    return refusal(call, answer, reply, err);
}

void bp_github_keep(struct bp_github_api *api, struct bp_github_call *call)
{
    const char *etag = bp_http_header(&call->http.response, "etag");

    if (call->keep && call->version == api->version && call->http.response.status == 200 &&
        etag != NULL)
        bp_github_cache_keep(&api->cache, call->url, etag, &call->http.response.body);
}

void bp_github_answer_free(struct bp_github_answer *answer)
{
    bp_json_free(answer->json);
    answer->json = NULL;
}

void bp_github_call_free(struct bp_github_call *call)
{
    free_headers(&call->headers);
    bp_http_response_free(&call->http.response);
    bp_json_free(call->body);
    bp_buf_free(&call->text);
    bp_free(call->path);
    bp_free(call->url);
}
