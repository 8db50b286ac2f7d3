/*
 * archive/definition.h: entries are parts of the text, in order, and what is left out makes a text
 * no longer.
 */
#include <string.h>

#include "archive/definition.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    size_t len = strlen(text);
    BP_AUTO(bp_list_free) struct bp_list entries = {0};
    BP_AUTO(bp_list_free) struct bp_list none = {0};
    BP_AUTO(bp_list_free) struct bp_list key = {0};
    BP_AUTO(bp_buf_free) struct bp_buf whole = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rest = {0};
    const char *at = text;

    bp_definition_key(text, len, &key);
    must(key.count <= len);
    bp_definition_entries(text, len, &entries);
    for (size_t i = 0; i < entries.count; i++) {
        at = strstr(at, entries.at[i]);
        must(at != NULL && entries.at[i][0] != '\0');
        at += strlen(entries.at[i]);
    }
    bp_definition_rest(text, len, &none, &whole);
    must(whole.len <= len);
    bp_list_sort(&entries);
    bp_definition_rest(text, len, &entries, &rest);
    must(rest.len <= whole.len);
    return 0;
}
