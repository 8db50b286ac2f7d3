#include "net/tunnel.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { HEAD = 4096, MANY = 8 << 20 };

/* A proxy that takes one connection: it answers, and if that was "200" sends back what it gets. */
struct proxy {
    int listener;
    char port[8];
    const char *answer;
    int fd;          /* of its connection */
    bool deaf;       /* reads nothing behind its answer */
    bool drips;      /* a byte of a header now and then */
    char head[HEAD]; /* of the request */
    pthread_t thread;
};

static void echo(int fd)
{
    char piece[16384];

    for (;;) {
        ssize_t got = recv(fd, piece, sizeof(piece), 0);

        for (ssize_t sent = 0; sent < got;) {
            ssize_t put = send(fd, piece + sent, (size_t)(got - sent), MSG_NOSIGNAL);

            if (put <= 0)
                return;
            sent += put;
        }
        if (got <= 0)
            return;
    }
}

static void wait_for_end(int fd)
{
    struct pollfd end = {.fd = fd, .events = 0};

    (void)poll(&end, 1, -1);
}

static void *serve(void *ctx)
{
    struct proxy *proxy = ctx;
    int fd = accept(proxy->listener, NULL, NULL);
    size_t len = 0;

    proxy->fd = fd;
    while (fd >= 0 && strstr(proxy->head, "\r\n\r\n") == NULL && len < HEAD - 1) {
        ssize_t got = recv(fd, proxy->head + len, HEAD - 1 - len, 0);

        if (got <= 0)
            break;
        len += (size_t)got;
    }
    while (fd >= 0 && proxy->drips && send(fd, "x", 1, MSG_NOSIGNAL) == 1)
        (void)poll(NULL, 0, 10);
    if (fd >= 0 && proxy->answer != NULL) {
        (void)send(fd, proxy->answer, strlen(proxy->answer), MSG_NOSIGNAL);
        if (proxy->deaf)
            wait_for_end(fd);
        else if (strstr(proxy->answer, " 200 ") != NULL)
            echo(fd);
    } else if (fd >= 0) {
        char rest[16];

        (void)recv(fd, rest, sizeof(rest), 0); /* says nothing until the other side has gone */
    }
    (void)close(fd);
    return NULL;
}

static void start(struct proxy *proxy, const char *answer)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(where);

    *proxy = (struct proxy){.listener = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    cr_assert_eq(bind(proxy->listener, (struct sockaddr *)&where, sizeof(where)), 0);
    cr_assert_eq(listen(proxy->listener, 8), 0);
    cr_assert_eq(getsockname(proxy->listener, (struct sockaddr *)&where, &len), 0);
    (void)snprintf(proxy->port, sizeof(proxy->port), "%u", ntohs(where.sin_port));
    cr_assert_eq(pthread_create(&proxy->thread, NULL, serve, proxy), 0);
}

static void stop(struct proxy *proxy)
{
    if (proxy->deaf)
        (void)shutdown(proxy->fd, SHUT_RDWR);
    (void)pthread_join(proxy->thread, NULL);
    (void)close(proxy->listener);
}

static struct bp_tunnel *open_to(const char *url)
{
    struct bp_tunnel *tunnel = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_tunnel_open(&(struct bp_tunnel_options){.proxy = url,
                                                            .host = "db.test",
                                                            .port = "5432",
                                                            .connect_timeout_ms = 30000},
                                &tunnel, &err),
                 BP_OK, "%s", err.msg);
    return tunnel;
}

static int connect_to(const char *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtol(port, NULL, 10)),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)), 0);
    return fd;
}

static void *send_many(void *ctx)
{
    int fd = *(int *)ctx;
    char piece[16384];

    for (size_t sent = 0; sent < MANY; sent += sizeof(piece)) {
        memset(piece, (int)('a' + sent / sizeof(piece) % 26), sizeof(piece));
        for (size_t done = 0; done < sizeof(piece);) {
            ssize_t put = send(fd, piece + done, sizeof(piece) - done, MSG_NOSIGNAL);

            if (put <= 0)
                return NULL;
            done += (size_t)put;
        }
    }
    return NULL;
}

TestSuite(net_tunnel, .timeout = 60);

Test(net_tunnel, bytes_pass_in_both_directions_at_once)
{
    struct proxy proxy;
    pthread_t sender;
    size_t total = 0;
    size_t wrong = 0;

    start(&proxy, "HTTP/1.1 200 Connection established\r\n\r\n");
    BP_AUTO(bp_freep) char *url = bp_format("http://127.0.0.1:%s", proxy.port);
    BP_AUTO(bp_tunnel_closep) struct bp_tunnel *tunnel = open_to(url);
    int fd = connect_to(bp_tunnel_local_port(tunnel));

    cr_assert_eq(pthread_create(&sender, NULL, send_many, &fd), 0);
    while (total < MANY) {
        char piece[16384];
        ssize_t got = recv(fd, piece, sizeof(piece), 0);

        cr_assert_gt(got, 0);
        for (ssize_t i = 0; i < got; i++)
            wrong += piece[i] != (char)('a' + (total + (size_t)i) / sizeof(piece) % 26);
        total += (size_t)got;
    }
    (void)pthread_join(sender, NULL);
    cr_expect_eq(wrong, 0u);
    (void)close(fd);
    stop(&proxy);
    cr_expect(bp_text_starts_with(proxy.head, "CONNECT db.test:5432 HTTP/1.1\r\n"), "%s",
              proxy.head);
    cr_expect_str_eq(bp_tunnel_host(tunnel), "db.test");
    cr_expect_str_eq(bp_tunnel_port(tunnel), "5432");
}

static enum bp_code fail_with(const char *answer, bool *may_pass, struct bp_err *err)
{
    struct proxy proxy;
    struct bp_err again = {0};
    char byte = 0;

    start(&proxy, answer);
    BP_AUTO(bp_freep) char *url = bp_format("http://somebody:s3cret@127.0.0.1:%s", proxy.port);
    BP_AUTO(bp_tunnel_closep) struct bp_tunnel *tunnel = open_to(url);
    int fd = connect_to(bp_tunnel_local_port(tunnel));

    cr_expect_leq(recv(fd, &byte, 1, 0), 0, "the connection ends");
    (void)close(fd);
    stop(&proxy);
    cr_expect_not_null(strstr(proxy.head, "Proxy-Authorization: Basic c29tZWJvZHk6czNjcmV0\r\n"));
    (void)bp_tunnel_failure(tunnel, may_pass, err);
    cr_expect_null(strstr(err->msg, "s3cret"), "%s", err->msg);
    cr_expect_eq(bp_tunnel_failure(tunnel, may_pass, &again), BP_OK, "it is told once");
    return err->code;
}

Test(net_tunnel, refusals_are_told_without_the_password)
{
    static const struct {
        const char *answer;
        enum bp_code code;
        bool may_pass;
        const char *words;
    } rows[] = {
        {"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n",
         BP_EAUTH, false, "wants a user name and a password"},
        {"HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n", BP_EUNAVAILABLE, false,
         "does not lead to db.test:5432 (HTTP 403)"},
        {"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", BP_EUNAVAILABLE, true, "(HTTP 503)"},
        {"nonsense\r\n\r\n", BP_EUNAVAILABLE, true, "to db.test:5432: "},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_err err = {0};
        bool may_pass = !rows[i].may_pass;
        enum bp_code code = fail_with(rows[i].answer, &may_pass, &err);

        cr_expect_eq(code, rows[i].code, "%s", err.msg);
        cr_expect_eq(may_pass, rows[i].may_pass, "%s", err.msg);
        cr_expect_not_null(strstr(err.msg, rows[i].words), "%s", err.msg);
    }
}

Test(net_tunnel, its_end_ends_what_is_under_way)
{
    struct proxy silent;
    struct proxy open;
    char byte = 0;

    start(&silent, NULL);
    BP_AUTO(bp_freep) char *url = bp_format("http://127.0.0.1:%s", silent.port);
    struct bp_tunnel *waits = open_to(url);
    int first = connect_to(bp_tunnel_local_port(waits));

    start(&open, "HTTP/1.1 200 Connection established\r\n\r\n");
    BP_AUTO(bp_freep) char *other = bp_format("http://127.0.0.1:%s", open.port);
    struct bp_tunnel *stands = open_to(other);
    int second = connect_to(bp_tunnel_local_port(stands));

    cr_assert_eq(send(second, "x", 1, 0), 1);
    cr_assert_eq(recv(second, &byte, 1, 0), 1);
    bp_tunnel_closep(&waits);
    bp_tunnel_closep(&stands);
    cr_expect_null(waits);
    cr_expect_leq(recv(first, &byte, 1, 0), 0);
    cr_expect_leq(recv(second, &byte, 1, 0), 0);
    stop(&silent);
    stop(&open);
    (void)close(first);
    (void)close(second);
}

/* Whether no thread but this one runs, as the kernel tells it. */
static bool others_sleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    bool sleep = true;

    cr_assert_not_null(tasks);
    for (struct dirent *one = readdir(tasks); one != NULL; one = readdir(tasks)) {
        BP_AUTO(bp_freep) char *path = bp_format("/proc/self/task/%s/stat", one->d_name);
        char text[256] = "";
        FILE *stat = one->d_name[0] != '.' && strtol(one->d_name, NULL, 10) != gettid()
                         ? fopen(path, "re")
                         : NULL;

        if (stat == NULL)
            continue;
        if (fgets(text, sizeof(text), stat) != NULL && strstr(text, ") S ") == NULL)
            sleep = false;
        (void)fclose(stat);
    }
    (void)closedir(tasks);
    return sleep;
}

static void wait_until_others_sleep(void)
{
    for (int looks = 0; looks < 50; looks = others_sleep() ? looks + 1 : 0)
        (void)sched_yield();
}

Test(net_tunnel, waits_asleep_for_a_server_that_does_not_read_when_the_client_is_gone)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    const int small = 4096;
    struct proxy deaf;
    char piece[16384] = "";

    start(&deaf, "HTTP/1.1 200 Connection established\r\n\r\n");
    deaf.deaf = true;
    cr_assert_eq(setsockopt(deaf.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    BP_AUTO(bp_freep) char *url = bp_format("http://127.0.0.1:%s", deaf.port);
    BP_AUTO(bp_tunnel_closep) struct bp_tunnel *tunnel = open_to(url);
    int fd = connect_to(bp_tunnel_local_port(tunnel));

    do { /* until nothing on the way takes more */
        while (send(fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
        wait_until_others_sleep();
    } while (send(fd, piece, 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    (void)close(fd);
    wait_until_others_sleep();
    bp_tunnel_closep(&tunnel);
    stop(&deaf);
}

Test(net_tunnel, a_proxy_that_drips_its_answer_has_as_long_as_one_that_says_nothing)
{
    struct proxy drips;
    struct bp_tunnel *tunnel = NULL;
    struct bp_err err = {0};
    bool may_pass = false;
    char byte = 0;

    start(&drips, "");
    drips.drips = true;
    BP_AUTO(bp_freep) char *url = bp_format("http://127.0.0.1:%s", drips.port);
    cr_assert_eq(bp_tunnel_open(&(struct bp_tunnel_options){.proxy = url,
                                                            .host = "db.test",
                                                            .port = "5432",
                                                            .connect_timeout_ms = 500},
                                &tunnel, &err),
                 BP_OK, "%s", err.msg);
    int fd = connect_to(bp_tunnel_local_port(tunnel));

    cr_expect_leq(recv(fd, &byte, 1, 0), 0);
    cr_expect_eq(bp_tunnel_failure(tunnel, &may_pass, &err), BP_EUNAVAILABLE);
    cr_expect(may_pass);
    (void)close(fd);
    bp_tunnel_closep(&tunnel);
    stop(&drips);
}

Test(net_tunnel, what_comes_right_behind_the_answer_is_passed_on)
{
    struct proxy eager;
    char got[6] = "";

    start(&eager, "HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello");
    BP_AUTO(bp_freep) char *url = bp_format("http://127.0.0.1:%s", eager.port);
    BP_AUTO(bp_tunnel_closep) struct bp_tunnel *tunnel = open_to(url);
    int fd = connect_to(bp_tunnel_local_port(tunnel));

    cr_expect_eq(recv(fd, got, 5, MSG_WAITALL), 5);
    cr_expect_str_eq(got, "hello");
    (void)close(fd);
    stop(&eager);
}
