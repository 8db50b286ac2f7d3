/* The GitHub driver of forge.h: github.com and GitHub Enterprise Server. */
#ifndef BP_FORGE_GITHUB_H
#define BP_FORGE_GITHUB_H

#include "base/clock.h"
#include "forge/forge.h"
#include "net/http.h"

struct bp_github_options {
    struct bp_http *http; /* taken over */
    struct bp_clock *clock;
    const char *api_url; /* lent for the life of the driver, as the token */
    const char *token;
    int64_t request_timeout_ms;
};

/*
 * Owned by the caller. BP_EAUTH: the token is malformed. BP_EUSAGE: the address is not usable
 * (http:// is for this machine only: it would show the token to the network).
 */
enum bp_code bp_github_new(const struct bp_github_options *options, struct bp_forge **out,
                           struct bp_err *err) BP_CHECK;

#endif
