#include "support/fake_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static enum bp_code http_send(struct bp_http *base, const struct bp_http_request *request,
                              struct bp_http_response *response, struct bp_err *err)
{
    struct fake_http *self = (struct fake_http *)base;
    struct fake_exchange *e = &self->exchanges[self->count];

    if (++self->count > (int)(sizeof(self->exchanges) / sizeof(self->exchanges[0])))
        abort();
    (void)snprintf(e->method, sizeof(e->method), "%s", request->method);
    (void)snprintf(e->url, sizeof(e->url), "%s", request->url);
    (void)snprintf(e->sent, sizeof(e->sent), "%s", request->body != NULL ? request->body : "");
    for (size_t i = 0; i < request->headers->count; i++) {
        if (bp_text_starts_with(request->headers->at[i], "Authorization: "))
            (void)snprintf(e->authorization, sizeof(e->authorization), "%s",
                           request->headers->at[i]);
    }
    response->maybe_sent = e->maybe_sent;
    if (e->failure != BP_OK)
        return bp_fail(err, e->failure, "no answer");
    response->status = e->status;
    bp_buf_puts(&response->body, e->body != NULL ? e->body : "");
    if (e->header != NULL)
        bp_list_add(&response->headers, e->header);
    return BP_OK;
}

static void no_free(struct bp_http *base)
{
    (void)base;
}

static const struct bp_http_ops ops = {.send = http_send, .free = no_free};

struct fake_http fake_http(void)
{
    return (struct fake_http){.base.ops = &ops};
}
