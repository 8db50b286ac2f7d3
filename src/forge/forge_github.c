#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "forge/github.h"
#include "forge/github_api.h"
#include "forge/github_ask.h"
#include "forge/github_read.h"
#include "forge/github_refuse.h"
#include "forge/github_token.h"
#include "net/url.h"

struct github {
    struct bp_forge base;
    struct bp_github_api api;
    char *url;
    char *token;
    int64_t request_timeout_ms;
    bool without_details;   /* the server refused return_run_details: do not ask again */
    struct exchange *first; /* answered without a request, to be reported */
};

/* A question that is under way. */
struct exchange {
    struct bp_ask *ask;
    struct bp_github_call call;
    bool details; /* return_run_details was asked for */
    struct exchange *next;
};

static void exchange_end(struct exchange *exchange)
{
    exchange->ask->exchange = NULL;
    bp_github_call_free(&exchange->call);
    bp_free(exchange);
}

/* ---- asking ---- */

/* Also again, in another form. */
static void send_form(struct github *self, struct exchange *exchange)
{
    struct bp_github_call *call = &exchange->call;
    bool details = self->api.version == BP_GITHUB_2022_11_28 && !self->without_details;

    bp_json_free(call->body);
    call->body = bp_github_body(exchange->ask, details);
    exchange->details = details && exchange->ask->kind == BP_ASK_DISPATCH;
    bp_github_begin(&self->api, call);
}

/* There is nothing to send; tells why. */
static void answer_at_once(struct github *self, struct exchange *exchange)
{
    struct bp_ask *ask = exchange->ask;
    struct exchange **end = &self->first;

    if (ask->kind == BP_ASK_TRIGGER)
        (void)bp_fail(&ask->err, BP_EUNAVAILABLE,
                      "whether workflow '%s' takes the dispatch cannot be known: a number does not "
                      "name its file",
                      ask->workflow);
    else
        (void)bp_fail(&ask->err, BP_ENOTFOUND,
                      "the server does not tell what holds run %" PRId64 " back, which is %s",
                      ask->run_id, ask->status);
    while (*end != NULL)
        end = &(*end)->next;
    *end = exchange;
}

static void github_begin(struct bp_forge *base, struct bp_ask *ask)
{
    struct github *self = (struct github *)base;
    struct exchange *exchange = bp_alloc(1, sizeof(*exchange));

    ask->err = (struct bp_err){0};
    ask->reply = bp_github_no_reply();
    ask->exchange = exchange;
    exchange->ask = ask;
    exchange->call = (struct bp_github_call){
        .http.owner = exchange,
        .method = bp_github_method(ask->kind),
        .path = bp_github_path(ask),
        .keep = bp_github_is_polled(ask->kind),
        .timeout_ms = ask->timeout_ms > 0 ? ask->timeout_ms : self->request_timeout_ms};
    if (exchange->call.path == NULL)
        answer_at_once(self, exchange);
    else
        send_form(self, exchange);
}

/* ---- answers ---- */

/*
 * Whether the server did nothing because of the form of the request, and would take another one.
 * That is remembered. What was sent in the old form meanwhile is refused as well, and sent again.
 */
static bool wants_another_form(struct github *self, const struct exchange *exchange,
                               const struct bp_github_answer *answer)
{
    if (bp_github_is_retired(answer) && exchange->call.version == BP_GITHUB_2022_11_28) {
        if (self->api.version == BP_GITHUB_2022_11_28)
            bp_github_cache_free(&self->api.cache);
        self->api.version = BP_GITHUB_2026_03_10;
        return true;
    }
    if (exchange->details && (answer->status == 400 || answer->status == 422) &&
        strstr(answer->message, "return_run_details") != NULL) {
        /* An older GitHub Enterprise Server. */
        self->without_details = true;
        return true;
    }
    return false;
}

/* rc is what became of the request itself. */
static void take(struct github *self, struct exchange *exchange,
                 const struct bp_github_answer *answer, enum bp_code rc)
{
    struct bp_ask *ask = exchange->ask;

    if (ask->kind == BP_ASK_DISPATCH)
        *ask->out.dispatched = (struct bp_dispatched){
            .outcome = rc == BP_OK ? BP_DISPATCH_ACCEPTED
                                   : bp_github_outcome(answer, &ask->reply, &ask->err)};
    /* Not GitHub's words: perhaps those of something in between, which sent nothing on. */
    if (ask->kind == BP_ASK_DISPATCH && rc == BP_OK && answer->json == NULL &&
        answer->response->body.len > 0) {
        ask->out.dispatched->outcome = BP_DISPATCH_AMBIGUOUS;
        rc = bp_fail(&ask->err, BP_EUNAVAILABLE, "the answer makes no sense: it is no JSON");
    }
    if (rc == BP_OK)
        rc = bp_github_take(ask, answer->json, &ask->err);
    if (rc != BP_OK) {
        bp_github_explain(ask, answer, &ask->err);
        return;
    }
    if (ask->kind == BP_ASK_REPO)
        bp_github_token_read(self->api.token, answer->response, answer->json,
                             &ask->out.repo->token);
    bp_github_keep(&self->api, &exchange->call);
}

/* NULL: another request of the same question was begun. */
static struct bp_ask *answered(struct github *self, struct exchange *exchange)
{
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    struct bp_ask *ask = exchange->ask;
    enum bp_code rc = BP_OK;

    if (bp_github_goes_on(&self->api, &exchange->call))
        return NULL;
    rc = bp_github_read(&self->api, &exchange->call, &answer, &ask->reply, &ask->err);
    if (wants_another_form(self, exchange, &answer)) {
        ask->err = (struct bp_err){0};
        send_form(self, exchange);
        return NULL;
    }
    take(self, exchange, &answer, rc);
    exchange_end(exchange);
    return ask;
}

static enum bp_code github_wait(struct bp_forge *base, int64_t timeout_ms,
                                const struct bp_stop *stop, struct bp_ask **done,
                                struct bp_err *err)
{
    struct github *self = (struct github *)base;
    struct bp_http_call *call = NULL;

    *done = NULL;
    if (self->first != NULL) {
        struct exchange *exchange = self->first;

        if (bp_stop_check(stop, err) != BP_OK)
            return err->code;
        self->first = exchange->next;
        *done = exchange->ask;
        exchange_end(exchange);
        return BP_OK;
    }
    if (self->api.http->ops->wait(self->api.http, timeout_ms, stop, &call, err) != BP_OK)
        return err->code;
    if (call != NULL)
        *done = answered(self, call->owner);
    return BP_OK;
}

static void github_drop(struct bp_forge *base, struct bp_ask *ask)
{
    struct github *self = (struct github *)base;
    struct exchange *exchange = ask->exchange;
    struct exchange **at = &self->first;

    if (exchange == NULL)
        return;
    while (*at != NULL && *at != exchange)
        at = &(*at)->next;
    if (*at != NULL)
        *at = exchange->next;
    else
        self->api.http->ops->drop(self->api.http, &exchange->call.http);
    exchange_end(exchange);
}

/* ---- making one ---- */

static void github_free(struct bp_forge *base)
{
    struct github *self = (struct github *)base;

    bp_http_freep(&self->api.http);
    bp_github_cache_free(&self->api.cache);
    bp_free(self->url);
    bp_free_secretp(&self->token);
    bp_free(self);
}

static const struct bp_forge_ops ops = {
    .begin = github_begin, .wait = github_wait, .drop = github_drop, .free = github_free};

static enum bp_code check_address(const char *url, struct bp_err *err)
{
    bool encrypted = bp_text_starts_with(url, "https://");

    if (!encrypted && !bp_text_starts_with(url, "http://"))
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is no address of an API; hint: it starts with https://", url);
    if (strchr(url, '@') != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "the address of the API holds a user's name; hint: the token alone says who "
                       "asks");
    if (encrypted || bp_url_is_loopback(url))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "'%s' would send the token unencrypted; hint: use https://, with --ca-file for "
                   "a server of your own",
                   url);
}

enum bp_code bp_github_new(const struct bp_github_options *options, struct bp_forge **out,
                           struct bp_err *err)
{
    struct github *self = bp_alloc(1, sizeof(*self));
    enum bp_code rc = check_address(options->api_url, err);
    size_t len = strlen(options->api_url);

    while (len > 0 && options->api_url[len - 1] == '/')
        len--;
    self->base.ops = &ops;
    self->url = bp_strndup(options->api_url, len);
    self->token = bp_strdup(options->token);
    bp_text_trim(self->token);
    self->request_timeout_ms = options->request_timeout_ms;
    self->api = (struct bp_github_api){
        .http = options->http, .clock = options->clock, .url = self->url, .token = self->token};
    if (rc == BP_OK)
        rc = bp_github_token_check(self->token, err);
    if (rc != BP_OK)
        github_free(&self->base);
    else
        *out = &self->base;
    return rc;
}
