#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "forge/github_trigger.h"
#include "forge/test_github_support.h"

static struct bp_err err;

/* Judge a file for a dispatch with these inputs (JSON; NULL: none) and marker. */
static enum bp_code judge(const char *text, const char *inputs, const char *marker)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_ask ask = {.kind = BP_ASK_TRIGGER,
                         .repo = "o/r",
                         .workflow = "backup.yml",
                         .branch = "dev",
                         .marker = marker};

    err = (struct bp_err){0};
    if (inputs != NULL)
        cr_assert_eq(bp_json_parse(inputs, strlen(inputs), &json, &err), BP_OK, "%s", inputs);
    ask.inputs = json;
    return bp_github_judge(&ask, text, strlen(text), &err);
}

#define DISPATCH(inputs) "on:\n  workflow_dispatch:\n    inputs:\n" inputs

Test(github_trigger, a_file_with_the_trigger_takes_a_dispatch)
{
    cr_expect_eq(judge("on: workflow_dispatch\n", NULL, NULL), BP_OK, "%s", err.msg);
    cr_expect_eq(judge("on: [workflow_dispatch]\n", "{}", NULL), BP_OK, "%s", err.msg);
}

Test(github_trigger, a_file_without_the_trigger_does_not)
{
    cr_expect_eq(judge("on: push\n", NULL, NULL), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "'backup.yml' on branch 'dev' has no workflow_dispatch trigger; hint: "
                     "add 'workflow_dispatch:' under 'on:' in the file on that branch");
}

Test(github_trigger, what_is_not_understood_is_not_known)
{
    cr_expect_eq(judge("on: [\n", NULL, NULL), BP_EUNAVAILABLE);
    cr_expect_str_eq(err.msg, "whether 'backup.yml' on branch 'dev' takes the dispatch cannot be "
                              "known: the file is no YAML (line 2: did not find expected node "
                              "content)");
}

Test(github_trigger, judges_each_value_by_the_type_of_its_input)
{
    static const char file[] = DISPATCH("      text:\n"
                                        "      level: {type: choice, options: [full, 3.10]}\n"
                                        "      open: {type: choice}\n"
                                        "      flag: {type: boolean}\n"
                                        "      size: {type: number}\n"
                                        "      where: {type: environment}\n");
    static const struct {
        const char *inputs;
        const char *problem; /* NULL: none */
    } rows[] = {
        {"{\"text\": \"\"}", NULL},
        {"{\"text\": 1.5}", NULL},
        {"{\"text\": true}", NULL},
        {"{\"TEXT\": \"x\"}", NULL},
        {"{\"text\": null}", "'text' must be text, a number, true or false"},
        {"{\"text\": {}}", "'text' must be text, a number, true or false"},
        {"{\"text\": [1]}", "'text' must be text, a number, true or false"},
        {"{\"level\": \"full\"}", NULL},
        {"{\"level\": 3.1}", NULL},
        {"{\"level\": \"Full\"}", "'level' must be one of full, 3.10, 3.1, not 'Full'"},
        {"{\"level\": \"\"}", "'level' must be one of full, 3.10, 3.1, not ''"},
        {"{\"open\": \"anything\"}", NULL},
        {"{\"flag\": true}", NULL},
        {"{\"flag\": \"false\"}", NULL},
        {"{\"flag\": \"yes\"}", "'flag' must be true or false, not 'yes'"},
        {"{\"flag\": 1}", "'flag' must be true or false, not '1'"},
        {"{\"size\": 12}", NULL},
        {"{\"size\": \"-1.5e3\"}", NULL},
        {"{\"size\": \"+.5\"}", NULL},
        {"{\"size\": \"\"}", "'size' must be a number, not ''"},
        {"{\"size\": \"12 MB\"}", "'size' must be a number, not '12 MB'"},
        {"{\"size\": \"inf\"}", "'size' must be a number, not 'inf'"},
        {"{\"size\": \"-inf\"}", "'size' must be a number, not '-inf'"},
        {"{\"size\": true}", "'size' must be a number, not 'true'"},
        {"{\"where\": \"production\"}", NULL},
        {"{\"other\": \"x\"}", "'other' is not declared"},
        {"{\"oth\\ner\": \"x\"}", "'oth er' is not declared"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum bp_code rc = judge(file, rows[i].inputs, NULL);
        BP_AUTO(bp_freep)
        char *words = bp_format("does not take these inputs: %s; hint: compare --inputs",
                                rows[i].problem != NULL ? rows[i].problem : "");

        cr_expect_eq(rc, rows[i].problem != NULL ? BP_EFAILED : BP_OK, "%s: %s", rows[i].inputs,
                     err.msg);
        cr_expect(rows[i].problem == NULL || holds(err.msg, words), "%s: %s", rows[i].inputs,
                  err.msg);
    }
}

Test(github_trigger, wants_what_is_required_and_has_no_default)
{
    static const struct {
        const char *rules;
        const char *inputs;
        enum bp_code code;
    } rows[] = {
        {"{required: true}", NULL, BP_EFAILED},
        {"{required: true}", "{}", BP_EFAILED},
        {"{required: true}", "{\"a\": \"x\"}", BP_OK},
        {"{required: true}", "{\"A\": \"x\"}", BP_OK},
        {"{required: true, default: x}", NULL, BP_OK},
        {"{required: true, default: ''}", NULL, BP_EFAILED},
        {"{required: true, default: }", NULL, BP_EFAILED},
        {"{required: false}", NULL, BP_OK},
        {"{}", NULL, BP_OK},
        {"", NULL, BP_OK},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep) char *text = bp_format(DISPATCH("      a: %s\n"), rows[i].rules);

        cr_expect_eq(judge(text, rows[i].inputs, NULL), rows[i].code, "row %zu: %s", i, err.msg);
        cr_expect(rows[i].code == BP_OK || holds(err.msg, "'a' is required"), "%s", err.msg);
    }
}

Test(github_trigger, tells_all_problems_at_once)
{
    cr_expect_eq(judge(DISPATCH("      flag: {type: boolean}\n"
                                "      need: {required: true}\n"),
                       "{\"x\": \"1\", \"flag\": \"no\"}", "mark"),
                 BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "'backup.yml' on branch 'dev' does not take these inputs: 'mark', which gets "
                     "the mark, is not declared, 'x' is not declared, 'flag' must be true or "
                     "false, not 'no', 'need' is required; hint: compare --inputs with 'inputs:' "
                     "in the file on that branch");
}

Test(github_trigger, a_long_story_keeps_its_hint)
{
    BP_AUTO(bp_buf_free) struct bp_buf inputs = {0};

    bp_buf_puts(&inputs, "{\"i\": \"1\"");
    for (int i = 0; i < 100; i++)
        bp_buf_printf(&inputs, ", \"input_%d\": \"%d\"", i, i);
    bp_buf_putc(&inputs, '}');
    cr_expect_eq(judge("on: workflow_dispatch\n", inputs.data, NULL), BP_EFAILED);
    cr_expect(holds(err.msg, "...; hint: compare --inputs"), "%s", err.msg);
    cr_expect(strlen(err.msg) < 800);
}

Test(github_trigger, takes_25_inputs_at_most)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_puts(&text, DISPATCH(""));
    for (int i = 0; i < 25; i++)
        bp_buf_printf(&text, "      i%d:\n", i);
    cr_expect_eq(judge(text.data, "{\"i24\": \"x\"}", NULL), BP_OK);
    bp_buf_puts(&text, "      i25:\n");
    cr_expect_eq(judge(text.data, NULL, NULL), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'backup.yml' on branch 'dev' declares 26 inputs, but GitHub takes "
                              "25 at most");
}

/* ---- the mark ---- */

Test(github_trigger, the_mark_must_be_in_run_name)
{
    static const struct {
        const char *run_name;
        bool shown;
    } rows[] = {
        {"${{ inputs.mark }}", true},
        {"${{inputs.mark}}", true},
        {"Backup of ${{ github.ref_name }} (${{ inputs.mark }})", true},
        {"${{ github.event.inputs.mark }}", true},
        {"${{ inputs['mark'] }}", true},
        {"${{ inputs[ 'mark'] }}", true},
        {"${{ Inputs.MARK || github.sha }}", true},
        {"${{ inputs.marker }} ${{ inputs.mark }}", true},
        {"${{ inputs.marker }}", false},
        {"${{ inputs.mark-er }}", false},
        {"${{ inputs.mark_ }}", false},
        {"${{ inputs['marker'] }}", false},
        {"${{ inputs[mark] }}", false},
        {"${{ inputs }}", false},
        {"${{ inputs.", false},
        {"${{ inputs[", false},
        {"${{ inputs['mark", false},
        {"inputs.mark", false},
        {"Backup", false},
        {"", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep)
        char *text = bp_format("run-name: \"%s\"\n" DISPATCH("      mark:\n"), rows[i].run_name);

        cr_expect_eq(judge(text, NULL, "mark"), rows[i].shown ? BP_OK : BP_EFAILED, "%s: %s",
                     rows[i].run_name, err.msg);
        cr_expect_eq(judge(text, NULL, NULL), BP_OK, "%s", rows[i].run_name);
    }
    cr_expect_eq(judge(DISPATCH("      mark:\n"), NULL, "mark"), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'backup.yml' on branch 'dev' does not show the mark in its "
                              "run-name; hint: add 'run-name: Backup ${{ inputs.mark }}' to the "
                              "file on that branch");
}

Test(github_trigger, the_mark_is_text_and_counts_as_given)
{
    static const struct {
        const char *rules;
        const char *inputs;
        const char *problem; /* NULL: none */
    } rows[] = {
        {"{required: true}", NULL, NULL},
        {"{type: string}", "{\"mark\": \"x\"}", NULL},
        {"{type: string}", "{\"Mark\": \"x\"}", NULL},
        {"{type: choice, options: [a]}", NULL, "must be of type string"},
        {"{type: boolean}", NULL, "must be of type string"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_freep)
        char *text =
            bp_format("run-name: ${{ inputs.mark }}\n" DISPATCH("      mark: %s\n"), rows[i].rules);
        enum bp_code rc = judge(text, rows[i].inputs, "mark");

        cr_expect_eq(rc, rows[i].problem == NULL ? BP_OK : BP_EFAILED, "row %zu: %s", i, err.msg);
        cr_expect(rows[i].problem == NULL || holds(err.msg, rows[i].problem), "%s", err.msg);
    }
}
