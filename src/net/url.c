#include "net/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

#define BLANKS " \t\r\n\v\f"

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

static bool is_password_key(const char *key)
{
    return strcmp(key, "password") == 0 || strcmp(key, "sslpassword") == 0;
}

/* Take over value, unless it is empty, in place of an earlier one: libpq uses the last. */
static void keep(char **password, char *value)
{
    char *unused = value;

    if (value[0] != '\0') {
        unused = *password;
        *password = value;
    }
    bp_free_secretp(&unused);
}

/* The value at *p, which moves behind it: up to a blank, or 'in quotes'; a backslash escapes. */
static char *take_value(const char **p)
{
    struct bp_buf value = {0};
    bool quoted = **p == '\'';

    for (*p += quoted; **p != '\0'; (*p)++) {
        if (quoted ? **p == '\'' : isspace((unsigned char)**p))
            break;
        if (**p == '\\' && *++(*p) == '\0')
            break;
        bp_buf_putc(&value, **p);
    }
    *p += quoted && **p == '\'';
    return bp_buf_take(&value);
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

/* Of "host=x password='a b' user=y", libpq's key and value form. A word without "=" is skipped. */
static char *keyword_password(const char *text)
{
    const char *p = text;
    char *password = NULL;

    while (*p != '\0') {
        size_t len = strcspn(p, "=" BLANKS);
        BP_AUTO(bp_freep) char *key = bp_strndup(p, len);
        char *value = NULL;

        p += len;
        p += strspn(p, BLANKS);
        if (*p != '=')
            continue;
        p += 1 + strspn(p + 1, BLANKS);
        value = take_value(&p);
        if (is_password_key(key))
            keep(&password, value);
        else
            bp_free_secretp(&value);
    }
    return password;
}

/* Percent-decoded. */
static char *decode(const char *text, size_t len)
{
    BP_AUTO(bp_free_secretp) char *raw = bp_strndup(text, len);

    return bp_percent_decode(raw);
}

/* Of "...?host=x&password=y". */
static void keep_parameter(const char *text, char **password)
{
    const char *p = strchr(text, '?');

    while (p != NULL && *p != '\0') {
        size_t len = strcspn(++p, "&");
        const char *equals = memchr(p, '=', len);

        if (equals != NULL) {
            BP_AUTO(bp_freep) char *key = decode(p, (size_t)(equals - p));

            if (is_password_key(key))
                keep(password, decode(equals + 1, len - (size_t)(equals + 1 - p)));
        }
        p += len;
    }
}

char *bp_url_password(const char *url)
{
    size_t scheme = strcspn(url, ":=" BLANKS);
    bool web = origin_length(url) > 0;
    const char *rest = url + scheme + strlen("://");
    const char *at = NULL;
    const char *colon = NULL;
    char *password = NULL;

    if (!bp_text_starts_with(url + scheme, "://"))
        return keyword_password(url);
    /* libpq lets a password hold "?" and "#". */
    at = memrchr(rest, '@', strcspn(rest, web ? "/?#" : "/"));
    colon = at != NULL ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
    if (colon != NULL)
        keep(&password, decode(colon + 1, (size_t)(at - colon - 1)));
    if (!web)
        keep_parameter(at != NULL ? at : rest, &password);
    return password;
}
