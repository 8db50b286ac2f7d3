/*
 * SQL text cut into tokens as PostgreSQL's own lexer does, as far as that is needed to tell what
 * is quoted from what is not: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
#ifndef BP_BASE_SQL_H
#define BP_BASE_SQL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"

enum bp_sql_kind {
    BP_SQL_END,
    BP_SQL_SPACE,
    BP_SQL_COMMENT, /* of both kinds, without the line end */
    BP_SQL_WORD,    /* a key word or a name without quotes; or what begins with a digit */
    BP_SQL_NAME,    /* a name in double quotes */
    BP_SQL_TEXT,    /* a literal: 'x', E'x' (the one behind X, B, N and U& has that before it) */
    BP_SQL_DOLLAR,  /* a literal: $tag$ x $tag$ */
    BP_SQL_OTHER    /* one character */
};

/* Filled by the caller: at, end and backslashes; the rest is about the token found last. */
struct bp_sql {
    const char *at; /* behind that token */
    const char *end;
    bool backslashes; /* 'x' has escapes like E'x': standard_conforming_strings is off */
    enum bp_sql_kind kind;
    const char *token;
    size_t len;
    bool open; /* a quoted thing or comment had no end before that of the text */
};

/* Go to the next token; false at the end. */
bool bp_sql_next(struct bp_sql *sql);

/* The same, past white space and comments. */
bool bp_sql_next_solid(struct bp_sql *sql);

/* Go to the next such word, in capitals or not; false: the end came first. */
bool bp_sql_find_word(struct bp_sql *sql, const char *word);

/* Whether the token is this word, in capitals or not, or this character. */
bool bp_sql_is_word(const struct bp_sql *sql, const char *word);
bool bp_sql_is(const struct bp_sql *sql, char c);

/* What the token stands for, when it is a name (with quotes or without) or a literal (not one in
 * dollars); else NULL. Owned by the caller. */
char *bp_sql_name(const struct bp_sql *sql) BP_CHECK;
char *bp_sql_text(const struct bp_sql *sql) BP_CHECK;

/* Append a name with quotes, and a literal, E'x' if it has a backslash. */
void bp_sql_put_name(struct bp_buf *out, const char *name);
void bp_sql_put_text(struct bp_buf *out, const char *text);

#endif
