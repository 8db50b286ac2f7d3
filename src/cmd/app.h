/* From a command line to an exit status. */
#ifndef BP_CMD_APP_H
#define BP_CMD_APP_H

#include "cmd/cmd.h"

/*
 * Run one command line (words[0] is the command) and print its error, if any. The result is the
 * exit status. The caller gives everything but cfg; drivers left in app are freed.
 */
int bp_app_run(struct bp_app *app, const char *const *words);

#endif
