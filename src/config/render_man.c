#include "config/render.h"

/* roff: a backslash and a line's first dot or quote mean something; a dash must be a minus. */
static void put_roff(const char *text, struct bp_buf *out)
{
    if (*text == '.' || *text == '\'')
        bp_buf_puts(out, "\\&");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\')
            bp_buf_puts(out, "\\e");
        else if (*p == '-')
            bp_buf_puts(out, "\\-");
        else
            bp_buf_putc(out, *p);
    }
}

static void put_line(const char *macro, const char *text, struct bp_buf *out)
{
    bp_buf_puts(out, macro);
    put_roff(text, out);
    bp_buf_putc(out, '\n');
}

static void put_option(enum bp_opt id, struct bp_buf *out)
{
    const struct bp_option *option = bp_option(id);
    BP_AUTO(bp_buf_free) struct bp_buf label = {0};
    char env[64];

    bp_buf_printf(&label, option->secret ? "(%s)" : "--%s", option->name);
    if (option->value != NULL && !option->secret)
        bp_buf_printf(&label, " %s", option->value);
    bp_buf_puts(out, ".TP\n");
    put_line(".B ", bp_buf_str(&label), out);
    put_line("", option->help, out);
    if (option->fallback != NULL)
        bp_buf_printf(out, "Default: %s.\n", option->fallback);
    if (option->no_env)
        return;
    bp_option_env(id, env);
    bp_buf_printf(out, "Environment: %s", env);
    for (size_t i = 0; option->also[i] != NULL; i++)
        bp_buf_printf(out, ", %s", option->also[i]);
    bp_buf_puts(out, ".\n");
}

static void put_cmd(const struct bp_cmd_doc *cmd, struct bp_buf *out)
{
    bp_buf_printf(out, ".SS backproof %s [options] %s\n", cmd->name, cmd->args);
    put_line("", cmd->summary, out);
    if (cmd->details != NULL)
        put_line("", cmd->details, out);
    if (cmd->example != NULL) {
        bp_buf_puts(out, ".PP\n.RS\n.nf\n");
        put_line("", cmd->example, out);
        bp_buf_puts(out, ".fi\n.RE\n");
    }
    bp_buf_puts(out, ".PP\nOptions: ");
    for (unsigned group = BP_GROUP_LAST; group > 0; group >>= 1) {
        if ((cmd->groups & group) != 0)
            bp_buf_printf(out, "%s%s", bp_option_group_title(group), group > 1 ? ", " : ".\n");
    }
}

void bp_render_man(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_printf(out,
                  ".TH BACKPROOF 1 \"\" \"backproof %s\" \"User Commands\"\n"
                  ".SH NAME\nbackproof \\- scheduled PostgreSQL backups with proof\n"
                  ".SH SYNOPSIS\n.B backproof\n.I command\n[options]\n.SH DESCRIPTION\n",
                  program->version);
    put_line("", program->summary, out);
    bp_buf_puts(out, ".SH COMMANDS\n");
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if (!(*cmd)->hidden)
            put_cmd(*cmd, out);
    }
    bp_buf_puts(out, ".SH OPTIONS\n");
    for (unsigned group = BP_GROUP_LAST; group > 0; group >>= 1) {
        bp_buf_printf(out, ".SS %s\n", bp_option_group_title(group));
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            if ((bp_option(id)->group & group) != 0 && (bp_option(id)->group & (group - 1)) == 0)
                put_option(id, out);
        }
    }
    bp_buf_puts(out, ".SH EXIT STATUS\n");
    for (const struct bp_exit_doc *doc = bp_exit_docs; doc->status != NULL; doc++) {
        bp_buf_printf(out, ".TP\n.B %s\n", doc->status);
        put_line("", doc->meaning, out);
    }
}
