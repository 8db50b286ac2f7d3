#include "archive/name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

static const char latest_prefix[] = "latest_";
static const char separator[] = "--";
static const char nothing[] = "standalone"; /* made outside a workflow */
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

    if (text[0] == '0' || text[0] == '+' ||
        bp_parse_int(text, 2, HIGHEST_COPY, &copy, &ignored) != BP_OK)
        return 0;
    return (int)copy;
}

/* Copy a part into out; false when it is empty or too long. */
static bool put(char *out, size_t size, const char *part, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(out, part, len);
    out[len] = '\0';
    return true;
}

/* Take what is behind the last "--" of text's first *len bytes; *len is what is before it. */
static bool take_last(const char *text, size_t *len, char *out, size_t size)
{
    size_t gap = strlen(separator);
    size_t start = *len;

    while (start >= gap && strncmp(text + start - gap, separator, gap) != 0)
        start--;
    if (start < gap || !put(out, size, text + start, *len - start))
        return false;
    *len = start - gap;
    return true;
}

/*
 * "source--event--sha". The source may hold "--" itself or end in "-" ("my--app-"), the others may
 * not, so the parts are taken from the end.
 */
static bool parse_parts(const char *text, size_t len, struct bp_archive_name *out)
{
    return take_last(text, &len, out->sha, sizeof(out->sha)) &&
           (strlen(out->sha) <= SHORT_SHA || strcmp(out->sha, nothing) == 0) &&
           take_last(text, &len, out->event, sizeof(out->event)) &&
           put(out->source, sizeof(out->source), text, len);
}

/* The same, or with "--N" behind it. */
static bool parse_description(const char *text, struct bp_archive_name *out)
{
    size_t len = strlen(text);
    size_t rest = len;
    char copy[8];

    if (take_last(text, &rest, copy, sizeof(copy)) && parse_copy(copy) > 0 &&
        parse_parts(text, rest, out)) {
        out->copy = parse_copy(copy);
        return true;
    }
    return parse_parts(text, len, out);
}

bool bp_archive_name_parse(const char *folder, struct bp_archive_name *out)
{
    char stamp[TIMESTAMP_LEN + 1];
    char again[BP_TIME_SIZE];
    struct bp_err ignored;

    *out = (struct bp_archive_name){.copy = 1};
    if (bp_text_starts_with(folder, latest_prefix)) {
        out->latest = true;
        folder += strlen(latest_prefix);
    }
    (void)snprintf(stamp, sizeof(stamp), "%s", folder);
    if (bp_time_parse(stamp, &out->time_ms, &ignored) != BP_OK)
        return false;
    bp_time_format_id(out->time_ms, again);
    if (strcmp(stamp, again) != 0) /* a time, but not in the form that names an archive */
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
        text = nothing;
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
