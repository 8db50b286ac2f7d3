/* The Git repository that we stand in: what `init` guesses from. */
#ifndef BP_CMD_INIT_PLACE_H
#define BP_CMD_INIT_PLACE_H

#include "cmd/cmd.h"

/* Zero it; what it holds it owns. NULL: not known. */
struct bp_init_place {
    char *top;    /* its folder */
    char *server; /* of the remote origin: "https://github.com" */
    char *repo;   /* "owner/name" */
    char *branch; /* the default branch, else the current one */
};

/* What is not known is no error. BP_EUSAGE: there is no git; BP_ESTOPPED. */
enum bp_code bp_init_place_find(struct bp_app *app, struct bp_init_place *out,
                                struct bp_err *err) BP_CHECK;

void bp_init_place_free(struct bp_init_place *place); /* for BP_AUTO */

#endif
