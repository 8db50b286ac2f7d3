/*
 * Texts made from the option table and the commands' descriptions: help, manual page, completions,
 * the option reference and the inputs of the action. Nothing is written down twice.
 */
#ifndef BP_CONFIG_RENDER_H
#define BP_CONFIG_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/option.h"

/* What a command says of itself. Every command fills one. */
struct bp_cmd_doc {
    const char *name;
    const char *args;    /* "ID", or "" */
    const char *summary; /* one sentence */
    const char *details; /* a few sentences; may be NULL */
    const char *example; /* one command line */
    unsigned groups;     /* the options it takes */
    bool hidden;         /* not in the lists */
};

/* A program: the commands in the order of the list, NULL at the end. */
struct bp_program_doc {
    const char *version;
    const char *summary;
    const struct bp_cmd_doc *const *cmds;
};

void bp_render_help(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_cmd_help(const struct bp_cmd_doc *cmd, struct bp_buf *out);
void bp_render_man(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_markdown(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_bash(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_zsh(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_fish(const struct bp_program_doc *program, struct bp_buf *out);

/* Two parts of action.yml: its inputs, and the environment that they become. */
void bp_render_action_inputs(const struct bp_program_doc *program, struct bp_buf *out);
void bp_render_action_env(const struct bp_program_doc *program, struct bp_buf *out);

/* The exit statuses with their meanings: shared by help, manual and reference. */
struct bp_exit_doc {
    const char *status;
    const char *meaning;
};
extern const struct bp_exit_doc bp_exit_docs[]; /* status NULL at the end */

#endif
