#include "net/http_curl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"

/* Connections that wait for another GET; there may be any number in use. */
enum { KEPT_CONNECTIONS = 8 };

/*
 * CURLOPT_QUICK_EXIT, which headers before 7.87 do not have. Without it whoever ends a call whose
 * host is still being looked up waits for the resolver, and all other calls wait as well.
 */
static const CURLoption leave_resolver = (CURLoption)(CURLOPTTYPE_LONG + 322);

struct curl_http {
    struct bp_http base;
    struct bp_curl_options options;
    CURLM *multi;
};

/* What a call that is under way has besides its struct. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    bool too_large;
    bool headers_ended;
    bool connected; /* the request goes out from now on */
    char detail[CURL_ERROR_SIZE];
};

/* ---- what libcurl calls ---- */

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct bp_http_call *call = ctx;
    struct transfer *t = call->transfer;

    if (call->response.body.len + size * count > call->request.response_limit) {
        t->too_large = true;
        return 0;
    }
    bp_buf_add(&call->response.body, data, size * count);
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct bp_http_call *call = ctx;
    struct transfer *t = call->transfer;
    BP_AUTO(bp_freep) char *line = bp_strndup(data, size * count);

    bp_text_trim(line);
    if (bp_text_starts_with(line, "HTTP/")) { /* a new answer: after "100 Continue", say */
        bp_list_free(&call->response.headers);
        t->headers_ended = false;
    } else if (line[0] == '\0') {
        t->headers_ended = true;
    } else if (call->response.headers.count < 200) {
        bp_list_add(&call->response.headers, line);
    }
    return size * count;
}

/*
 * The connection is there, with its proxy and TLS, and the request is next. CURLINFO_REQUEST_SIZE
 * would not tell: it counts what was said to a proxy to open a tunnel as well.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl gives the type */
static int on_connected(void *ctx, char *ip, char *local_ip, int port, int local_port)
{
    struct bp_http_call *call = ctx;
    struct transfer *t = call->transfer;

    (void)ip;
    (void)local_ip;
    (void)port;
    (void)local_port;
    t->connected = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- setting up ---- */

static void must(CURLcode rc)
{
    if (rc != CURLE_OK)
        abort(); /* curl_easy_setopt fails for a wrong option or without memory only */
}

static void must_multi(CURLMcode rc)
{
    if (rc != CURLM_OK)
        abort(); /* likewise */
}

static void must_have(const void *made)
{
    if (made == NULL)
        abort(); /* no memory */
}

/* libcurl would guess a scheme that is missing, and it knows many more than these. */
static bool is_address(const char *url)
{
    return strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0;
}

static void add_header(struct transfer *t, const char *line)
{
    t->headers = curl_slist_append(t->headers, line);
    must_have(t->headers);
}

/* libcurl's defaults are right here: no redirects, no ~/.netrc. */
static void set_up(const struct curl_http *self, struct bp_http_call *call)
{
    const struct bp_http_request *request = &call->request;
    struct transfer *t = call->transfer;
    CURL *easy = t->easy;

    /* Without an address libcurl says so in the way that all failures are told. */
    must(curl_easy_setopt(easy, CURLOPT_URL, is_address(request->url) ? request->url : ""));
    must(curl_easy_setopt(easy, CURLOPT_PRIVATE, call));
    must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->detail));
    must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    /* Older ones do not know it, which is all right. */
    (void)curl_easy_setopt(easy, leave_resolver, 1L);
    must(curl_easy_setopt(easy, CURLOPT_USERAGENT, "backproof"));
    must(curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""));
    must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms));
    must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
    must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, call));
    must(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, call));
    must(curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected));
    must(curl_easy_setopt(easy, CURLOPT_PREREQDATA, call));
    if (self->options.ca_file != NULL) {
        must(curl_easy_setopt(easy, CURLOPT_CAINFO, self->options.ca_file));
        must(curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, self->options.ca_file));
    }
    if (self->options.proxy != NULL) {
        must(curl_easy_setopt(easy, CURLOPT_PROXY, self->options.proxy));
        must(curl_easy_setopt(easy, CURLOPT_NOPROXY, "")); /* NO_PROXY is the environment's */
    }
    for (size_t i = 0; request->headers != NULL && i < request->headers->count; i++)
        add_header(t, request->headers->at[i]);
}

/*
 * A request that may change something. By itself libcurl would send it again when a connection
 * that it kept dies before the first byte of the answer, when an HTTP/2 server refuses the stream
 * (on a fresh connection as well), and when a server refuses the "Expect: 100-continue" that
 * libcurl adds for a large body.
 */
static void set_up_change(const struct bp_http_request *request, struct transfer *t)
{
    CURL *easy = t->easy;

    must(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len));
    must(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : ""));
    must(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method));
    must(curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L));
    must(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    add_header(t, "Expect:"); /* none */
}

/* ---- the operations ---- */

static void transfer_free(struct curl_http *self, struct bp_http_call *call)
{
    struct transfer *t = call->transfer;

    must_multi(curl_multi_remove_handle(self->multi, t->easy));
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    bp_free(t);
    call->transfer = NULL;
}

static void http_begin(struct bp_http *base, struct bp_http_call *call)
{
    struct curl_http *self = (struct curl_http *)base;
    struct transfer *t = bp_alloc(1, sizeof(*t));

    call->transfer = t;
    t->easy = curl_easy_init();
    must_have(t->easy);
    set_up(self, call);
    if (strcmp(call->request.method, "GET") != 0)
        set_up_change(&call->request, t);
    must(curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers));
    must_multi(curl_multi_add_handle(self->multi, t->easy));
}

static void explain(struct bp_http_call *call, CURLcode rc)
{
    static const char address_hint[] = "; hint: an address starts with https:// (or http://)";
    const struct bp_http_request *request = &call->request;
    const struct transfer *t = call->transfer;
    enum bp_code code = BP_EUNAVAILABLE;
    const char *hint = "";

    if (!is_address(request->url)) {
        bp_fail(&call->err, BP_EUSAGE, "'%s' is no address%s", request->url, address_hint);
        return;
    }
    if (t->too_large) {
        bp_fail(&call->err, BP_EFAILED, "the answer of %s is larger than the limit of %zu bytes",
                request->url, request->response_limit);
        return;
    }
    if (rc == CURLE_OPERATION_TIMEDOUT)
        code = BP_ETIMEOUT;
    if (rc == CURLE_URL_MALFORMAT) {
        code = BP_EUSAGE;
        hint = address_hint;
    }
    if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE)
        hint = "; hint: --ca-file names the certificate of a server of your own";
    if (rc == CURLE_COULDNT_CONNECT || rc == CURLE_COULDNT_RESOLVE_HOST ||
        rc == CURLE_COULDNT_RESOLVE_PROXY)
        hint = "; hint: check the address, the network and the proxy";
    bp_fail(&call->err, code, "%s %s: %s%s", request->method, request->url,
            t->detail[0] != '\0' ? t->detail : curl_easy_strerror(rc), hint);
}

static void finish(struct curl_http *self, struct bp_http_call *call, CURLcode rc)
{
    const struct transfer *t = call->transfer;
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    call->response.status = (int)status;
    if (rc == CURLE_OK && !t->headers_ended) /* libcurl is content with a part of the headers */
        rc = CURLE_PARTIAL_FILE;
    if (rc != CURLE_OK) {
        call->response.maybe_sent = t->connected;
        explain(call, rc);
    }
    transfer_free(self, call);
}

/* The next call that is done; libcurl remembers the others, and forgets those that are dropped. */
static struct bp_http_call *next_done(struct curl_http *self)
{
    struct bp_http_call *call = NULL;
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(self->multi, &left);

    if (message == NULL)
        return NULL;
    must(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call));
    finish(self, call, message->data.result);
    return call;
}

static enum bp_code http_wait(struct bp_http *base, int64_t timeout_ms, const struct bp_stop *stop,
                              struct bp_http_call **done, struct bp_err *err)
{
    struct curl_http *self = (struct curl_http *)base;
    struct curl_waitfd wake = {.fd = bp_stop_fd(stop), .events = CURL_WAIT_POLLIN};
    int patience = timeout_ms < 0 || timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;

    *done = NULL;
    for (;;) {
        int running = 0;
        CURLMcode rc = CURLM_OK;

        if (bp_stop_check(stop, err) != BP_OK)
            return BP_ESTOPPED;
        rc = curl_multi_perform(self->multi, &running);
        *done = next_done(self);
        if (*done != NULL || (rc == CURLM_OK && timeout_ms == 0))
            return BP_OK;
        if (rc == CURLM_OK)
            rc = curl_multi_poll(self->multi, &wake, wake.fd >= 0 ? 1 : 0, patience, NULL);
        if (rc != CURLM_OK)
            return bp_fail(err, BP_EFAILED, "cannot wait: %s", curl_multi_strerror(rc));
        if (timeout_ms > 0)
            timeout_ms = 0; /* look once more; how much is left only the caller's clock knows */
    }
}

static void http_drop(struct bp_http *base, struct bp_http_call *call)
{
    if (call->transfer != NULL)
        transfer_free((struct curl_http *)base, call);
}

static void http_free(struct bp_http *base)
{
    struct curl_http *self = (struct curl_http *)base;

    must_multi(curl_multi_cleanup(self->multi));
    curl_global_cleanup();
    bp_free(self);
}

static const struct bp_http_ops ops = {
    .begin = http_begin, .wait = http_wait, .drop = http_drop, .free = http_free};

struct bp_http *bp_http_curl_new(const struct bp_curl_options *options)
{
    struct curl_http *self = bp_alloc(1, sizeof(*self));

    must(curl_global_init(CURL_GLOBAL_DEFAULT));
    self->base.ops = &ops;
    self->options = *options;
    self->multi = curl_multi_init();
    must_have(self->multi);
    /* Never two requests on one connection at a time: one that is dead would hold up both. */
    must_multi(curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING));
    must_multi(curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS));
    return &self->base;
}
