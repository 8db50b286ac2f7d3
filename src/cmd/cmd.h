/*
 * A command: one file cmd_<name>.c that reads options and prints; the work is in flow/. The table
 * of all commands is in cmd.c.
 */
#ifndef BP_CMD_CMD_H
#define BP_CMD_CMD_H

#include "base/clock.h"
#include "base/env.h"
#include "base/err.h"
#include "base/print.h"
#include "config/config.h"
#include "config/render.h"
#include "forge/forge.h"
#include "source/scratch.h"
#include "source/source.h"
#include "source/target.h"
#include "store/store.h"

/* What a command gets. Drivers that a test has put here are used instead of the real ones. */
struct bp_app {
    struct bp_out *out;
    struct bp_clock *clock;
    const struct bp_env *env;
    FILE *in;                 /* answers of a person */
    bool in_terminal;         /* a person can answer */
    struct bp_config cfg;     /* filled by bp_app_run() */
    struct bp_forge *forge;   /* taken over by the one who asks the registry for it */
    struct bp_source *source; /* likewise */
    struct bp_target *target;
    struct bp_store *store;
    struct bp_scratch *scratch;
};

struct bp_cmd {
    struct bp_cmd_doc doc;
    const enum bp_opt *needs; /* BP_OPT_COUNT at the end; NULL: none */
    size_t min_args;
    size_t max_args;
    enum bp_code (*run)(struct bp_app *app, struct bp_err *err);
};

/* All commands, in the order of the help; NULL at the end. */
extern const struct bp_cmd *const bp_cmds[];

/* The description of the program with its commands, for config/render.h. Static. */
const struct bp_program_doc *bp_cmd_program(void);

/* The version of this program, "0.1.0". */
const char *bp_version(void);

#endif
