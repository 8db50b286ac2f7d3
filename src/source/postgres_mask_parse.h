/*
 * How a mask is written.
 *
 * A mask is "table.column=what" or "schema.table.column=what". The names are SQL's: without quotes
 * they are folded to lower case, with double quotes taken as they are; they are no patterns. A
 * table without a schema is looked for in the schemas that a session searches by default. what is
 *
 *   null        NULL
 *   hash        the SHA-256 of the value's text in UTF-8, in hexadecimal, cut to the length of the
 *               column; NULL stays NULL. Equal values stay equal, so that keys still join. It hides
 *               only what cannot be guessed: who knows a value (or tries all telephone numbers) can
 *               compute its hash. For those use null, or an expression with a secret of the
 *               database in it.
 *   anything    an SQL expression, 'a literal' for one. It sees the row's columns, as column or as
 *   else        t.column. It is cast to the column's type. Functions, types and tables of schemas
 *               other than pg_catalog need their schema's name.
 *
 * A mask covers what inherits the column and every partition as well. What it makes must satisfy
 * the constraints of the table, or the archive cannot be restored: foreign keys, unique columns and
 * CHECK constraints are the user's to think of, where nothing below is said of them.
 */
#ifndef BP_SOURCE_POSTGRES_MASK_PARSE_H
#define BP_SOURCE_POSTGRES_MASK_PARSE_H

#include "base/compiler.h"
#include "base/err.h"

enum bp_pg_mask_kind {
    BP_PG_MASK_NULL,
    BP_PG_MASK_HASH,
    BP_PG_MASK_LITERAL, /* the same in every row */
    BP_PG_MASK_EXPRESSION,
};

/* All strings are owned. */
struct bp_pg_mask {
    char *schema; /* NULL: to be looked for */
    char *table;
    char *column;
    enum bp_pg_mask_kind kind;
    char *expression; /* SQL; of literals and expressions, else NULL */
};

/*
 * BP_EUSAGE names the mask and what is wrong: names that are none, no value, and expressions that
 * could reach out of their place in a statement (comments, semicolons, open quotes, parentheses
 * that do not match, dollar quotes).
 */
enum bp_code bp_pg_mask_parse(const char *text, struct bp_pg_mask *out,
                              struct bp_err *err) BP_CHECK;

void bp_pg_mask_free(struct bp_pg_mask *mask); /* for BP_AUTO */

#endif
