/* A dispatch as the options describe it: what cmd_dispatch.c and cmd_check.c share. */
#ifndef BP_CMD_DISPATCH_SETUP_H
#define BP_CMD_DISPATCH_SETUP_H

#include "cmd/cmd.h"
#include "flow/dispatch.h"

/* Zero it; what it holds it owns. job lends from the rest and from the app. */
struct bp_dispatch_setup {
    struct bp_dispatch_targets targets;
    struct bp_json *inputs;
    struct bp_forge *forge;
    struct bp_dispatch_job job;
};

/*
 * Reads the options of the groups FORGE and, unless check_only, DISPATCH; makes the forge.
 * BP_EUSAGE; BP_EAUTH: there is no token, or it cannot be one.
 */
enum bp_code bp_dispatch_setup_read(struct bp_app *app, bool check_only,
                                    struct bp_dispatch_setup *out, struct bp_err *err) BP_CHECK;

void bp_dispatch_setup_free(struct bp_dispatch_setup *setup); /* for BP_AUTO */

#endif
