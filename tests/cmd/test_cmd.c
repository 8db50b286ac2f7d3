#include <criterion/criterion.h>
#include <string.h>

#include "cmd/cmd.h"

Test(cmd, every_command_says_what_it_is)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        const struct bp_cmd *cmd = bp_cmds[i];
        size_t len = strlen(cmd->doc.summary);

        cr_expect(cmd->doc.name[0] != '\0');
        cr_expect_eq(cmd->doc.summary[len - 1], '.', "%s", cmd->doc.name);
        cr_expect_not_null(cmd->doc.example, "%s", cmd->doc.name);
        cr_expect_not_null(strstr(cmd->doc.example, cmd->doc.name), "%s", cmd->doc.name);
        cr_expect(cmd->doc.groups & BP_GROUP_GENERAL, "%s", cmd->doc.name);
        cr_expect_not_null(cmd->run, "%s", cmd->doc.name);
        cr_expect_leq(cmd->min_args, cmd->max_args, "%s", cmd->doc.name);
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(cmd->doc.name, bp_cmds[j]->doc.name);
    }
}

Test(cmd, what_a_command_needs_it_takes)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        for (const enum bp_opt *need = bp_cmds[i]->needs; need != NULL && *need != BP_OPT_COUNT;
             need++)
            cr_expect(bp_option(*need)->group & bp_cmds[i]->doc.groups, "%s --%s",
                      bp_cmds[i]->doc.name, bp_option(*need)->name);
    }
}

Test(cmd, no_two_options_of_a_command_share_a_name_or_letter)
{
    for (size_t i = 0; bp_cmds[i] != NULL; i++) {
        unsigned groups = bp_cmds[i]->doc.groups;

        for (enum bp_opt a = 0; a < BP_OPT_COUNT; a++) {
            for (enum bp_opt b = 0; b < a; b++) {
                const struct bp_option *x = bp_option(a);
                const struct bp_option *y = bp_option(b);

                if ((x->group & groups) == 0 || (y->group & groups) == 0)
                    continue;
                cr_expect_str_neq(x->name, y->name, "%s", bp_cmds[i]->doc.name);
                cr_expect(x->letter == 0 || x->letter != y->letter, "%s: -%c", bp_cmds[i]->doc.name,
                          x->letter);
            }
        }
    }
}

Test(cmd, the_program_lists_them_all)
{
    const struct bp_program_doc *program = bp_cmd_program();
    size_t count = 0;

    while (program->cmds[count] != NULL)
        count++;
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(program->cmds[i], &bp_cmds[i]->doc);
    cr_expect_null(bp_cmds[count]);
    cr_expect_str_eq(program->version, bp_version());
}
