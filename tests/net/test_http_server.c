#include "net/test_http_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
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

/*
 * Read one request with its body; false when the client went away before its end. What is longer
 * than out is read and forgotten.
 */
static bool read_request(int fd, char out[TEST_REQUEST_SIZE])
{
    char rest[4096];
    size_t kept = 0;
    size_t len = 0;

    for (;;) {
        bool full = kept + 1 == TEST_REQUEST_SIZE;
        ssize_t got =
            read(fd, full ? rest : out + kept, full ? sizeof(rest) : TEST_REQUEST_SIZE - 1 - kept);
        const char *body = NULL;
        const char *length = NULL;

        if (got <= 0)
            return false;
        len += (size_t)got;
        kept += full ? 0 : (size_t)got;
        out[kept] = '\0';
        body = strstr(out, "\r\n\r\n");
        if (body == NULL)
            continue;
        length = strcasestr(out, "\r\nContent-Length: ");
        if (length == NULL || len >= (size_t)(body + 4 - out) + strtoul(length + 18, NULL, 10))
            return true;
    }
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

/* The path's length; *path is where it begins in a request. */
static int path_of(const char *request, const char **path)
{
    const char *blank = strchr(request, ' ');

    *path = blank != NULL ? blank + 1 : request;
    return (int)strcspn(*path, " \r\n");
}

static const struct test_answer *choose(const struct play *play, const char *request, int number)
{
    const char *path = NULL;
    size_t len = (size_t)path_of(request, &path);

    for (size_t i = 0; i < play->count; i++) {
        const char *start = play->answers[i].path;

        if (start != NULL && strlen(start) <= len && strncmp(path, start, strlen(start)) == 0)
            return &play->answers[i];
    }
    return &play->answers[(size_t)number < play->count ? (size_t)number : play->count - 1];
}

static void send_answer(int fd, const struct test_answer *answer, const char *request)
{
    if (answer->echo) {
        char text[TEST_REQUEST_SIZE];
        const char *path = NULL;
        int len = path_of(request, &path);

        len = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%.*s", len,
                       len, path);
        send_all(fd, text, (size_t)len);
    } else if (answer->text != NULL) {
        send_all(fd, answer->text, answer->len > 0 ? answer->len : strlen(answer->text));
    }
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        /* a signal: once more */
    }
}

static void serve_connection(const struct play *play, int fd, int connection)
{
    static const struct linger at_once = {.l_onoff = 1};
    char request[TEST_REQUEST_SIZE] = "";

    while (read_request(fd, request)) {
        int number = __atomic_fetch_add(&play->seen->arrived, 1, __ATOMIC_SEQ_CST);
        const struct test_answer *answer = choose(play, request, number);

        if (number < TEST_REQUESTS) {
            play->seen->request[number].connection = connection;
            memcpy(play->seen->request[number].text, request, sizeof(request));
        }
        (void)__atomic_fetch_add(&play->seen->requests, 1, __ATOMIC_SEQ_CST);
        if (answer->first == TEST_STOP)
            (void)kill(play->test, SIGTERM);
        if (answer->first != TEST_AT_ONCE)
            wait_for(&play->seen->released);
        send_answer(fd, answer, request);
        if (answer->first != TEST_AT_ONCE)
            (void)sem_post(&play->seen->answered);
        if (answer->then == TEST_CLOSE)
            return;
        if (answer->then == TEST_RESET) {
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
            return;
        }
        while (answer->then == TEST_HANG)
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
    cr_assert_eq(listen(fd, 64), 0);
    cr_assert_eq(sem_init(&play.seen->released, 1, 0), 0);
    cr_assert_eq(sem_init(&play.seen->answered, 1, 0), 0);
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

void test_server_release(struct test_server *server, int count)
{
    for (int i = 0; i < count; i++)
        (void)sem_post(&server->seen->released);
    for (int i = 0; i < count; i++)
        wait_for(&server->seen->answered);
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
