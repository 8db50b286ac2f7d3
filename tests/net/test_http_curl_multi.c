/* Many calls at once; what becomes of a single one is in test_http_curl.c. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/http_curl.h"
#include "net/test_http_server.h"

enum { MANY = 20 };

/* The kinds of answer, by path. */
static const struct test_answer by_path[] = {
    {.path = "/hang", .then = TEST_HANG},
    {.path = "/held", .first = TEST_HOLD, .echo = true},
    {.path = "/stop", .first = TEST_STOP, .echo = true},
    {.path = "/reset", .then = TEST_RESET},
    {.path = "/", .echo = true},
};

struct call {
    struct bp_http_call base;
    char path[32];
    char url[128];
};

static struct test_server server;
static struct bp_http *http;
static struct bp_err err;
static struct bp_stop stop;
static struct call calls[MANY];

static void set_up(void)
{
    static const struct bp_curl_options options;
    static const char *const proxies[] = {"http_proxy", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
        (void)unsetenv(proxies[i]);
    test_server_start(&server, by_path, sizeof(by_path) / sizeof(by_path[0]));
    http = bp_http_curl_new(&options);
}

static void tear_down(void)
{
    for (size_t i = 0; i < MANY; i++) {
        http->ops->drop(http, &calls[i].base);
        bp_http_response_free(&calls[i].base.response);
    }
    bp_http_freep(&http);
    test_server_stop(&server);
}

TestSuite(http_curl_multi, .init = set_up, .fini = tear_down, .timeout = 60);

static struct bp_http_call *begin_with_timeout(int number, const char *method, const char *path,
                                               int64_t timeout_ms)
{
    struct call *call = &calls[number];

    bp_http_response_free(&call->base.response);
    *call = (struct call){0};
    (void)snprintf(call->path, sizeof(call->path), "%s", path);
    (void)snprintf(call->url, sizeof(call->url), "http://127.0.0.1:%d%s", server.port, path);
    call->base.request = (struct bp_http_request){
        .method = method, .url = call->url, .timeout_ms = timeout_ms, .response_limit = 1000};
    http->ops->begin(http, &call->base);
    return &call->base;
}

static struct bp_http_call *begin(int number, const char *method, const char *path)
{
    return begin_with_timeout(number, method, path, 600000);
}

/* An address that libcurl is not even asked for. */
static struct bp_http_call *begin_bad(int number)
{
    struct call *call = &calls[number];

    *call =
        (struct call){.base.request = {.method = "GET", .url = "ftp://x/", .timeout_ms = 600000}};
    http->ops->begin(http, &call->base);
    return &call->base;
}

static struct bp_http_call *wait_ms(int64_t timeout_ms)
{
    struct bp_http_call *done = NULL;

    cr_assert_eq(http->ops->wait(http, timeout_ms, NULL, &done, &err), BP_OK, "%s", err.msg);
    return done;
}

static int requests(void)
{
    return __atomic_load_n(&server.seen->requests, __ATOMIC_SEQ_CST);
}

/* Until the server has got so many requests; none of the calls may be done by then. */
static void reach(int count)
{
    while (requests() < count)
        cr_assert_null(wait_ms(20));
}

static void expect_echo(const struct bp_http_call *call)
{
    const struct call *own = (const struct call *)call;

    cr_expect_eq(call->err.code, BP_OK, "%s: %s", own->path, call->err.msg);
    cr_expect_eq(call->response.status, 200, "%s", own->path);
    cr_expect_str_eq(bp_buf_str(&call->response.body), own->path);
}

Test(http_curl_multi, a_call_without_an_answer_holds_up_no_other)
{
    struct bp_http_call *other = NULL;

    (void)begin(0, "GET", "/hang");
    reach(1);
    other = begin(1, "GET", "/other");
    cr_assert_eq(wait_ms(-1), other);
    expect_echo(other);
    cr_expect_null(wait_ms(0));
    cr_expect_eq(server.seen->connections, 2);
}

Test(http_curl_multi, each_call_has_its_own_timeout)
{
    struct bp_http_call *held = begin(0, "POST", "/held");
    struct bp_http_call *hung = NULL;

    reach(1);
    hung = begin_with_timeout(1, "POST", "/hang", 300);
    cr_assert_eq(wait_ms(-1), hung);
    cr_expect_eq(hung->err.code, BP_ETIMEOUT, "%s", hung->err.msg);
    test_server_release(&server, 1);
    cr_assert_eq(wait_ms(-1), held);
    expect_echo(held);
}

Test(http_curl_multi, what_failed_before_it_was_sent_is_told_without_waiting)
{
    struct bp_http_call *bad = begin_bad(0);

    cr_assert_eq(wait_ms(0), bad);
    cr_expect_eq(bad->err.code, BP_EUSAGE);
    cr_expect_not_null(strstr(bad->err.msg, "'ftp://x/' is no address; hint: "), "%s",
                       bad->err.msg);
    cr_expect_not(bad->response.maybe_sent);
    cr_expect_null(wait_ms(0));
}

Test(http_curl_multi, those_done_at_once_are_told_one_by_one_and_once)
{
    bool told[5] = {0};

    (void)begin(0, "GET", "/held/0");
    (void)begin(1, "POST", "/held/1");
    reach(2);
    test_server_release(&server, 2);
    for (int i = 2; i < 5; i++)
        (void)begin_bad(i);
    for (int i = 0; i < 5; i++) {
        const struct call *done = (const struct call *)wait_ms(-1);
        int number = (int)(done - calls);

        cr_assert(number >= 0 && number < 5 && !told[number], "call %d", number);
        told[number] = true;
    }
    expect_echo(&calls[0].base);
    expect_echo(&calls[1].base);
    cr_expect_null(wait_ms(0));
}

Test(http_curl_multi, any_number_of_calls_may_be_under_way)
{
    bool told[MANY] = {0};

    for (int i = 0; i < MANY; i++) {
        char path[32];

        (void)snprintf(path, sizeof(path), "/held/%d", i);
        (void)begin(i, i % 2 == 0 ? "GET" : "POST", path);
    }
    reach(MANY);
    cr_expect_eq(server.seen->connections, MANY, "one request on a connection at a time");
    test_server_release(&server, MANY);
    for (int i = 0; i < MANY; i++) {
        const struct bp_http_call *done = wait_ms(-1);
        int number = (int)((const struct call *)done - calls);

        cr_assert(number >= 0 && number < MANY && !told[number], "call %d", number);
        told[number] = true;
        expect_echo(done);
    }
    cr_expect_null(wait_ms(0));
}

Test(http_curl_multi, a_get_uses_a_connection_that_another_call_left)
{
    (void)begin(0, "GET", "/held/0");
    (void)begin(1, "POST", "/held/1");
    reach(2);
    test_server_release(&server, 2);
    for (int i = 0; i < 2; i++)
        cr_assert_not_null(wait_ms(-1));
    (void)begin(0, "GET", "/held/2");
    (void)begin(1, "GET", "/held/3");
    reach(4);
    cr_expect_eq(server.seen->connections, 2);
}

Test(http_curl_multi, only_some_connections_are_kept)
{
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            (void)begin(i, "GET", "/held");
        reach((round + 1) * MANY);
        test_server_release(&server, MANY);
        for (int i = 0; i < MANY; i++)
            cr_assert_not_null(wait_ms(-1));
    }
    cr_expect_gt(server.seen->connections, MANY, "all were kept");
    cr_expect_lt(server.seen->connections, 2 * MANY, "none was kept");
}

/* libcurl sends a request again by itself when a connection that it kept dies before the answer. */
Test(http_curl_multi, a_post_is_sent_once_even_when_every_connection_dies)
{
    for (int i = 0; i < 8; i++)
        (void)begin(i, "GET", "/held");
    reach(8);
    test_server_release(&server, 8);
    for (int i = 0; i < 8; i++)
        cr_assert_not_null(wait_ms(-1));
    for (int i = 0; i < 8; i++)
        (void)begin(i, i % 2 == 0 ? "POST" : "DELETE", "/reset");
    for (int i = 0; i < 8; i++) {
        const struct bp_http_call *done = wait_ms(-1);

        cr_expect_eq(done->err.code, BP_EUNAVAILABLE, "%s", done->err.msg);
        cr_expect(done->response.maybe_sent);
        cr_expect_eq(done->response.status, 0);
    }
    cr_expect_eq(requests(), 16, "the server saw %d requests", requests());
    cr_expect_eq(server.seen->connections, 16);
}

Test(http_curl_multi, a_call_that_is_given_up_is_not_told)
{
    struct bp_http_call *hung = begin(0, "POST", "/hang");
    struct bp_http_call *other = NULL;

    reach(1);
    http->ops->drop(http, hung);
    http->ops->drop(http, hung);
    other = begin(1, "GET", "/other");
    cr_assert_eq(wait_ms(-1), other);
    expect_echo(other);
    cr_expect_null(wait_ms(0));
    http->ops->drop(http, other);
    expect_echo(other);
}

Test(http_curl_multi, a_call_that_is_done_can_still_be_given_up)
{
    struct bp_http_call *bad[] = {begin_bad(0), begin_bad(1), begin_bad(2)};

    for (int told = 0; told < 3; told++) {
        if (wait_ms(0) != bad[told])
            continue;
        for (int i = 0; i < 3; i++)
            http->ops->drop(http, bad[i]);
        break;
    }
    cr_expect_null(wait_ms(0));
    for (int i = 1; i < 3; i++)
        cr_expect_eq(bad[i]->err.code, BP_OK, "call %d was told", i);
}

Test(http_curl_multi, a_call_given_up_before_it_is_sent_is_not_sent)
{
    struct bp_http_call *other = NULL;

    http->ops->drop(http, begin(0, "POST", "/never"));
    other = begin(1, "GET", "/other");
    cr_assert_eq(wait_ms(-1), other);
    cr_expect_eq(requests(), 1);
}

Test(http_curl_multi, a_signal_ends_the_wait_and_not_the_calls)
{
    struct bp_http_call *call = begin(0, "POST", "/stop");
    struct bp_http_call *done = call;

    cr_assert_eq(bp_stop_install(&stop, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(http->ops->wait(http, -1, &stop, &done, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGTERM");
    cr_expect_null(done);
    test_server_release(&server, 1);
    cr_expect_eq(http->ops->wait(http, -1, &stop, &done, &err), BP_ESTOPPED, "still");
    cr_assert_eq(wait_ms(-1), call);
    expect_echo(call);
}

/* A signal that comes to another thread interrupts nothing: its descriptor has to. */
Test(http_curl_multi, the_stop_is_seen_by_its_descriptor)
{
    struct bp_http_call *done = NULL;
    int fds[2] = {-1, -1};

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "", 1), 1);
    stop.fd = fds[0];
    cr_expect_eq(http->ops->wait(http, 600000, &stop, &done, &err), BP_OK, "%s", err.msg);
    cr_expect_null(done);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

Test(http_curl_multi, nothing_is_sent_after_a_signal)
{
    struct bp_http_call *done = NULL;

    stop.signal = 2;
    (void)begin(0, "GET", "/other");
    cr_expect_eq(http->ops->wait(http, -1, &stop, &done, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGINT");
    cr_expect_null(done);
    cr_expect_eq(server.seen->connections, 0);
}

Test(http_curl_multi, without_calls_the_time_passes_or_a_signal_comes)
{
    struct bp_http_call *done = NULL;

    cr_expect_null(wait_ms(0));
    cr_expect_null(wait_ms(1));
    cr_assert_eq(bp_stop_install(&stop, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(http->ops->wait(http, 1, &stop, &done, &err), BP_OK, "%s", err.msg);
    (void)raise(SIGHUP);
    cr_expect_eq(http->ops->wait(http, -1, &stop, &done, &err), BP_ESTOPPED);
    cr_expect_str_eq(err.msg, "stopped by SIGHUP");
    cr_expect_null(done);
}
