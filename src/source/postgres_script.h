/* SQL text of many statements: enough of its grammar to tell where one ends, and no more. */
#ifndef BP_SOURCE_POSTGRES_SCRIPT_H
#define BP_SOURCE_POSTGRES_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Where the statements of a text are. Zeroed but for text at the start. */
struct bp_pg_script {
    const char *text;
    size_t len;
    size_t next;
    /* the statement found last, without comments before it and without its semicolon */
    size_t start;
    size_t end;
};

/*
 * Find the next statement; false at the end of the text. Knows quotes, dollar quotes, comments,
 * parentheses and BEGIN ATOMIC ... END, as psql does.
 */
bool bp_pg_script_next(struct bp_pg_script *script);

/* Append the start of the statement number `index`, counted from 0, on one line; "" when none. */
void bp_pg_script_excerpt(const char *text, size_t index, struct bp_buf *out);

/* Append the start of the statement that holds character number `position`, counted from 1. */
void bp_pg_script_excerpt_at(const char *text, size_t position, struct bp_buf *out);

/*
 * A copy of the text, owned by the caller, without the lines that only psql understands:
 * "\restrict KEY" before the first statement and "\unrestrict KEY" after the last.
 */
char *bp_pg_script_without_meta(const char *text) BP_CHECK;

#endif
