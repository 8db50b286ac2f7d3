/* What pg_dump took: the table of contents of its file. */
#ifndef BP_SOURCE_POSTGRES_TOC_H
#define BP_SOURCE_POSTGRES_TOC_H

#include "base/buf.h"
#include "source/source.h"

/* The OIDs of tables, views, sequences ..., sorted. A zeroed struct is empty. */
struct bp_pg_relations {
    uint32_t *at;
    size_t count;
};

/* Read what `pg_restore --list` wrote: "219; 1259 16406 TABLE app users owner" on each line. */
void bp_pg_relations_read(const char *list, struct bp_pg_relations *out);

bool bp_pg_relations_has(const struct bp_pg_relations *relations, uint32_t oid);

/* As an array for SQL: '{16406,16410}'. */
void bp_pg_relations_put(const struct bp_pg_relations *relations, struct bp_buf *out);

/* Every table with rows has to be there: BP_EFAILED names one that pg_dump left out. */
enum bp_code bp_pg_relations_check(const struct bp_pg_relations *relations,
                                   const struct bp_tables *tables, struct bp_err *err) BP_CHECK;

void bp_pg_relations_free(struct bp_pg_relations *relations); /* for BP_AUTO */

#endif
