/* What the user of the connection may read. */
#include <stdlib.h>
#include <string.h>

#include "source/postgres_catalog.h"
#include "source/postgres_check.h"

enum { GRANTED_ONE_BY_ONE = 8, READ_ALL_DATA = 140000 };

/* Tables or sequences, and how rights to them are given. */
struct kind {
    const char *plural;
    const char *sql;
    const char *one;  /* GRANT SELECT ON ... name */
    const char *many; /* GRANT SELECT ON ... schema */
};

/* Rights: what is there in all, what may not be read, and what has to be granted where. */
#define RIGHTS_OF(from)                                                                  \
    "WITH o AS (SELECT quote_ident(n.nspname) AS schema,"                                \
    " quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,"                  \
    " has_schema_privilege(n.oid, 'USAGE') AS may_use,"                                  \
    " has_table_privilege(c.oid, 'SELECT') AS may_read" from ")"                         \
    " SELECT count(*), count(*) FILTER (WHERE NOT (may_use AND may_read)),"              \
    " array_to_string((array_agg(name ORDER BY name)"                                    \
    "  FILTER (WHERE NOT (may_use AND may_read)))[1:8], ', '),"                          \
    " string_agg(DISTINCT schema, ', ') FILTER (WHERE NOT may_use),"                     \
    " count(*) FILTER (WHERE NOT may_read),"                                             \
    " array_to_string((array_agg(name ORDER BY name) FILTER (WHERE NOT may_read))[1:8]," \
    "  ', '),"                                                                           \
    " string_agg(DISTINCT schema, ', ') FILTER (WHERE NOT may_read),"                    \
    " quote_ident(current_user) FROM o"

enum { TOTAL, BAD, BAD_NAMES, CLOSED_SCHEMAS, UNREADABLE, NAMES, SCHEMAS, USER };

static const struct kind tables = {.plural = "tables",
                                   .sql = RIGHTS_OF(BP_PG_FROM_TABLES),
                                   .one = "TABLE",
                                   .many = "ALL TABLES IN SCHEMA"};

static const struct kind sequences = {
    .plural = "sequences",
    .sql = RIGHTS_OF(" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                     " WHERE c.relkind = 'S' AND c.relpersistence <> 't'"
                     " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
                     " AND NOT EXISTS (SELECT FROM pg_depend d"
                     " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
                     " AND d.deptype = 'e')"),
    .one = "SEQUENCE",
    .many = "ALL SEQUENCES IN SCHEMA"};

static int number(const PGresult *rows, int column)
{
    return (int)strtol(PQgetvalue(rows, 0, column), NULL, 10);
}

/* The statements that give what is missing. */
static void put_grants(const struct bp_pg_look *look, const struct kind *kind, const PGresult *row,
                       struct bp_buf *out)
{
    const char *user = PQgetvalue(row, 0, USER);
    const char *closed = bp_pg_value(row, 0, CLOSED_SCHEMAS);
    int unreadable = number(row, UNREADABLE);

    if (closed != NULL)
        bp_buf_printf(out, "GRANT USAGE ON SCHEMA %s TO %s; ", closed, user);
    if (unreadable > GRANTED_ONE_BY_ONE)
        bp_buf_printf(out, "GRANT SELECT ON %s %s TO %s; ", kind->many, PQgetvalue(row, 0, SCHEMAS),
                      user);
    else if (unreadable > 0)
        bp_buf_printf(out, "GRANT SELECT ON %s %s TO %s; ", kind->one, PQgetvalue(row, 0, NAMES),
                      user);
    if (PQserverVersion(look->pg->conn) >= READ_ALL_DATA)
        bp_buf_printf(out, "or, for what is made later as well: GRANT pg_read_all_data TO %s",
                      user);
    else
        bp_buf_puts(out, "or back up as the owner");
}

static enum bp_code look_at(struct bp_pg_look *look, const struct kind *kind, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf grants = {0};
    enum bp_code rc = bp_pg_look_ask(look, kind->plural, kind->sql, &row, err);
    int bad = 0;

    if (rc != BP_OK || row == NULL)
        return rc;
    bad = number(row, BAD);
    if (kind == &tables && number(row, TOTAL) == 0) {
        bp_findings_refuse(look->findings, BP_EFAILED, "tables",
                           "the database '%s' has no tables; hint: is this the right database? an "
                           "empty backup would not be worth keeping",
                           PQdb(look->pg->conn));
        return BP_OK;
    }
    if (bad == 0 && number(row, TOTAL) > 0)
        bp_findings_add(look->findings, BP_FOUND_OK, kind->plural, "all %d may be read",
                        number(row, TOTAL));
    if (bad == 0)
        return BP_OK;
    put_grants(look, kind, row, &grants);
    bp_findings_refuse(look->findings, BP_EAUTH, kind->plural,
                       "user '%s' may not read %d of %d %s: %s%s; hint: %s", PQuser(look->pg->conn),
                       bad, number(row, TOTAL), kind->plural, PQgetvalue(row, 0, BAD_NAMES),
                       bad > GRANTED_ONE_BY_ONE ? ", ..." : "", grants.data);
    return BP_OK;
}

/* There is no has_largeobject_privilege() before version 18. */
static const char large_objects_sql[] =
    "WITH bad AS (SELECT m.oid FROM pg_largeobject_metadata m, pg_roles r"
    " WHERE r.rolname = current_user AND NOT r.rolsuper"
    " AND NOT current_setting('lo_compat_privileges')::bool"
    " AND NOT pg_has_role(m.lomowner, 'USAGE')"
    " AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'"
    "  AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END))"
    " SELECT (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM bad),"
    " (SELECT string_agg(oid::text, ', ') FROM (SELECT oid FROM bad ORDER BY oid LIMIT 8) s),"
    " quote_ident(current_user)";

enum { LARGE_USER = 3 };

static enum bp_code look_at_large_objects(struct bp_pg_look *look, struct bp_err *err)
{
    static const char about[] = "large objects";
    BP_AUTO(bp_pg_clear) PGresult *row = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf grant = {0};
    enum bp_code rc = bp_pg_look_ask(look, about, large_objects_sql, &row, err);
    const char *user = NULL;
    bool many = false;

    if (rc != BP_OK || row == NULL)
        return rc;
    if (number(row, BAD) == 0) {
        if (number(row, TOTAL) > 0)
            bp_findings_add(look->findings, BP_FOUND_OK, about, "all %d may be read",
                            number(row, TOTAL));
        return BP_OK;
    }
    user = PQgetvalue(row, 0, LARGE_USER);
    many = number(row, BAD) > GRANTED_ONE_BY_ONE;
    if (many)
        bp_buf_printf(&grant,
                      "as their owner: DO $$BEGIN EXECUTE (SELECT format('GRANT SELECT ON LARGE "
                      "OBJECT %%s TO %s', string_agg(oid::text, ',')) FROM "
                      "pg_largeobject_metadata); END$$",
                      user);
    else
        bp_buf_printf(&grant, "GRANT SELECT ON LARGE OBJECT %s TO %s",
                      PQgetvalue(row, 0, BAD_NAMES), user);
    bp_findings_refuse(look->findings, BP_EAUTH, about,
                       "user '%s' may not read %d of %d large objects: %s%s; hint: %s, or back up "
                       "as their owner",
                       PQuser(look->pg->conn), number(row, BAD), number(row, TOTAL),
                       PQgetvalue(row, 0, BAD_NAMES), many ? ", ..." : "", grant.data);
    return BP_OK;
}

static const char filtered_sql[] =
    "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname),"
    " quote_ident(current_user)" BP_PG_FROM_TABLES " AND row_security_active(c.oid) ORDER BY 1";

static enum bp_code look_at_row_security(struct bp_pg_look *look, struct bp_err *err)
{
    static const char about[] = "row-level security";
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code rc = bp_pg_look_ask(look, about, filtered_sql, &rows, err);

    if (rc != BP_OK || rows == NULL || PQntuples(rows) == 0)
        return rc;
    bp_pg_look_names(rows, 0, &names);
    bp_findings_refuse(look->findings, BP_EAUTH, about,
                       "it hides rows from user '%s' in: %s; hint: ALTER ROLE %s BYPASSRLS, or "
                       "back up as the owner",
                       PQuser(look->pg->conn), names.data, PQgetvalue(rows, 0, 1));
    return BP_OK;
}

static enum bp_code look_at_roles(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    enum bp_code rc = bp_pg_look_ask(
        look, "roles", "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')", &rows, err);

    if (rc != BP_OK || rows == NULL)
        return rc;
    bp_findings_add(look->findings, BP_FOUND_OK, "roles", "they are backed up without passwords%s",
                    bp_pg_is_true(rows, 0, 0) ? ""
                                              : "; pg_authid is closed to this user, and need not "
                                                "be open");
    return BP_OK;
}

enum bp_code bp_pg_check_rights(struct bp_pg_look *look, struct bp_err *err)
{
    enum bp_code rc = look_at(look, &tables, err);

    if (rc == BP_OK)
        rc = look_at(look, &sequences, err);
    if (rc == BP_OK)
        rc = look_at_large_objects(look, err);
    if (rc == BP_OK)
        rc = look_at_row_security(look, err);
    return rc == BP_OK ? look_at_roles(look, err) : rc;
}
