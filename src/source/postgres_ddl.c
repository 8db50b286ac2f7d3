#include "source/postgres_ddl.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SEQUENCES_PER_QUERY = 200, NAMES_SHOWN = 8, NAME_SHOWN = 150 };

static const char sequences_sql[] =
    "SELECT format('SELECT %L || last_value || '', '' || is_called || E'');\\n'' FROM %I.%I',"
    " 'SELECT pg_catalog.setval(' || quote_literal(quote_ident(n.nspname) || '.' ||"
    " quote_ident(c.relname)) || ', ', n.nspname, c.relname),"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    /* NULL for one that was dropped meanwhile */
    " coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT'), true)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'S' AND c.relpersistence <> 't'";

static const char of_extensions[] =
    " OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))";

static const char sequences_end[] = ") ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

enum { READ_SQL, QUOTED, READABLE };

static enum bp_code check_sequences(const struct bp_pg *pg, const PGresult *list,
                                    struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    int count = 0;

    for (int i = 0; i < PQntuples(list); i++) {
        if (bp_pg_is_true(list, i, READABLE))
            continue;
        if (count < NAMES_SHOWN) {
            bp_buf_puts(&names, count > 0 ? ", " : "");
            bp_put_foreign(&names, PQgetvalue(list, i, QUOTED), NAME_SHOWN);
        }
        count++;
    }
    if (count == 0)
        return BP_OK;
    return bp_fail(err, BP_EAUTH,
                   "user '%s' may not read %d sequences: %s%s; hint: GRANT SELECT ON ALL SEQUENCES "
                   "IN SCHEMA ... or GRANT pg_read_all_data TO the user",
                   PQuser(pg->conn), count, bp_buf_str(&names), count > NAMES_SHOWN ? ", ..." : "");
}

/*
 * The rows were read by name, and the catalog is read as of the snapshot; what a name means is
 * looked up as of now.
 */
static const char renamed_sql[] =
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'S' AND c.oid = ANY (%s) AND to_regclass(quote_ident(n.nspname) || '.' ||"
    " quote_ident(c.relname))::oid IS DISTINCT FROM c.oid";

static enum bp_code check_names(struct bp_pg *pg, const struct bp_pg_relations *dumped,
                                struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf oids = {0};
    BP_AUTO(bp_freep) char *sql = NULL;

    bp_pg_relations_put(dumped, &oids);
    sql = bp_format(renamed_sql, oids.data);
    if (bp_pg_query(pg, sql, &row, err) != BP_OK)
        return err->code;
    if (strcmp(PQgetvalue(row, 0, 0), "0") != 0)
        return bp_fail(err, BP_ELOCKED, "one of them, or a schema, was renamed meanwhile");
    return BP_OK;
}

enum bp_code bp_pg_ddl_sequences(struct bp_pg *pg, const struct bp_pg_relations *dumped, bool whole,
                                 struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *list = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf which = {0};
    enum bp_code rc = BP_OK;

    bp_buf_printf(&which, "%s AND (c.oid = ANY (", sequences_sql);
    bp_pg_relations_put(dumped, &which);
    bp_buf_printf(&which, ")%s%s", whole ? of_extensions : "", sequences_end);
    rc = bp_pg_query(pg, which.data, &list, err);
    if (rc == BP_OK)
        rc = check_sequences(pg, list, err);
    for (int i = 0; rc == BP_OK && i < PQntuples(list); i += SEQUENCES_PER_QUERY) {
        BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

        for (int j = i; j < i + SEQUENCES_PER_QUERY && j < PQntuples(list); j++)
            bp_buf_printf(&sql, "%s%s", j > i ? " UNION ALL " : "", PQgetvalue(list, j, READ_SQL));
        rc = bp_pg_query_text(pg, sql.data, out, err);
    }
    if (rc == BP_OK)
        rc = check_names(pg, dumped, err);
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the sequences");
}

/*
 * Who reads whom, through any number of views. A view that reads another one also reads all that
 * the other reads, so counting gives the order. What reads an unpopulated one cannot be refreshed.
 *
 * The event triggers are there already; they are not asked whether this may be done.
 */
static const char refresh_sql[] =
    "WITH RECURSIVE reads AS (SELECT DISTINCT r.ev_class AS reader, d.refobjid AS source"
    " FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),"
    " reach AS (SELECT c.oid AS view, c.oid AS source FROM pg_class c WHERE c.relkind = 'm'"
    " UNION SELECT p.view, r.source FROM reach p JOIN reads r ON r.reader = p.source),"
    " refresh AS (SELECT format(E'REFRESH MATERIALIZED VIEW %I.%I;\\n', n.nspname, c.relname)"
    "  AS line, row_number() OVER (ORDER BY count(*), n.nspname COLLATE \"C\","
    "  c.relname COLLATE \"C\") AS place FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN reach p ON p.view = c.oid JOIN pg_class s ON s.oid = p.source AND s.relkind = 'm'"
    " WHERE c.relkind = 'm' AND c.oid = ANY (";

static const char refresh_end[] =
    ") GROUP BY n.nspname, c.relname HAVING bool_and(s.relispopulated)),"
    " guard AS (SELECT quote_ident(evtname) AS name, evtenabled FROM pg_event_trigger e"
    " WHERE evtenabled <> 'D' AND EXISTS (SELECT FROM refresh) AND NOT EXISTS (SELECT FROM"
    " pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid"
    " AND d.deptype = 'e') AND %s)"
    " SELECT line FROM (SELECT 1 AS step, 0 AS place, name,"
    "  'ALTER EVENT TRIGGER ' || name || E' DISABLE;\n' AS line FROM guard"
    " UNION ALL SELECT 2, place, '', line FROM refresh"
    " UNION ALL SELECT 3, 0, name, 'ALTER EVENT TRIGGER ' || name || CASE evtenabled"
    "  WHEN 'R' THEN E' ENABLE REPLICA;\n' WHEN 'A' THEN E' ENABLE ALWAYS;\n'"
    "  ELSE E' ENABLE;\n' END FROM guard) x ORDER BY step, place, name COLLATE \"C\"";

enum bp_code bp_pg_ddl_refresh(struct bp_pg *pg, const struct bp_pg_relations *dumped, bool whole,
                               struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    enum bp_code rc = BP_OK;

    bp_buf_puts(&sql, refresh_sql);
    bp_pg_relations_put(dumped, &sql);
    bp_buf_printf(&sql, refresh_end, whole ? "true" : "false");
    rc = bp_pg_query_text(pg, sql.data, out, err);
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the materialized views");
}
