/*
 * The marks of target.h, and the lock against a second restore. The marks are tables of a schema
 * of their own, which is there only while several transactions fill a database.
 */
#ifndef BP_SOURCE_POSTGRES_TARGET_MARKS_H
#define BP_SOURCE_POSTGRES_TARGET_MARKS_H

#include "source/postgres_conn.h"
#include "source/target.h"

#define BP_PG_MARKS_SCHEMA "backproof_restore"

/*
 * Take the advisory lock of restores into this database; it lasts as long as the session.
 * BP_ELOCKED names who has it.
 */
enum bp_code bp_pg_target_lock(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

enum bp_code bp_pg_marks_read(struct bp_pg *pg, struct bp_target_marks *out,
                              struct bp_err *err) BP_CHECK;
enum bp_code bp_pg_marks_begin(struct bp_pg *pg, const char *archive, const char *plan,
                               struct bp_err *err) BP_CHECK;
/* unlogged: a crash of the server takes the mark away, like the rows of an unlogged table. */
enum bp_code bp_pg_marks_add(struct bp_pg *pg, const char *step, bool unlogged,
                             struct bp_err *err) BP_CHECK;
enum bp_code bp_pg_marks_end(struct bp_pg *pg, struct bp_err *err) BP_CHECK;

#endif
