/* Passwords inside connection strings. */
#include <ctype.h>
#include <libpq-fe.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres.h"

static void add(struct bp_list *out, const char *start, size_t len)
{
    BP_AUTO(bp_free_secretp) char *secret = bp_strndup(start, len);

    if (len > 0 && !bp_list_has(out, secret))
        bp_list_add(out, secret);
}

/* What libpq itself would not show. false when it cannot read the text. */
static bool add_known(const char *url, struct bp_list *out)
{
    char *ignored = NULL; /* may repeat the text */
    PQconninfoOption *given = PQconninfoParse(url, &ignored);

    if (ignored != NULL)
        PQfreemem(ignored);
    for (const PQconninfoOption *o = given; o != NULL && o->keyword != NULL; o++) {
        if (o->val != NULL && strchr(o->dispchar, '*') != NULL)
            add(out, o->val, strlen(o->val));
    }
    PQconninfoFree(given);
    return given != NULL;
}

/*
 * "user:password@host...": an unescaped '@', '/' or '?' in a password makes libpq read the text in
 * another way. An '@' may be in the query as well, where it says nothing of a password.
 */
static void add_authority(const char *text, struct bp_list *out)
{
    size_t first = strcspn(text, "@/");
    size_t end = strcspn(text, "?");
    const char *colon = strchr(text, ':');
    const char *at = NULL;

    if (text[first] == '@' && first > end)
        end = first + 1; /* a '?' in the password */
    at = memrchr(text, '@', end);
    if (colon == NULL || at == NULL || colon > at || text[0] == '[' ||
        memchr(text, '@', (size_t)(colon - text)) != NULL)
        return;
    add(out, colon + 1, strcspn(colon + 1, "@"));
    add(out, colon + 1, (size_t)(at - colon) - 1);
}

/* A value in the quotes of a "key=value" text, where a backslash escapes. */
static size_t quoted_len(const char *value)
{
    size_t len = 0;

    while (value[len] != '\0' && value[len] != '\'')
        len += value[len] == '\\' && value[len + 1] != '\0' ? 2 : 1;
    return len;
}

/* Where a value ends depends on what the text was meant to be: take each possible end. */
static void add_values(const char *text, struct bp_list *out)
{
    static const char key[] = "password";
    static const char *const ends[] = {"& \t\n", " \t\n", ""};

    for (const char *p = strcasestr(text, key); p != NULL; p = strcasestr(p + 1, key)) {
        const char *value = p + strlen(key);

        value += strspn(value, " \t\n");
        if (*value != '=')
            continue;
        value++;
        value += strspn(value, " \t\n");
        if (*value == '\'')
            add(out, value + 1, quoted_len(value + 1));
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            add(out, value, strcspn(value, ends[i]));
    }
}

void bp_postgres_url_secrets(const char *url, struct bp_list *out)
{
    const char *scheme = strstr(url, "://");
    bool is_url =
        bp_text_starts_with(url, "postgresql://") || bp_text_starts_with(url, "postgres://");
    BP_AUTO(bp_free_secretp) char *decoded = NULL;

    if (add_known(url, out)) {
        if (is_url)
            add_authority(scheme + 3, out);
        return;
    }
    add_authority(scheme != NULL ? scheme + 3 : url, out);
    decoded = bp_percent_decode(url);
    add_values(url, out);
    add_values(decoded, out);
}
