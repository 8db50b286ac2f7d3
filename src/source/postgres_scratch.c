#include "source/postgres_scratch.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_error.h"

enum { BOOL_OID = 16, WORDS_SHOWN = 300 };

struct bp_target *bp_pg_scratch_target(struct bp_scratch *self)
{
    return bp_postgres_target_new(&((struct bp_pg_scratch *)self)->reach);
}

struct bp_source *bp_pg_scratch_source(struct bp_scratch *self, const struct bp_scope *scope)
{
    struct bp_postgres_options options = ((struct bp_pg_scratch *)self)->reach;

    options.scope = *scope;
    return bp_postgres_source_new(&options);
}

enum bp_code bp_pg_scratch_missing(struct bp_scratch *self, const struct bp_list *extensions,
                                   struct bp_list *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_list_free) struct bp_list there = {0};

    if (extensions->count == 0)
        return BP_OK;
    if (bp_pg_open(&pg, &((struct bp_pg_scratch *)self)->reach, err) != BP_OK ||
        bp_pg_query(&pg, "SELECT name FROM pg_available_extensions", &rows, err) != BP_OK)
        return err->code;
    for (int i = 0; i < PQntuples(rows); i++)
        bp_list_add(&there, PQgetvalue(rows, i, 0));
    for (size_t i = 0; i < extensions->count; i++) {
        if (!bp_list_has(&there, extensions->at[i]))
            bp_list_add(out, extensions->at[i]);
    }
    return BP_OK;
}

/* Rows of other people's data stay out of what is said. */
static bool is_yes(const PGresult *result, struct bp_buf *why)
{
    if (PQntuples(result) != 1)
        bp_buf_printf(why, "it returned %d rows and not one", PQntuples(result));
    else if (PQnfields(result) != 1)
        bp_buf_printf(why, "it returned %d values and not one", PQnfields(result));
    else if (PQftype(result, 0) != BOOL_OID)
        bp_buf_puts(why, "it returned something that is neither true nor false");
    else if (PQgetisnull(result, 0, 0) != 0)
        bp_buf_puts(why, "it returned null");
    else if (!bp_pg_is_true(result, 0, 0))
        bp_buf_puts(why, "it returned false");
    else
        return true;
    return false;
}

enum bp_code bp_pg_scratch_ask(struct bp_scratch *self, const char *sql, bool *yes,
                               struct bp_buf *why, struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_pg_clear) PGresult *result = NULL;
    enum bp_code rc = bp_pg_open(&pg, &((struct bp_pg_scratch *)self)->reach, err);

    *yes = false;
    /* What a session of the application would have: its search path, and so on. */
    if (rc == BP_OK)
        rc = bp_pg_run(&pg, "RESET ALL", err);
    if (rc == BP_OK)
        rc = bp_pg_run(&pg, "BEGIN READ ONLY", err);
    if (rc != BP_OK)
        return rc;
    rc = bp_pg_query(&pg, sql, &result, err);
    if (rc == BP_OK) {
        *yes = is_yes(result, why);
        return BP_OK;
    }
    if (pg.conn == NULL || rc == BP_ESTOPPED || rc == BP_ETIMEOUT || rc == BP_EUNAVAILABLE)
        return rc;
    bp_put_foreign(why, err->msg, WORDS_SHOWN);
    return BP_OK;
}

enum bp_code bp_pg_scratch_describe(struct bp_pg *pg, const struct bp_scratch_want *want,
                                    struct bp_scratch_info *info, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf collation = {0};
    enum bp_code rc = bp_pg_query_text(
        pg, "SELECT datcollate FROM pg_database WHERE datname = current_database()", &collation,
        err);

    if (rc != BP_OK)
        return rc;
    *info = (struct bp_scratch_info){.version_num = PQserverVersion(pg->conn)};
    bp_pg_where(pg, info->where);
    info->same_collation =
        want->collation == NULL || strcmp(bp_buf_str(&collation), want->collation) == 0;
    return BP_OK;
}
