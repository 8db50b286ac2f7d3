#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

Test(render_action, every_option_with_a_variable_is_an_input_and_reaches_the_program)
{
    BP_AUTO(bp_buf_free) struct bp_buf inputs = {0};
    BP_AUTO(bp_buf_free) struct bp_buf env = {0};

    bp_render_action_inputs(bp_cmd_program(), &inputs);
    bp_render_action_env(bp_cmd_program(), &env);
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        char line[200];
        char name[64];

        if (bp_option(id)->no_env || bp_option(id)->group == BP_GROUP_INIT)
            continue;
        bp_option_env(id, name);
        (void)snprintf(line, sizeof(line), "        %s: ${{ inputs.%s || env.%s }}\n", name,
                       bp_option(id)->name, name);
        cr_expect_not_null(strstr(bp_buf_str(&env), line), "%s", line);
        (void)snprintf(line, sizeof(line), id == BP_OPT_YES ? "  '%s':\n" : "  %s:\n",
                       bp_option(id)->name);
        cr_expect_not_null(strstr(bp_buf_str(&inputs), line), "%s", line);
    }
}

Test(render_action, no_input_is_there_twice)
{
    BP_AUTO(bp_buf_free) struct bp_buf inputs = {0};

    bp_render_action_inputs(bp_cmd_program(), &inputs);
    for (const char *line = bp_buf_str(&inputs); line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        char name[80];

        if (line[2] != ' ') {
            (void)snprintf(name, sizeof(name), "\n%.*s\n", (int)(end - line), line);
            cr_expect_null(strstr(end, name), "%s", name);
        }
        line = end + 1;
    }
}

Test(render_action, a_description_is_one_quoted_text_without_an_expression)
{
    static const struct bp_cmd_doc cmd = {.name = "x", .groups = ~0U};
    static const struct bp_cmd_doc *const cmds[] = {&cmd, NULL};
    const struct bp_program_doc program = {.cmds = cmds};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_action_inputs(&program, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "${{"));
    cr_expect_not_null(strstr(bp_buf_str(&text), "environment''s.'\n    required: false\n"));
    cr_expect_not_null(strstr(bp_buf_str(&text), "Print results as text for people or as one JSON "
                                                 "object. One of text, json. Default: text.'\n"));
    cr_expect_not_null(strstr(bp_buf_str(&text), "asks first. true or false.'\n"));
    cr_expect_not_null(strstr(bp_buf_str(&text), "for each. A line each, or a JSON array.'\n"));
}

Test(render_action, what_only_init_takes_is_no_input)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_action_inputs(bp_cmd_program(), &text);
    bp_render_action_env(bp_cmd_program(), &text);
    cr_expect_null(strstr(bp_buf_str(&text), "  schedule:"));
    cr_expect_null(strstr(bp_buf_str(&text), "BACKPROOF_SCHEDULE"));
}

Test(render_action, a_hidden_command_has_no_inputs)
{
    static const struct bp_cmd_doc cmd = {.name = "x", .groups = ~0U, .hidden = true};
    static const struct bp_cmd_doc *const cmds[] = {&cmd, NULL};
    const struct bp_program_doc program = {.cmds = cmds};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_action_inputs(&program, &text);
    bp_render_action_env(&program, &text);
    cr_expect_eq(text.len, 0);
}
