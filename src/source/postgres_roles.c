#include "source/postgres_roles.h"

#include "base/mem.h"

/*
 * Each row is one DO block. `part` is for the order: roles, memberships, the database.
 *
 * The value of a setting that is a list is stored quoted, element by element, and goes out as it
 * is; but an empty element, "", may be read as a literal only.
 *
 * What a superuser only may give is given by a superuser only: hosted databases have none.
 */
static const char sql_start[] =
    "WITH RECURSIVE here AS (SELECT oid FROM pg_database WHERE datname = current_database()),"

    /* Those of other databases may be in another encoding: they must not be touched. */
    " setting AS (SELECT s.setrole, s.setdatabase, c.place,"
    "  quote_ident(v.name) || ' TO ' || CASE"
    "  WHEN v.name IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',"
    "   'local_preload_libraries', 'shared_preload_libraries', 'unix_socket_directories')"
    "  THEN regexp_replace(v.value, '(^|, )\"\"(,|$)', '\\1''''\\2', 'g')"
    "  ELSE quote_literal(v.value) END AS words"
    " FROM (SELECT s.* FROM pg_db_role_setting s, here WHERE s.setdatabase IN (0, here.oid)) s,"
    " unnest(s.setconfig) WITH ORDINALITY AS c (item, place),"
    " LATERAL (SELECT split_part(c.item, '=', 1), substr(c.item, strpos(c.item, '=') + 1))"
    "  AS v (name, value)),"

    /*
     * Who owns what. pg_shdepend tells this too, but passes over the role that the cluster was
     * made with. Left out is what is no object of its own, and below, with members of extensions,
     * what pg_dump does not give to its owner.
     */
    " owned AS (SELECT 'pg_class'::regclass AS class, oid AS id, relowner AS owner,"
    "  false AS lasting FROM pg_class"
    "  WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'"
    " UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typowner, false FROM pg_type t"
    "  LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r')"
    "  AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'"
    " UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner, nspname = 'public'"
    "  FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'"
    " UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner, true"
    "  FROM pg_largeobject_metadata"
    " UNION ALL SELECT 'pg_default_acl'::regclass, oid, defaclrole, false FROM pg_default_acl"
    " UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, false FROM pg_proc"
    " UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, false FROM pg_operator"
    " UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner, false FROM pg_opclass"
    " UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner, false FROM pg_opfamily"
    " UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, false FROM pg_collation"
    " UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, false FROM pg_conversion"
    " UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, false FROM pg_ts_dict"
    " UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, false FROM pg_ts_config"
    " UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, false FROM pg_statistic_ext"
    " UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, false"
    "  FROM pg_foreign_data_wrapper"
    " UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, false FROM pg_foreign_server"
    " UNION ALL SELECT 'pg_language'::regclass, oid, lanowner, false FROM pg_language"
    " UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner, false FROM pg_event_trigger"
    " UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner, false FROM pg_publication"
    /* This one is shared, so pg_shdepend does not say which database it belongs to. */
    " UNION ALL SELECT 'pg_subscription'::regclass, 0, subowner, true"
    "  FROM pg_subscription, here WHERE subdbid = here.oid"
    " UNION ALL SELECT 'pg_user_mapping'::regclass, umid, umuser, false FROM pg_user_mappings"
    "  WHERE umuser <> 0),"

    " used AS (SELECT d.refobjid AS oid FROM pg_shdepend d, here"
    "   WHERE d.refclassid = 'pg_authid'::regclass AND (d.dbid = here.oid"
    "   OR (d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = here.oid))"
    "  UNION SELECT o.owner FROM owned o WHERE (o.id >= 16384 OR o.lasting)"
    "   AND NOT EXISTS (SELECT FROM pg_depend d"
    "    WHERE d.classid = o.class AND d.objid = o.id AND d.deptype = 'e')"
    "  UNION SELECT s.setrole FROM pg_db_role_setting s, here WHERE s.setdatabase = here.oid),"

    /*
     * With all that they are members of, but not where that means the right to administer only:
     * since version 16 who makes a role gets that right, a hosted database's owner for all roles.
     * Columns that older servers do not have are asked for through JSON.
     */
    " needed AS (SELECT oid FROM used UNION SELECT m.roleid FROM needed n"
    "  JOIN pg_auth_members m ON m.member = n.oid"
    "  WHERE to_jsonb(m) ->> 'inherit_option' IS DISTINCT FROM 'false'"
    "  OR to_jsonb(m) ->> 'set_option' IS DISTINCT FROM 'false'),"

    " role AS (SELECT r.*, quote_ident(r.rolname) AS name,"
    "  (SELECT string_agg(format(E'  ALTER ROLE %I SET %s;\\n', r.rolname, s.words), ''"
    "    ORDER BY s.place) FROM setting s WHERE s.setrole = r.oid AND s.setdatabase = 0)"
    "   AS everywhere,"
    "  (SELECT string_agg(format(E'  EXECUTE pg_catalog.format(%L,"
    " pg_catalog.current_database());\\n', 'ALTER ROLE ' ||"
    "    replace(quote_ident(r.rolname), '%', '%%') || ' IN DATABASE %I SET ' ||"
    "    replace(s.words, '%', '%%')), '' ORDER BY s.place)"
    "   FROM setting s, here WHERE s.setrole = r.oid AND s.setdatabase = here.oid) AS only_here"
    "  , ";

/* Only a superuser can read this table. */
static const char read_password[] =
    "(SELECT a.rolpassword FROM pg_authid a WHERE a.oid = r.oid) AS secret";

static const char no_password[] = "NULL::text AS secret";

static const char sql_end[] =
    "  FROM pg_roles r JOIN needed USING (oid) WHERE r.rolname !~ '^pg_'),"

    " block AS (SELECT 1 AS part, rolname AS first, ''::name AS second,"
    "  format(E'\\nBEGIN\\n  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %L) THEN\\n"
    "    RETURN;\\n  END IF;\\n  CREATE ROLE %I', rolname, rolname)"
    "  || CASE WHEN rolcreatedb THEN ' CREATEDB' ELSE '' END"
    "  || CASE WHEN rolcreaterole THEN ' CREATEROLE' ELSE '' END"
    "  || CASE WHEN rolinherit THEN '' ELSE ' NOINHERIT' END"
    "  || CASE WHEN rolcanlogin THEN ' LOGIN' ELSE '' END"
    "  || coalesce(' PASSWORD ' || quote_literal(secret), '')"
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
    "  || CASE WHEN to_jsonb(m) ? 'set_option' THEN format(' WITH ADMIN %s, INHERIT %s, SET %s',"
    "    m.admin_option::text, to_jsonb(m) ->> 'inherit_option', to_jsonb(m) ->> 'set_option')"
    "   WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END"
    "  || E';\\n  END IF;\\nEND\\n'"
    "  FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
    "  JOIN pg_roles u ON u.oid = m.member WHERE u.rolname !~ '^pg_'"
    "  AND m.roleid IN (SELECT oid FROM needed) AND m.member IN (SELECT oid FROM needed)"

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

enum bp_code bp_pg_roles(struct bp_pg *pg, bool passwords, struct bp_buf *out, struct bp_err *err)
{
    BP_AUTO(bp_freep)
    char *sql = bp_format("%s%s%s", sql_start, passwords ? read_password : no_password, sql_end);
    enum bp_code rc = bp_pg_query_text(pg, sql, out, err);

    if (rc == BP_EAUTH && passwords)
        return bp_fail(err, rc,
                       "user '%s' may not read the passwords of roles; hint: back up as a "
                       "superuser, or without --role-passwords",
                       PQuser(pg->conn));
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot read the roles");
}
