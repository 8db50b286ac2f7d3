/*
 * Talking to GitHub's REST API: addresses, headers, redirects, and what each kind of refusal means
 * for the person who reads the message.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
 */
#ifndef BP_FORGE_GITHUB_API_H
#define BP_FORGE_GITHUB_API_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "net/http.h"

struct bp_github_api {
    struct bp_http *http; /* lent */
    struct bp_clock *clock;
    const char *url;   /* without a slash at its end */
    const char *token; /* secret */
    int64_t timeout_ms;
};

struct bp_github_answer {
    int status;           /* 0: none */
    struct bp_json *json; /* NULL when the body is empty or no JSON */
    char message[512];    /* the server's words about a refusal, on one line; may be "" */
    char request_id[64];  /* X-GitHub-Request-Id, for GitHub's support */
    int64_t retry_after_ms;
    bool rate_limited;
    bool maybe_sent; /* net/http.h */
};

/*
 * One request, with redirects followed on the same host. body NULL: none. The answer must be
 * freed whatever comes back. BP_OK for every 2xx; else err says what failed: BP_EAUTH for 401 and
 * 403, BP_ENOTFOUND for 404, BP_EUNAVAILABLE for a rate limit and for 5xx, BP_EFAILED for the
 * rest, and what net/http.h returns.
 */
enum bp_code bp_github_call(const struct bp_github_api *api, const char *method, const char *path,
                            const struct bp_json *body, struct bp_github_answer *answer,
                            struct bp_err *err) BP_CHECK;

void bp_github_answer_free(struct bp_github_answer *answer); /* for BP_AUTO */

#endif
