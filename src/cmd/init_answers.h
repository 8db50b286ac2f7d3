/* The answers that `init` needs: from options, from the place we are in, or from a person. */
#ifndef BP_CMD_INIT_ANSWERS_H
#define BP_CMD_INIT_ANSWERS_H

#include "cmd/init_place.h"
#include "flow/init.h"

/* Zero it; what it holds it owns. answers lends from the rest, from the app and from the place. */
struct bp_init_asked {
    char *repo;
    char *schedule;
    char *backup_repo;
    char *server;
    struct bp_list branches;
    struct bp_list recipients;
    struct bp_init_answers answers;
};

/* All answers, checked. BP_EUSAGE: one is wrong, or missing where nobody can be asked. */
enum bp_code bp_init_ask(struct bp_app *app, const struct bp_init_place *place,
                         struct bp_init_asked *out, struct bp_err *err) BP_CHECK;

void bp_init_asked_free(struct bp_init_asked *asked); /* for BP_AUTO */

#endif
