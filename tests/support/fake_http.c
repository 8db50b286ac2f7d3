#include "support/fake_http.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static void http_begin(struct bp_http *base, struct bp_http_call *call)
{
    struct fake_http *self = (struct fake_http *)base;
    const struct bp_http_request *request = &call->request;
    struct fake_exchange *e = &self->exchanges[self->count];

    if (self->count == FAKE_HTTP_EXCHANGES)
        abort();
    self->calls[self->count++] = call;
    (void)snprintf(e->method, sizeof(e->method), "%s", request->method);
    (void)snprintf(e->url, sizeof(e->url), "%s", request->url);
    (void)snprintf(e->sent, sizeof(e->sent), "%s", request->body != NULL ? request->body : "");
    for (size_t i = 0; request->headers != NULL && i < request->headers->count; i++) {
        if (bp_text_starts_with(request->headers->at[i], "Authorization: "))
            (void)snprintf(e->authorization, sizeof(e->authorization), "%s",
                           request->headers->at[i]);
    }
}

static void answer(const struct fake_exchange *e, struct bp_http_call *call)
{
    const size_t more = sizeof(e->more_headers) / sizeof(e->more_headers[0]);

    call->response.maybe_sent = e->maybe_sent;
    if (e->failure != BP_OK) {
        bp_fail(&call->err, e->failure, "no answer");
        return;
    }
    call->response.status = e->status;
    bp_buf_puts(&call->response.body, e->body != NULL ? e->body : "");
    if (e->header != NULL)
        bp_list_add(&call->response.headers, e->header);
    for (size_t i = 0; i < more && e->more_headers[i] != NULL; i++)
        bp_list_add(&call->response.headers, e->more_headers[i]);
}

/* No time passes. */
static enum bp_code http_wait(struct bp_http *base, int64_t timeout_ms, const struct bp_stop *stop,
                              struct bp_http_call **done, struct bp_err *err)
{
    struct fake_http *self = (struct fake_http *)base;

    (void)timeout_ms;
    *done = NULL;
    if (bp_stop_check(stop, err) != BP_OK)
        return BP_ESTOPPED;
    for (int i = 0; i < self->count && *done == NULL; i++) {
        if (self->calls[i] == NULL || self->exchanges[i].hang)
            continue;
        *done = self->calls[i];
        self->calls[i] = NULL;
        answer(&self->exchanges[i], *done);
    }
    return BP_OK;
}

static void http_drop(struct bp_http *base, struct bp_http_call *call)
{
    struct fake_http *self = (struct fake_http *)base;

    for (int i = 0; i < self->count; i++) {
        if (self->calls[i] == call)
            self->calls[i] = NULL;
    }
}

static void no_free(struct bp_http *base)
{
    (void)base;
}

static const struct bp_http_ops ops = {
    .begin = http_begin, .wait = http_wait, .drop = http_drop, .free = no_free};

struct fake_http fake_http(void)
{
    return (struct fake_http){.base.ops = &ops};
}

int fake_http_under_way(const struct fake_http *self)
{
    int count = 0;

    for (int i = 0; i < self->count; i++)
        count += self->calls[i] != NULL ? 1 : 0;
    return count;
}
