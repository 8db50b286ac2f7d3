/*
 * Talking to GitHub's REST API: addresses, headers, redirects, ETags, limits, and what each kind
 * of refusal means for the person who reads the message.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
 */
#ifndef BP_FORGE_GITHUB_API_H
#define BP_FORGE_GITHUB_API_H

#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "forge/forge.h"
#include "forge/github_cache.h"
#include "net/http.h"

/*
 * The older one knows both answers to a dispatch, 204 and 200 with the run's id; the newer one
 * always gives the id. A server may have retired the older one.
 */
enum bp_github_version { BP_GITHUB_2022_11_28, BP_GITHUB_2026_03_10 };

struct bp_github_api {
    struct bp_http *http; /* lent */
    struct bp_clock *clock;
    const char *url;   /* without a slash at its end */
    const char *token; /* secret */
    enum bp_github_version version;
    struct bp_github_cache cache;
};

/* One question to the server: a request, and more of them after redirects. Zero it, fill it. */
struct bp_github_call {
    struct bp_http_call http; /* its owner is for whoever begins it */
    const char *method;       /* lent */
    char *path;               /* owned, as the body; "/repos/o/r" */
    struct bp_json *body;     /* NULL: none */
    bool keep;                /* ask with the ETag of an answer that was kept */
    int64_t timeout_ms;       /* of each request */

    /* For github_api.c, but may be read. */
    enum bp_github_version version; /* with which it was sent */
    char *url;
    struct bp_list headers;
    struct bp_buf text;
    int hops;
};

struct bp_github_answer {
    int status;           /* 0: none */
    struct bp_json *json; /* NULL when the body is empty or no JSON */
    char message[512];    /* the server's words about a refusal, on one line; may be "" */
    char words[640];      /* what a refusal says: HTTP 403 "message", request ID */
    bool maybe_sent;      /* net/http.h */
    const struct bp_http_response *response; /* its headers; lent */
};

void bp_github_begin(struct bp_github_api *api, struct bp_github_call *call);

/*
 * When http's wait() reports the call: whether it goes on with another request, which was begun
 * then, at the address that the server names. Only on the same host: the token goes nowhere else.
 */
bool bp_github_goes_on(struct bp_github_api *api, struct bp_github_call *call);

/*
 * The answer of a call that does not go on; to be freed whatever comes back. BP_OK for every 2xx;
 * else err says what failed: BP_EAUTH for 401 and 403, BP_ENOTFOUND for 404, BP_EUNAVAILABLE for a
 * rate limit, 408 and 5xx, BP_EFAILED for the rest, and what net/http.h says. reply is always
 * filled.
 */
enum bp_code bp_github_read(struct bp_github_api *api, const struct bp_github_call *call,
                            struct bp_github_answer *answer, struct bp_reply *reply,
                            struct bp_err *err) BP_CHECK;

/* Whether the server has given up the version with which it was asked; it did nothing then. */
bool bp_github_is_retired(const struct bp_github_answer *answer);

/* The answer made sense: keep it, if it has an ETag. The call's body is empty afterwards. */
void bp_github_keep(struct bp_github_api *api, struct bp_github_call *call);

/* What is known before there is an answer. */
struct bp_reply bp_github_no_reply(void);

void bp_github_answer_free(struct bp_github_answer *answer); /* for BP_AUTO */

/* Not while it is under way. */
void bp_github_call_free(struct bp_github_call *call);

/* A server's words into a field of fixed size, on one line; a hint in them does not pass for ours.
 */
void bp_github_copy(char *out, size_t size, const char *text);

#endif
