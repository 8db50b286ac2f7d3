/*
 * Masks: columns whose values are replaced in the server, while the rows are read.
 * postgres_mask_parse.h tells how they are written.
 */
#ifndef BP_SOURCE_POSTGRES_MASK_H
#define BP_SOURCE_POSTGRES_MASK_H

#include "source/postgres_scope.h"

/*
 * Inside the snapshot, after the catalog was read: put the masks into the columns of all tables
 * that they cover. A mask of a table that is not among the tables changes nothing.
 *
 * BP_EUSAGE names the mask and says: no such table or column; no table with rows of its own (a
 * view, a sequence ...); a generated column or a partition key; null for a column that cannot be
 * null; a hash or a literal that cannot be unique in a column that must be; hash for a column that
 * is no text or shorter than 8 characters (16 when it must be unique); two masks for one column;
 * what the server says of an expression. No row is read for it.
 */
enum bp_code bp_pg_masks_apply(struct bp_pg *pg, const struct bp_pg_scope *pg_scope,
                               const struct bp_list *masks, struct bp_tables *tables,
                               struct bp_err *err) BP_CHECK;

#endif
