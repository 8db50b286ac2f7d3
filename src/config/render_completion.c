#include <string.h>

#include "config/render.h"

static bool takes(const struct bp_cmd_doc *cmd, enum bp_opt id)
{
    return (bp_option(id)->group & cmd->groups) != 0 && !bp_option(id)->secret;
}

static void put_cmds(const struct bp_program_doc *program, struct bp_buf *out)
{
    const char *between = "";

    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if ((*cmd)->hidden)
            continue;
        bp_buf_printf(out, "%s%s", between, (*cmd)->name);
        between = " ";
    }
}

void bp_render_bash(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_puts(out, "# bash completion for backproof; made by 'backproof render bash'\n"
                     "_backproof()\n{\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} options=\n"
                     "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                     "        mapfile -t COMPREPLY < <(compgen -W '");
    put_cmds(program, out);
    bp_buf_puts(out, "' -- \"$word\")\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if ((*cmd)->hidden)
            continue;
        bp_buf_printf(out, "    %s) options='--help", (*cmd)->name);
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            if (takes(*cmd, id))
                bp_buf_printf(out, " --%s", bp_option(id)->name);
        }
        bp_buf_puts(out, "' ;;\n");
    }
    bp_buf_puts(out, "    esac\n"
                     "    case $word in\n"
                     "    -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;\n"
                     "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
                     "    esac\n}\ncomplete -F _backproof backproof\n");
}

/* Text between single quotes of a shell; what is in escape gets a backslash as well. */
static void put_quoted(const char *text, const char *escape, struct bp_buf *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'')
            bp_buf_puts(out, "'\\'");
        else if (strchr(escape, *p) != NULL)
            bp_buf_putc(out, '\\');
        bp_buf_putc(out, *p);
    }
}

void bp_render_zsh(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_puts(out, "#compdef backproof\n# made by 'backproof render zsh'\n"
                     "if (( CURRENT == 2 )); then\n    compadd ");
    put_cmds(program, out);
    bp_buf_puts(out, "\n    return\nfi\ncase $words[2] in\n");
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if ((*cmd)->hidden)
            continue;
        bp_buf_printf(out, "%s)\n    _arguments '--help[Print help]'", (*cmd)->name);
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            if (!takes(*cmd, id))
                continue;
            bp_buf_printf(out, " \\\n        '--%s[", bp_option(id)->name);
            put_quoted(bp_option(id)->help, "[]:\\", out);
            bp_buf_puts(out, "]");
            if (bp_option(id)->value != NULL)
                bp_buf_puts(out, ":value:_files");
            bp_buf_puts(out, "'");
        }
        bp_buf_puts(out, "\n    ;;\n");
    }
    bp_buf_puts(out, "esac\n");
}

void bp_render_fish(const struct bp_program_doc *program, struct bp_buf *out)
{
    bp_buf_puts(out, "# fish completion for backproof; made by 'backproof render fish'\n");
    for (const struct bp_cmd_doc *const *cmd = program->cmds; *cmd != NULL; cmd++) {
        if ((*cmd)->hidden)
            continue;
        bp_buf_printf(out, "complete -c backproof -n __fish_use_subcommand -x -a %s -d '",
                      (*cmd)->name);
        put_quoted((*cmd)->summary, "\\", out);
        bp_buf_puts(out, "'\n");
        for (enum bp_opt id = 0; id < BP_OPT_COUNT; id++) {
            if (!takes(*cmd, id))
                continue;
            bp_buf_printf(out, "complete -c backproof -n '__fish_seen_subcommand_from %s' -l %s%s",
                          (*cmd)->name, bp_option(id)->name,
                          bp_option(id)->value != NULL ? " -r" : "");
            bp_buf_puts(out, " -d '");
            put_quoted(bp_option(id)->help, "\\", out);
            bp_buf_puts(out, "'\n");
        }
    }
}
