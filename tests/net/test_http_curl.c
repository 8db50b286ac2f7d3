#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/http_curl.h"
#include "net/test_http_server.h"

static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Two: 1\r\n\r\nhello";

static struct test_server server;
static struct bp_curl_options options;
static struct bp_http *http;
static struct bp_http_response response;
static struct bp_http_request request;
static struct bp_list headers;
static struct bp_err err;
static char url[128];

static void set_up(void)
{
    static const char *const proxies[] = {"http_proxy", "all_proxy", "ALL_PROXY", "no_proxy",
                                          "NO_PROXY"};

    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
        (void)unsetenv(proxies[i]);
    request = (struct bp_http_request){.method = "GET",
                                       .url = url,
                                       .headers = &headers,
                                       .timeout_ms = 20000,
                                       .response_limit = 1000};
}

static void tear_down(void)
{
    bp_http_response_free(&response);
    bp_http_freep(&http);
    bp_list_free(&headers);
    test_server_stop(&server);
}

TestSuite(http_curl, .init = set_up, .fini = tear_down, .timeout = 60);

static void serve(const struct test_answer *answers, size_t count)
{
    test_server_start(&server, answers, count);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/a?b=c", server.port);
}

static void serve_text(const char *text)
{
    const struct test_answer answer = {.text = text, .then = TEST_CLOSE};

    serve(&answer, 1);
}

/* One request, until it is done. */
static enum bp_code ask(const char *method)
{
    struct bp_http_call call = {.request = request};
    struct bp_http_call *done = NULL;

    if (http == NULL)
        http = bp_http_curl_new(&options);
    bp_http_response_free(&response);
    call.request.method = method;
    http->ops->begin(http, &call);
    cr_assert_eq(http->ops->wait(http, -1, NULL, &done, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(done, &call);
    response = call.response;
    err = call.err;
    return call.err.code;
}

static const char *seen(int number)
{
    cr_assert_lt(number, server.seen->requests);
    return server.seen->request[number].text;
}

Test(http_curl, gives_status_headers_and_body)
{
    serve_text(hello);
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_eq(response.status, 200);
    cr_expect_str_eq(bp_buf_str(&response.body), "hello");
    cr_expect_str_eq(bp_http_header(&response, "x-two"), "1");
    cr_expect_not(response.maybe_sent, "the answer is whole");
}

Test(http_curl, a_get_is_sent_with_our_name_and_the_headers)
{
    bp_list_add(&headers, "Authorization: Bearer t0ken");
    bp_list_add(&headers, "X-Empty-No: 1");
    serve_text(hello);
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect(bp_text_starts_with(seen(0), "GET /a?b=c HTTP/1.1\r\n"), "%s", seen(0));
    cr_expect_not_null(strstr(seen(0), "\r\nUser-Agent: backproof\r\n"), "%s", seen(0));
    cr_expect_not_null(strstr(seen(0), "\r\nAuthorization: Bearer t0ken\r\n"), "%s", seen(0));
    cr_expect_not_null(strstr(seen(0), "\r\nX-Empty-No: 1\r\n"), "%s", seen(0));
    cr_expect(bp_text_ends_with(seen(0), "\r\n\r\n"), "a GET has no body");
}

Test(http_curl, a_method_and_its_body_arrive_exactly)
{
    static const struct {
        const char *method;
        const char *body;
        const char *length;
    } rows[] = {
        {"POST", "{\"ref\": \"main\"}", "Content-Length: 15\r\n"},
        {"PUT", "@file & more = %20\n", "Content-Length: 19\r\n"},
        {"PATCH", "", "Content-Length: 0\r\n"},
        {"DELETE", NULL, "Content-Length: 0\r\n"},
    };

    serve_text(hello);
    for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++) {
        BP_AUTO(bp_freep) char *start = bp_format("%s /a?b=c HTTP/1.1\r\n", rows[i].method);
        BP_AUTO(bp_freep)
        char *end = bp_format("\r\n\r\n%s", rows[i].body != NULL ? rows[i].body : "");

        request.body = rows[i].body;
        request.body_len = rows[i].body != NULL ? strlen(rows[i].body) : 0;
        cr_assert_eq(ask(rows[i].method), BP_OK, "%s: %s", rows[i].method, err.msg);
        cr_expect(bp_text_starts_with(seen(i), start), "%s: %s", rows[i].method, seen(i));
        cr_expect(bp_text_ends_with(seen(i), end), "%s: %s", rows[i].method, seen(i));
        cr_expect_not_null(strstr(seen(i), rows[i].length), "%s: %s", rows[i].method, seen(i));
    }
}

Test(http_curl, a_get_after_a_post_is_a_plain_get)
{
    serve_text(hello);
    request.body = "x=1";
    request.body_len = 3;
    cr_assert_eq(ask("POST"), BP_OK, "%s", err.msg);
    request.body = NULL;
    request.body_len = 0;
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect(bp_text_starts_with(seen(1), "GET /"), "%s", seen(1));
    cr_expect_null(strstr(seen(1), "Content-"), "%s", seen(1));
}

Test(http_curl, every_status_is_an_answer_and_redirects_are_not_followed)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", 204},
        {"HTTP/1.1 301 Moved\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", 301},
        {"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 307},
        {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
         401},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404},
        {"HTTP/1.0 503 Later\r\n\r\n", 503},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        serve_text(rows[i].text);
        cr_expect_eq(ask("GET"), BP_OK, "%d: %s", rows[i].status, err.msg);
        cr_expect_eq(response.status, rows[i].status);
        cr_expect_eq(server.seen->requests, 1, "%d was asked again", rows[i].status);
        test_server_stop(&server);
    }
}

Test(http_curl, headers_are_those_of_the_final_answer)
{
    serve_text("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
               "HTTP/1.1 200 OK\r\nX-Late:   2  \r\nContent-Length: 0\r\n\r\n");
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_null(bp_http_header(&response, "X-Early"));
    cr_expect_str_eq(bp_http_header(&response, "X-Late"), "2");
}

Test(http_curl, headers_may_come_behind_the_body)
{
    serve_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
               "5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n");
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&response.body), "hello");
    cr_expect_str_eq(bp_http_header(&response, "X-Sum"), "9");
}

Test(http_curl, keeps_at_most_200_headers)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_puts(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int i = 0; i < 300; i++)
        bp_buf_printf(&text, "X-%d: y\r\n", i);
    bp_buf_puts(&text, "\r\n");
    serve_text(bp_buf_str(&text));
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_eq(response.headers.count, 200);
}

Test(http_curl, a_body_may_be_as_large_as_the_limit_and_no_larger)
{
    serve_text(hello);
    request.response_limit = 5;
    cr_expect_eq(ask("GET"), BP_OK, "%s", err.msg);
    request.response_limit = 4;
    cr_expect_eq(ask("POST"), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "larger than the limit of 4 bytes"), "%s", err.msg);
    cr_expect(response.maybe_sent);
}

Test(http_curl, the_limit_counts_what_a_packed_body_becomes)
{
    /* 5,000 times "a" */
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    static const char packed[] =
        "\037\213\010\000\000\000\000\000\002\003\355\301\061\001\000\000\000"
        "\302\240\254\353\137\302\024\176\100\001\000\000\000\000\157\003"
        "\166\131\364\114\210\023\000\000";
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct test_answer answer = {.then = TEST_CLOSE};

    bp_buf_puts(&text, head);
    bp_buf_add(&text, packed, sizeof(packed) - 1);
    answer.text = text.data;
    answer.len = text.len;
    serve(&answer, 1);
    request.response_limit = 5000;
    cr_expect_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_eq(response.body.len, 5000);
    request.response_limit = 4999;
    cr_expect_eq(ask("GET"), BP_EFAILED);
}

Test(http_curl, a_body_that_ends_too_early_is_no_answer)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Len",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        serve_text(texts[i]);
        cr_expect_eq(ask("POST"), BP_EUNAVAILABLE, "%s", texts[i]);
        cr_expect(response.maybe_sent, "%s", texts[i]);
        test_server_stop(&server);
    }
}

Test(http_curl, what_is_no_http_is_no_answer)
{
    serve_text("220 mail.test ESMTP\r\n");
    cr_expect_eq(ask("GET"), BP_EUNAVAILABLE);
    cr_expect(bp_text_starts_with(err.msg, "GET http://127.0.0.1:"), "%s", err.msg);
}

Test(http_curl, a_refused_connection_has_sent_nothing)
{
    serve_text(hello);
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/", test_closed_port());
    request.body = "{}";
    request.body_len = 2;
    cr_expect_eq(ask("POST"), BP_EUNAVAILABLE);
    cr_expect_not(response.maybe_sent, "the request before does not count");
    cr_expect_eq(response.status, 0);
    cr_expect_not_null(strstr(err.msg, "Failed to connect"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "; hint: check the address"), "%s", err.msg);
}

Test(http_curl, a_server_that_breaks_off_may_have_got_the_request)
{
    static const struct test_answer broken[] = {{.then = TEST_RESET}, {.then = TEST_CLOSE}};

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        serve(&broken[i], 1);
        cr_expect_eq(ask("POST"), BP_EUNAVAILABLE, "row %zu", i);
        cr_expect(response.maybe_sent, "row %zu", i);
        cr_expect_eq(response.status, 0, "row %zu", i);
        cr_expect_eq(server.seen->requests, 1, "row %zu", i);
        test_server_stop(&server);
    }
}

/* libcurl sends a request again by itself when a connection that it kept dies before the answer. */
Test(http_curl, a_post_is_sent_once_even_when_a_kept_connection_dies)
{
    static const struct test_answer answers[] = {{.text = hello, .then = TEST_KEEP},
                                                 {.then = TEST_RESET},
                                                 {.text = hello, .then = TEST_CLOSE}};

    serve(answers, 3);
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    request.body = "{}";
    request.body_len = 2;
    cr_expect_eq(ask("POST"), BP_EUNAVAILABLE);
    cr_expect(response.maybe_sent);
    cr_expect_eq(server.seen->requests, 2, "the server saw %d requests", server.seen->requests);
    cr_expect_eq(server.seen->connections, 2, "a POST has a connection of its own");
}

Test(http_curl, a_get_uses_the_kept_connection)
{
    static const struct test_answer answer = {.text = hello, .then = TEST_KEEP};

    serve(&answer, 1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_eq(server.seen->requests, 3);
    cr_expect_eq(server.seen->connections, 1);
}

Test(http_curl, a_get_survives_that_a_kept_connection_dies)
{
    static const struct test_answer answers[] = {{.text = hello, .then = TEST_KEEP},
                                                 {.then = TEST_RESET},
                                                 {.text = hello, .then = TEST_CLOSE}};

    serve(answers, 3);
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect_eq(ask("GET"), BP_OK, "%s", err.msg);
}

Test(http_curl, a_silent_server_is_left_after_the_timeout)
{
    static const struct test_answer answer = {.then = TEST_HANG};

    serve(&answer, 1);
    request.timeout_ms = 300;
    cr_expect_eq(ask("POST"), BP_ETIMEOUT);
    cr_expect(response.maybe_sent);
    cr_expect_not_null(strstr(err.msg, "timed out"), "%s", err.msg);
}

Test(http_curl, the_proxy_is_asked_instead_of_the_server)
{
    char proxy[64];

    serve_text(hello);
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
    options.proxy = proxy;
    request.url = "http://api.invalid/x";
    cr_assert_eq(ask("GET"), BP_OK, "%s", err.msg);
    cr_expect(bp_text_starts_with(seen(0), "GET http://api.invalid/x HTTP/1.1\r\n"), "%s", seen(0));
}

Test(http_curl, a_proxy_that_opens_no_tunnel_has_sent_nothing)
{
    char proxy[64];

    serve_text("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", server.port);
    options.proxy = proxy;
    request.url = "https://api.invalid/x";
    cr_expect_eq(ask("POST"), BP_EUNAVAILABLE);
    cr_expect(bp_text_starts_with(seen(0), "CONNECT api.invalid:443 HTTP/1.1\r\n"), "%s", seen(0));
    cr_expect_not(response.maybe_sent, "the proxy alone was spoken to");
    cr_expect_eq(response.status, 0);
    cr_expect_not_null(strstr(err.msg, "403"), "%s", err.msg);
}

Test(http_curl, a_handshake_that_does_not_end_has_sent_nothing)
{
    serve_text(hello);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server.port);
    request.timeout_ms = 300;
    cr_expect_eq(ask("POST"), BP_ETIMEOUT, "%s", err.msg);
    cr_expect_not(response.maybe_sent);
}

Test(http_curl, a_host_without_an_address_has_sent_nothing)
{
    request.url = "http://no-such-host.invalid/";
    cr_expect_eq(ask("POST"), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "resolve"), "%s", err.msg);
    cr_expect_not(response.maybe_sent);
}

/* libcurl would ask first, and repeat a request whose question is refused. */
Test(http_curl, a_large_post_is_sent_without_asking)
{
    static char body[2 << 20];

    serve_text(hello);
    (void)memset(body, 'x', sizeof(body));
    request.body = body;
    request.body_len = sizeof(body);
    cr_assert_eq(ask("POST"), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(seen(0), "Content-Length: 2097152\r\n"), "%s", seen(0));
    cr_expect_null(strstr(seen(0), "Expect:"), "%s", seen(0));
}

Test(http_curl, an_address_that_is_no_http_is_refused)
{
    static const char *const urls[] = {"",
                                       "api.test/x",
                                       "ftp://127.0.0.1/x",
                                       "file:///etc/hostname",
                                       "FILE:///etc/hostname",
                                       "http://",
                                       "http://a b/"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        request.url = urls[i];
        cr_expect_eq(ask("GET"), BP_EUSAGE, "'%s': %s", urls[i], err.msg);
        cr_expect_not_null(strstr(err.msg, "hint: an address starts with https://"), "%s", err.msg);
        cr_expect_not(response.maybe_sent, "%s", urls[i]);
    }
}

Test(http_curl, a_ca_file_that_is_missing_is_named_in_the_hint)
{
    options.ca_file = "/nonexistent/ca.pem";
    serve_text("not TLS");
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server.port);
    cr_expect_eq(ask("GET"), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(err.msg, "hint: --ca-file"), "%s", err.msg);
    cr_expect_not(response.maybe_sent);
}
