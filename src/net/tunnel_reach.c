#include "net/tunnel_reach.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/mem.h"
#include "base/text.h"

enum {
    PROXY_WANTS_LOGIN = 407,
    SERVER_ERROR = 500, /* and above: may pass */
};

/* libcurl asks about every second, whatever it waits for. */
static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct bp_tunnel_way *way = ctx;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return way->is_ending(way->is_ending_ctx) ? 1 : 0;
}

/* As libcurl does it, but children do not inherit it. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void must(CURLcode rc)
{
    if (rc != CURLE_OK)
        abort(); /* curl_easy_setopt fails for a wrong option or without memory only */
}

static void set_up(const struct bp_tunnel_way *way, CURL *easy, char *detail)
{
    const struct bp_tunnel_options *to = way->to;
    BP_AUTO(bp_freep)
    char *url = strchr(to->host, ':') != NULL ? bp_format("http://[%s]:%s", to->host, to->port)
                                              : bp_format("http://%s:%s", to->host, to->port);

    must(curl_easy_setopt(easy, CURLOPT_URL, url));
    must(curl_easy_setopt(easy, CURLOPT_PROXY, to->proxy));
    must(curl_easy_setopt(easy, CURLOPT_NOPROXY, "")); /* whoever names a proxy means it */
    must(curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L));
    must(curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L));
    must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail));
    must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    must(curl_easy_setopt(easy, CURLOPT_USERAGENT, "backproof"));
    must(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)to->connect_timeout_ms));
    must(curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket));
    must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress));
    must(curl_easy_setopt(easy, CURLOPT_XFERINFODATA, way));
    if (to->ca_file != NULL)
        must(curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, to->ca_file));
}

enum answer { WANTS_LOGIN, REFUSES, FAILS };

/* What an http:// proxy says as a status, a socks5h:// one says in a reply of its own. */
static enum answer read_answer(CURL *easy, long *status)
{
    long socks = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, status);
    (void)curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &socks);
    if (*status == PROXY_WANTS_LOGIN || socks == CURLPX_NO_AUTH || socks == CURLPX_USER_REJECTED)
        return WANTS_LOGIN;
    return *status != 0 || socks == CURLPX_REPLY_NOT_ALLOWED ? REFUSES : FAILS;
}

static void tell_failure(const struct bp_tunnel_way *way, CURL *easy, const char *detail,
                         bool *may_pass, struct bp_err *err)
{
    const struct bp_tunnel_options *to = way->to;
    const char *scheme_end = strstr(to->proxy, "://");
    long status = 0;
    enum answer answer = read_answer(easy, &status);
    BP_AUTO(bp_freep) char *shown_status = status != 0 ? bp_format(" (HTTP %ld)", status) : NULL;

    *may_pass = answer == FAILS || status >= SERVER_ERROR;
    if (answer == WANTS_LOGIN)
        (void)bp_fail(err, BP_EAUTH,
                      "the proxy '%s' wants a user name and a password; hint: set BACKPROOF_PROXY "
                      "to %.*s://user:password@host:port",
                      way->shown, scheme_end != NULL ? (int)(scheme_end - to->proxy) : 4,
                      scheme_end != NULL ? to->proxy : "http");
    else if (answer == REFUSES)
        (void)bp_fail(err, BP_EUNAVAILABLE,
                      "the proxy '%s' does not lead to %s:%s%s; hint: let it open connections to "
                      "that host and port",
                      way->shown, to->host, to->port, shown_status != NULL ? shown_status : "");
    else
        (void)bp_fail(err, BP_EUNAVAILABLE, "no way through the proxy '%s' to %s:%s: %s",
                      way->shown, to->host, to->port, detail);
}

void *bp_tunnel_reach(const struct bp_tunnel_way *way, int *socket, bool *may_pass,
                      struct bp_err *err)
{
    char detail[CURL_ERROR_SIZE] = "";
    CURL *easy = curl_easy_init();
    CURLcode rc = CURLE_OK;

    if (easy == NULL)
        abort(); /* no memory */
    set_up(way, easy, detail);
    rc = curl_easy_perform(easy);
    if (rc == CURLE_OK)
        rc = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, socket);
    must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL));
    /* What it lends ends with this call. */
    must(curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L));
    if (rc == CURLE_OK)
        return easy;
    tell_failure(way, easy, detail[0] != '\0' ? detail : curl_easy_strerror(rc), may_pass, err);
    curl_easy_cleanup(easy);
    return NULL;
}
