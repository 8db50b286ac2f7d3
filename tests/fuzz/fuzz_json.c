/* base/json.h: what was accepted is written so that it is accepted again, and the same. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

static void walk(const struct bp_json *value)
{
    size_t count = 0;
    int64_t number = 0;

    must(bp_json_text(value) == NULL ||
         bp_text_is_utf8(bp_json_text(value), strlen(bp_json_text(value))));
    if (!bp_json_is_object(value) && !bp_json_is_array(value))
        return;
    for (const struct bp_json *c = bp_json_first(value); c != NULL; c = bp_json_next(c)) {
        if (bp_json_is_object(value)) {
            must(bp_json_get(value, bp_json_key(c)) != NULL);
            if (bp_json_get_int(value, bp_json_key(c), &number))
                must(number > -(INT64_C(1) << 53) && number < INT64_C(1) << 53);
        }
        walk(c);
        count++;
    }
    must(count == bp_json_count(value));
}

static void render_twice(const struct bp_json *value, int depth)
{
    BP_AUTO(bp_buf_free) struct bp_buf first = {0};
    BP_AUTO(bp_buf_free) struct bp_buf second = {0};
    BP_AUTO(bp_json_freep) struct bp_json *again = NULL;
    struct bp_err err = {0};

    bp_json_render(value, depth, &first);
    must(depth > 0 || strchr(bp_buf_str(&first), '\n') == NULL);
    must(bp_json_parse(first.data, first.len, &again, &err) == BP_OK);
    bp_json_render(again, depth, &second);
    must(strcmp(bp_buf_str(&first), bp_buf_str(&second)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_json_freep) struct bp_json *value = NULL;
    BP_AUTO(bp_json_freep) struct bp_json *copy = NULL;
    struct bp_err err = {0};

    if (bp_json_parse((const char *)data, size, &value, &err) != BP_OK) {
        must(value == NULL && err.code == BP_EFAILED && fuzz_is_plain(err.msg));
        return 0;
    }
    walk(value);
    render_twice(value, 0);
    render_twice(value, 2);
    copy = bp_json_copy(value);
    render_twice(copy, 100);
    return 0;
}
