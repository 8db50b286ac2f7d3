#include "base/findings.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

/* Takes over text; what follows "; hint: " becomes the fix. */
static void add(struct bp_findings *findings, const struct bp_finding *like, char *text)
{
    static const char mark[] = "; hint: ";
    struct bp_finding *one = NULL;
    char *hint = NULL;

    /* The last one: an earlier one may be a server's. */
    for (char *next = text; (next = strstr(next, mark)) != NULL; next++)
        hint = next;
    findings->at = bp_realloc(findings->at, findings->count + 1, sizeof(*findings->at));
    one = &findings->at[findings->count++];
    *one = *like;
    one->fix = bp_strdup(hint != NULL ? hint + strlen(mark) : "");
    if (hint != NULL)
        *hint = '\0';
    one->what = text;
}

void bp_findings_add(struct bp_findings *findings, enum bp_finding_level level, const char *about,
                     const char *fmt, ...)
{
    const struct bp_finding like = {.level = level, .about = bp_strdup(about)};
    struct bp_buf text = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&text, fmt, args);
    va_end(args);
    add(findings, &like, bp_buf_take(&text));
}

void bp_findings_refuse(struct bp_findings *findings, enum bp_code code, const char *about,
                        const char *fmt, ...)
{
    const struct bp_finding like = {
        .level = BP_FOUND_FAILURE, .code = code, .about = bp_strdup(about)};
    struct bp_buf text = {0};
    va_list args;

    va_start(args, fmt);
    bp_buf_vprintf(&text, fmt, args);
    va_end(args);
    add(findings, &like, bp_buf_take(&text));
}

void bp_findings_fail(struct bp_findings *findings, const char *about, const struct bp_err *err)
{
    const struct bp_finding like = {
        .level = BP_FOUND_FAILURE, .code = err->code, .about = bp_strdup(about)};

    add(findings, &like, bp_strdup(err->msg));
}

void bp_findings_group(struct bp_findings *findings)
{
    for (size_t i = 1; i < findings->count; i++) {
        struct bp_finding moved = findings->at[i];
        size_t place = i;

        while (place > 0 && strcmp(findings->at[place - 1].about, moved.about) != 0)
            place--;
        if (place == 0)
            continue;
        memmove(&findings->at[place + 1], &findings->at[place],
                (i - place) * sizeof(*findings->at));
        findings->at[place] = moved;
    }
}

enum bp_code bp_findings_verdict(const struct bp_findings *findings)
{
    enum bp_code code = BP_OK;

    for (size_t i = 0; i < findings->count; i++) {
        const struct bp_finding *one = &findings->at[i];

        if (one->level == BP_FOUND_FAILURE)
            code = code == BP_OK || code == one->code ? one->code : BP_EFAILED;
    }
    return code;
}

const char *bp_findings_level_name(enum bp_finding_level level)
{
    switch (level) {
    case BP_FOUND_OK:
        return "ok";
    case BP_FOUND_UNKNOWN:
        return "unknown";
    case BP_FOUND_WARNING:
        return "warning";
    case BP_FOUND_FAILURE:
    default:
        return "failure";
    }
}

void bp_findings_free(struct bp_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        bp_free(findings->at[i].about);
        bp_free(findings->at[i].what);
        bp_free(findings->at[i].fix);
    }
    bp_free(findings->at);
    *findings = (struct bp_findings){0};
}
