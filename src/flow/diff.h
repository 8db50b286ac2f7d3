/*
 * What differs between two archives: definitions, numbers of rows, and the rows of tables that are
 * asked for. Contents that both have, by their checksums, are never fetched.
 *
 *   diff.c         finds the archives and compares what the manifests tell
 *   diff_schema.c  the definitions
 *   diff_files.c   which files of a table differ, its columns and its key
 *   diff_rows.c    the rows of one table
 *   diff_value.c   the values that are shown
 *   report_diff.c  text and JSON
 */
#ifndef BP_FLOW_DIFF_H
#define BP_FLOW_DIFF_H

#include "base/clock.h"
#include "base/json.h"
#include "base/print.h"
#include "flow/catalog.h"
#include "flow/compare.h"
#include "flow/row_join.h"

/* All lent for the length of the call. */
struct bp_diff_job {
    struct bp_store *store;
    struct bp_clock *clock;
    struct bp_out *out;
    const char *old; /* as bp_catalog_find() takes it */
    const char *now;
    const char *branch;           /* for messages */
    struct bp_opener opener;      /* of sealed archives */
    const struct bp_list *tables; /* "schema.table", or a table of public; may be empty */
    size_t rows;                  /* of each kind that are shown */
    size_t value_limit;           /* bytes of a value that are shown */
    const char *temp_parent;
};

/* One value of a row. */
struct bp_diff_value {
    char *text; /* NULL: it is NULL */
    bool cut;   /* longer than the limit; the text has "..." where something is missing */
};

struct bp_diff_cell {
    const char *column; /* lent */
    struct bp_diff_value old;
    struct bp_diff_value now;
};

/*
 * A row that was added has a new value of each column, one that was removed an old one. One that
 * was changed has both: of the key's columns, where they are the same, then of those that changed.
 */
struct bp_diff_row {
    struct bp_diff_cell *cells;
    size_t count;
};

struct bp_diff_table {
    const struct bp_table_change *change; /* lent from the comparison */
    struct bp_list key;                   /* the columns that rows are told apart by; none: all */
    struct bp_list columns[2];            /* before and now, by enum bp_row_pile */
    struct bp_list columns_gone;
    struct bp_list columns_new;
    int64_t counts[BP_ROW_CHANGES];
    struct bp_diff_row *rows[BP_ROW_CHANGES]; /* the first ones */
    size_t row_counts[BP_ROW_CHANGES];
};

struct bp_diff {
    struct bp_catalog catalog;
    const struct bp_catalog_entry *old;
    const struct bp_catalog_entry *now;
    struct bp_comparison comparison;
    struct bp_list paths;         /* of the definitions that differ */
    struct bp_list patches;       /* as `git diff` shows them, one for each path */
    struct bp_diff_table *tables; /* those that were asked for */
    size_t table_count;
};

/*
 * BP_ENOTFOUND (no such branch, archive or table), BP_EINTEGRITY (a manifest or a file is damaged),
 * BP_EUSAGE, BP_EAUTH (an archive is sealed, and there is no key, or none that opens it),
 * BP_EFAILED (the disk is full), and what the store returns.
 */
enum bp_code bp_flow_diff(const struct bp_diff_job *job, struct bp_diff *diff,
                          struct bp_err *err) BP_CHECK;
void bp_diff_free(struct bp_diff *diff); /* for BP_AUTO */

/* report_diff.c */
void bp_diff_text(const struct bp_diff *diff, struct bp_buf *out);
struct bp_json *bp_diff_json(const struct bp_diff *diff) BP_CHECK; /* owned by the caller */

/* diff_schema.c: fill diff->paths and diff->patches. */
enum bp_code bp_diff_schema(const struct bp_diff_job *job, struct bp_diff *diff,
                            struct bp_err *err) BP_CHECK;

/* diff_rows.c: fill table, whose change is known. */
enum bp_code bp_diff_rows(const struct bp_diff_job *job, const struct bp_diff *diff,
                          struct bp_diff_table *table, struct bp_err *err) BP_CHECK;

/* diff_value.c: a row of the result from lines of COPY text, of which one may be NULL. */
enum bp_code bp_diff_row_make(const struct bp_diff_table *table, const char *const lines[2],
                              size_t value_limit, struct bp_diff_row *out,
                              struct bp_err *err) BP_CHECK;

#endif
