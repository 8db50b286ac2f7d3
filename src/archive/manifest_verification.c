#include "archive/manifest_verification.h"

#include <string.h>

#include "base/mem.h"
#include "base/time.h"

/* Ten years: more is no duration but damage. */
static const int64_t longest_ms = INT64_C(10) * 366 * 86400 * 1000;

bool bp_manifest_is_verified(const struct bp_manifest_verification *verification)
{
    return verification->level != NULL && verification->level[0] != '\0';
}

struct bp_json *bp_manifest_verification_render(const struct bp_manifest_verification *verification)
{
    struct bp_json *object = bp_json_object_new();
    char at[BP_TIME_SIZE];

    if (!bp_manifest_is_verified(verification))
        return object;
    bp_time_format(verification->at_ms, at);
    bp_json_set_text(object, "level", verification->level);
    bp_json_set_text(object, "at", at);
    bp_json_set_int(object, "took_ms", verification->took_ms);
    return object;
}

static bool is_level(const char *text)
{
    return text != NULL && strlen(text) == 2 && text[0] == 'L' && text[1] >= '0' && text[1] <= '5';
}

enum bp_code bp_manifest_verification_parse(const struct bp_json *object,
                                            struct bp_manifest_verification *verification,
                                            struct bp_err *err)
{
    const char *level = bp_json_get_text(object, "level");
    const char *at = bp_json_get_text(object, "at");
    struct bp_manifest_verification got = {0};
    struct bp_err why;

    *verification = got;
    if (object == NULL || (bp_json_is_object(object) && bp_json_count(object) == 0))
        return BP_OK;
    if (!is_level(level))
        return bp_fail(err, BP_EINTEGRITY,
                       "the manifest is damaged: it was verified to a level that there is not");
    if (at == NULL || bp_time_parse(at, &got.at_ms, &why) != BP_OK ||
        !bp_json_get_int(object, "took_ms", &got.took_ms) || got.took_ms < 0 ||
        got.took_ms > longest_ms)
        return bp_fail(err, BP_EINTEGRITY,
                       "the manifest is damaged: it does not say when it was verified");
    got.level = bp_strdup(level);
    *verification = got;
    return BP_OK;
}

void bp_manifest_verification_free(struct bp_manifest_verification *verification)
{
    bp_free(verification->level);
    *verification = (struct bp_manifest_verification){0};
}
