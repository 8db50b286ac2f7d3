/*
 * The file of a workflow, which anybody may have written. The first line is the input for the mark
 * (empty: none), the second the inputs as JSON, the rest the file.
 */
#include <string.h>

#include "base/mem.h"
#include "forge/github_token.h"
#include "forge/github_trigger.h"
#include "forge/github_workflow.h"
#include "fuzz/fuzz.h"

static void check_file(const char *text)
{
    BP_AUTO(bp_workflow_free) struct bp_workflow_file file = {0};
    struct bp_err err = {0};

    if (bp_workflow_read(text, strlen(text), &file, &err) != BP_OK) {
        must(err.code == BP_EFAILED && err.msg[0] != '\0');
        return;
    }
    must(file.dispatchable || file.input_count == 0);
    for (size_t i = 0; i < BP_WORKFLOW_INPUTS_MAX; i++)
        must((file.inputs[i].name != NULL) ==
             (i < file.input_count && file.input_count <= BP_WORKFLOW_INPUTS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    BP_AUTO(bp_json_freep) struct bp_json *inputs = NULL;
    char *rest = text;
    const char *marker = fuzz_line(&rest);
    const char *json = fuzz_line(&rest);
    struct bp_ask ask = {
        .kind = BP_ASK_TRIGGER, .repo = "o/r", .workflow = "b.yml", .branch = "main"};
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;

    must(bp_github_token_expiry(marker) >= 0);
    if (bp_json_parse(json, strlen(json), &inputs, &err) == BP_OK && bp_json_is_object(inputs))
        ask.inputs = inputs;
    if (marker[0] != '\0' && fuzz_is_plain(marker)) /* it comes from the command line */
        ask.marker = marker;
    check_file(rest);
    rc = bp_github_judge(&ask, rest, strlen(rest), &err);
    must(rc == BP_OK || rc == BP_EFAILED || rc == BP_EUNAVAILABLE);
    if (rc != BP_OK)
        must(rc == err.code && err.msg[0] != '\0' && fuzz_is_plain(err.msg));
    return 0;
}
