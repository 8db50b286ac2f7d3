#include <criterion/criterion.h>
#include <string.h>

#include "cmd/cmd.h"

Test(render_man, has_every_command_and_option)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_man(bp_cmd_program(), &text);
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf heading = {0};

        bp_buf_printf(&heading, ".SS backproof %s ", bp_cmds[i]->doc.name);
        cr_expect_eq(strstr(text.data, heading.data) == NULL, bp_cmds[i]->doc.hidden, "%s",
                     heading.data);
    }
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        char env[64];

        bp_option_env(id, env);
        cr_expect(bp_option(id)->no_env || strstr(text.data, env) != NULL, "%s", env);
    }
    cr_expect_not_null(strstr(text.data, ".SH EXIT STATUS\n"));
}

Test(render_man, no_line_of_text_becomes_a_macro)
{
    static const struct bp_cmd_doc cmd = {.name = "x",
                                          .args = "",
                                          .summary = ".dot first, a-dash and a back\\slash.",
                                          .details = "'quote first",
                                          .groups = BP_GROUP_GENERAL};
    static const struct bp_cmd_doc *const cmds[] = {&cmd, NULL};
    static const struct bp_program_doc program = {.version = "1", .summary = "s", .cmds = cmds};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_man(&program, &text);
    cr_expect_not_null(strstr(text.data, "\n\\&.dot first, a\\-dash and a back\\eslash.\n"));
    cr_expect_not_null(strstr(text.data, "\n\\&'quote first\n"));
}
