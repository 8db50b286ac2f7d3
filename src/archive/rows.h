/*
 * The rows of a data file: a COPY statement, a line of COPY text for each row, and "\." on the last
 * line. https://www.postgresql.org/docs/current/sql-copy.html, "Text Format"
 */
#ifndef BP_ARCHIVE_ROWS_H
#define BP_ARCHIVE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

/* A row, or one value of it, as COPY writes it; lent from the file. */
struct bp_field {
    const char *at;
    size_t len;
};

/* A data file that is being read. */
struct bp_rows {
    struct bp_list columns; /* their names; owned */
    const char *at;         /* the next row */
    const char *end;        /* behind the last one */
};

/* text is lent for as long as rows are read. BP_EINTEGRITY: it is no data file. */
enum bp_code bp_rows_open(const char *text, size_t len, struct bp_rows *out,
                          struct bp_err *err) BP_CHECK;

/* The next row, without its line end; false: there is none. */
bool bp_rows_next(struct bp_rows *rows, struct bp_field *row);

void bp_rows_free(struct bp_rows *rows); /* for BP_AUTO */

/* Cut a row into the values of so many columns; false: it has more or fewer. */
bool bp_row_split(const struct bp_field *row, struct bp_field *fields, size_t count);

bool bp_field_is_null(const struct bp_field *field);
bool bp_field_equal(const struct bp_field *a, const struct bp_field *b);

/* Append the value that a field stands for. */
void bp_field_put(const struct bp_field *field, struct bp_buf *out);

#endif
