/*
 * A way through a proxy for a library that knows none, such as libpq: a port of this machine, and
 * each connection to it goes through the proxy (CONNECT of an http:// or https:// one, or SOCKS) to
 * one host. Bytes pass as they are: TLS between the ends is not touched.
 *
 * What it refuses to do: it listens on 127.0.0.1 only, and leads to that one host only.
 */
#ifndef BP_NET_TUNNEL_H
#define BP_NET_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

/* All lent for the length of the call. */
struct bp_tunnel_options {
    const char *proxy;   /* "http://user:password@host:port", also https, socks5h ... */
    const char *ca_file; /* for an https:// proxy; NULL: the system's */
    const char *host;    /* a name, which the proxy looks up, or an address */
    const char *port;
    int64_t connect_timeout_ms; /* until the proxy has led there */
};

struct bp_tunnel;

/* Begin to listen; the proxy is not asked yet. Owned by the caller. */
enum bp_code bp_tunnel_open(const struct bp_tunnel_options *options, struct bp_tunnel **out,
                            struct bp_err *err) BP_CHECK;

/* Where it listens, and where it leads. Lent. */
const char *bp_tunnel_local_port(const struct bp_tunnel *tunnel);
const char *bp_tunnel_host(const struct bp_tunnel *tunnel);
const char *bp_tunnel_port(const struct bp_tunnel *tunnel);

/*
 * Why the last connection that failed did not get there; BP_OK when none did since this was last
 * asked. BP_EAUTH: the proxy wants another user or password; BP_EUNAVAILABLE: it refused (*may_pass
 * is false then), or it could not be reached. No password is in the message.
 */
enum bp_code bp_tunnel_failure(struct bp_tunnel *tunnel, bool *may_pass, struct bp_err *err);

/* Ends every connection; nothing is left when this returns. */
void bp_tunnel_closep(struct bp_tunnel **tunnel); /* for BP_AUTO */

#endif
