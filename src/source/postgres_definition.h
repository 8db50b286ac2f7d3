/* Which part of pg_restore's text belongs to which table. */
#ifndef BP_SOURCE_POSTGRES_DEFINITION_H
#define BP_SOURCE_POSTGRES_DEFINITION_H

#include "base/buf.h"
#include "source/source.h"

/*
 * Give each table its definition: what makes it, with its defaults, constraints, indexes,
 * triggers, policies, comments and rights. verbose is what pg_restore --verbose wrote; it is cut
 * up in place. It is a text for people: a comment inside a function body that looks like
 * pg_restore's own could mislead it, while nothing is restored from it.
 */
void bp_pg_definitions_set(struct bp_buf *verbose, struct bp_tables *tables);

#endif
