/* backproof render: the texts that are made from the option table, for packages and docs. */
#include <string.h>

#include "cmd/cmds.h"

static enum bp_code run(struct bp_app *app, struct bp_err *err)
{
    static const struct {
        const char *name;
        void (*render)(const struct bp_program_doc *program, struct bp_buf *out);
    } kinds[] = {{"man", bp_render_man},
                 {"markdown", bp_render_markdown},
                 {"bash", bp_render_bash},
                 {"zsh", bp_render_zsh},
                 {"fish", bp_render_fish}};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, app->cfg.args.at[0]) == 0) {
            kinds[i].render(bp_cmd_program(), &text);
            bp_print(app->out, "%s", bp_buf_str(&text));
            return BP_OK;
        }
    }
    return bp_fail(err, BP_EUSAGE, "'%s' is none of man, markdown, bash, zsh, fish",
                   app->cfg.args.at[0]);
}

const struct bp_cmd bp_cmd_render = {
    .doc = {.name = "render",
            .args = "man|markdown|bash|zsh|fish",
            .summary = "Print the manual page, the option reference or a shell's completion.",
            .example = "backproof render man | man -l -",
            .groups = BP_GROUP_GENERAL,
            .hidden = true},
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
