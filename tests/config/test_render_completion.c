#include <criterion/criterion.h>
#include <string.h>

#include "cmd/cmd.h"

typedef void render(const struct bp_program_doc *program, struct bp_buf *out);

Test(render_completion, offers_commands_and_options_but_no_secrets)
{
    static render *const renderers[] = {bp_render_bash, bp_render_zsh, bp_render_fish};

    for (size_t i = 0; i < sizeof(renderers) / sizeof(renderers[0]); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};

        renderers[i](bp_cmd_program(), &text);
        cr_expect_not_null(strstr(text.data, "dispatch"), "shell %zu", i);
        cr_expect_not_null(strstr(text.data, "backup-repo"), "shell %zu", i);
        cr_expect_null(strstr(text.data, "--token "), "shell %zu", i);
        cr_expect_null(strstr(text.data, "--token="), "shell %zu", i);
        cr_expect_null(strstr(text.data, "--token["), "shell %zu", i);
        cr_expect_null(strstr(text.data, " -l token "), "shell %zu", i);
        cr_expect_null(strstr(text.data, "render|"), "shell %zu", i);
    }
}

Test(render_completion, quotes_what_a_shell_would_read)
{
    static const struct bp_cmd_doc cmd = {
        .name = "x", .args = "", .summary = "It's \\ one.", .groups = BP_GROUP_GENERAL};
    static const struct bp_cmd_doc *const cmds[] = {&cmd, NULL};
    static const struct bp_program_doc program = {.version = "1", .summary = "s", .cmds = cmds};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_render_fish(&program, &text);
    cr_expect_not_null(strstr(text.data, "-d 'It'\\''s \\\\ one.'"), "%s", text.data);
}
