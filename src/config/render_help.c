#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/render.h"

enum { WIDTH = 96, HELP_COLUMN = 30 };

const struct bp_exit_doc bp_exit_docs[] = {
    {"0", "done"},
    {"1", "the work failed: a dispatch refused, a backup broke"},
    {"2", "usage or configuration"},
    {"3", "token, password or permission"},
    {"4", "not found: repository, workflow, branch, archive"},
    {"5", "unreachable, outage or rate limit, after all retries"},
    {"6", "timeout"},
    {"7", "locked by somebody else, or a race was lost"},
    {"8", "integrity: a checksum, signature or restore proof failed"},
    {"129, 130, 143", "stopped by SIGHUP, SIGINT or SIGTERM, after cleaning up"},
    {NULL, NULL},
};

/* Words, wrapped at WIDTH, from a column on; the first line starts where out stands. */
static void put_wrapped(struct bp_buf *out, const char *text, size_t column, size_t at)
{
    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (at > column && at + 1 + word > WIDTH) {
            bp_buf_printf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (at > column) {
            bp_buf_putc(out, ' ');
            at++;
        }
        bp_buf_add(out, text, word);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    bp_buf_putc(out, '\n');
}

/* Text that starts in its column, on a new line when the label before it is too long. */
static void put_entry(struct bp_buf *out, const char *label, const char *text, size_t column)
{
    size_t len = strlen(label);

    bp_buf_puts(out, label);
    if (len + 2 > column)
        bp_buf_printf(out, "\n%*s", (int)column, "");
    else
        bp_buf_printf(out, "%*s", (int)(column - len), "");
    put_wrapped(out, text, column, column);
}

static void put_sources(const struct bp_option *option, enum bp_opt id, struct bp_buf *out)
{
    char env[64];

    if (option->type == BP_TYPE_CHOICE) {
        bp_buf_puts(out, " One of ");
        for (const char *const *c = option->choices; *c != NULL; c++)
            bp_buf_printf(out, "%s%s", c == option->choices ? "" : ", ", *c);
        bp_buf_puts(out, ".");
    }
    if (option->fallback != NULL)
        bp_buf_printf(out, " Default: %s.", option->fallback);
    if (option->no_env)
        return;
    bp_option_env(id, env);
    bp_buf_printf(out, " [%s", env);
    for (size_t i = 0; option->also[i] != NULL; i++)
        bp_buf_printf(out, ", %s", option->also[i]);
    bp_buf_puts(out, "]");
}

static void put_option(enum bp_opt id, struct bp_buf *out)
{
    const struct bp_option *option = bp_option(id);
    BP_AUTO(bp_buf_free) struct bp_buf label = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    if (option->secret)
        bp_buf_printf(&label, "      (%s)", option->name);
    else if (option->letter != 0)
        bp_buf_printf(&label, "  -%c, --%s", option->letter, option->name);
    else
        bp_buf_printf(&label, "      --%s", option->name);
    if (option->value != NULL && !option->secret)
        bp_buf_printf(&label, " %s", option->value);
    bp_buf_puts(&text, option->help);
    if (option->secret)
        bp_buf_puts(&text, " From the environment only.");
    put_sources(option, id, &text);
    put_entry(out, bp_buf_str(&label), bp_buf_str(&text), HELP_COLUMN);
}

/* An option that belongs to several groups is shown with the first of the command's. */
static bool shown_with(const struct bp_option *option, unsigned groups, unsigned group)
{
    unsigned mine = option->group & groups;

    return (mine & group) != 0 && (mine & (group - 1)) == 0;
}

static void put_options(unsigned groups, struct bp_buf *out)
{
    for (unsigned group = BP_GROUP_LAST; group > 0; group >>= 1) {
        if ((groups & group) == 0)
            continue;
        bp_buf_printf(out, "\n%s:\n", bp_option_group_title(group));
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            if (shown_with(bp_option(id), groups, group))
                put_option(id, out);
        }
    }
    put_entry(out, "  -h, --help", "Print this text.", HELP_COLUMN);
}

void bp_render_cmd_help(const struct bp_cmd_doc *cmd, struct bp_buf *out)
{
    bp_buf_printf(out, "Usage: backproof %s [options]%s%s\n\n", cmd->name,
                  cmd->args[0] != '\0' ? " " : "", cmd->args);
    put_wrapped(out, cmd->summary, 0, 0);
    if (cmd->details != NULL) {
        bp_buf_putc(out, '\n');
        put_wrapped(out, cmd->details, 0, 0);
    }
    if (cmd->example != NULL)
        bp_buf_printf(out, "\nExample:\n  %s\n", cmd->example);
    put_options(cmd->groups, out);
}

void bp_render_help(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_printf(out, "Usage: backproof COMMAND [options]\n\n%s\n\nCommands:\n", program->summary);
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        BP_AUTO(bp_buf_free) struct bp_buf label = {0};

        if ((*cmd)->hidden)
            continue;
        bp_buf_printf(&label, "  %s %s", (*cmd)->name, (*cmd)->args);
        put_entry(out, bp_buf_str(&label), (*cmd)->summary, 16);
    }
    bp_buf_puts(out, "\nbackproof COMMAND --help lists a command's options.\n\nExit status:\n");
    for (const struct bp_exit_doc *doc = bp_exit_docs; doc->status != NULL; doc++) {
        BP_AUTO(bp_buf_free) struct bp_buf label = {0};

        bp_buf_printf(&label, "  %s", doc->status);
        put_entry(out, bp_buf_str(&label), doc->meaning, 18);
    }
}
