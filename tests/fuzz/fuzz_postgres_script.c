/* source/postgres_script.h: where the statements of any text begin and end. */
#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "source/postgres_script.h"

static void check_excerpts(const char *text, size_t count)
{
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_pg_script_excerpt(text, count, &out);
    must(out.len == 0);
    for (size_t i = 0; i < count && i < 8; i++) {
        bp_buf_cut(&out, 0);
        bp_pg_script_excerpt(text, i, &out);
        must(out.len > 0 && fuzz_is_plain(bp_buf_str(&out)));
    }
    for (size_t position = 0; position <= strlen(text) + 1; position += 1 + position / 4) {
        bp_buf_cut(&out, 0);
        bp_pg_script_excerpt_at(text, position, &out);
        must(fuzz_is_plain(bp_buf_str(&out)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_freep) char *without = bp_pg_script_without_meta(text);
    struct bp_pg_script script = {.text = text};
    size_t before = 0;
    size_t count = 0;

    while (bp_pg_script_next(&script)) {
        must(script.start >= before && script.end > script.start && script.end <= strlen(text));
        must(text[script.end] == ';' || text[script.end] == '\0');
        before = script.end;
        count++;
    }
    must(text[script.next] == '\0');
    must(strlen(without) == strlen(text));
    check_excerpts(text, count);
    return 0;
}
