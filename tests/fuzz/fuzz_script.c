/*
 * archive/script.h and flow/restore_plan.h: blocks hold no more than the text and the settings
 * they repeat; a block is read again as one without a header; plans of anything that could be cut
 * come to an end.
 */
#include <string.h>

#include "archive/script.h"
#include "base/mem.h"
#include "flow/restore_plan.h"
#include "fuzz/fuzz.h"

static void plan(const char *text, const struct bp_restore_want *want)
{
    struct bp_manifest manifest = {0};
    struct bp_restore_texts texts = {
        .roles = text, .pre_data = text, .sequences = text, .post_data = text, .refresh = text};
    BP_AUTO(bp_restore_plan_free) struct bp_restore_plan made = {0};
    BP_AUTO(bp_list_free) struct bp_list skipped = {0};
    struct bp_err err = {0};

    if (bp_restore_plan_make(&manifest, &texts, want, &made, &skipped, &err) != BP_OK)
        return;
    for (size_t i = 1; i < made.post.count; i++)
        must(made.post.at[i].group - made.post.at[i - 1].group <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_script_free) struct bp_script script = {0};
    BP_AUTO(bp_list_free) struct bp_list chosen = {0};
    BP_AUTO(bp_list_free) struct bp_list maps = {0};
    struct bp_restore_want want = {.no_owner = true};
    struct bp_err err = {0};

    if (bp_script_parse(text, strlen(text), &script, &err) != BP_OK) {
        must(err.code == BP_EINTEGRITY && script.count == 0);
        return 0;
    }
    for (size_t i = 0; i < script.count; i++) {
        BP_AUTO(bp_script_free) struct bp_script again = {0};

        must(bp_script_parse(script.at[i].sql, strlen(script.at[i].sql), &again, &err) == BP_OK);
    }
    plan(text, &want);
    bp_list_add(&chosen, "a");
    bp_list_add(&maps, "o=p");
    want = (struct bp_restore_want){.schemas = &chosen, .into_schema = "n", .role_maps = &maps};
    plan(text, &want);
    return 0;
}
