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

/* A name with a schema, found in SQL. */
struct bp_name_at {
    struct bp_qname name; /* of an operator: name is "" */
    const char *at;       /* the token of its schema; of 'a.b'::regclass the whole literal */
    size_t len;
    bool literal;
};

void bp_name_at_free(struct bp_name_at *found); /* for BP_AUTO */

/* Go behind the next such name: a.b, of a.b.c its first two parts, or 'a.b'::regclass. */
bool bp_name_next(struct bp_sql *sql, struct bp_name_at *out);

/* What a whole text names: "a.b" or "a". false: it is no name. */
bool bp_qname_read(const char *text, struct bp_qname *out);

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

/* restore_plan_known.c: the objects of an archive */

struct bp_object {
    char *key; /* bp_qname_quoted() */
    char *schema;
    char *name;
    bool relation; /* a table, a view, a sequence: not an index */
    bool chosen;   /* by name, or belongs to what was */
    bool kept;     /* its block is restored */
};

/* By key. Tables, functions ... share it: all of one name count as one. */
struct bp_objects {
    struct bp_object *at;
    size_t count;
};

void bp_objects_free(struct bp_objects *objects); /* for BP_AUTO */
void bp_objects_read(const struct bp_script *pre, const struct bp_script *post,
                     struct bp_objects *out);
/* Lent; NULL: the archive has no such object, an extension may. */
struct bp_object *bp_objects_find(const struct bp_objects *objects, const char *schema,
                                  const char *name);

/* What a block makes; false: nothing that has a schema. */
bool bp_block_makes(const struct bp_script_block *block, struct bp_qname *out);
/* The multirange type that comes with a range type. */
bool bp_block_makes_also(const struct bp_script_block *block, struct bp_qname *out);
/* What it belongs to: the table of an index, a grant, a comment; itself, when it makes a table;
 * the partition that is attached. false: nothing that has a schema. */
bool bp_block_subject(const struct bp_script_block *block, struct bp_qname *out);
/* The schema that it makes, comments or grants; NULL: it is about something else. Owned. */
char *bp_block_schema(const struct bp_script_block *block) BP_CHECK;

/* restore_plan_choose.c: a part of an archive */

/* Empty the blocks that are not chosen. BP_ENOTFOUND. */
enum bp_code bp_restore_choose(const struct bp_restore_want *want, struct bp_objects *objects,
                               struct bp_script *pre, struct bp_script *post,
                               struct bp_list *skipped, struct bp_err *err) BP_CHECK;

/* restore_plan_move.c: another schema */

/* SQL whose names of kept objects have another schema. Owned by the caller. */
char *bp_restore_move_sql(struct bp_sql sql, const struct bp_objects *objects,
                          const char *into) BP_CHECK;

/* The same for all blocks; what names an old schema where it cannot be changed (a function's body,
 * a literal) is named in skipped. BP_EUSAGE: two
 * objects get one name. */
enum bp_code bp_restore_move(struct bp_script *script, const struct bp_objects *objects,
                             const char *into, struct bp_list *skipped,
                             struct bp_err *err) BP_CHECK;

/* The statements of a schema with another name behind the word SCHEMA. Owned by the caller. */
char *bp_restore_rename_schema(const char *text, const char *into) BP_CHECK;

/* Append a statement that makes a schema if it is not there, and runs what else is in sql then. */
void bp_restore_put_schema(struct bp_buf *out, const char *schema, const char *sql);

/* The lines of sequences.sql for what is kept; into may be NULL. Owned by the caller. */
char *bp_restore_sequences(const char *text, const struct bp_objects *objects,
                           const char *into) BP_CHECK;

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
