/* HTTP with scripted answers; what was asked is kept. */
#ifndef TESTS_SUPPORT_FAKE_HTTP_H
#define TESTS_SUPPORT_FAKE_HTTP_H

#include "net/http.h"

struct fake_exchange {
    /* The answer to give. */
    int status;
    const char *body;
    const char *header; /* one "Name: value", or NULL */
    enum bp_code failure;
    bool maybe_sent;
    /* What came. */
    char method[16];
    char url[512];
    char sent[1024];
    char authorization[256];
};

struct fake_http {
    struct bp_http base;
    struct fake_exchange exchanges[8];
    int count; /* requests that came */
};

struct fake_http fake_http(void);

#endif
