#include "source/postgres_clean.h"

#include <stdlib.h>

#include "base/text.h"
#include "source/postgres_target_marks.h"

enum { NAMES_KEPT = 10, NAME_LIMIT = 200, FIRST_WITH_DATABASE_OWNER = 150000 };

/*
 * Every object that a user made has an OID of at least 16384 (FirstNormalObjectId). Left out are
 * parts of other objects: indexes, row types, array types, members of extensions; and marks.
 */
static const char contents_sql[] =
    "SELECT o.type || ' ' || o.identity, count(*) OVER () FROM ("
    " SELECT 'pg_namespace'::regclass AS classid, oid FROM pg_namespace"
    "  WHERE nspname NOT IN ('public', '" BP_PG_MARKS_SCHEMA "') AND nspname !~ '^pg_(temp|toast)'"
    " UNION ALL SELECT 'pg_class'::regclass, oid FROM pg_class"
    "  WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND relpersistence <> 't'"
    "  AND relnamespace NOT IN (SELECT oid FROM pg_namespace"
    "  WHERE nspname IN ('pg_toast', '" BP_PG_MARKS_SCHEMA "'))"
    " UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc"
    " UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')"
    "  OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid"
    "  AND c.relkind = 'c')) OR (t.typtype = 'b' AND NOT EXISTS"
    "  (SELECT FROM pg_type e WHERE e.typarray = t.oid)) OR NOT t.typisdefined"
    " UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator"
    " UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily"
    " UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation"
    " UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion"
    " UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config"
    " UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict"
    " UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser"
    " UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template"
    " UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast"
    " UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform"
    " UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language"
    " UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am"
    " UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper"
    " UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server"
    " UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension WHERE extname <> 'plpgsql'"
    " UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication"
    " UNION ALL SELECT 'pg_subscription'::regclass, oid FROM pg_subscription"
    "  WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger"
    " UNION ALL SELECT 'pg_default_acl'::regclass, oid FROM pg_default_acl"
    " UNION ALL SELECT 'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata"
    ") x CROSS JOIN LATERAL pg_identify_object(x.classid, x.oid, 0) o"
    " WHERE (x.oid >= 16384 OR x.classid = 'pg_largeobject'::regclass)"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.classid AND d.objid = x.oid"
    " AND d.deptype = 'e') ORDER BY o.type COLLATE \"C\", o.identity COLLATE \"C\" LIMIT 10";

enum bp_code bp_pg_contents(struct bp_pg *pg, struct bp_list *some, int64_t *count,
                            struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_query(pg, contents_sql, &rows, err);

    if (rc != BP_OK)
        return bp_wrap(err, "cannot look at what the database holds");
    *count = PQntuples(rows) > 0 ? strtoll(PQgetvalue(rows, 0, 1), NULL, 10) : 0;
    for (int i = 0; i < PQntuples(rows) && i < NAMES_KEPT; i++) {
        struct bp_buf name = {0};

        bp_put_foreign(&name, PQgetvalue(rows, i, 0), NAME_LIMIT);
        bp_list_take(some, bp_buf_take(&name));
    }
    return BP_OK;
}

/*
 * Event triggers first, so that they do not fire; then what reaches furthest. A default ACL is
 * gone as soon as it says what every new database says.
 */
static const char clean_sql[] =
    "DO $clean$\n"
    "DECLARE\n"
    "  r record;\n"
    "BEGIN\n"
    "  IF EXISTS (SELECT FROM pg_subscription WHERE subdbid ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())) THEN\n"
    "    RAISE EXCEPTION 'the database has a subscription'"
    " USING HINT = 'remove it with DROP SUBSCRIPTION, which cannot be undone';\n"
    "  END IF;\n"
    "  FOR r IN SELECT evtname FROM pg_event_trigger e WHERE NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')"
    " LOOP\n"
    "    EXECUTE format('DROP EVENT TRIGGER %I', r.evtname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT pubname FROM pg_publication LOOP\n"
    "    EXECUTE format('DROP PUBLICATION %I', r.pubname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP\n"
    "    EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', r.extname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT fdwname FROM pg_foreign_data_wrapper LOOP\n"
    "    EXECUTE format('DROP FOREIGN DATA WRAPPER %I CASCADE', r.fdwname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT nspname FROM pg_namespace WHERE oid >= 16384"
    " AND nspname !~ '^pg_(temp|toast)' OR nspname = 'public' LOOP\n"
    "    EXECUTE format('DROP SCHEMA %I CASCADE', r.nspname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT lanname FROM pg_language WHERE oid >= 16384 LOOP\n"
    "    EXECUTE format('DROP LANGUAGE %I CASCADE', r.lanname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT amname FROM pg_am WHERE oid >= 16384 LOOP\n"
    "    EXECUTE format('DROP ACCESS METHOD %I CASCADE', r.amname);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT castsource::regtype AS source, casttarget::regtype AS target FROM pg_cast"
    " WHERE oid >= 16384 LOOP\n"
    "    EXECUTE format('DROP CAST (%s AS %s)', r.source, r.target);\n"
    "  END LOOP;\n"
    "  FOR r IN SELECT trftype::regtype AS type, l.lanname FROM pg_transform t"
    " JOIN pg_language l ON l.oid = t.trflang WHERE t.oid >= 16384 LOOP\n"
    "    EXECUTE format('DROP TRANSFORM FOR %s LANGUAGE %I', r.type, r.lanname);\n"
    "  END LOOP;\n"
    "  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;\n"
    "  FOR r IN SELECT a.oid, pg_get_userbyid(defaclrole) AS owner, k.word, defaclobjtype AS type,"
    " (SELECT string_agg(DISTINCT CASE WHEN x.grantee = 0 THEN 'PUBLIC'"
    " ELSE quote_ident(pg_get_userbyid(x.grantee)) END, ', ') FROM aclexplode(defaclacl) x)"
    " AS grantees FROM pg_default_acl a JOIN (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'),"
    " ('f', 'FUNCTIONS'), ('T', 'TYPES'), ('n', 'SCHEMAS'), ('L', 'LARGE OBJECTS'))"
    " k (type, word) ON k.type = defaclobjtype::text LOOP\n"
    "    IF r.grantees IS NOT NULL THEN\n"
    "      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM %s',"
    " r.owner, r.word, r.grantees);\n"
    "    END IF;\n"
    "    EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT ALL ON %s TO %I',"
    " r.owner, r.word, r.owner);\n"
    "    IF r.type = 'f' THEN\n"
    "      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT EXECUTE ON FUNCTIONS TO"
    " PUBLIC', r.owner);\n"
    "    ELSIF r.type = 'T' THEN\n"
    "      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT USAGE ON TYPES TO PUBLIC',"
    " r.owner);\n"
    "    END IF;\n"
    "  END LOOP;\n"
    "END\n"
    "$clean$;";

/* As initdb makes it. */
static const char new_public_sql[] = "CREATE SCHEMA public AUTHORIZATION pg_database_owner;"
                                     "GRANT USAGE ON SCHEMA public TO PUBLIC;"
                                     "COMMENT ON SCHEMA public IS 'standard public schema'";

static const char old_public_sql[] =
    "CREATE SCHEMA public;"
    "DO $$BEGIN EXECUTE format('ALTER SCHEMA public OWNER TO %I', pg_get_userbyid(10)); END$$;"
    "GRANT ALL ON SCHEMA public TO PUBLIC;"
    "COMMENT ON SCHEMA public IS 'standard public schema'";

enum bp_code bp_pg_clean(struct bp_pg *pg, struct bp_err *err)
{
    bool old = PQserverVersion(pg->conn) < FIRST_WITH_DATABASE_OWNER;
    enum bp_code rc = bp_pg_run(pg, clean_sql, err);

    if (rc == BP_OK)
        rc = bp_pg_run(pg, old ? old_public_sql : new_public_sql, err);
    if (rc == BP_EAUTH) {
        const struct bp_err inner = *err;

        rc = bp_fail(err, BP_EAUTH,
                     "%s; hint: empty it as a superuser, or as the owner of everything in it",
                     inner.msg);
    }
    return rc == BP_OK ? BP_OK : bp_wrap(err, "cannot empty the database");
}
