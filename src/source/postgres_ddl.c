#include "source/postgres_ddl.h"

#include "base/text.h"

enum { SEQUENCES_PER_QUERY = 200, NAMES_SHOWN = 8, NAME_SHOWN = 150 };

/*
 * Each row is one DO block. `part` is for the order: roles, memberships, the database.
 *
 * The value of a setting that is a list is stored quoted, element by element, and goes out as it
 * is; but an empty element, "", may be read as a literal only.
 *
 * What a superuser only may give is given by a superuser only: hosted databases have none.
 */
static const char roles_sql[] =
    "WITH setting AS (SELECT s.setrole, s.setdatabase, c.place, quote_ident(v.name) || ' TO ' ||"
    "  CASE WHEN v.name IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',"
    "   'local_preload_libraries', 'shared_preload_libraries', 'unix_socket_directories')"
    "  THEN regexp_replace(v.value, '(^|, )\"\"(,|$)', '\\1''''\\2', 'g')"
    "  ELSE quote_literal(v.value) END AS words"
    " FROM pg_db_role_setting s, unnest(s.setconfig) WITH ORDINALITY AS c (item, place),"
    " LATERAL (SELECT split_part(c.item, '=', 1), substr(c.item, strpos(c.item, '=') + 1))"
    "  AS v (name, value)),"

    " here AS (SELECT oid FROM pg_database WHERE datname = current_database()),"

    " role AS (SELECT r.*, quote_ident(r.rolname) AS name,"
    "  (SELECT string_agg(format(E'  ALTER ROLE %I SET %s;\\n', r.rolname, s.words), ''"
    "    ORDER BY s.place) FROM setting s WHERE s.setrole = r.oid AND s.setdatabase = 0)"
    "   AS everywhere,"
    "  (SELECT string_agg(format(E'  EXECUTE pg_catalog.format(%L,"
    " pg_catalog.current_database());\\n', 'ALTER ROLE ' ||"
    "    replace(quote_ident(r.rolname), '%', '%%') || ' IN DATABASE %I SET ' ||"
    "    replace(s.words, '%', '%%')), '' ORDER BY s.place)"
    "   FROM setting s, here WHERE s.setrole = r.oid AND s.setdatabase = here.oid) AS only_here"
    "  FROM pg_roles r WHERE r.rolname !~ '^pg_'),"

    " block AS (SELECT 1 AS part, rolname AS first, ''::name AS second,"
    "  format(E'\\nBEGIN\\n  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %L) THEN\\n"
    "    RETURN;\\n  END IF;\\n  CREATE ROLE %I', rolname, rolname)"
    "  || CASE WHEN rolcreatedb THEN ' CREATEDB' ELSE '' END"
    "  || CASE WHEN rolcreaterole THEN ' CREATEROLE' ELSE '' END"
    "  || CASE WHEN rolinherit THEN '' ELSE ' NOINHERIT' END"
    "  || CASE WHEN rolcanlogin THEN ' LOGIN' ELSE '' END"
    "  || CASE WHEN rolconnlimit = -1 THEN '' ELSE ' CONNECTION LIMIT ' || rolconnlimit END"
    "  || CASE WHEN rolvaliduntil IS NULL THEN '' ELSE ' VALID UNTIL ' ||"
    "   quote_literal((rolvaliduntil AT TIME ZONE 'UTC')::text || '+00') END || E';\\n'"
    "  || CASE WHEN rolsuper OR rolreplication OR rolbypassrls THEN"
    "   E'  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN\\n'"
    "   || '    ALTER ROLE ' || name || CASE WHEN rolsuper THEN ' SUPERUSER' ELSE '' END"
    "   || CASE WHEN rolreplication THEN ' REPLICATION' ELSE '' END"
    "   || CASE WHEN rolbypassrls THEN ' BYPASSRLS' ELSE '' END || E';\\n  END IF;\\n' ELSE '' END"
    "  || coalesce(everywhere, '') || coalesce(only_here, '')"
    "  || coalesce('  COMMENT ON ROLE ' || name || ' IS '"
    "   || quote_literal(shobj_description(oid, 'pg_authid')) || E';\\n', '')"
    "  || E'END\\n' AS body FROM role"

    " UNION ALL SELECT 2, r.rolname, u.rolname,"
    "  format(E'\\nBEGIN\\n  IF NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m\\n"
    "      JOIN pg_catalog.pg_roles r ON r.oid = m.roleid\\n"
    "      JOIN pg_catalog.pg_roles u ON u.oid = m.member\\n"
    "      WHERE r.rolname = %L AND u.rolname = %L) THEN\\n    GRANT %I TO %I',"
    "   r.rolname, u.rolname, r.rolname, u.rolname)"
    /* columns that servers before 16 do not have are asked for through JSON */
    "  || CASE WHEN to_jsonb(m) ? 'set_option' THEN format(' WITH ADMIN %s, INHERIT %s, SET %s',"
    "    m.admin_option::text, to_jsonb(m) ->> 'inherit_option', to_jsonb(m) ->> 'set_option')"
    "   WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END"
    "  || E';\\n  END IF;\\nEND\\n'"
    "  FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
    "  JOIN pg_roles u ON u.oid = m.member WHERE u.rolname !~ '^pg_'"

    " UNION ALL SELECT 3, '', '',"
    "  E'\\nBEGIN\\n  IF NOT EXISTS (SELECT FROM pg_catalog.pg_database\\n"
    "      WHERE datname = pg_catalog.current_database()\\n"
    "      AND pg_catalog.pg_has_role(datdba, ''USAGE'')) THEN\\n    RETURN;\\n  END IF;\\n'"
    "  || string_agg(format(E'  EXECUTE pg_catalog.format(%L, pg_catalog.current_database());\\n',"
    "   'ALTER DATABASE %I SET ' || replace(s.words, '%', '%%')), '' ORDER BY s.place)"
    "  || E'END\\n' FROM setting s, here WHERE s.setrole = 0 AND s.setdatabase = here.oid"
    "  HAVING count(*) > 0)"

    " SELECT CASE WHEN strpos(body, '$backproof$') > 0 THEN 'DO ' || quote_literal(body)"
    " ELSE 'DO $backproof$' || body || '$backproof$' END || E';\\n'"
    " FROM block ORDER BY part, first COLLATE \"C\", second COLLATE \"C\", body COLLATE \"C\" DESC";

/* Append the only column of every row. */
static enum bp_code add_rows(struct bp_pg *pg, const char *sql, struct bp_buf *out,
                             struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg, sql, &rows, err);

    if (rc != BP_OK)
        return rc;
    for (int i = 0; i < PQntuples(rows); i++)
        bp_buf_puts(out, PQgetvalue(rows, i, 0));
    return BP_OK;
}

enum bp_code bp_pg_ddl_roles(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err)
{
    enum bp_code rc = add_rows(pg, roles_sql, out, err);

    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the roles");
}

static const char sequences_sql[] =
    "SELECT format('SELECT %L || last_value || '', '' || is_called || E'');\\n'' FROM %I.%I',"
    " 'SELECT pg_catalog.setval(' || quote_literal(quote_ident(n.nspname) || '.' ||"
    " quote_ident(c.relname)) || ', ', n.nspname, c.relname),"
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    " has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'S' AND c.relpersistence <> 't'"
    " AND (EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig))"
    " OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
    " AND d.objid = c.oid AND d.deptype = 'e')))"
    " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

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

enum bp_code bp_pg_ddl_sequences(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *list = NULL;
    enum bp_code rc = bp_pg_query(pg, sequences_sql, &list, err);

    if (rc == BP_OK)
        rc = check_sequences(pg, list, err);
    for (int i = 0; rc == BP_OK && i < PQntuples(list); i += SEQUENCES_PER_QUERY) {
        BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

        for (int j = i; j < i + SEQUENCES_PER_QUERY && j < PQntuples(list); j++)
            bp_buf_printf(&sql, "%s%s", j > i ? " UNION ALL " : "", PQgetvalue(list, j, READ_SQL));
        rc = add_rows(pg, sql.data, out, err);
    }
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the sequences");
}

/*
 * Who reads whom, through any number of views. A view that reads another one also reads all that
 * the other reads, so counting gives the order. What reads an unpopulated one cannot be refreshed.
 */
static const char refresh_sql[] =
    "WITH RECURSIVE reads AS (SELECT DISTINCT r.ev_class AS reader, d.refobjid AS source"
    " FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),"
    " reach AS (SELECT c.oid AS view, c.oid AS source FROM pg_class c WHERE c.relkind = 'm'"
    " UNION SELECT p.view, r.source FROM reach p JOIN reads r ON r.reader = p.source)"
    " SELECT format(E'REFRESH MATERIALIZED VIEW %I.%I;\\n', n.nspname, c.relname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN reach p ON p.view = c.oid JOIN pg_class s ON s.oid = p.source AND s.relkind = 'm'"
    " WHERE c.relkind = 'm' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
    " GROUP BY n.nspname, c.relname HAVING bool_and(s.relispopulated)"
    " ORDER BY count(*), n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

enum bp_code bp_pg_ddl_refresh(struct bp_pg *pg, struct bp_buf *out, struct bp_err *err)
{
    enum bp_code rc = add_rows(pg, refresh_sql, out, err);

    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the materialized views");
}
