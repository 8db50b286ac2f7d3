/* Putting files into the archive under construction: each is hashed, listed and staged. */
#ifndef BP_FLOW_STAGE_H
#define BP_FLOW_STAGE_H

#include <stdbool.h>

#include "archive/manifest.h"
#include "base/err.h"
#include "base/print.h"
#include "source/source.h"
#include "store/store.h"

struct bp_stage {
    struct bp_store *store;       /* lent */
    struct bp_manifest *manifest; /* lent; its files and tables grow */
    struct bp_out *out;           /* for progress */
    int64_t rows;                 /* staged so far */
    int64_t bytes;
};

/* A whole file. */
enum bp_code bp_stage_file(struct bp_stage *stage, const char *path, const char *text, size_t len,
                           bool executable, struct bp_err *err) BP_CHECK;

/* All rows of a table, cut into files; adds the table to the manifest. */
enum bp_code bp_stage_table(struct bp_stage *stage, struct bp_source *source,
                            const struct bp_table *table, struct bp_err *err) BP_CHECK;

/* The large objects, cut into files; *count is how many there are. */
enum bp_code bp_stage_large_objects(struct bp_stage *stage, struct bp_source *source,
                                    int64_t *count, struct bp_err *err) BP_CHECK;

#endif
