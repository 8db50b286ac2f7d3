#include "archive/manifest_verification.h"

#include <string.h>

#include "base/mem.h"
#include "base/time.h"

enum { EXCEPT_LIMIT = 1000 };

/* Ten years: more is no duration but damage. */
static const int64_t longest_ms = INT64_C(10) * 366 * 86400 * 1000;

bool bp_manifest_is_verified(const struct bp_manifest_verification *verification)
{
    return verification->level != NULL && verification->level[0] != '\0';
}

static struct bp_json *except_new(const struct bp_list *except)
{
    struct bp_json *array = bp_json_array_new();

    for (size_t i = 0; i < except->count; i++)
        bp_json_push(array, bp_json_text_new(except->at[i]));
    return array;
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
    if (verification->except.count > 0)
        bp_json_set(object, "except", except_new(&verification->except));
    return object;
}

static bool is_level(const char *text)
{
    return text != NULL && strlen(text) == 2 && text[0] == 'L' && text[1] >= '0' && text[1] <= '5';
}

static void take_except(const struct bp_json *array, struct bp_list *out)
{
    for (const struct bp_json *e = bp_json_first(array); e != NULL && out->count < EXCEPT_LIMIT;
         e = bp_json_next(e)) {
        if (bp_json_text(e) != NULL)
            bp_list_add(out, bp_json_text(e));
    }
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
    take_except(bp_json_get(object, "except"), &got.except);
    *verification = got;
    return BP_OK;
}

void bp_manifest_verification_free(struct bp_manifest_verification *verification)
{
    bp_free(verification->level);
    bp_list_free(&verification->except);
    *verification = (struct bp_manifest_verification){0};
}

/* As it stands in a manifest: a member of the outermost object. */
static void put_member(const struct bp_manifest_verification *verification, struct bp_buf *out)
{
    static const struct bp_manifest_verification none = {0};
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_json_set(top, "verification",
                bp_manifest_verification_render(verification != NULL ? verification : &none));
    bp_json_render(top, 2, &text);
    /* Without the braces around it, each on a line of its own. */
    bp_buf_add(out, text.data + strlen("{\n"), text.len - strlen("{\n") - strlen("\n}"));
}

enum bp_code bp_manifest_set_verification(const char *text, size_t len,
                                          const struct bp_manifest_verification *verification,
                                          struct bp_buf *out, struct bp_err *err)
{
    static const char start[] = "\n  \"verification\": {";
    static const char end[] = "\n  }";
    BP_AUTO(bp_buf_free) struct bp_buf copy = {0};
    const char *member = NULL;
    const char *rest = NULL;

    bp_buf_add(&copy, text, len);
    /* A line end is never inside a string of JSON, so this is a line of the outermost object. */
    member = strstr(bp_buf_str(&copy), start);
    if (member != NULL)
        rest = member[strlen(start)] == '}' ? member + strlen(start) : strstr(member + 1, end);
    if (rest == NULL || strlen(copy.data) != len)
        return bp_fail(err, BP_EINTEGRITY,
                       "the manifest is damaged: it has no place for a verification");
    rest += *rest == '}' ? 1 : strlen(end);
    bp_buf_add(out, copy.data, (size_t)(member + 1 - copy.data));
    put_member(verification, out);
    bp_buf_puts(out, rest);
    return BP_OK;
}
