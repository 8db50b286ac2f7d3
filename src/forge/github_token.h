/*
 * What the token's own letters and the headers of an answer tell about it. A token is opaque but
 * for its prefix: any length, any letters.
 * https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
 */
#ifndef BP_FORGE_GITHUB_TOKEN_H
#define BP_FORGE_GITHUB_TOKEN_H

#include "forge/forge.h"
#include "net/http.h"

/* BP_EAUTH: it cannot be a token, or it is one of a kind that asks nothing. */
enum bp_code bp_github_token_check(const char *token, struct bp_err *err) BP_CHECK;

/* From the answer that describes a repository. */
void bp_github_token_read(const char *token, const struct bp_http_response *response,
                          const struct bp_json *repo, struct bp_forge_token *out);

/* "2021-10-07 19:07:53 UTC" or "... +0200", since 1970; 0: it is none. */
int64_t bp_github_token_expiry(const char *text);

#endif
