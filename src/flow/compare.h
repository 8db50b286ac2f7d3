/* What changed from one archive to another, as their manifests tell it: no row is read. */
#ifndef BP_FLOW_COMPARE_H
#define BP_FLOW_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/manifest.h"
#include "base/json.h"

enum bp_change_kind {
    BP_CHANGE_NONE,
    BP_CHANGE_NEW,
    BP_CHANGE_GONE,
    BP_CHANGE_ROWS,    /* another number of rows */
    BP_CHANGE_CONTENT, /* as many rows, but others */
};

/* One table in both archives. The tables are lent from the manifests. */
struct bp_table_change {
    const struct bp_manifest_table *old; /* NULL: it is new */
    const struct bp_manifest_table *now; /* NULL: it is gone */
    bool definition;                     /* both have it, with different definitions */
};

struct bp_comparison {
    struct bp_table_change *tables; /* of both archives, by schema and name; owned */
    size_t count;
    int64_t new_files; /* contents that only the later archive has */
    int64_t new_bytes;
};

/* Both manifests were parsed; they are lent for the life of the comparison. */
void bp_compare(const struct bp_manifest *old, const struct bp_manifest *now,
                struct bp_comparison *out);
void bp_comparison_free(struct bp_comparison *comparison); /* for BP_AUTO */

/* The table, as the later archive has it if it does. */
const struct bp_manifest_table *bp_table_change_table(const struct bp_table_change *change);

enum bp_change_kind bp_table_change_kind(const struct bp_table_change *change);

/* "none", "new", "gone", "rows" or "content": one word. */
const char *bp_table_change_word(const struct bp_table_change *change);

/* For people: "new", "+3 rows", "changed", "same, definition changed". */
void bp_table_change_put(const struct bp_table_change *change, struct bp_buf *out);

/* report_show.c: {"schema", "name", "rows", "rows_before", "change" ...}. Owned by the caller. */
struct bp_json *bp_table_change_json(const struct bp_table_change *change) BP_CHECK;

#endif
