/*
 * The patterns of psql and pg_dump, as regular expressions of the server. See "Patterns" in
 * https://www.postgresql.org/docs/current/app-psql.html
 */
#ifndef BP_SOURCE_POSTGRES_PATTERN_H
#define BP_SOURCE_POSTGRES_PATTERN_H

#include "source/postgres_conn.h"

enum bp_pg_pattern_kind {
    BP_PG_PATTERN_SCHEMA, /* name */
    BP_PG_PATTERN_TABLE,  /* name or schema.name */
};

/* For the operator ~ with COLLATE pg_catalog."default", as psql compares. Both are owned. */
struct bp_pg_pattern {
    char *schema; /* NULL when the pattern has no schema */
    char *name;
};

/*
 * BP_EUSAGE: too many dots, a quote that is not closed, or an empty name. Where pg_dump takes a
 * third name for the database, this does not.
 */
enum bp_code bp_pg_pattern_parse(const char *text, enum bp_pg_pattern_kind kind,
                                 struct bp_pg_pattern *out, struct bp_err *err) BP_CHECK;

void bp_pg_pattern_free(struct bp_pg_pattern *pattern); /* for BP_AUTO */

/* Ask the server whether it takes the regular expressions: BP_EUSAGE names text, the pattern. */
enum bp_code bp_pg_pattern_check(struct bp_pg *pg, const struct bp_pg_pattern *pattern,
                                 const char *text, struct bp_err *err) BP_CHECK;

/* Append the pattern that matches this very name and no other, whatever is in it. */
void bp_pg_pattern_put_exact(struct bp_buf *out, const char *name);

/* Append an SQL literal. BP_EUSAGE: the text is not in the encoding of the connection. */
enum bp_code bp_pg_put_literal(struct bp_pg *pg, const char *text, struct bp_buf *out,
                               struct bp_err *err) BP_CHECK;

#endif
