/* Conditions over the catalog, made of the patterns of a struct bp_scope. */
#ifndef BP_SOURCE_POSTGRES_SCOPE_SQL_H
#define BP_SOURCE_POSTGRES_SCOPE_SQL_H

#include "source/postgres_conn.h"
#include "source/postgres_pattern.h"

/* The aliases of pg_class and pg_namespace that a condition is over. */
struct bp_pg_aliases {
    const char *c;
    const char *n;
};

/* What is needed to make conditions. All lent. */
struct bp_pg_scope_maker {
    struct bp_pg *pg;
    const struct bp_scope *scope;
    const char *path; /* SQL: the schemas that a session searches by default, as an array */
};

/* Schemas or tables were given. */
bool bp_pg_scope_is_narrow(const struct bp_scope *scope);

/* What the patterns of this list, one of the scope's own, name. */
enum bp_pg_pattern_kind bp_pg_scope_kind(const struct bp_scope *scope,
                                         const struct bp_list *patterns);

/* Append the condition that one pattern is. BP_EUSAGE as bp_pg_pattern_parse(). */
enum bp_code bp_pg_scope_put_pattern(const struct bp_pg_scope_maker *m, const char *text,
                                     enum bp_pg_pattern_kind kind, const struct bp_pg_aliases *a,
                                     struct bp_buf *sql, struct bp_err *err) BP_CHECK;

extern const char bp_pg_and_any[];  /* " AND (" */
extern const char bp_pg_and_none[]; /* " AND NOT (" */

/* Append lead, the patterns of one of the scope's lists with OR, and ")"; nothing for no pattern.
 */
enum bp_code bp_pg_scope_put_any(const struct bp_pg_scope_maker *m, const struct bp_list *patterns,
                                 const char *lead, const struct bp_pg_aliases *a,
                                 struct bp_buf *sql, struct bp_err *err) BP_CHECK;

/* Append " AND ..." for what is dumped for its own name's sake, or nothing when that is all. */
enum bp_code bp_pg_scope_put_selected(const struct bp_pg_scope_maker *m,
                                      const struct bp_pg_aliases *a, struct bp_buf *sql,
                                      struct bp_err *err) BP_CHECK;

#endif
