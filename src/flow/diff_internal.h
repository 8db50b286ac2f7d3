/* Private to the comparison of rows: what diff_files.c finds out for diff_rows.c. */
#ifndef BP_FLOW_DIFF_INTERNAL_H
#define BP_FLOW_DIFF_INTERNAL_H

#include "archive/rows.h"
#include "flow/diff.h"

/* A data file that only one archive has. */
struct bp_diff_item {
    enum bp_row_pile pile;
    const struct bp_manifest_file *file;
};

struct bp_diff_reading {
    const struct bp_diff_job *job;
    const struct bp_diff *diff;
    struct bp_diff_table *table;
    struct bp_diff_item
        *items; /* those of the old archive first; places count files in this order */
    size_t count;
    struct bp_row_join *join;
    struct bp_buf text; /* of the file that is read */
    struct bp_buf key;  /* of the row that is read */
    struct bp_buf content;
    struct bp_field *fields;
    size_t *key_at[2];  /* where the key's columns are in a pile's rows */
    size_t *both_at[2]; /* where the columns are that both piles have */
    size_t both;
    bool same_columns;
};

/* The archive of a pile, and the table as that archive has it (NULL: it has none). Lent. */
const struct bp_catalog_entry *bp_diff_entry(const struct bp_diff_reading *r, size_t pile);
const struct bp_manifest_table *bp_diff_side(const struct bp_diff_reading *r, size_t pile);

bool bp_diff_same_names(const struct bp_list *a, const struct bp_list *b);

/* The files that only one archive has. */
void bp_diff_find_files(struct bp_diff_reading *r);

/* The columns of both piles and the key. There is at least one file. */
enum bp_code bp_diff_find_columns(struct bp_diff_reading *r, struct bp_err *err) BP_CHECK;

#endif
