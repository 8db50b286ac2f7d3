/* The definitions of a real archive, for tests of restore plans. */
#ifndef TESTS_FLOW_TEST_RESTORE_PLAN_WORLD_H
#define TESTS_FLOW_TEST_RESTORE_PLAN_WORLD_H

#include "flow/restore_plan_internal.h"

struct plan_world {
    struct bp_manifest manifest; /* of app.users, app.orders, other.log */
    struct bp_buf text[5];
    struct bp_restore_texts texts;
    struct bp_restore_want want;
    struct bp_list chosen; /* for want */
    struct bp_list mapped;
    struct bp_restore_plan plan;
    struct bp_list skipped;
    struct bp_err err;
};

/* Append a file of tests/data/definitions. */
void plan_world_text(const char *name, struct bp_buf *out);
void plan_world_parse(const char *name, struct bp_script *out);

void plan_world_open(struct plan_world *w);
void plan_world_close(struct plan_world *w);
enum bp_code plan_world_make(struct plan_world *w);

/* The step whose label ends so; NULL: there is none. Lent. */
const struct bp_restore_step *plan_world_step(const struct bp_restore_steps *steps,
                                              const char *label);
/* Whether something was left out for a reason that holds both. */
bool plan_world_skipped(const struct plan_world *w, const char *what, const char *why);

#endif
