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

/* restore_plan_step.c: steps out of blocks */

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

/* restore_plan_role.c: owners and grants */

/* Which role takes the place of which: the same index in both. */
struct bp_role_maps {
    struct bp_list from;
    struct bp_list to;
};

void bp_role_maps_free(struct bp_role_maps *maps); /* for BP_AUTO */

/* Read --role-map; list may be NULL. BP_EUSAGE. */
enum bp_code bp_role_maps_read(const struct bp_list *list, struct bp_role_maps *out,
                               struct bp_err *err) BP_CHECK;

/* A block's statements with other roles, maybe without those that set an owner. Owned by the
 * caller; "" when nothing is left. */
char *bp_restore_role_sql(const char *sql, const struct bp_role_maps *maps, bool no_owner) BP_CHECK;

/* roles.sql without what is about a role that is mapped. Owned by the caller. */
char *bp_restore_roles_without(const char *roles, const struct bp_role_maps *maps) BP_CHECK;

#endif
