#include "base/time.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void bp_time_format(int64_t ms, char out[BP_TIME_SIZE])
{
    struct tm parts = {0};
    time_t seconds = (time_t)(ms / 1000);

    if (gmtime_r(&seconds, &parts) == NULL) {
        out[0] = '\0';
        return;
    }
    /* The narrow types let the compiler see that it fits. strftime() would write year 999 short. */
    (void)snprintf(out, BP_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                   (uint16_t)(parts.tm_year + 1900), (uint8_t)(parts.tm_mon + 1),
                   (uint8_t)parts.tm_mday, (uint8_t)parts.tm_hour, (uint8_t)parts.tm_min,
                   (uint8_t)parts.tm_sec);
}

void bp_time_format_id(int64_t ms, char out[BP_TIME_SIZE])
{
    bp_time_format(ms, out);
    for (char *p = out; *p != '\0'; p++) {
        if (*p == ':')
            *p = '-';
    }
}

/* Exactly count digits at *p as a number; moves *p behind them. */
static bool digits(const char **p, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)**p))
            return false;
        *out = *out * 10 + (*(*p)++ - '0');
    }
    return true;
}

static bool one_of(const char **p, const char *allowed)
{
    if (**p == '\0' || strchr(allowed, **p) == NULL)
        return false;
    (*p)++;
    return true;
}

/* The moment of these parts, refusing what timegm() would quietly normalise (31 April). */
static bool to_ms(const struct tm *parts, int64_t *out_ms)
{
    struct tm copy = *parts;
    time_t seconds = timegm(&copy);

    if (copy.tm_mday != parts->tm_mday || copy.tm_mon != parts->tm_mon ||
        copy.tm_hour != parts->tm_hour || copy.tm_min != parts->tm_min ||
        copy.tm_sec != parts->tm_sec)
        return false;
    *out_ms = (int64_t)seconds * 1000;
    return true;
}

/* "Z" or "+02:00"; moves the moment to UTC. */
static bool parse_zone(const char **p, int64_t *ms)
{
    int sign = **p == '-' ? 1 : -1;
    int hours = 0;
    int minutes = 0;

    if (one_of(p, "Zz"))
        return true;
    if (!one_of(p, "+-") || !digits(p, 2, &hours))
        return false;
    (void)one_of(p, ":");
    if (!digits(p, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ms += (int64_t)sign * (hours * 60 + minutes) * 60000;
    return true;
}

/* "T14:30", "T14:30:45.5" or "T14-30-45": behind "T14:30" a "-" begins the zone. */
static bool parse_clock(const char **p, struct tm *parts)
{
    const char *separator = NULL;

    if (!one_of(p, "Tt ") || !digits(p, 2, &parts->tm_hour))
        return false;
    separator = **p == '-' ? "-" : ":";
    if (!one_of(p, separator) || !digits(p, 2, &parts->tm_min))
        return false;
    if (one_of(p, separator) && !digits(p, 2, &parts->tm_sec))
        return false;
    if (one_of(p, ".,")) {
        if (!isdigit((unsigned char)**p))
            return false;
        while (isdigit((unsigned char)**p))
            (*p)++;
    }
    return true;
}

/* A zone may move a moment out of the years that have four digits. */
static const int64_t year_0_ms = INT64_C(-62167219200000);
static const int64_t year_10000_ms = INT64_C(253402300800000);

static bool parse(const char *text, int64_t *out_ms)
{
    const char *p = text;
    struct tm parts = {0};

    if (!digits(&p, 4, &parts.tm_year) || !one_of(&p, "-") || !digits(&p, 2, &parts.tm_mon) ||
        !one_of(&p, "-") || !digits(&p, 2, &parts.tm_mday))
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    if (*p == '\0')
        return to_ms(&parts, out_ms);
    return parse_clock(&p, &parts) && to_ms(&parts, out_ms) && parse_zone(&p, out_ms) &&
           *p == '\0' && *out_ms >= year_0_ms && *out_ms < year_10000_ms;
}

enum bp_code bp_time_parse(const char *text, int64_t *out_ms, struct bp_err *err)
{
    if (!parse(text, out_ms))
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is not a time; hint: write it like 2024-01-15 or 2024-01-15T14:30Z",
                       text);
    return BP_OK;
}

enum bp_code bp_time_parse_http(const char *text, int64_t *out_ms, struct bp_err *err)
{
    struct tm parts = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);

    if (end == NULL || *end != '\0' || !to_ms(&parts, out_ms))
        return bp_fail(err, BP_EFAILED, "'%s' is not an HTTP date", text);
    return BP_OK;
}
