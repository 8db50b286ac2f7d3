#include "base/markdown.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

enum { LABEL_LIMIT = 128, URL_LIMIT = 1000 };

/* Not the "@" of "owner/name@branch": what people copy must be the text that it was. */
static bool calls_somebody(const char *text, const char *p)
{
    return *p == '#' || (*p == '@' && (p == text || !isalnum((unsigned char)p[-1])));
}

/* What else could begin something: "www." a link, and in front of a line "1." or "-" a list. */
static bool begins_something(const char *text, const char *p)
{
    if (p == text)
        return strchr("-+=", *p) != NULL;
    return strchr(".)", *p) != NULL &&
           (p[-1] == 'w' || p[-1] == 'W' || isdigit((unsigned char)p[-1]));
}

/*
 * By number, not with a backslash: that means something in Markdown only, and such a text stands
 * in HTML as well. Four blanks in front of a line would make it code.
 */
static void put_escaped(struct bp_buf *out, const char *text)
{
    text += strspn(text, " ");
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (calls_somebody(text, p)) {
            /* GitHub looks for these in the finished page: only a character between helps. */
            bp_buf_printf(out, "&#%d;&#8203;", c);
        } else if (c >= 0x80 || isalnum(c) ||
                   (strchr(" .,;-/()?=+%'\"", *p) != NULL && !begins_something(text, p))) {
            bp_buf_putc(out, *p);
        } else {
            bp_buf_printf(out, "&#%d;", c);
        }
    }
}

void bp_markdown_put(struct bp_buf *out, const struct bp_secrets *secrets, const char *text,
                     size_t limit)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};

    if (secrets != NULL)
        bp_secrets_mask(secrets, text, &masked);
    else
        bp_buf_puts(&masked, text);
    bp_put_foreign(&line, bp_buf_str(&masked), limit);
    put_escaped(out, bp_buf_str(&line));
}

static bool holds_secret(const struct bp_secrets *secrets, const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

    if (secrets == NULL)
        return false;
    bp_secrets_mask(secrets, text, &masked);
    return strcmp(bp_buf_str(&masked), text) != 0;
}

/* No "@": what looks like the host could be a user's name. */
static bool is_safe_url(const char *url)
{
    const char *rest = url;

    if (bp_text_starts_with(url, "https://"))
        rest += strlen("https://");
    else if (bp_text_starts_with(url, "http://"))
        rest += strlen("http://");
    if (rest == url || !isalnum((unsigned char)rest[0]) || strlen(url) > URL_LIMIT)
        return false;
    for (const char *p = rest; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c >= 0x80 || (!isalnum(c) && strchr("-._~:/?#=&%+,;", *p) == NULL))
            return false;
    }
    return true;
}

void bp_markdown_put_link(struct bp_buf *out, const struct bp_secrets *secrets, const char *label,
                          const char *url)
{
    bool linked = is_safe_url(url) && !holds_secret(secrets, url);

    if (linked)
        bp_buf_putc(out, '[');
    bp_markdown_put(out, secrets, label, LABEL_LIMIT);
    if (!linked)
        return;
    bp_buf_puts(out, "](");
    for (const char *p = url; *p != '\0'; p++) {
        if (*p == '&')
            bp_buf_puts(out, "&amp;"); /* "&copy=1" would become another address */
        else
            bp_buf_putc(out, *p);
    }
    bp_buf_putc(out, ')');
}
