/*
 * HTTP with scripted answers; what was asked is kept. The exchange number i is for the call that
 * is begun as number i; wait() reports the calls in that order, one at a time.
 */
#ifndef TESTS_SUPPORT_FAKE_HTTP_H
#define TESTS_SUPPORT_FAKE_HTTP_H

#include "net/http.h"

enum { FAKE_HTTP_EXCHANGES = 16 };

struct fake_exchange {
    /* The answer to give. */
    int status;
    const char *body;
    const char *header;          /* one "Name: value", or NULL */
    const char *more_headers[4]; /* up to the first NULL */
    enum bp_code failure;
    bool maybe_sent;
    bool hang; /* the call is never done */
    /* What came. */
    char method[16];
    char url[512];
    char sent[1024];
    char authorization[256];
};

struct fake_http {
    struct bp_http base;
    struct fake_exchange exchanges[FAKE_HTTP_EXCHANGES];
    int count;                                       /* calls that were begun */
    struct bp_http_call *calls[FAKE_HTTP_EXCHANGES]; /* under way; NULL: reported or dropped */
};

struct fake_http fake_http(void);

/* Calls that are under way. */
int fake_http_under_way(const struct fake_http *self);

#endif
