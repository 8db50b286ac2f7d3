/* Private to the tunnel: the way through the proxy to the host, of one connection. */
#ifndef BP_NET_TUNNEL_REACH_H
#define BP_NET_TUNNEL_REACH_H

#include "net/tunnel.h"

/* All lent for the length of the call. */
struct bp_tunnel_way {
    const struct bp_tunnel_options *to;
    const char *shown;                  /* the proxy without user and password */
    bool (*is_ending)(const void *ctx); /* asked about every second */
    const void *is_ending_ctx;
};

/*
 * libcurl's handle of a connection that leads there, and its socket; the caller cleans it up. NULL:
 * what bp_tunnel_failure() tells.
 */
void *bp_tunnel_reach(const struct bp_tunnel_way *way, int *socket, bool *may_pass,
                      struct bp_err *err) BP_CHECK;

#endif
