/*
 * A server on 127.0.0.1 that plays written answers, one per request, whatever the connection. It
 * is a process of its own, with one more for each connection; what it saw is in shared memory.
 */
#ifndef TESTS_NET_TEST_HTTP_SERVER_H
#define TESTS_NET_TEST_HTTP_SERVER_H

#include <stddef.h>
#include <sys/types.h>

enum { TEST_REQUESTS = 8, TEST_REQUEST_SIZE = 2048 };

/* What the server does once it has read a whole request. */
struct test_answer {
    const char *text; /* sent as it is; NULL: nothing */
    size_t len;       /* of text, when it holds a NUL */
    enum {
        TEST_KEEP,  /* wait for the next request on this connection */
        TEST_CLOSE, /* end the connection in order */
        TEST_RESET, /* break it */
        TEST_HANG,  /* nothing more, for ever */
        TEST_STOP   /* send SIGTERM to the test, then hang */
    } then;
};

struct test_seen {
    int connections;
    int requests;
    struct {
        int connection; /* counted from 1 */
        char text[TEST_REQUEST_SIZE];
    } request[TEST_REQUESTS];
};

struct test_server {
    int port;
    pid_t pid;
    struct test_seen *seen;
};

/* The answer number i is for request number i; further requests get the last one. */
void test_server_start(struct test_server *server, const struct test_answer *answers, size_t count);
void test_server_stop(struct test_server *server);

/* A port that nobody listens on. */
int test_closed_port(void);

#endif
