/* base/text.h and base/time.h: numbers, durations, sizes, moments and encodings. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "fuzz/fuzz.h"

static void check_numbers(const char *text)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};
    struct bp_err err = {0};
    int64_t value = 0;

    if (bp_parse_int(text, -5, 1000, &value, &err) == BP_OK)
        must(value >= -5 && value <= 1000);
    if (bp_parse_int(text, INT64_MIN, INT64_MAX, &value, &err) == BP_OK)
        bp_put_count(&out, value);
    if (bp_parse_duration(text, &value, &err) == BP_OK) {
        must(value >= 0 && value <= INT64_C(3660) * 24 * 3600 * 1000);
        bp_put_duration(&out, value);
    }
    if (bp_parse_size(text, &value, &err) == BP_OK) {
        must(value >= 0);
        bp_put_size(&out, value);
    }
    must(fuzz_is_plain(bp_buf_str(&out)));
}

static void check_time(const char *text)
{
    char shown[BP_TIME_SIZE];
    struct bp_err err = {0};
    int64_t ms = 0;
    int64_t again = 0;

    if (bp_time_parse(text, &ms, &err) == BP_OK) {
        bp_time_format(ms, shown);
        must(bp_time_parse(shown, &again, &err) == BP_OK && again == ms);
        bp_time_format_id(ms, shown);
        must(bp_time_parse(shown, &again, &err) == BP_OK && again == ms);
    }
    if (bp_time_parse_http(text, &ms, &err) == BP_OK) {
        bp_time_format(ms, shown);
        must(bp_time_parse(shown, &again, &err) == BP_OK && again == ms);
    }
}

static void check_encodings(const char *text, size_t size)
{
    BP_AUTO(bp_freep) char *encoded = bp_percent_encode(text, "-._~");
    BP_AUTO(bp_freep) char *same = bp_percent_decode(encoded);
    BP_AUTO(bp_freep) char *decoded = bp_percent_decode(text);
    BP_AUTO(bp_freep) char *base64 = bp_text_base64(text, size);
    BP_AUTO(bp_freep) char *trimmed = bp_strdup(text);

    must(strcmp(same, text) == 0 && fuzz_is_plain(encoded));
    must(strlen(decoded) <= size && strlen(base64) == (size + 2) / 3 * 4);
    bp_text_trim(trimmed);
    must(strstr(text, trimmed) != NULL &&
         (trimmed[0] == '\0' || strchr(" \t\n", *trimmed) == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);

    check_numbers(text);
    check_time(text);
    check_encodings(text, strlen(text));
    return 0;
}
