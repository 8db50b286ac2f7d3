#include <string.h>

#include "config/render.h"

/* A "|" would end a table's cell. */
static void put_cell(const char *text, struct bp_buf *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '|')
            bp_buf_putc(out, '\\');
        bp_buf_putc(out, *p);
    }
}

static void put_option(enum bp_opt id, struct bp_buf *out)
{
    const struct bp_option *option = bp_option(id);
    char env[64];

    bp_buf_printf(out, option->secret ? "| (%s)" : "| `--%s", option->name);
    if (!option->secret && option->value != NULL)
        bp_buf_printf(out, " %s", option->value);
    bp_buf_printf(out, "%s | ", option->secret ? "" : "`");
    if (!option->no_env) {
        bp_option_env(id, env);
        bp_buf_printf(out, "`%s`", env);
    }
    for (size_t i = 0; option->also[i] != NULL; i++)
        bp_buf_printf(out, ", `%s`", option->also[i]);
    bp_buf_printf(out, " | %s%s%s | ", option->fallback != NULL ? "`" : "",
                  option->fallback != NULL ? option->fallback : "",
                  option->fallback != NULL ? "`" : "");
    put_cell(option->help, out);
    if (option->type == BP_TYPE_CHOICE) {
        bp_buf_puts(out, " One of");
        for (const char *const *choice = option->choices; *choice != NULL; choice++)
            bp_buf_printf(out, "%s `%s`", choice == option->choices ? "" : ",", *choice);
        bp_buf_puts(out, ".");
    }
    if (option->secret)
        bp_buf_puts(out, " From the environment only.");
    bp_buf_puts(out, " |\n");
}

static void put_cmd(const struct bp_cmd_doc *cmd, struct bp_buf *out)
{
    bp_buf_printf(out, "## backproof %s%s%s\n\n%s", cmd->name, cmd->args[0] != '\0' ? " " : "",
                  cmd->args, cmd->summary);
    if (cmd->details != NULL)
        bp_buf_printf(out, " %s", cmd->details);
    bp_buf_puts(out, "\n\n");
    if (cmd->example != NULL)
        bp_buf_printf(out, "```sh\n%s\n```\n\n", cmd->example);
    bp_buf_puts(out, "Options:");
    for (unsigned group = BP_GROUP_LAST; group > 0; group >>= 1) {
        if ((cmd->groups & group) != 0)
            bp_buf_printf(out, " %s%s", bp_option_group_title(group), group > 1 ? "," : ".");
    }
    bp_buf_puts(out, "\n\n");
}

static void put_group(unsigned group, struct bp_buf *out)
{
    bp_buf_printf(out,
                  "\n## %s\n\n| option | environment | default | meaning |\n"
                  "| --- | --- | --- | --- |\n",
                  bp_option_group_title(group));
    for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
        if ((bp_option(id)->group & group) != 0 && (bp_option(id)->group & (group - 1)) == 0)
            put_option(id, out);
    }
}

void bp_render_markdown(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_puts(out, "# Commands and options\n\n"
                     "This page is made by `backproof render markdown`; a test compares it.\n\n"
                     "A value is looked for on the command line, then in `BACKPROOF_` and the "
                     "option's name,\nthen in the other variables named below, then the default "
                     "counts. An empty variable counts as\nunset. Durations are written `90s`, "
                     "`15m`, `36h`, `30d`; times `2024-01-15` or `2024-01-15T14:30Z`.\n\n");
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if (!(*cmd)->hidden)
            put_cmd(*cmd, out);
    }
    bp_buf_puts(out, "# Options\n");
    for (unsigned group = BP_GROUP_LAST; group > 0; group >>= 1)
        put_group(group, out);
    bp_buf_puts(out, "\n# Exit status\n\n| status | meaning |\n| --- | --- |\n");
    for (const struct bp_exit_doc *doc = bp_exit_docs; doc->status != NULL; doc++)
        bp_buf_printf(out, "| %s | %s |\n", doc->status, doc->meaning);
}
