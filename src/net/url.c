#include "net/url.h"

#include <ctype.h>
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

/* Of "host=x password='a b' user=y", libpq's key and value form. */
static char *keyword_password(const char *text)
{
    const char *p = strstr(text, "password");
    struct bp_buf value = {0};
    bool quoted = false;

    if (p == NULL || (p > text && !isspace((unsigned char)p[-1])))
        return NULL;
    p += strlen("password");
    p += strspn(p, " \t");
    if (*p != '=')
        return NULL;
    p++;
    p += strspn(p, " \t");
    quoted = *p == '\'';
    p += quoted;
    for (; *p != '\0' && (quoted ? *p != '\'' : !isspace((unsigned char)*p)); p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        bp_buf_putc(&value, *p);
    }
    return bp_buf_take(&value);
}

char *bp_url_password(const char *url)
{
    const char *authority = strstr(url, "://");
    const char *end = NULL;
    const char *at = NULL;
    const char *colon = NULL;
    BP_AUTO(bp_free_secretp) char *raw = NULL;

    if (authority == NULL)
        return keyword_password(url);
    authority += 3;
    end = authority + strcspn(authority, "/?#");
    for (const char *p = authority; p < end; p++) {
        if (*p == '@')
            at = p;
    }
    if (at == NULL)
        return NULL;
    colon = memchr(authority, ':', (size_t)(at - authority));
    if (colon == NULL || colon + 1 == at)
        return NULL;
    raw = bp_strndup(colon + 1, (size_t)(at - colon - 1));
    return bp_percent_decode(raw);
}
