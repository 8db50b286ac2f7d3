/* Parts of restore_plan.c that are files of their own. */
#ifndef BP_FLOW_RESTORE_PLAN_INTERNAL_H
#define BP_FLOW_RESTORE_PLAN_INTERNAL_H

#include "archive/script.h"
#include "base/sql.h"
#include "flow/restore_plan.h"

/* restore_plan_name.c: names of tables and the like in SQL */

/* Owned; schema is "" when there is none. */
struct bp_qname {
    char *schema;
    char *name;
};

void bp_qname_free(struct bp_qname *name); /* for BP_AUTO */

/* The name behind the token found last: "a", "a.b". The token behind it is the one found last
 * then. false: there is none. */
bool bp_qname_take(struct bp_sql *sql, struct bp_qname *out);

/* "app"."users", always in quotes. Owned by the caller. */
char *bp_qname_quoted(const char *schema, const char *name) BP_CHECK;

/* Where the first statement of a block begins that makes or changes something. */
const char *bp_block_start(const char *sql);

/* restore_plan_step.c: steps out of blocks */

/* What a step needs to know of its place among the others. */
void bp_restore_steps_take(struct bp_restore_steps *steps, struct bp_restore_step *step);
void bp_restore_steps_free(struct bp_restore_steps *steps); /* for BP_AUTO */

/* One step for each block that has statements, one after the other. */
void bp_restore_steps_serial(const struct bp_script *script, const char *file,
                             struct bp_restore_steps *out);
/* The same; steps of indexes and of constraints that stand together have one group. */
void bp_restore_steps_grouped(const struct bp_script *script, const char *file,
                              struct bp_restore_steps *out);
/* One step for each statement of a text without blocks. */
enum bp_code bp_restore_steps_split(const char *text, const char *file,
                                    struct bp_restore_steps *out, struct bp_err *err) BP_CHECK;

#endif
