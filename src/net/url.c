#include "net/url.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

/* The length of "scheme://host:port", 0 when it is not http(s). */
static size_t origin_length(const char *url)
{
    size_t scheme = 0;

    if (strncasecmp(url, "http://", 7) == 0)
        scheme = 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        scheme = 8;
    return scheme == 0 ? 0 : scheme + strcspn(url + scheme, "/?#");
}

bool bp_url_same_origin(const char *a, const char *b)
{
    size_t a_len = origin_length(a);
    size_t b_len = origin_length(b);

    return a_len > 0 && a_len == b_len && strncasecmp(a, b, a_len) == 0 &&
           memchr(a, '@', a_len) == NULL;
}

char *bp_url_location(const char *url, const char *location)
{
    size_t origin = origin_length(url);

    if (origin_length(location) > 0)
        return bp_strdup(location);
    if (origin == 0 || location[0] != '/' || location[1] == '/')
        return NULL;
    return bp_format("%.*s%s", (int)origin, url, location);
}

bool bp_url_is_loopback(const char *url)
{
    size_t origin = origin_length(url);
    const char *host = strstr(url, "://");
    size_t len = 0;

    if (origin == 0 || host == NULL || memchr(url, '@', origin) != NULL)
        return false; /* what stands before an "@" is a user's name, not the host */
    host += 3;
    len = strcspn(host, ":/?#");
    return (len == 9 && strncasecmp(host, "localhost", 9) == 0) || strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == len);
}

char *bp_url_password(const char *url)
{
    const char *rest = strstr(url, "://");
    const char *at = NULL;
    const char *colon = NULL;
    BP_AUTO(bp_free_secretp) char *raw = NULL;

    if (rest == NULL)
        return NULL;
    rest += strlen("://");
    at = memrchr(rest, '@', strcspn(rest, "/?#"));
    colon = at != NULL ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
    if (colon == NULL || colon + 1 == at)
        return NULL;
    raw = bp_strndup(colon + 1, (size_t)(at - colon - 1));
    return bp_percent_decode(raw);
}
