/* Addresses: parts that decisions depend on. */
#ifndef BP_NET_URL_H
#define BP_NET_URL_H

#include <stdbool.h>

#include "base/compiler.h"

/* Whether both are http(s) addresses of the same scheme, host and port. */
bool bp_url_same_origin(const char *a, const char *b);

/*
 * Where a Location leads that the server at url gave: an address, or "/path" on the same server.
 * Owned by the caller; NULL when it is neither.
 */
char *bp_url_location(const char *url, const char *location) BP_CHECK;

/* Whether the host of an http(s) address is this machine: 127.0.0.0/8, ::1 or localhost. */
bool bp_url_is_loopback(const char *url);

/*
 * The password in "scheme://user:password@host/...", percent-decoded; NULL when there is none.
 * Owned by the caller. Connection strings of databases have more forms: bp_postgres_url_secrets().
 */
char *bp_url_password(const char *url) BP_CHECK;

#endif
