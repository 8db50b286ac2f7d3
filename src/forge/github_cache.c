#include "forge/github_cache.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static void forget(struct bp_github_kept *kept)
{
    bp_free(kept->url);
    bp_free(kept->etag);
    bp_buf_free(&kept->body);
    *kept = (struct bp_github_kept){0};
}

static struct bp_github_kept *find(struct bp_github_cache *cache, const char *url)
{
    for (size_t i = 0; i < BP_GITHUB_KEPT; i++) {
        if (cache->at[i].url != NULL && strcmp(cache->at[i].url, url) == 0)
            return &cache->at[i];
    }
    return NULL;
}

const struct bp_github_kept *bp_github_cache_find(struct bp_github_cache *cache, const char *url)
{
    struct bp_github_kept *kept = find(cache, url);

    if (kept != NULL)
        kept->used = ++cache->uses;
    return kept;
}

static struct bp_github_kept *free_place(struct bp_github_cache *cache)
{
    for (size_t i = 0; i < BP_GITHUB_KEPT; i++) {
        if (cache->at[i].url == NULL)
            return &cache->at[i];
    }
    return NULL;
}

/* What was not looked up for the longest time. */
static struct bp_github_kept *oldest(struct bp_github_cache *cache)
{
    struct bp_github_kept *found = &cache->at[0];

    for (size_t i = 1; i < BP_GITHUB_KEPT; i++) {
        struct bp_github_kept *kept = &cache->at[i];

        if (kept->url != NULL && (found->url == NULL || kept->used < found->used))
            found = kept;
    }
    return found;
}

static size_t total(const struct bp_github_cache *cache)
{
    size_t sum = 0;

    for (size_t i = 0; i < BP_GITHUB_KEPT; i++)
        sum += cache->at[i].body.len;
    return sum;
}

/* It goes into a header as it is. */
static bool is_etag(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!isgraph((unsigned char)text[i]))
            return false;
    }
    return len > 0 && len <= BP_GITHUB_KEPT_ETAG;
}

void bp_github_cache_keep(struct bp_github_cache *cache, const char *url, const char *etag,
                          struct bp_buf *body)
{
    struct bp_github_kept *place = find(cache, url);

    if (!is_etag(etag) || body->len > BP_GITHUB_KEPT_SIZE)
        return;
    if (place != NULL)
        forget(place);
    place = free_place(cache);
    while (place == NULL || total(cache) + body->len > BP_GITHUB_KEPT_TOTAL) {
        forget(oldest(cache));
        place = free_place(cache);
    }
    *place = (struct bp_github_kept){
        .url = bp_strdup(url), .etag = bp_strdup(etag), .body = *body, .used = ++cache->uses};
    *body = (struct bp_buf){0};
}

void bp_github_cache_free(struct bp_github_cache *cache)
{
    for (size_t i = 0; i < BP_GITHUB_KEPT; i++)
        forget(&cache->at[i]);
}
