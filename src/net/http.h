/*
 * HTTP, one request at a time. The driver is net/http_curl.c; tests put a struct of their own in
 * its place. Redirects are answers like any other: whoever asks decides where a token may go.
 */
#ifndef BP_NET_HTTP_H
#define BP_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/list.h"

/* All lent for the length of the call. */
struct bp_http_request {
    const char *method; /* "GET", "POST" ... */
    const char *url;
    const struct bp_list *headers; /* "Name: value" */
    const char *body;              /* NULL: none */
    size_t body_len;
    int64_t timeout_ms;
    size_t response_limit; /* bytes of the answer's body */
};

struct bp_http_response {
    int status; /* 0: there was no answer */
    struct bp_buf body;
    struct bp_list headers; /* "Name: value" */
    /*
     * When there was no (whole) answer: whether the server may have got the request. Only if
     * false is it safe to send a request that changes something again.
     */
    bool maybe_sent;
};

struct bp_http;

struct bp_http_ops {
    /*
     * BP_OK: there is an answer, of whatever status. BP_EUNAVAILABLE: no connection, or it broke.
     * BP_ETIMEOUT. BP_EFAILED: the answer is larger than the limit. BP_ESTOPPED. A request other
     * than GET is put on the wire once at most.
     */
    enum bp_code (*send)(struct bp_http *self, const struct bp_http_request *request,
                         struct bp_http_response *response, struct bp_err *err);
    void (*free)(struct bp_http *self);
};

struct bp_http {
    const struct bp_http_ops *ops;
};

enum bp_code bp_http_send(struct bp_http *http, const struct bp_http_request *request,
                          struct bp_http_response *response, struct bp_err *err) BP_CHECK;
void bp_http_freep(struct bp_http **http); /* for BP_AUTO */

/* A header's value, lent; NULL when the answer has none. Case does not matter. */
const char *bp_http_header(const struct bp_http_response *response, const char *name);

void bp_http_response_free(struct bp_http_response *response); /* for BP_AUTO */

#endif
