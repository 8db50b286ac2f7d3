#include "net/test_http_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct play {
    const struct test_answer *answers;
    size_t count;
    struct test_seen *seen;
    pid_t test;
};

static int local_socket(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0, "%s", strerror(errno));
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int test_closed_port(void)
{
    int port = 0;

    (void)close(local_socket(&port));
    return port;
}

/* Read one request with its body; false when the client went away before its end. */
static bool read_request(int fd, char out[TEST_REQUEST_SIZE])
{
    size_t len = 0;

    while (len + 1 < TEST_REQUEST_SIZE) {
        const char *body = NULL;
        const char *length = NULL;
        ssize_t got = read(fd, out + len, TEST_REQUEST_SIZE - 1 - len);

        if (got <= 0)
            return false;
        len += (size_t)got;
        out[len] = '\0';
        body = strstr(out, "\r\n\r\n");
        if (body == NULL)
            continue;
        length = strcasestr(out, "\r\nContent-Length: ");
        if (length == NULL || len >= (size_t)(body + 4 - out) + strtoul(length + 18, NULL, 10))
            return true;
    }
    return false;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = send(fd, data, len, MSG_NOSIGNAL);

        if (put <= 0)
            return;
        data += put;
        len -= (size_t)put;
    }
}

static void serve_connection(const struct play *play, int fd, int connection)
{
    static const struct linger at_once = {.l_onoff = 1};
    char request[TEST_REQUEST_SIZE] = "";

    while (read_request(fd, request)) {
        int number = __atomic_fetch_add(&play->seen->requests, 1, __ATOMIC_SEQ_CST);
        const struct test_answer *answer =
            &play->answers[(size_t)number < play->count ? (size_t)number : play->count - 1];

        if (number < TEST_REQUESTS) {
            play->seen->request[number].connection = connection;
            memcpy(play->seen->request[number].text, request, sizeof(request));
        }
        if (answer->text != NULL)
            send_all(fd, answer->text, answer->len > 0 ? answer->len : strlen(answer->text));
        if (answer->then == TEST_CLOSE)
            return;
        if (answer->then == TEST_RESET) {
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
            return;
        }
        if (answer->then == TEST_STOP)
            (void)kill(play->test, SIGTERM);
        while (answer->then != TEST_KEEP)
            (void)pause();
    }
}

_Noreturn static void serve(const struct play *play, int listening)
{
    (void)signal(SIGCHLD, SIG_IGN);
    (void)signal(SIGTERM, SIG_DFL);
    (void)alarm(60); /* should the test die before it can stop us */
    for (;;) {
        int fd = accept(listening, NULL, NULL);
        int connection = 0;

        if (fd < 0)
            _exit(1);
        connection = ++play->seen->connections;
        if (fork() == 0) {
            (void)alarm(60);
            serve_connection(play, fd, connection);
            (void)close(fd);
            _exit(0);
        }
        (void)close(fd);
    }
}

void test_server_start(struct test_server *server, const struct test_answer *answers, size_t count)
{
    const struct play play = {
        .answers = answers,
        .count = count,
        .seen = mmap(NULL, sizeof(struct test_seen), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0),
        .test = getpid(),
    };
    int fd = local_socket(&server->port);

    cr_assert_neq(play.seen, MAP_FAILED);
    cr_assert_eq(listen(fd, 16), 0);
    server->seen = play.seen;
    server->pid = fork();
    cr_assert_geq(server->pid, 0);
    if (server->pid == 0) {
        (void)setpgid(0, 0);
        serve(&play, fd);
    }
    (void)setpgid(server->pid, server->pid);
    (void)close(fd);
}

void test_server_stop(struct test_server *server)
{
    if (server->pid <= 0)
        return;
    (void)kill(-server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
    (void)munmap(server->seen, sizeof(*server->seen));
    server->pid = 0;
}
