/* The connections that write: bp_target_ops.writer. */
#ifndef BP_SOURCE_POSTGRES_TARGET_WRITER_H
#define BP_SOURCE_POSTGRES_TARGET_WRITER_H

#include "source/postgres_conn.h"
#include "source/target.h"

/* main is used when want asks for number 0; both are lent for the writer's life. */
enum bp_code bp_pg_writer_open(const struct bp_postgres_options *options, struct bp_pg *main,
                               const struct bp_writer_want *want, struct bp_writer **out,
                               struct bp_err *err) BP_CHECK;

#endif
