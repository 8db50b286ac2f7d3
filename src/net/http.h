/*
 * HTTP: requests are begun, and wait() tells which is done; as many may be under way as one likes.
 * One that gets no answer therefore holds up no other. The driver is net/http_curl.c; tests put a
 * struct of their own in its place. Redirects are answers like any other: whoever asks decides
 * where a token may go.
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
#include "base/stop.h"

/* All lent until the call is done or dropped. */
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

/*
 * One request and its answer. Zero it, fill the request, begin it; it must stay where it is until
 * wait() reports it or drop() forgets it. Then err tells: code BP_OK, there is an answer, of
 * whatever status; BP_EUNAVAILABLE: no connection, or it broke; BP_ETIMEOUT; BP_EFAILED: the answer
 * is larger than the limit; BP_EUSAGE: no address.
 */
struct bp_http_call {
    struct bp_http_request request;
    struct bp_http_response response; /* to be freed with bp_http_response_free() */
    struct bp_err err;
    void *owner;    /* for whoever began it */
    void *transfer; /* for the driver */
};

struct bp_http;

struct bp_http_ops {
    /* Never fails: what goes wrong is told when the call is done. A request other than GET is put
     * on the wire once at most. */
    void (*begin)(struct bp_http *self, struct bp_http_call *call);

    /*
     * Wait at most timeout_ms (-1: for ever, 0: not at all) for any call to be done: *done is that
     * call, else NULL; unless asked to wait for ever it may come back early without one. Calls
     * make progress in here only. Without calls under way it waits for the time alone. BP_ESTOPPED
     * as soon as stop (may be NULL) says so; the calls are still under way then. BP_EFAILED: the
     * system refuses to wait.
     */
    enum bp_code (*wait)(struct bp_http *self, int64_t timeout_ms, const struct bp_stop *stop,
                         struct bp_http_call **done, struct bp_err *err);

    /* Give a call up: it is not reported any more. What was sent stays sent. Nothing happens when
     * it is not under way. */
    void (*drop)(struct bp_http *self, struct bp_http_call *call);

    void (*free)(struct bp_http *self); /* no call may be under way */
};

struct bp_http {
    const struct bp_http_ops *ops;
};

void bp_http_freep(struct bp_http **http); /* for BP_AUTO */

/* A header's value, lent; NULL when the answer has none. Case does not matter. */
const char *bp_http_header(const struct bp_http_response *response, const char *name);

void bp_http_response_free(struct bp_http_response *response); /* for BP_AUTO */

#endif
