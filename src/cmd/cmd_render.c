/* backproof render: the texts that are made from the option table, for packages, docs and
 * action.yml. */
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
                 {"fish", bp_render_fish},
                 {"action-inputs", bp_render_action_inputs},
                 {"action-env", bp_render_action_env}};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, app->cfg.args.at[0]) == 0) {
            kinds[i].render(bp_cmd_program(), &text);
            bp_print(app->out, "%s", bp_buf_str(&text));
            return BP_OK;
        }
    }
    return bp_fail(err, BP_EUSAGE,
                   "'%s' is none of man, markdown, bash, zsh, fish, action-inputs, action-env",
                   app->cfg.args.at[0]);
}

const struct bp_cmd bp_cmd_render = {
    .doc = {.name = "render",
            .args = "man|markdown|bash|zsh|fish|action-inputs|action-env",
            .summary = "Print the manual page, the option reference, a shell's completion or a "
                       "part of action.yml.",
            .example = "backproof render man | man -l -",
            .groups = BP_GROUP_GENERAL,
            .hidden = true},
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
