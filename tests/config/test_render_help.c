#include <criterion/criterion.h>
#include <string.h>

#include "cmd/cmd.h"

static struct bp_buf text;

static void tear_down(void)
{
    bp_buf_free(&text);
}

TestSuite(render_help, .fini = tear_down);

Test(render_help, lists_the_commands_and_the_exit_statuses)
{
    bp_render_help(bp_cmd_program(), &text);
    for (size_t i = 0; bp_cmds[i] != NULL; i++)
        cr_expect_eq(strstr(text.data, bp_cmds[i]->doc.summary) == NULL, bp_cmds[i]->doc.hidden,
                     "%s", bp_cmds[i]->doc.name);
    for (const struct bp_exit_doc *doc = bp_exit_docs; doc->status != NULL; doc++)
        cr_expect_not_null(strstr(text.data, doc->meaning), "%s", doc->status);
}

Test(render_help, shows_every_option_that_a_command_takes_and_no_other)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        bp_buf_cut(&text, 0);
        bp_render_cmd_help(&bp_cmds[i]->doc, &text);
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            BP_AUTO(bp_buf_free) struct bp_buf shown = {0};
            char env[64];

            if (bp_option(id)->no_env)
                continue;
            bp_option_env(id, env);
            bp_buf_printf(&shown, "[%s%s", env, bp_option(id)->also[0] != NULL ? "," : "]");
            cr_expect_eq(strstr(text.data, shown.data) != NULL,
                         (bp_option(id)->group & bp_cmds[i]->doc.groups) != 0, "%s %s",
                         bp_cmds[i]->doc.name, env);
        }
    }
}

Test(render_help, fits_into_a_terminal_of_100_columns)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        char *more = NULL;

        bp_buf_cut(&text, 0);
        bp_render_cmd_help(&bp_cmds[i]->doc, &text);
        for (char *line = strtok_r(text.data, "\n", &more); line != NULL;
             line = strtok_r(NULL, "\n", &more))
            cr_expect(strlen(line) <= 100 || strstr(line, "backproof") != NULL, "%s", line);
    }
}
