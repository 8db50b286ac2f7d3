#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The same numbers in every run. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

Test(text, reads_whole_numbers_in_their_range)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"-5", -5}, {"10", 10}, {"007", 7}, {"-0", 0}};
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1e1",
                                      "11",
                                      "-6",
                                      "a",
                                      "-",
                                      "+",
                                      "--1",
                                      "1a",
                                      "\t1",
                                      "1\n",
                                      "999999999999999999999",
                                      "-999999999999999999999"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct bp_err err = {0};
        int64_t value = 99;

        cr_expect_eq(bp_parse_int(good[i].text, -5, 10, &value, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(value, good[i].value, "'%s' gave %" PRId64, good[i].text, value);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bp_err err = {0};
        int64_t value = 99;

        cr_expect_eq(bp_parse_int(bad[i], -5, 10, &value, &err), BP_EUSAGE, "'%s'", bad[i]);
        cr_expect(strstr(err.msg, "is not a whole number from -5 to 10") != NULL, "%s", err.msg);
        cr_expect_eq(value, 99, "'%s' changed the value", bad[i]);
    }
}

Test(text, reads_the_largest_numbers)
{
    struct bp_err err = {0};
    int64_t value = 0;

    cr_expect_eq(bp_parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &value, &err), BP_OK);
    cr_expect_eq(value, INT64_MAX);
    cr_expect_eq(bp_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value, &err), BP_OK);
    cr_expect_eq(value, INT64_MIN);
    cr_expect_eq(bp_parse_int("9223372036854775808", INT64_MIN, INT64_MAX, &value, &err),
                 BP_EUSAGE);
}

Test(text, reads_durations)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},
                {"500ms", 500},
                {"90s", 90000},
                {"15m", 900000},
                {"36h", INT64_C(129600000)},
                {"30d", INT64_C(2592000000)},
                {"3660d", INT64_C(316224000000)},
                {"316224000000ms", INT64_C(316224000000)}};
    static const char *const bad[] = {"",
                                      "s",
                                      "5",
                                      "-5s",
                                      "+5s",
                                      "5 s",
                                      " 5s",
                                      "5s ",
                                      "5S",
                                      "5w",
                                      "1.5h",
                                      "1h30m",
                                      "5sec",
                                      "3661d",
                                      "316224000001ms",
                                      "9223372036854775807d",
                                      "99999999999999999999s",
                                      "0x5s"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct bp_err err = {0};
        int64_t ms = -1;

        cr_expect_eq(bp_parse_duration(good[i].text, &ms, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(ms, good[i].ms, "'%s' gave %" PRId64, good[i].text, ms);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bp_err err = {0};
        int64_t ms = 0;

        cr_expect_eq(bp_parse_duration(bad[i], &ms, &err), BP_EUSAGE, "'%s'", bad[i]);
        cr_expect(strstr(err.msg, "is not a duration; hint:") != NULL, "%s", err.msg);
    }
}

Test(text, reads_sizes)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"0B", 0},         {"512B", 512},        {"64KiB", 65536},
                {"4MiB", 4194304}, {"2GB", 2000000000},  {"1KB", 1000},
                {"3MB", 3000000},  {"1GiB", 1073741824}, {"9223372036854775807B", INT64_MAX}};
    static const char *const bad[] = {"",
                                      "5",
                                      "5b",
                                      "5K",
                                      "5kb",
                                      "-1B",
                                      "B",
                                      "5 MB",
                                      "1TiB",
                                      "1.5MiB",
                                      "9223372036854775807KB",
                                      "9223372036854775808B"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct bp_err err = {0};
        int64_t bytes = -1;

        cr_expect_eq(bp_parse_size(good[i].text, &bytes, &err), BP_OK, "%s", err.msg);
        cr_expect_eq(bytes, good[i].bytes, "'%s' gave %" PRId64, good[i].text, bytes);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bp_err err = {0};
        int64_t bytes = 0;

        cr_expect_eq(bp_parse_size(bad[i], &bytes, &err), BP_EUSAGE, "'%s'", bad[i]);
    }
}

static void expect_put(void (*put)(struct bp_buf *, int64_t), int64_t value, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    put(&out, value);
    cr_expect_str_eq(bp_buf_str(&out), wanted, "%" PRId64 " is '%s', not '%s'", value,
                     bp_buf_str(&out), wanted);
}

Test(text, tells_durations_to_people)
{
    expect_put(bp_put_duration, 0, "0 ms");
    expect_put(bp_put_duration, 850, "850 ms");
    expect_put(bp_put_duration, 999, "999 ms");
    expect_put(bp_put_duration, 1000, "1.0 s");
    expect_put(bp_put_duration, 12345, "12.3 s");
    expect_put(bp_put_duration, 59999, "59.9 s");
    expect_put(bp_put_duration, 60000, "1 m 00 s");
    expect_put(bp_put_duration, 245000, "4 m 05 s");
    expect_put(bp_put_duration, 3599999, "59 m 59 s");
    expect_put(bp_put_duration, 3600000, "1 h 00 m");
    expect_put(bp_put_duration, 7800000, "2 h 10 m");
    expect_put(bp_put_duration, INT64_C(360000000), "100 h 00 m");
}

Test(text, tells_sizes_to_people)
{
    expect_put(bp_put_size, 0, "0 B");
    expect_put(bp_put_size, 1023, "1023 B");
    expect_put(bp_put_size, 1024, "1.0 KiB");
    expect_put(bp_put_size, 4404019, "4.2 MiB");
    expect_put(bp_put_size, 1048576 - 1, "1.0 MiB");
    expect_put(bp_put_size, INT64_C(1) << 30, "1.0 GiB");
    expect_put(bp_put_size, INT64_C(5) << 50, "5120.0 TiB");
}

Test(text, tells_counts_to_people)
{
    expect_put(bp_put_count, 0, "0");
    expect_put(bp_put_count, 999, "999");
    expect_put(bp_put_count, 1000, "1,000");
    expect_put(bp_put_count, 48210, "48,210");
    expect_put(bp_put_count, 123456789, "123,456,789");
    expect_put(bp_put_count, -1000, "-1,000");
    expect_put(bp_put_count, -100, "-100");
    expect_put(bp_put_count, INT64_MIN, "-9,223,372,036,854,775,808");
}

Test(text, trims_white_space_from_both_ends_only)
{
    static const struct {
        const char *text;
        const char *trimmed;
    } rows[] = {{"", ""},    {" ", ""},    {"\r\n\t ", ""},     {"a", "a"},
                {" a", "a"}, {"a\n", "a"}, {"\ta b\r\n", "a b"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *text = bp_strdup(rows[i].text);

        bp_text_trim(text);
        cr_expect_str_eq(text, rows[i].trimmed, "row %zu", i);
    }
}

Test(text, compares_beginnings_and_ends)
{
    cr_expect(bp_text_starts_with("backproof", "back"));
    cr_expect(bp_text_starts_with("back", "back"));
    cr_expect(bp_text_starts_with("", ""));
    cr_expect_not(bp_text_starts_with("bac", "back"));
    cr_expect_not(bp_text_starts_with("Back", "back"));
    cr_expect(bp_text_ends_with("a.json", ".json"));
    cr_expect(bp_text_ends_with("x", ""));
    cr_expect_not(bp_text_ends_with("json", ".json"));
    cr_expect_not(bp_text_ends_with(".jsonl", ".json"));
}

/* RFC 4648, section 10. */
Test(text, writes_base64_as_the_standard_does)
{
    static const struct {
        const char *text;
        const char *base64;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xFB\xEF\xFF", "++//"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *base64 = bp_text_base64(rows[i].text, strlen(rows[i].text));

        cr_expect_str_eq(base64, rows[i].base64, "'%s'", rows[i].text);
    }
}

Test(text, reads_base64_with_or_without_line_ends)
{
    static const struct {
        const char *base64;
        const char *text; /* NULL: it is none */
    } rows[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmFy", "foobar"},
        {" Zm9v\r\nYmFy\n", "foobar"},
        {"Zg=\n=", "f"},
        {"+/+/", "\xFB\xFF\xBF"},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Z", NULL},
        {"Zg===", NULL},
        {"=", NULL},
        {"====", NULL},
        {"Z===", NULL},
        {"Zg==Zg==", NULL},
        {"Z=g=", NULL},
        {"Zm9v-", NULL},
        {"Zm9v\x01", NULL},
        {"Zm9v\xC3\xA9", NULL},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};
        bool good = bp_text_unbase64(rows[i].base64, &out);

        cr_expect_eq(good, rows[i].text != NULL, "'%s'", rows[i].base64);
        if (good && rows[i].text != NULL)
            cr_expect_str_eq(bp_buf_str(&out), rows[i].text, "'%s'", rows[i].base64);
    }
}

Test(text, base64_is_read_as_it_was_written)
{
    static const unsigned char bytes[] = {0, 255, 1, 254, 0, 128, 127, 63, 62, 10};

    for (size_t len = 0; len <= sizeof(bytes); len++) {
        BP_AUTO(bp_freep) char *base64 = bp_text_base64(bytes, len);
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};

        cr_expect(bp_text_unbase64(base64, &out));
        cr_expect_eq(out.len, len);
        cr_expect_arr_eq(bp_buf_str(&out), bytes, len);
    }
}

Test(text, percent_encoding_keeps_what_it_is_told_to)
{
    BP_AUTO(bp_freep) char *all = bp_percent_encode("aZ09-_.~/ %\n\xC3\xA9", "");
    BP_AUTO(bp_freep) char *some = bp_percent_encode("a-b/c d", "-/");

    cr_expect_str_eq(all, "aZ09%2D%5F%2E%7E%2F%20%25%0A%C3%A9");
    cr_expect_str_eq(some, "a-b/c%20d");
}

Test(text, percent_decoding_leaves_what_is_no_escape)
{
    static const struct {
        const char *text;
        const char *decoded;
    } rows[] = {{"", ""},       {"%41%62", "Ab"}, {"%", "%"},       {"%4", "%4"},  {"%4x", "%4x"},
                {"%%41", "%A"}, {"100%", "100%"}, {"%2f%2F", "//"}, {"a+b", "a+b"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *decoded = bp_percent_decode(rows[i].text);

        cr_expect_str_eq(decoded, rows[i].decoded, "'%s' gave '%s'", rows[i].text, decoded);
    }
}

Test(text, percent_decoding_undoes_percent_encoding)
{
    uint32_t state = 20240115;

    for (int round = 0; round < 3000; round++) {
        char text[32];
        size_t len = next_random(&state) % (sizeof(text) - 1);
        BP_AUTO(bp_freep) char *encoded = NULL;
        BP_AUTO(bp_freep) char *decoded = NULL;

        for (size_t i = 0; i < len; i++)
            text[i] = (char)(1 + next_random(&state) % 255);
        text[len] = '\0';
        encoded = bp_percent_encode(text, round % 2 == 0 ? "" : "-_.~");
        decoded = bp_percent_decode(encoded);
        cr_assert_str_eq(decoded, text, "round %d: %s", round, encoded);
    }
}

/* Put the UTF-8 form of a code point, surrogates included; its length. */
static size_t put_utf8(uint32_t c, char out[5])
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(len == 1 ? c : (0xF00U >> len & 0xFF) | c);
    out[len] = '\0';
    return len;
}

Test(text, knows_every_character_of_unicode)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        char text[5];
        size_t len = put_utf8(c, text);
        bool surrogate = c >= 0xD800 && c <= 0xDFFF;

        cr_assert_eq(bp_text_is_utf8(text, len), !surrogate, "U+%04" PRIX32, c);
        for (size_t cut = 1; cut < len; cut++)
            cr_assert_not(bp_text_is_utf8(text, cut), "U+%04" PRIX32 " cut at %zu", c, cut);
    }
}

Test(text, refuses_what_only_looks_like_utf8)
{
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xC0\x80",         /* NUL in two bytes */
        "\xC1\xBF",         /* a letter in two bytes */
        "\xE0\x80\xAF",     /* a slash in three bytes */
        "\xE0\x9F\xBF",     /* too long by one */
        "\xF0\x80\x80\xAF", /* a slash in four bytes */
        "\xF0\x8F\xBF\xBF", /* too long by one */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xC3(",
        "a\xE2\x82",
        "ok\xC3\xA9\xC3",
    };

    cr_expect(bp_text_is_utf8("", 0));
    cr_expect(bp_text_is_utf8("a\0b", 3), "NUL is a character");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_expect_not(bp_text_is_utf8(bad[i], strlen(bad[i])), "row %zu", i);
}

Test(text, foreign_text_stays_on_one_line_and_within_its_limit)
{
    static const struct {
        const char *text;
        size_t limit;
        const char *shown;
    } rows[] = {
        {"plain", 5, "plain"},
        {"plain", 4, "plai..."},
        {"a\r\nb\tc\x1B[31m\x7F", 100, "a  b c [31m "},
        {"\xC3\xA9t\xC3\xA9", 100, "\xC3\xA9t\xC3\xA9"},
        {"\xC3\xA9t\xC3\xA9", 4, "\xC3\xA9t..."},
        {"\xC3\xA9", 1, "..."},
        {"a\xFF\xC3", 10, "a??"},
        {"a\xC2\x9B[2Jb\xC2\x85z", 100, "a [2Jb z"}, /* terminals obey C1 controls as well */
        {"\xC2\xA0", 100, "\xC2\xA0"},
        {"", 0, ""},
        {"x", 0, "..."},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf out = {0};

        bp_put_foreign(&out, rows[i].text, rows[i].limit);
        cr_expect_str_eq(bp_buf_str(&out), rows[i].shown, "row %zu gave '%s'", i, bp_buf_str(&out));
    }
}

Test(text, foreign_text_is_cut_to_its_field)
{
    static const struct {
        const char *text;
        const char *copied;
    } rows[] = {{NULL, ""},           {"", ""},        {"1234", "1234"},
                {"12345", "1234..."}, {"a\nb", "a b"}, {"123\xC3\xA9", "123..."}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char field[8] = "before";

        bp_copy_foreign(field, sizeof(field), rows[i].text);
        cr_expect_str_eq(field, rows[i].copied, "row %zu gave '%s'", i, field);
    }
}
