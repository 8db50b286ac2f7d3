#include <criterion/criterion.h>
#include <string.h>

#include "archive/manifest_verification.h"
#include "base/mem.h"

static enum bp_code parse(const char *text, struct bp_manifest_verification *out,
                          struct bp_err *err)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;

    cr_assert_eq(bp_json_parse(text, strlen(text), &json, err), BP_OK, "%s", text);
    return bp_manifest_verification_parse(json, out, err);
}

Test(manifest_verification, what_is_rendered_is_parsed)
{
    struct bp_manifest_verification verification = {
        .level = bp_strdup("L5"), .at_ms = INT64_C(1705401000000), .took_ms = 81234};
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_manifest_verification got = {0};
    struct bp_err err = {0};

    json = bp_manifest_verification_render(&verification);
    bp_json_render(json, 0, &text);
    cr_expect_str_eq(bp_buf_str(&text),
                     "{\"at\": \"2024-01-16T10:30:00Z\", \"level\": \"L5\", \"took_ms\": 81234}");
    cr_assert_eq(bp_manifest_verification_parse(json, &got, &err), BP_OK, "%s", err.msg);
    cr_expect(bp_manifest_is_verified(&got));
    cr_expect_str_eq(got.level, "L5");
    cr_expect_eq(got.at_ms, verification.at_ms);
    cr_expect_eq(got.took_ms, verification.took_ms);
    bp_manifest_verification_free(&got);
    bp_manifest_verification_free(&verification);
}

Test(manifest_verification, never_verified_is_an_empty_object)
{
    struct bp_manifest_verification got = {.level = NULL, .at_ms = 7};
    struct bp_manifest_verification no_level = {.level = bp_strdup("")};
    BP_AUTO(bp_json_freep) struct bp_json *json = bp_manifest_verification_render(&no_level);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err = {0};

    bp_json_render(json, 0, &text);
    cr_expect_str_eq(bp_buf_str(&text), "{}");
    cr_expect_eq(parse("{}", &got, &err), BP_OK);
    cr_expect_not(bp_manifest_is_verified(&got));
    cr_expect_eq(bp_manifest_verification_parse(NULL, &got, &err), BP_OK);
    cr_expect_not(bp_manifest_is_verified(&got));
    bp_manifest_verification_free(&no_level);
}

Test(manifest_verification, refuses_what_no_verification_writes)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"{\"level\": \"L6\", \"at\": \"2024-01-16\", \"took_ms\": 1}",
         "a level that there is not"},
        {"{\"level\": \"l1\", \"at\": \"2024-01-16\", \"took_ms\": 1}",
         "a level that there is not"},
        {"{\"level\": \"L10\", \"at\": \"2024-01-16\", \"took_ms\": 1}",
         "a level that there is not"},
        {"{\"level\": \"\", \"at\": \"2024-01-16\", \"took_ms\": 1}", "a level that there is not"},
        {"{\"level\": 3, \"at\": \"2024-01-16\", \"took_ms\": 1}", "a level that there is not"},
        {"{\"at\": \"2024-01-16\", \"took_ms\": 1}", "a level that there is not"},
        {"[]", "a level that there is not"},
        {"{\"level\": \"L0\", \"took_ms\": 1}", "does not say when"},
        {"{\"level\": \"L0\", \"at\": \"yesterday\", \"took_ms\": 1}", "does not say when"},
        {"{\"level\": \"L0\", \"at\": \"2024-01-16\", \"took_ms\": -1}", "does not say when"},
        {"{\"level\": \"L0\", \"at\": \"2024-01-16\", \"took_ms\": 1e15}", "does not say when"},
        {"{\"level\": \"L0\", \"at\": \"2024-01-16\"}", "does not say when"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_manifest_verification got = {0};
        struct bp_err err = {0};

        cr_expect_eq(parse(rows[i].text, &got, &err), BP_EINTEGRITY, "%s", rows[i].text);
        cr_expect(strstr(err.msg, rows[i].words) != NULL, "%s: %s", rows[i].text, err.msg);
        cr_expect_null(got.level);
    }
}

Test(manifest_verification, what_was_not_proved_is_kept_with_it)
{
    struct bp_manifest_verification got = {0};
    struct bp_err err = {0};

    cr_assert_eq(parse("{\"at\": \"2024-01-16T10:30:00Z\", \"except\": [\"extension postgis\", 7],"
                       " \"level\": \"L1\", \"took_ms\": 5}",
                       &got, &err),
                 BP_OK, "%s", err.msg);
    cr_assert_eq(got.except.count, 1);
    cr_expect_str_eq(got.except.at[0], "extension postgis");
    {
        BP_AUTO(bp_json_freep) struct bp_json *json = bp_manifest_verification_render(&got);
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};

        bp_json_render(json, 0, &text);
        cr_expect_not_null(strstr(bp_buf_str(&text), "\"except\": [\"extension postgis\"]"), "%s",
                           text.data);
    }
    bp_manifest_verification_free(&got);
}

/* Replace the verification of text by one of this level (NULL: by none). */
static enum bp_code set(const char *text, const char *level, struct bp_buf *out, struct bp_err *err)
{
    struct bp_manifest_verification verification = {.level = bp_strdup(level),
                                                    .at_ms = INT64_C(1705401000000)};
    enum bp_code rc = BP_OK;

    bp_buf_cut(out, 0);
    rc = bp_manifest_set_verification(text, strlen(text), level != NULL ? &verification : NULL, out,
                                      err);
    bp_manifest_verification_free(&verification);
    return rc;
}

Test(manifest_verification, is_replaced_and_every_other_byte_stays)
{
    static const char bare[] = "{\n  \"other\": \"as  it \\n is\",\n  \"verification\": {}\n}\n";
    static const char newer[] = "{\n  \"verification\": {},\n  \"watched\": 1\n}\n";
    BP_AUTO(bp_buf_free) struct bp_buf once = {0};
    BP_AUTO(bp_buf_free) struct bp_buf twice = {0};
    struct bp_err err = {0};

    cr_assert_eq(set(bare, "L3", &once, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(
        bp_buf_str(&once),
        "{\n  \"other\": \"as  it \\n is\",\n  \"verification\": {\n    \"at\": "
        "\"2024-01-16T10:30:00Z\",\n    \"level\": \"L3\",\n    \"took_ms\": 0\n  }\n}\n");
    cr_assert_eq(set(bp_buf_str(&once), NULL, &twice, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&twice), bare, "what was signed comes back");
    cr_assert_eq(set(newer, "L3", &once, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(set(bp_buf_str(&once), NULL, &twice, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&twice), newer);
}

Test(manifest_verification, a_text_without_a_place_for_it_is_damage)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "{\"verification\": {}}",
                                        "{\n  \"verification\": {\n",
                                        "{\n  \"verification\": 1\n}\n",
                                        NULL};
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    struct bp_err err = {0};

    for (const char *const *text = texts; *text != NULL; text++)
        cr_expect_eq(set(*text, "L3", &out, &err), BP_EINTEGRITY, "%s", *text);
}
