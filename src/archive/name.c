#include "archive/name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

static const char latest_prefix[] = "latest_";
static const char separator[] = "--";
enum { TIMESTAMP_LEN = 20, HIGHEST_COPY = 9999, SHORT_SHA = 7 };

void bp_archive_id(int64_t time_ms, int copy, char out[BP_ARCHIVE_ID_SIZE])
{
    char stamp[BP_TIME_SIZE];

    bp_time_format_id(time_ms, stamp);
    if (copy > 1)
        (void)snprintf(out, BP_ARCHIVE_ID_SIZE, "%s%s%d", stamp, separator, copy);
    else
        (void)snprintf(out, BP_ARCHIVE_ID_SIZE, "%s", stamp);
}

/* The copy number that all of text is, or 0. */
static int parse_copy(const char *text)
{
    int64_t copy = 0;
    struct bp_err ignored;

    if (text[0] == '0' || bp_parse_int(text, 2, HIGHEST_COPY, &copy, &ignored) != BP_OK)
        return 0;
    return (int)copy;
}

/* Take the part before the next "--" (or the rest) into out; false when it is empty or too long. */
static bool take_part(const char **text, char *out, size_t size)
{
    const char *end = strstr(*text, separator);
    size_t len = end != NULL ? (size_t)(end - *text) : strlen(*text);

    if (len == 0 || len >= size)
        return false;
    memcpy(out, *text, len);
    out[len] = '\0';
    *text += len;
    if (end != NULL)
        *text += strlen(separator);
    return true;
}

/*
 * "source--event--sha" or "source--event--sha--N". The source may hold "--" itself ("my--app"),
 * the others may not, so the parts are found from the end.
 */
static bool parse_description(const char *text, struct bp_archive_name *out)
{
    const char *parts[64];
    size_t count = 0;
    size_t last = 0;

    for (const char *p = text; p != NULL && count < sizeof(parts) / sizeof(parts[0]);) {
        const char *next = strstr(p, separator);

        parts[count++] = p;
        p = next != NULL ? next + strlen(separator) : NULL;
    }
    if (count < 3)
        return false;
    last = count - 1;
    if (count > 3 && parse_copy(parts[last]) > 0)
        out->copy = parse_copy(parts[last--]);
    if ((size_t)(parts[last - 1] - text) < strlen(separator) + 1 ||
        (size_t)(parts[last - 1] - text) - strlen(separator) >= sizeof(out->source))
        return false;
    memcpy(out->source, text, (size_t)(parts[last - 1] - text) - strlen(separator));
    text = parts[last - 1];
    return take_part(&text, out->event, sizeof(out->event)) &&
           take_part(&text, out->sha, sizeof(out->sha));
}

bool bp_archive_name_parse(const char *folder, struct bp_archive_name *out)
{
    char stamp[TIMESTAMP_LEN + 1];
    struct bp_err ignored;

    *out = (struct bp_archive_name){.copy = 1};
    if (bp_text_starts_with(folder, latest_prefix)) {
        out->latest = true;
        folder += strlen(latest_prefix);
    }
    (void)snprintf(stamp, sizeof(stamp), "%s", folder);
    if (strlen(stamp) != TIMESTAMP_LEN || stamp[TIMESTAMP_LEN - 1] != 'Z' ||
        strchr(stamp, ':') != NULL || bp_time_parse(stamp, &out->time_ms, &ignored) != BP_OK)
        return false;
    folder += TIMESTAMP_LEN;
    if (*folder != '\0') {
        if (!bp_text_starts_with(folder, separator))
            return false;
        folder += strlen(separator);
        if (out->latest && (out->copy = parse_copy(folder)) == 0)
            return false;
        if (!out->latest && !parse_description(folder, out))
            return false;
    } else if (!out->latest) {
        return false;
    }
    bp_archive_id(out->time_ms, out->copy, out->id);
    return true;
}

void bp_archive_name_format(const struct bp_archive_name *name, char out[BP_ARCHIVE_NAME_SIZE])
{
    char stamp[BP_TIME_SIZE];

    if (name->latest) {
        (void)snprintf(out, BP_ARCHIVE_NAME_SIZE, "%s%s", latest_prefix, name->id);
        return;
    }
    bp_time_format_id(name->time_ms, stamp);
    if (name->copy > 1)
        (void)snprintf(out, BP_ARCHIVE_NAME_SIZE, "%s--%s--%s--%s--%d", stamp, name->source,
                       name->event, name->sha, name->copy);
    else
        (void)snprintf(out, BP_ARCHIVE_NAME_SIZE, "%s--%s--%s--%s", stamp, name->source,
                       name->event, name->sha);
}

/* Copy what a folder's name may hold; "standalone" when there is nothing. */
static void put_part(char *out, size_t size, const char *text)
{
    size_t len = 0;

    if (text == NULL || text[0] == '\0')
        text = "standalone";
    for (const char *p = text; *p != '\0' && len + 1 < size; p++) {
        if (*p == '/')
            out[len++] = '-';
        else
            out[len++] = isalnum((unsigned char)*p) || strchr("-_.", *p) != NULL ? *p : '_';
    }
    out[len] = '\0';
}

void bp_archive_name_describe(struct bp_archive_name *name, const char *repository,
                              const char *event, const char *sha)
{
    put_part(name->source, sizeof(name->source), repository);
    put_part(name->event, sizeof(name->event), event);
    put_part(name->sha, sha != NULL && sha[0] != '\0' ? SHORT_SHA + 1 : sizeof(name->sha), sha);
}
