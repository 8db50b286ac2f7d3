#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum bp_code bp_parse_int(const char *text, int64_t min, int64_t max, int64_t *out,
                          struct bp_err *err)
{
    char *end = NULL;
    long long value = 0;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)text[0]) ||
        value < min || value > max)
        return bp_fail(err, BP_EUSAGE, "'%s' is not a whole number from %" PRId64 " to %" PRId64,
                       text, min, max);
    *out = value;
    return BP_OK;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A whole number followed by one of the units; at most limit after the multiplication. */
static bool parse_with_unit(const char *text, const struct unit *units, int64_t limit, int64_t *out)
{
    char *end = NULL;
    long long value = 0;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || !isdigit((unsigned char)text[0]))
        return false;
    for (const struct unit *u = units; u->name != NULL; u++) {
        if (strcmp(end, u->name) != 0)
            continue;
        if (value > limit / u->factor)
            return false;
        *out = value * u->factor;
        return true;
    }
    return false;
}

static const int64_t second_ms = 1000;
static const int64_t minute_ms = 60 * second_ms;
static const int64_t hour_ms = 60 * minute_ms;
static const int64_t day_ms = 24 * hour_ms;

enum bp_code bp_parse_duration(const char *text, int64_t *out_ms, struct bp_err *err)
{
    const struct unit units[] = {{"ms", 1},      {"s", second_ms}, {"m", minute_ms},
                                 {"h", hour_ms}, {"d", day_ms},    {NULL, 0}};

    if (!parse_with_unit(text, units, 3660 * day_ms, out_ms))
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is not a duration; hint: write it like 90s, 15m, 36h or 30d", text);
    return BP_OK;
}

enum bp_code bp_parse_size(const char *text, int64_t *out_bytes, struct bp_err *err)
{
    static const struct unit units[] = {{"B", 1},
                                        {"KB", 1000},
                                        {"MB", 1000000},
                                        {"GB", 1000000000},
                                        {"KiB", INT64_C(1) << 10},
                                        {"MiB", INT64_C(1) << 20},
                                        {"GiB", INT64_C(1) << 30},
                                        {NULL, 0}};

    if (!parse_with_unit(text, units, INT64_MAX, out_bytes))
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is not a size; hint: write it like 512B, 64KiB, 4MiB or 2GB", text);
    return BP_OK;
}

void bp_put_duration(struct bp_buf *out, int64_t ms)
{
    if (ms < second_ms)
        bp_buf_printf(out, "%" PRId64 " ms", ms);
    else if (ms < minute_ms)
        bp_buf_printf(out, "%" PRId64 ".%" PRId64 " s", ms / second_ms, ms % second_ms / 100);
    else if (ms < hour_ms)
        bp_buf_printf(out, "%" PRId64 " m %02" PRId64 " s", ms / minute_ms,
                      ms % minute_ms / second_ms);
    else
        bp_buf_printf(out, "%" PRId64 " h %02" PRId64 " m", ms / hour_ms, ms % hour_ms / minute_ms);
}

void bp_put_size(struct bp_buf *out, int64_t bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t i = 0;

    if (bytes < 1024) {
        bp_buf_printf(out, "%" PRId64 " B", bytes);
        return;
    }
    while (value >= 1023.95 && i + 1 < sizeof(names) / sizeof(names[0])) {
        value /= 1024;
        i++;
    }
    bp_buf_printf(out, "%.1f %s", value, names[i]);
}

void bp_put_count(struct bp_buf *out, int64_t count)
{
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, count);

    for (int i = 0; i < len; i++) {
        bp_buf_putc(out, digits[i]);
        if (isdigit((unsigned char)digits[i]) && i + 1 < len && (len - i - 1) % 3 == 0)
            bp_buf_putc(out, ',');
    }
}

void bp_text_trim(char *text)
{
    size_t start = 0;
    size_t end = strlen(text);

    while (isspace((unsigned char)text[start]))
        start++;
    while (end > start && isspace((unsigned char)text[end - 1]))
        end--;
    memmove(text, text + start, end - start);
    text[end - start] = '\0';
}

bool bp_text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool bp_text_ends_with(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* The length of the UTF-8 character at p, or 0 when the bytes there are none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t len = 0;
    uint32_t value = 0;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        len = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        len = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        len = 4;
    if (len == 0 || len > left)
        return 0;
    value = p[0] & (0xFFU >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0U) != 0x80U)
            return 0;
        value = value << 6 | (p[i] & 0x3FU);
    }
    if ((len == 3 && value < 0x800) || (len == 4 && value < 0x10000) || value > 0x10FFFF ||
        (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    return len;
}

bool bp_text_is_utf8(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0;

    while (i < len) {
        size_t step = utf8_length(p + i, len - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
enum { BASE64_PAD = 64 };

char *bp_text_base64(const void *data, size_t len)
{
    const unsigned char *p = data;
    struct bp_buf out = {0};

    for (size_t i = 0; i < len; i += 3) {
        uint32_t three = (uint32_t)p[i] << 16;

        if (i + 1 < len)
            three |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < len)
            three |= p[i + 2];
        bp_buf_putc(&out, base64_digits[three >> 18]);
        bp_buf_putc(&out, base64_digits[three >> 12 & 63U]);
        bp_buf_putc(&out, base64_digits[i + 1 < len ? three >> 6 & 63U : BASE64_PAD]);
        bp_buf_putc(&out, base64_digits[i + 2 < len ? three & 63U : BASE64_PAD]);
    }
    return bp_buf_take(&out);
}

bool bp_text_unbase64(const char *text, struct bp_buf *out)
{
    uint32_t bits = 0;
    size_t digits = 0;
    size_t pads = 0;

    for (const char *p = text; *p != '\0'; p++) {
        const char *digit = strchr(base64_digits, *p);

        if (isspace((unsigned char)*p))
            continue;
        if (digit == NULL || (pads > 0 && *p != '='))
            return false;
        if (*p == '=') {
            pads++;
            continue;
        }
        bits = bits << 6 | (uint32_t)(digit - base64_digits);
        if (++digits % 4 != 1)
            bp_buf_putc(out, (char)(unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)) & 0xFFU));
    }
    return (digits + pads) % 4 == 0 && pads <= 2;
}

char *bp_percent_encode(const char *text, const char *keep)
{
    struct bp_buf out = {0};

    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x80 && (isalnum(c) || strchr(keep, c) != NULL))
            bp_buf_putc(&out, *p);
        else
            bp_buf_printf(&out, "%%%02X", c);
    }
    return bp_buf_take(&out);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *bp_percent_decode(const char *text)
{
    struct bp_buf out = {0};

    for (const char *p = text; *p != '\0'; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1;
        int low = high >= 0 ? hex_digit(p[2]) : -1;

        if (low < 0) {
            bp_buf_putc(&out, *p);
        } else {
            bp_buf_putc(&out, (char)(unsigned char)(high * 16 + low));
            p += 2;
        }
    }
    return bp_buf_take(&out);
}

/* Of both sets: a terminal obeys U+0080 to U+009F as it obeys escape sequences. */
static bool is_control(const char *p, size_t len)
{
    return (len == 1 && iscntrl((unsigned char)p[0])) ||
           (len == 2 && (unsigned char)p[0] == 0xC2 && (unsigned char)p[1] < 0xA0);
}

void bp_put_foreign(struct bp_buf *out, const char *text, size_t limit)
{
    size_t len = strlen(text);
    size_t i = 0;

    while (i < len) {
        size_t step = utf8_length((const unsigned char *)text + i, len - i);

        if (i + (step > 0 ? step : 1) > limit) {
            bp_buf_puts(out, "...");
            return;
        }
        if (step == 0)
            bp_buf_putc(out, '?');
        else if (is_control(text + i, step))
            bp_buf_putc(out, ' ');
        else
            bp_buf_add(out, text + i, step);
        i += step > 0 ? step : 1;
    }
}

void bp_copy_foreign(char *out, size_t size, const char *text)
{
    static const char mark[] = "...";
    BP_AUTO(bp_buf_free) struct bp_buf line = {0};

    if (text != NULL)
        bp_put_foreign(&line, text, size - sizeof(mark));
    (void)snprintf(out, size, "%s", bp_buf_str(&line));
}
