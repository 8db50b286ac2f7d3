#include <string.h>

#include "config/render.h"

/*
 * What an action passes on: read from the environment, and taken by a command that is in the lists.
 * Not what init alone takes: it writes workflows, so none runs it.
 */
static bool is_passed_on(const struct bp_program_doc *program, enum bp_opt id)
{
    unsigned groups = bp_option(id)->group & ~(unsigned)BP_GROUP_INIT;

    if (bp_option(id)->no_env)
        return false;
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if (!(*cmd)->hidden && ((*cmd)->groups & groups) != 0)
            return true;
    }
    return false;
}

/* A plain "yes" is true to readers of YAML 1.1. */
static const char *quote_of(const char *name)
{
    return strcmp(name, "yes") == 0 ? "'" : "";
}

/* Between single quotes. A runner evaluates what looks like an expression, also in a description.
 */
static void put_text(const char *text, struct bp_buf *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '$' && p[1] == '{')
            continue;
        bp_buf_putc(out, *p);
        if (*p == '\'')
            bp_buf_putc(out, *p);
    }
}

void bp_render_action_inputs(const struct bp_program_doc *program, struct bp_buf *out)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        const struct bp_option *option = bp_option(id);

        if (!is_passed_on(program, id))
            continue;
        bp_buf_printf(out, "  %s%s%s:\n    description: '", quote_of(option->name), option->name,
                      quote_of(option->name));
        put_text(option->help, out);
        if (option->type == BP_TYPE_CHOICE) {
            bp_buf_puts(out, " One of");
            for (const char *const *choice = option->choices; *choice != NULL; choice++)
                bp_buf_printf(out, "%s %s", choice == option->choices ? "" : ",", *choice);
            bp_buf_putc(out, '.');
        }
        if (option->type == BP_TYPE_FLAG)
            bp_buf_puts(out, " true or false.");
        if (option->type == BP_TYPE_LIST)
            bp_buf_puts(out, " A line each, or a JSON array.");
        if (option->fallback != NULL)
            bp_buf_printf(out, " Default: %s.", option->fallback);
        bp_buf_puts(out, "'\n    required: false\n");
    }
}

/* An input that is not given must not hide the variable of the job that calls the action. */
void bp_render_action_env(const struct bp_program_doc *program, struct bp_buf *out)
{
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        char env[64];

        if (!is_passed_on(program, id))
            continue;
        bp_option_env(id, env);
        bp_buf_printf(out, "        %s: ${{ inputs.%s || env.%s }}\n", env, bp_option(id)->name,
                      env);
    }
}
