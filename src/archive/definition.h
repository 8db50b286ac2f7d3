/*
 * SQL of definitions as pg_dump writes it: which columns are a table's primary key, and which of
 * a text's entries another text has as well. It knows just enough of SQL to find those.
 */
#ifndef BP_ARCHIVE_DEFINITION_H
#define BP_ARCHIVE_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/list.h"

/* Read one SQL name, quoted or not, and move *at behind it. false: there is none, or it does not
 * end; *at stays. The name is owned by the caller. */
bool bp_identifier_take(const char **at, const char *end, char **out);

/* Read names in brackets, "(a, \"b\")" or "()", and move *at behind them. The words WITHOUT
 * OVERLAPS may follow a name. false: it is something else; out may hold some of the names. */
bool bp_identifiers_take(const char **at, const char *end, struct bp_list *out);

/* The columns of the primary key that a table's definition gives it, in order; none: no key. */
void bp_definition_key(const char *sql, size_t len, struct bp_list *columns);

/*
 * The entries of such a text: each is a comment of three lines with the object's name and the
 * statements below it, without the blank lines and settings that only lead to the next one. What
 * precedes the first entry is none.
 */
void bp_definition_entries(const char *sql, size_t len, struct bp_list *out);

/*
 * Append the text without the entries that are in covered, which is sorted, and without the lines
 * that tell which programs wrote it and how psql has to read it.
 */
void bp_definition_rest(const char *sql, size_t len, const struct bp_list *covered,
                        struct bp_buf *out);

#endif
