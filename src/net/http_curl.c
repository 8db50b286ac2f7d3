#include "net/http_curl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"

struct curl_http {
    struct bp_http base;
    struct bp_curl_options options;
    CURL *easy; /* reused: it keeps the connection */
};

struct transfer {
    const struct bp_stop *stop;
    struct bp_http_response *response;
    size_t limit;
    bool too_large;
    bool headers_ended;
};

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;

    if (t->response->body.len + size * count > t->limit) {
        t->too_large = true;
        return 0;
    }
    bp_buf_add(&t->response->body, data, size * count);
    return size * count;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    BP_AUTO(bp_freep) char *line = bp_strndup(data, size * count);

    bp_text_trim(line);
    if (bp_text_starts_with(line, "HTTP/")) { /* a new answer: after "100 Continue", say */
        bp_list_free(&t->response->headers);
        t->headers_ended = false;
    } else if (line[0] == '\0') {
        t->headers_ended = true;
    } else if (t->response->headers.count < 200) {
        bp_list_add(&t->response->headers, line);
    }
    return size * count;
}

static int on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                       curl_off_t ulnow)
{
    const struct transfer *t = ctx;

    (void)dltotal;
    (void)dlnow;
    (void)ultotal;
    (void)ulnow;
    return t->stop != NULL && t->stop->signal != 0;
}

static void freep_slist(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void must(CURLcode rc)
{
    if (rc != CURLE_OK)
        abort(); /* curl_easy_setopt fails for a wrong option or without memory only */
}

/* libcurl's defaults are right here: no redirects, no ~/.netrc. */
static void set_up(struct curl_http *self, const struct bp_http_request *request,
                   struct transfer *t)
{
    CURL *easy = self->easy;
    bool get = strcmp(request->method, "GET") == 0;

    curl_easy_reset(easy);
    must(curl_easy_setopt(easy, CURLOPT_URL, request->url));
    must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    must(curl_easy_setopt(easy, CURLOPT_USERAGENT, "backproof"));
    must(curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""));
    must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms));
    must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body));
    must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, t));
    must(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, t));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFODATA, t));
    must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L));
    if (self->options.ca_file != NULL)
        must(curl_easy_setopt(easy, CURLOPT_CAINFO, self->options.ca_file));
    if (self->options.proxy != NULL)
        must(curl_easy_setopt(easy, CURLOPT_PROXY, self->options.proxy));
    if (get)
        return;
    must(curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len));
    must(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : ""));
    must(curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method));
    /* On a reused connection that dies before the first byte of the answer, libcurl would send
     * the request a second time by itself. */
    must(curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L));
}

static const char address_hint[] = "; hint: an address starts with https:// (or http://)";

/* libcurl would guess a scheme that is missing, and it knows many more than these. */
static enum bp_code check_scheme(const char *url, struct bp_err *err)
{
    if (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0)
        return BP_OK;
    return bp_fail(err, BP_EUSAGE, "'%s' is no address%s", url, address_hint);
}

static enum bp_code map_error(CURLcode rc, const struct bp_http_request *request,
                              const char *detail, const struct transfer *t, struct bp_err *err)
{
    enum bp_code code = BP_EUNAVAILABLE;
    const char *hint = "";

    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return bp_stop_check(t->stop, err);
    if (t->too_large)
        return bp_fail(err, BP_EFAILED, "the answer of %s is larger than the limit of %zu bytes",
                       request->url, t->limit);
    if (rc == CURLE_OPERATION_TIMEDOUT)
        code = BP_ETIMEOUT;
    if (rc == CURLE_URL_MALFORMAT) {
        code = BP_EUSAGE;
        hint = address_hint;
    }
    if (rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE)
        hint = "; hint: --ca-file names the certificate of a server of your own";
    return bp_fail(err, code, "%s %s: %s%s", request->method, request->url,
                   detail[0] != '\0' ? detail : curl_easy_strerror(rc), hint);
}

static enum bp_code http_send(struct bp_http *base, const struct bp_http_request *request,
                              struct bp_http_response *response, struct bp_err *err)
{
    struct curl_http *self = (struct curl_http *)base;
    BP_AUTO(freep_slist) struct curl_slist *headers = NULL;
    struct transfer t = {
        .stop = self->options.stop, .response = response, .limit = request->response_limit};
    char detail[CURL_ERROR_SIZE] = "";
    long number = 0;
    CURLcode rc = CURLE_OK;

    if (bp_stop_check(t.stop, err) != BP_OK || check_scheme(request->url, err) != BP_OK)
        return err->code;
    set_up(self, request, &t);
    for (size_t i = 0; request->headers != NULL && i < request->headers->count; i++)
        headers = curl_slist_append(headers, request->headers->at[i]);
    must(curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, headers));
    must(curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, detail));
    rc = curl_easy_perform(self->easy);
    must(curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, NULL));
    (void)curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &number);
    response->status = (int)number;
    (void)curl_easy_getinfo(self->easy, CURLINFO_REQUEST_SIZE, &number);
    if (rc == CURLE_OK && t.headers_ended)
        return BP_OK;
    if (rc == CURLE_OK) /* libcurl is content with a part of the headers */
        rc = CURLE_PARTIAL_FILE;
    response->maybe_sent = number > 0;
    return map_error(rc, request, detail, &t, err);
}

static void http_free(struct bp_http *base)
{
    struct curl_http *self = (struct curl_http *)base;

    curl_easy_cleanup(self->easy);
    curl_global_cleanup();
    bp_free(self);
}

static const struct bp_http_ops ops = {.send = http_send, .free = http_free};

struct bp_http *bp_http_curl_new(const struct bp_curl_options *options)
{
    struct curl_http *self = bp_alloc(1, sizeof(*self));

    must(curl_global_init(CURL_GLOBAL_DEFAULT));
    self->base.ops = &ops;
    self->options = *options;
    self->easy = curl_easy_init();
    if (self->easy == NULL)
        abort();
    return &self->base;
}
