/* The libcurl driver of net/http.h. */
#ifndef BP_NET_HTTP_CURL_H
#define BP_NET_HTTP_CURL_H

#include "net/http.h"

/* All lent for the life of the driver. */
struct bp_curl_options {
    const char *ca_file; /* NULL: the system's */
    const char *proxy;   /* NULL: the environment's */
};

/* Owned by the caller. */
struct bp_http *bp_http_curl_new(const struct bp_curl_options *options) BP_CHECK;

#endif
