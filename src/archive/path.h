/*
 * Names of schemas and tables as parts of a path. They may hold anything (slashes, "..", line
 * ends), so every byte but letters, digits, "-", "_" and "." is written %XX, and what would be
 * longer than 120 bytes ends in "~" and a hash. Two names never give the same part.
 */
#ifndef BP_ARCHIVE_PATH_H
#define BP_ARCHIVE_PATH_H

#include "base/compiler.h"

/* The folder of a schema, below the archive. Owned by the caller. */
char *bp_path_schema(const char *schema) BP_CHECK;

/* "public/tables/users", below the archive. Owned by the caller. */
char *bp_path_table(const char *schema, const char *table) BP_CHECK;

/* "public/public.dump", below the archive. Owned by the caller. */
char *bp_path_schema_dump(const char *schema) BP_CHECK;

#endif
