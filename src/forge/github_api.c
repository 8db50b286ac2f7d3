#include "forge/github_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

enum { REDIRECTS = 3, ANSWER_LIMIT = 16 << 20, SECONDARY_LIMIT_MS = 60000 };

static void set_headers(const struct bp_github_api *api, bool has_body, struct bp_list *headers)
{
    bp_list_add(headers, "Accept: application/vnd.github+json");
    /* The version that knows both answers to a dispatch: 204, and 200 with the run's id. */
    bp_list_add(headers, "X-GitHub-Api-Version: 2022-11-28");
    bp_list_addf(headers, "Authorization: Bearer %s", api->token);
    if (has_body)
        bp_list_add(headers, "Content-Type: application/json");
}

static void free_headers(struct bp_list *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        explicit_bzero(headers->at[i], strlen(headers->at[i]));
    bp_list_free(headers);
}

static int64_t header_number(const struct bp_http_response *response, const char *name)
{
    const char *text = bp_http_header(response, name);
    struct bp_err ignored;
    int64_t number = -1;

    if (text == NULL || bp_parse_int(text, 0, INT32_MAX * INT64_C(2), &number, &ignored) != BP_OK)
        return -1;
    return number;
}

/*
 * How long to wait, by GitHub's rules: retry-after if it is there, else until the reset when
 * nothing remains, else a minute.
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
static void read_limits(const struct bp_github_api *api, const struct bp_http_response *response,
                        struct bp_github_answer *answer)
{
    int64_t retry_after = header_number(response, "retry-after");
    int64_t remaining = header_number(response, "x-ratelimit-remaining");
    int64_t reset = header_number(response, "x-ratelimit-reset");
    int64_t now = bp_clock_wall(api->clock);

    if (response->status != 403 && response->status != 429)
        return;
    answer->rate_limited = response->status == 429 || retry_after >= 0 || remaining == 0 ||
                           strstr(answer->message, "rate limit") != NULL;
    if (!answer->rate_limited)
        return;
    if (retry_after >= 0)
        answer->retry_after_ms = retry_after * 1000;
    else if (remaining == 0 && reset * 1000 > now)
        answer->retry_after_ms = reset * 1000 - now + 1000;
    else
        answer->retry_after_ms = SECONDARY_LIMIT_MS;
}

static void read_answer(const struct bp_github_api *api, const struct bp_http_response *response,
                        struct bp_github_answer *answer)
{
    struct bp_err ignored;

    answer->status = response->status;
    bp_copy_foreign(answer->request_id, sizeof(answer->request_id),
                    bp_http_header(response, "x-github-request-id"));
    if (response->body.len > 0 &&
        bp_json_parse(response->body.data, response->body.len, &answer->json, &ignored) == BP_OK)
        bp_copy_foreign(answer->message, sizeof(answer->message),
                        bp_json_get_text(answer->json, "message"));
    read_limits(api, response, answer);
}

static enum bp_code refusal(const struct bp_github_api *api, const char *method, const char *path,
                            const struct bp_github_answer *answer,
                            const struct bp_http_response *response, struct bp_err *err)
{
    const char *needs = bp_http_header(response, "x-accepted-github-permissions");
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    bp_buf_printf(&words, "HTTP %d", answer->status);
    if (answer->message[0] != '\0')
        bp_buf_printf(&words, " \"%s\"", answer->message);
    if (answer->request_id[0] != '\0')
        bp_buf_printf(&words, ", request %s", answer->request_id);
    if (answer->rate_limited)
        return bp_fail(err, BP_EUNAVAILABLE,
                       "the rate limit is reached, it asks to wait %lld s (%s)",
                       (long long)(answer->retry_after_ms / 1000), bp_buf_str(&words));
    if (answer->status == 401)
        return bp_fail(err, BP_EAUTH,
                       "the token is not valid (%s); hint: it has expired, was revoked or was "
                       "pasted wrongly: make a new one and set WORKFLOW_TRIGGER_TOKEN",
                       bp_buf_str(&words));
    if (answer->status == 403 && needs != NULL) {
        BP_AUTO(bp_buf_free) struct bp_buf permission = {0};

        bp_put_foreign(&permission, needs, 100);
        return bp_fail(err, BP_EAUTH, "the token may not do this (%s); hint: give it %s",
                       bp_buf_str(&words), bp_buf_str(&permission));
    }
    if (answer->status == 403)
        return bp_fail(err, BP_EAUTH,
                       "the token may not do this (%s); hint: a fine-grained token needs Actions: "
                       "write, a classic one the scope repo, GITHUB_TOKEN 'permissions: actions: "
                       "write'",
                       bp_buf_str(&words));
    if (answer->status == 404)
        return bp_fail(err, BP_ENOTFOUND, "not found (%s)", bp_buf_str(&words));
    if (answer->status >= 500)
        return bp_fail(err, BP_EUNAVAILABLE, "the server has a problem (%s)", bp_buf_str(&words));
    return bp_fail(err, BP_EFAILED, "%s %s%s was answered with %s", method, api->url, path,
                   bp_buf_str(&words));
}

/* Whether the answer sends us elsewhere on the same host; then *url is that address. */
static bool redirected(const struct bp_http_response *response, char **url)
{
    const char *location = bp_http_header(response, "location");

    if (response->status < 301 || response->status > 308 || response->status == 303 ||
        response->status == 304 || location == NULL || !bp_url_same_origin(*url, location))
        return false;
    bp_free(*url);
    *url = bp_strdup(location);
    return true;
}

enum bp_code bp_github_call(const struct bp_github_api *api, const char *method, const char *path,
                            const struct bp_json *body, struct bp_github_answer *answer,
                            struct bp_err *err)
{
    BP_AUTO(bp_http_response_free) struct bp_http_response response = {0};
    BP_AUTO(free_headers) struct bp_list headers = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_freep) char *url = bp_format("%s%s", api->url, path);
    struct bp_http_request request = {.method = method,
                                      .headers = &headers,
                                      .timeout_ms = api->timeout_ms,
                                      .response_limit = ANSWER_LIMIT};

    *answer = (struct bp_github_answer){0};
    set_headers(api, body != NULL, &headers);
    if (body != NULL) {
        bp_json_render(body, 0, &text);
        request.body = text.data;
        request.body_len = text.len;
    }
    for (int hop = 0; hop <= REDIRECTS; hop++) {
        enum bp_code rc = BP_OK;

        bp_http_response_free(&response);
        request.url = url;
        rc = bp_http_send(api->http, &request, &response, err);
        answer->maybe_sent = response.maybe_sent;
        if (rc != BP_OK)
            return rc;
        if (!redirected(&response, &url))
            break;
    }
    read_answer(api, &response, answer);
    if (answer->status >= 200 && answer->status < 300)
        return BP_OK;
    return refusal(api, method, path, answer, &response, err);
}

void bp_github_answer_free(struct bp_github_answer *answer)
{
    bp_json_free(answer->json);
    answer->json = NULL;
}
