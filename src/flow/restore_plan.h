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
    char *sequences;
    struct bp_restore_steps post;    /* with groups */
    struct bp_restore_steps refresh; /* materialized views and what belongs to that, in order */
};

/*
 * Work out the plan. With --schema or --table: the definitions of what was chosen, its rows, its
 * own sequences and their values, its indexes and constraints, triggers, policies, owners and
 * grants; a foreign key to a table that is not chosen is left out, as is what else needs something
 * outside; skipped (owned) names each such thing for a person. No roles, large objects, extensions.
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

void bp_restore_plan_free(struct bp_restore_plan *plan); /* for BP_AUTO */

#endif
