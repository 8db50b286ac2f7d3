/*
 * What a restore does, worked out from the texts of an archive and from what was asked for. Pure:
 * no file, no database.
 */
#ifndef BP_FLOW_RESTORE_PLAN_H
#define BP_FLOW_RESTORE_PLAN_H

#include <stdbool.h>

#include "archive/manifest.h"
#include "base/err.h"
#include "base/list.h"

/* All lent; zeroed: everything, as it was. */
struct bp_restore_want {
    const struct bp_list *schemas; /* exact names */
    const struct bp_list *tables;  /* "schema.table", or "table" of public; parts may be quoted */
    const char *into_schema;       /* NULL: where they were */
    bool no_owner;
    bool no_privileges;
    const struct bp_list *role_maps; /* "old=new"; either may be quoted */
};

/* The texts of an archive that are not rows. Lent. */
struct bp_restore_texts {
    const char *roles;
    const char *pre_data;
    const char *sequences;
    const char *post_data;
    const char *refresh;
};

/* One thing to run, alone on a connection that has had the preamble. Strings are owned. */
struct bp_restore_step {
    char *label; /* "database/post-data.sql: INDEX app.users_email", for messages */
    char *sql;
    /*
     * Steps with the same group, which stand together, may run at the same time; every group waits
     * for the one before it. table is what a step of an index or a constraint belongs to, other the
     * table that a foreign key leads to (both as target of struct bp_restore_table); NULL: nothing
     * of the kind. Two steps that have a table in common must not run at the same time if one of
     * them locks it: they would wait for each other, two foreign keys maybe for ever.
     */
    size_t group;
    char *table;
    char *other;
    bool locks; /* table and other, against any other step */
};

struct bp_restore_steps {
    struct bp_restore_step *at;
    size_t count;
};

/* A table whose rows are loaded. */
struct bp_restore_table {
    const struct bp_manifest_table *table; /* lent from the manifest */
    char *target; /* the table that gets the rows, for ANALYZE and TRUNCATE: "app"."users", always
                     in quotes */
    bool moved;   /* it is not where it was: bp_restore_copy() has to change the COPY statement */
};

struct bp_restore_plan {
    bool whole;                  /* everything: large objects too */
    char *roles;                 /* owned; "" when no role is to be made */
    char *preamble;              /* for every connection */
    struct bp_restore_steps pre; /* one after the other: each has a group of its own */
    struct bp_restore_table *tables;
    size_t table_count;
    /* Quoted names of the tables that are made, with those that have no rows of their own; and of
     * the materialized views. */
    struct bp_list made;
    struct bp_list views;
    char *sequences;
    struct bp_restore_steps post;    /* with groups */
    struct bp_restore_steps refresh; /* materialized views and what belongs to that, in order; each
                                        in a transaction, as it sets something for that */
};

/*
 * Work out the plan.
 *
 * A part (--schema, --table): the definitions of what was chosen, its rows, its own sequences and
 * their values, its indexes and constraints, triggers, policies, owners and grants. A partitioned
 * table takes its partitions with it, wherever they are; a partition chosen alone is a table that
 * is not attached; children that only inherit are not taken. A view may be chosen like a table.
 * The schemas are made if they are not there, and only then get their owner. Left out and named in
 * skipped (owned): a foreign key, trigger, view, default ... that needs something of the archive
 * that is not restored, what is about members of extensions, publications. Kept, with a warning in
 * skipped: a table or a function that needs such a thing (a column's type). Without a word: roles,
 * large objects, extensions, casts, languages, event triggers and all else that has no schema.
 *
 * --into-schema changes names in the statements, and literals 'a.b'::regclass; what else names the
 * old schema (a body, another literal) stays and is named in skipped. Default privileges of the old
 * schema are left out.
 *
 * --no-owner: no role is made, nothing gets an owner; default privileges go too, as each is of a
 * role. --no-privileges: no grants, no default privileges. --role-map: owners, grants, default
 * privileges, policies and user mappings name the new role, which has to be there; roles.sql makes
 * all roles but the mapped ones, and leaves the memberships that have a mapped role in them.
 *
 * BP_ENOTFOUND: no such schema or table in the archive (the message offers names like it).
 * BP_EUSAGE: --into-schema without a choice, a map that cannot be read or maps one role twice, two
 * tables that would get the same name. BP_EINTEGRITY: a text that cannot be read.
 */
enum bp_code bp_restore_plan_make(const struct bp_manifest *manifest,
                                  const struct bp_restore_texts *texts,
                                  const struct bp_restore_want *want, struct bp_restore_plan *out,
                                  struct bp_list *skipped, struct bp_err *err) BP_CHECK;

/* The COPY statement of a data file, for another table. Owned by the caller; NULL: it is none. */
char *bp_restore_copy(const char *statement, const char *target) BP_CHECK;

/* The text of a large-objects file with the owners and grants that are wanted. *out is owned by the
 * caller. BP_EUSAGE: as bp_restore_plan_make(). */
enum bp_code bp_restore_objects(const struct bp_restore_want *want, const char *text, char **out,
                                struct bp_err *err) BP_CHECK;

void bp_restore_plan_free(struct bp_restore_plan *plan); /* for BP_AUTO */

#endif
