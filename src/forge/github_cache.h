/*
 * Answers that are kept with their ETag: asked for again, the server says 304 without a body, which
 * costs nothing of the hourly budget.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
#ifndef BP_FORGE_GITHUB_CACHE_H
#define BP_FORGE_GITHUB_CACHE_H

#include <stdint.h>

#include "base/buf.h"

enum {
    BP_GITHUB_KEPT = 8,             /* answers */
    BP_GITHUB_KEPT_SIZE = 2 << 20,  /* bytes of one: a hundred runs are about one MiB */
    BP_GITHUB_KEPT_TOTAL = 4 << 20, /* bytes of all */
    BP_GITHUB_KEPT_ETAG = 200       /* letters of one */
};

struct bp_github_kept {
    char *url; /* NULL: a free place */
    char *etag;
    struct bp_buf body;
    uint64_t used; /* when it was last looked up */
};

/* A zeroed struct is an empty cache. */
struct bp_github_cache {
    struct bp_github_kept at[BP_GITHUB_KEPT];
    uint64_t uses;
};

/* Lent until the next change; NULL: nothing is kept of this address. */
const struct bp_github_kept *bp_github_cache_find(struct bp_github_cache *cache, const char *url);

/*
 * Keep an answer, and empty body; what was not looked up for the longest time gives way. Nothing
 * happens when it is too large, or when the ETag could not be sent back.
 */
void bp_github_cache_keep(struct bp_github_cache *cache, const char *url, const char *etag,
                          struct bp_buf *body);

void bp_github_cache_free(struct bp_github_cache *cache); /* empties it */

#endif
