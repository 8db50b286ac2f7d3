/* What is known of a host before anybody could connect to it, and of the hosts that many use. */
#ifndef BP_SOURCE_POSTGRES_HOST_H
#define BP_SOURCE_POSTGRES_HOST_H

#include <stdbool.h>

#include "base/buf.h"

/* Whether it is this machine: a socket's folder or name, none, localhost, 127.0.0.0/8 or ::1. Asks
 * no name service. */
bool bp_pg_host_is_here(const char *host);

/* Whether the name stands for IPv6 addresses and for no other. Asks the name service. */
bool bp_pg_host_is_ipv6_only(const char *host);

/* How else to reach a host that has an IPv6 address only. Static. */
const char *bp_pg_host_ipv4_hint(const char *host);

/* Where to find sessions instead of a pooler that shares them, appended to out. */
void bp_pg_host_session_hint(const char *host, const char *port, struct bp_buf *out);

/* Whether the address tells of a pooler in transaction mode. */
bool bp_pg_host_may_share(const char *host, const char *port);

#endif
