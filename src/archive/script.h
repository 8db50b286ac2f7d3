/*
 * The definitions of an archive (pg_dump's text) cut into objects, so that a restore can leave some
 * out, build others at the same time, put them elsewhere, and name the one that fails.
 *
 * pg_dump writes before each object:
 *
 *     --
 *     -- Name: users users_pkey; Type: CONSTRAINT; Schema: app; Owner: alice
 *     --
 *
 * https://www.postgresql.org/docs/current/app-pgdump.html. Names in it may hold any character but a
 * line end, also "; Type: "; a function's body may hold such a line, too.
 */
#ifndef BP_ARCHIVE_SCRIPT_H
#define BP_ARCHIVE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/sql.h"

/* One object. All strings are owned. */
struct bp_script_block {
    char *name;   /* "users", "users users_pkey", "TABLE users", "add(integer, integer)" ... */
    char *type;   /* "TABLE", "FK CONSTRAINT", "ACL", "COMMENT" ... */
    char *schema; /* "" when it belongs to none */
    char *owner;  /* "" when it has none */
    char *sql;    /* its statements, each with its line end; they can be run alone, on a connection
                     that has had the preamble: settings between blocks (default_tablespace,
                     default_table_access_method) are repeated at the start of each, and so is
                     standard_conforming_strings if it is off; "" when there is nothing to do */
};

struct bp_script {
    char *preamble; /* what stands before the first block: SET statements */
    struct bp_script_block *at;
    size_t count;
};

/*
 * Cut a text up. Lines of psql (\restrict, \unrestrict, \connect) are left out. Statements before
 * the first header that are no settings make a block without name and type. BP_EINTEGRITY: a
 * statement, a literal or a comment has no end, or there are other orders for psql. An empty text
 * has no blocks.
 */
enum bp_code bp_script_parse(const char *text, size_t len, struct bp_script *out,
                             struct bp_err *err) BP_CHECK;
/* For reading a block's statements without the settings at the start. */
struct bp_sql bp_script_sql(const char *sql);

void bp_script_free(struct bp_script *script); /* for BP_AUTO */

#endif
