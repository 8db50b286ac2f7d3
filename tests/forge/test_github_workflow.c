#include <criterion/criterion.h>
#include <string.h>

#include "forge/github_workflow.h"
#include "forge/test_github_support.h"

static struct bp_workflow_file file;
static struct bp_err err;

static void tear_down(void)
{
    bp_workflow_free(&file);
}

TestSuite(github_workflow, .fini = tear_down);

static enum bp_code read_text(const char *text)
{
    bp_workflow_free(&file);
    err = (struct bp_err){0};
    return bp_workflow_read(text, strlen(text), &file, &err);
}

Test(github_workflow, finds_the_trigger_in_each_form)
{
    static const struct {
        const char *text;
        bool dispatchable;
    } rows[] = {
        {"on: workflow_dispatch\njobs: {}\n", true},
        {"'on': workflow_dispatch\n", true},
        {"\"on\": \"workflow_dispatch\"\n", true},
        {"on: push\n", false},
        {"on: [push, workflow_dispatch]\n", true},
        {"on:\n  - push\n  - workflow_dispatch\n", true},
        {"on: [push]\n", false},
        {"on: []\n", false},
        {"on:\n  push:\n  workflow_dispatch:\n", true},
        {"on:\n  workflow_dispatch: ~\n", true},
        {"on:\n  workflow_dispatch: {}\n", true},
        {"on:\n  workflow_dispatch:\n    inputs:\n", true},
        {"on: {push: {branches: [workflow_dispatch]}}\n", false},
        {"on:\n  workflow_call:\n", false},
        {"on:\n", false},
        {"true:\n  workflow_dispatch:\n", false},
        {"name: x\njobs:\n  on: workflow_dispatch\n", false},
        {"\xEF\xBB\xBFon: workflow_dispatch\n", true},
        {"# a comment\n---\non: workflow_dispatch\n...\n", true},
        {"on: workflow_dispatch\r\njobs:\r\n", true},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_eq(read_text(rows[i].text), BP_OK, "%s: %s", rows[i].text, err.msg);
        cr_expect_eq(file.dispatchable, rows[i].dispatchable, "%s", rows[i].text);
        cr_expect_eq(file.input_count, 0u);
    }
}

Test(github_workflow, reads_inputs)
{
    cr_assert_eq(read_text("run-name: Backup ${{ inputs.mark }}\n"
                           "on:\n"
                           "  workflow_dispatch:\n"
                           "    inputs:\n"
                           "      bare:\n"
                           "      level:\n"
                           "        description: How much\n"
                           "        required: true\n"
                           "        type: choice\n"
                           "        default: full\n"
                           "        options: [full, \"quick\", 3]\n"
                           "      flag: {type: boolean, required: True, default: false}\n"
                           "      size: {type: number, required: false, default: ''}\n"
                           "      where: {type: environment, required: 'true', default: ~}\n"
                           "      odd: {type: colour, default: }\n"),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(file.run_name, "Backup ${{ inputs.mark }}");
    cr_assert_eq(file.input_count, 6u);
    cr_expect_str_eq(file.inputs[0].name, "bare");
    cr_expect_eq(file.inputs[0].type, BP_WORKFLOW_TEXT);
    cr_expect_not(file.inputs[0].required || file.inputs[0].has_default);
    cr_expect_eq(file.inputs[1].type, BP_WORKFLOW_CHOICE);
    cr_expect(file.inputs[1].required && file.inputs[1].has_default);
    cr_expect_eq(file.inputs[1].options.count, 3u);
    cr_expect_str_eq(file.inputs[1].options.at[1], "quick");
    cr_expect_eq(file.inputs[2].type, BP_WORKFLOW_BOOLEAN);
    cr_expect(file.inputs[2].required && file.inputs[2].has_default);
    cr_expect_eq(file.inputs[3].type, BP_WORKFLOW_NUMBER);
    cr_expect_not(file.inputs[3].required || file.inputs[3].has_default);
    cr_expect_eq(file.inputs[4].type, BP_WORKFLOW_OTHER);
    cr_expect_not(file.inputs[4].required || file.inputs[4].has_default);
    cr_expect_eq(file.inputs[5].type, BP_WORKFLOW_OTHER);
    cr_expect_not(file.inputs[5].has_default);
}

static const struct bp_list *options_of(const char *options)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_printf(&text, "on: {workflow_dispatch: {inputs: {a: {type: choice, options: %s}}}}\n",
                  options);
    cr_assert_eq(read_text(text.data), BP_OK, "%s: %s", options, err.msg);
    cr_assert_eq(file.input_count, 1u);
    return &file.inputs[0].options;
}

Test(github_workflow, knows_options_in_the_form_in_which_they_arrive)
{
    cr_expect(bp_list_has(options_of("[3.10, 3.11]"), "3.1"));
    cr_expect(bp_list_has(options_of("[1.0]"), "1"));
    cr_expect(bp_list_has(options_of("[True]"), "true"));
    cr_expect(bp_list_has(options_of("[FALSE]"), "false"));
    cr_expect_not(bp_list_has(options_of("['3.10']"), "3.1"));
    cr_expect_not(bp_list_has(options_of("['True']"), "true"));
    cr_expect_eq(options_of("[12, full, nan, '']")->count, 4u);
}

Test(github_workflow, options_that_cannot_be_read_are_unknown)
{
    BP_AUTO(bp_buf_free) struct bp_buf many = {0};
    static const char *const rows[] = {
        "", "~", "full", "{a: b}", "[full, [quick]]", "[full, '${{ x }}']", "[]"};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(options_of(rows[i])->count, 0u, "%s", rows[i]);
    bp_buf_puts(&many, "[a");
    for (int i = 0; i < 500; i++)
        bp_buf_puts(&many, ", b");
    bp_buf_putc(&many, ']');
    cr_expect_eq(options_of(many.data)->count, 0u);
}

Test(github_workflow, follows_aliases)
{
    cr_assert_eq(read_text("x: &list [full, quick]\n"
                           "y: &trigger\n"
                           "  inputs:\n"
                           "    a: {type: choice, options: *list}\n"
                           "    b: {type: choice, options: *list}\n"
                           "on: {workflow_dispatch: *trigger}\n"),
                 BP_OK, "%s", err.msg);
    cr_expect(file.dispatchable);
    cr_assert_eq(file.input_count, 2u);
    cr_expect_eq(file.inputs[1].options.count, 2u);
}

Test(github_workflow, aliases_do_not_blow_up)
{
    BP_AUTO(bp_buf_free) struct bp_buf laughs = {0};
    BP_AUTO(bp_buf_free) struct bp_buf options = {0};

    bp_buf_puts(&laughs, "a0: &a0 [x, x]\n");
    for (int i = 1; i < 30; i++)
        bp_buf_printf(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1);
    bp_buf_puts(&laughs, "on: *a29\n");
    cr_expect_eq(read_text(laughs.data), BP_OK, "%s", err.msg);
    cr_expect_eq(read_text("on: &a\n  workflow_dispatch: *a\n"), BP_OK, "%s", err.msg);
    cr_expect(file.dispatchable);

    bp_buf_puts(&options, "x: &long ");
    for (int i = 0; i < 100000; i++)
        bp_buf_putc(&options, 'x');
    bp_buf_puts(&options, "\non: {workflow_dispatch: {inputs: {a: {options: [*long");
    for (int i = 0; i < 400; i++)
        bp_buf_puts(&options, ", *long");
    bp_buf_puts(&options, "]}}}}\n");
    cr_expect_eq(read_text(options.data), BP_OK, "%s", err.msg);
    cr_expect_eq(file.inputs[0].options.count, 0u);
}

Test(github_workflow, says_what_it_does_not_understand)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "the file is no map"},
        {"- on\n", "the file is no map"},
        {"workflow_dispatch\n", "the file is no map"},
        {"on: [push\n", "the file is no YAML (line 2: did not find expected ',' or ']')"},
        {"on:\n\tpush:\n", "the file is no YAML (line 2: "},
        {"on: *missing\n", "the file is no YAML (line 1: found undefined alias)"},
        {"on: \xFF\n", "the file is no YAML"},
        {"on: push\n---\non: [\n", "the file is no YAML"},
        {"on: ${{ x }}\n", "its 'on:' is a template"},
        {"on: {workflow_dispatch: [inputs]}\n", "its 'workflow_dispatch:' is no map"},
        {"on: {workflow_dispatch: {inputs: [a]}}\n", "its 'inputs:' are no map"},
        {"on: {workflow_dispatch: {inputs: {a: {}, b: text}}}\n",
         "its input number 2 is not understood"},
        {"on: {workflow_dispatch: {inputs: {[a]: }}}\n", "its input number 1 is not understood"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cr_expect_eq(read_text(rows[i].text), BP_EFAILED, "%s", rows[i].text);
        cr_expect(holds(err.msg, rows[i].words), "%s: %s", rows[i].text, err.msg);
    }
}

Test(github_workflow, counts_inputs_beyond_the_limit_and_reads_none)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_puts(&text, "on:\n  workflow_dispatch:\n    inputs:\n");
    for (int i = 0; i < BP_WORKFLOW_INPUTS_MAX; i++)
        bp_buf_printf(&text, "      i%d:\n", i);
    cr_expect_eq(read_text(text.data), BP_OK);
    cr_expect_eq(file.input_count, (size_t)BP_WORKFLOW_INPUTS_MAX);
    cr_expect_str_eq(file.inputs[24].name, "i24");
    bp_buf_puts(&text, "      more:\n");
    cr_expect_eq(read_text(text.data), BP_OK);
    cr_expect_eq(file.input_count, (size_t)BP_WORKFLOW_INPUTS_MAX + 1);
    cr_expect_null(file.inputs[0].name);
}

static enum bp_code read_repeated(const char *before, const char *each, int times)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_buf_puts(&text, before);
    for (int i = 0; i < times; i++)
        bp_buf_puts(&text, each);
    return read_text(text.data);
}

Test(github_workflow, has_limits)
{
    cr_expect_eq(read_repeated("on: workflow_dispatch\n#", "x", 512 << 10), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the file is larger than 512 KiB");
    cr_expect_eq(read_repeated("on: workflow_dispatch\n#", "x", 500 << 10), BP_OK);
    cr_expect_eq(read_repeated("on: ", "[", 65), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the file is nested deeper than 64");
    cr_expect_eq(read_repeated("on: ", "[", 500000), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the file is nested deeper than 64");
    cr_expect_eq(read_repeated("on: ", "- ", 250000), BP_EFAILED);
    cr_expect_eq(read_repeated("on:\n", "- a\n", 51000), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the file has more than 50000 nodes");
}
