#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct bp_json *parse(const char *text)
{
    struct bp_json *value = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_json_parse(text, strlen(text), &value, &err), BP_OK, "%s: %s", text, err.msg);
    return value;
}

static void expect_refused(const char *text, size_t len)
{
    struct bp_json *value = NULL;
    struct bp_err err = {0};

    cr_expect_eq(bp_json_parse(text, len, &value, &err), BP_EFAILED, "'%s' was accepted", text);
    cr_expect_null(value, "'%s' left a value behind", text);
    cr_expect(strstr(err.msg, "JSON") != NULL, "'%s': %s", text, err.msg);
}

static void expect_rendered(const char *text, int depth, const char *wanted)
{
    BP_AUTO(bp_json_freep) struct bp_json *value = parse(text);
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_json_render(value, depth, &out);
    cr_expect_str_eq(bp_buf_str(&out), wanted, "%s became %s", text, bp_buf_str(&out));
}

Test(json, reads_each_kind_of_value)
{
    BP_AUTO(bp_json_freep)
    struct bp_json *top = parse(" {\"o\": {\"x\": 1}, \"a\": [1, 2, 3], \"t\": \"\\u00e9\\n\", "
                                "\"n\": -42, \"yes\": true, \"no\": false, \"null\": null}\r\n");
    int64_t number = 0;

    cr_expect(bp_json_is_object(top));
    cr_expect(bp_json_is_object(bp_json_get(top, "o")));
    cr_expect(bp_json_is_array(bp_json_get(top, "a")));
    cr_expect_eq(bp_json_count(bp_json_get(top, "a")), 3);
    cr_expect_eq(bp_json_count(top), 7);
    cr_expect_str_eq(bp_json_get_text(top, "t"), "\xC3\xA9\n");
    cr_expect(bp_json_get_int(top, "n", &number));
    cr_expect_eq(number, -42);
    cr_expect(bp_json_get_bool(top, "yes", false));
    cr_expect_not(bp_json_get_bool(top, "no", true));
    cr_expect_not_null(bp_json_get(top, "null"));
}

Test(json, a_path_of_look_ups_through_nothing_ends_in_nothing)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = parse("{\"t\": \"x\", \"a\": []}");
    int64_t number = 7;

    cr_expect_null(bp_json_get(bp_json_get(bp_json_get(top, "no"), "such"), "thing"));
    cr_expect_null(bp_json_get(bp_json_get(top, "t"), "x"), "a string has no members");
    cr_expect_null(bp_json_get(bp_json_get(top, "a"), "x"), "an array has no members");
    cr_expect_null(bp_json_text(NULL));
    cr_expect_null(bp_json_get_text(top, "a"));
    cr_expect(bp_json_get_bool(top, "t", true), "a string is no flag");
    cr_expect_not(bp_json_get_int(top, "t", &number));
    cr_expect_not(bp_json_get_int(NULL, "t", &number));
    cr_expect_eq(number, 7);
    cr_expect_not(bp_json_is_object(NULL));
    cr_expect_not(bp_json_is_array(NULL));
    cr_expect_null(bp_json_first(NULL));
    cr_expect_null(bp_json_next(NULL));
    cr_expect_null(bp_json_key(NULL));
    cr_expect_eq(bp_json_count(NULL), 0);
    cr_expect_null(bp_json_get(top, "T"), "case matters");
}

Test(json, refuses_what_is_not_one_whole_value)
{
    static const char *const bad[] = {
        "",           " ",         "{",           "[1",          "[1,]",
        "{\"a\":}",   "{\"a\" 1}", "{a: 1}",      "'a'",         "\"a",
        "nul",        "tru",       "[1] x",       "{} {}",       "1 2",
        "[1 2]",      "\"\\x\"",   "\"\\u12\"",   "\"\\ud800\"", "\"\\udc00\"",
        "// x\n1",    "[1]\f",     "[1]\xC2\xA0", "]",           "{]",
        "-",          "+1",        "NaN",         "Infinity",    "undefined",
        "{\"a\":1,}", "{,}",       "[,]",         "\"\\u0000\"", "{\"a\\u0000b\": 1}",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        expect_refused(bad[i], strlen(bad[i]));
    expect_refused(NULL, 0);
}

Test(json, refuses_nul_bytes_wherever_they_are)
{
    expect_refused("{}\0", 3);
    expect_refused("\0{}", 3);
    expect_refused("[\"a\0b\"]", 7);
}

Test(json, reads_only_as_many_bytes_as_it_is_given)
{
    struct bp_json *value = NULL;
    struct bp_err err = {0};

    cr_assert_eq(bp_json_parse("[1]garbage", 3, &value, &err), BP_OK, "%s", err.msg);
    bp_json_freep(&value);
    cr_expect_null(value);
    expect_refused("[1]", 2);
    expect_refused("true", 3);
}

Test(json, refuses_bytes_that_are_not_utf8)
{
    expect_refused("\"\xFF\"", 3);
    expect_refused("\"\xC3\"", 3);
    expect_refused("\"\xED\xA0\x80\"", 5);
    expect_refused("\"\xC0\xAF\"", 4);
}

static void nest(struct bp_buf *out, int depth, bool closed)
{
    bp_buf_cut(out, 0);
    for (int i = 0; i < depth; i++)
        bp_buf_puts(out, i % 2 == 0 ? "[" : "{\"k\":");
    bp_buf_puts(out, "0");
    for (int i = depth - 1; closed && i >= 0; i--)
        bp_buf_puts(out, i % 2 == 0 ? "]" : "}");
}

Test(json, nesting_ends_at_64)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_json *value = NULL;
    struct bp_err err = {0};

    nest(&text, 64, true);
    cr_expect_eq(bp_json_parse(text.data, text.len, &value, &err), BP_OK, "%s", err.msg);
    bp_json_freep(&value);
    nest(&text, 65, true);
    expect_refused(text.data, text.len);
    nest(&text, 1000000, false);
    expect_refused(text.data, text.len);
}

Test(json, brackets_in_strings_do_not_nest)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_json_freep) struct bp_json *value = NULL;

    bp_buf_puts(&text, "[\"\\\\\", \"\\\"");
    for (int i = 0; i < 200; i++)
        bp_buf_puts(&text, "[{");
    bp_buf_puts(&text, "\"]");
    value = parse(bp_buf_str(&text));
    cr_expect_eq(bp_json_count(value), 2);
}

Test(json, of_a_key_given_twice_the_first_counts)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = parse("{\"a\": 1, \"b\": 2, \"a\": 3}");
    int64_t number = 0;

    cr_expect(bp_json_get_int(top, "a", &number));
    cr_expect_eq(number, 1);
}

Test(json, whole_numbers_are_exact_or_refused)
{
    static const struct {
        const char *text;
        bool whole;
        int64_t number;
    } rows[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"1e3", true, 1000},
        {"10.0", true, 10},
        {"4294967296", true, INT64_C(4294967296)},
        {"9007199254740991", true, INT64_C(9007199254740991)},
        {"-9007199254740991", true, -INT64_C(9007199254740991)},
        {"9007199254740993", false, 0}, /* a double would make it ...992 */
        {"-9007199254740993", false, 0},
        {"18446744073709551616", false, 0},
        {"1e400", false, 0},
        {"1.5", false, 0},
        {"1e-3", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *text = bp_format("{\"n\": %s}", rows[i].text);
        BP_AUTO(bp_json_freep) struct bp_json *top = parse(text);
        int64_t number = 0;

        cr_expect_eq(bp_json_get_int(top, "n", &number), rows[i].whole, "%s", rows[i].text);
        cr_expect_eq(number, rows[i].number, "%s gave %" PRId64, rows[i].text, number);
    }
}

Test(json, large_whole_numbers_are_written_in_full)
{
    static const int64_t numbers[] = {0,
                                      -1,
                                      2147483647,
                                      INT64_C(2147483648),
                                      -INT64_C(2147483649),
                                      INT64_C(1705329045000),
                                      INT64_C(999999999999999),
                                      INT64_C(1000000000000000),
                                      INT64_C(9007199254740991),
                                      -INT64_C(9007199254740991)};

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        BP_AUTO(bp_json_freep) struct bp_json *value = bp_json_int_new(numbers[i]);
        BP_AUTO(bp_freep) char *wanted = bp_format("%" PRId64, numbers[i]);
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};

        bp_json_render(value, 0, &out);
        cr_expect_str_eq(bp_buf_str(&out), wanted, "%s instead of %s", bp_buf_str(&out), wanted);
    }
}

Test(json, writing_sorts_keys_by_byte_value)
{
    expect_rendered("{\"b\":1,\"a\":2,\"B\":3,\"\":4,\"a.b\":5,\"\xC3\xA4\":6}", 0,
                    "{\"\": 4, \"B\": 3, \"a\": 2, \"a.b\": 5, \"b\": 1, \"\xC3\xA4\": 6}");
    expect_rendered("[3,1,2]", 0, "[3, 1, 2]");
}

Test(json, writing_gives_a_line_per_child_down_to_a_depth)
{
    static const char text[] = "{\"a\":[{\"y\":1,\"x\":2},[]],\"b\":{}}";

    expect_rendered(text, 0, "{\"a\": [{\"x\": 2, \"y\": 1}, []], \"b\": {}}");
    expect_rendered(text, 1, "{\n  \"a\": [{\"x\": 2, \"y\": 1}, []],\n  \"b\": {}\n}");
    expect_rendered(text, 2,
                    "{\n  \"a\": [\n    {\"x\": 2, \"y\": 1},\n    []\n  ],\n  \"b\": {}\n}");
}

Test(json, writing_escapes_what_would_not_survive)
{
    expect_rendered("\"q\\\" b\\\\ n\\n t\\t r\\r e\\u001b d\\u007f s/ \xE2\x82\xAC\"", 0,
                    "\"q\\\" b\\\\ n\\n t\\t r\\u000d e\\u001b d\\u007f s/ \xE2\x82\xAC\"");
    expect_rendered("{\"k\\n\": null}", 0, "{\"k\\n\": null}");
    expect_rendered("[1.5, -2e-7, true, false, null]", 0, "[1.5, -2e-07, true, false, null]");
}

Test(json, what_is_built_is_read_back)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    struct bp_json *array = bp_json_array_new();
    BP_AUTO(bp_buf_free) struct bp_buf once = {0};
    BP_AUTO(bp_buf_free) struct bp_buf twice = {0};
    BP_AUTO(bp_json_freep) struct bp_json *again = NULL;

    bp_json_push(array, bp_json_text_new("x\n\"\\\x01"));
    bp_json_push(array, bp_json_text_new(NULL));
    bp_json_push(array, bp_json_int_new(-7));
    bp_json_push(array, bp_json_array_new());
    bp_json_set(top, "array", array);
    bp_json_set_text(top, "text", "old");
    bp_json_set_text(top, "text", "new");
    bp_json_set_int(top, "int", 5);
    bp_json_set_bool(top, "bool", true);
    bp_json_set(top, "copy", bp_json_copy(array));
    cr_expect_eq(bp_json_count(top), 5, "setting a key again replaces it");
    cr_expect_str_eq(bp_json_get_text(top, "text"), "new");
    bp_json_render(top, 2, &once);
    again = parse(bp_buf_str(&once));
    bp_json_render(again, 2, &twice);
    cr_expect_str_eq(bp_buf_str(&twice), bp_buf_str(&once));
}

Test(json, children_come_in_order_with_their_keys)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = parse("{\"z\": 1, \"a\": \"two\"}");
    const struct bp_json *child = bp_json_first(top);

    cr_expect_str_eq(bp_json_key(child), "z");
    child = bp_json_next(child);
    cr_expect_str_eq(bp_json_key(child), "a");
    cr_expect_str_eq(bp_json_text(child), "two");
    cr_expect_null(bp_json_next(child));
    cr_expect_null(bp_json_first(child), "a string has no children");
}
