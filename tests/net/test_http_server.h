/*
 * A server on 127.0.0.1 that plays written answers, one per request, whatever the connection. It
 * is a process of its own, with one more for each connection; what it saw is in shared memory.
 */
#ifndef TESTS_NET_TEST_HTTP_SERVER_H
#define TESTS_NET_TEST_HTTP_SERVER_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TEST_REQUESTS = 48, TEST_REQUEST_SIZE = 2048 };

/* What the server does once it has read a whole request. */
struct test_answer {
    const char *path; /* only for a request whose path begins so; NULL: for any */
    enum {
        TEST_AT_ONCE,
        TEST_HOLD, /* wait for test_server_release() */
        TEST_STOP  /* send SIGTERM to the test, then wait for the release */
    } first;
    const char *text; /* sent as it is; NULL: nothing */
    size_t len;       /* of text, when it holds a NUL */
    bool echo;        /* send an answer whose body is the request's path instead */
    enum {
        TEST_KEEP,  /* wait for the next request on this connection */
        TEST_CLOSE, /* end the connection in order */
        TEST_RESET, /* break it */
        TEST_HANG   /* nothing more, for ever */
    } then;
};

struct test_seen {
    int connections;
    int arrived;  /* requests, some of which may not be written down yet */
    int requests; /* that are written down */
    struct {
        int connection; /* counted from 1 */
        char text[TEST_REQUEST_SIZE];
    } request[TEST_REQUESTS];
    sem_t released; /* answers that may go out */
    sem_t answered; /* that went out since */
};

struct test_server {
    int port;
    pid_t pid;
    struct test_seen *seen;
};

/*
 * The first answer whose path fits is for a request, whenever it comes. Without paths the answer
 * number i is for request number i; further requests get the last one.
 */
void test_server_start(struct test_server *server, const struct test_answer *answers, size_t count);
void test_server_stop(struct test_server *server);

/* Let this many answers that are held go out, and return when they have. */
void test_server_release(struct test_server *server, int count);

/* A port that nobody listens on. */
int test_closed_port(void);

#endif
