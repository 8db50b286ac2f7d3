#include "source/postgres_check.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/postgres_dump.h"

enum { NAMES_SHOWN = 8, NAME_SHOWN = 150 };

/* No look is worth holding up a server for. */
static const char calm_sql[] = "SET statement_timeout = '30s'; SET lock_timeout = '5s'";

enum bp_code bp_pg_look_ask(struct bp_pg_look *look, const char *about, const char *sql,
                            PGresult **rows, struct bp_err *err)
{
    struct bp_err why = {0};
    enum bp_code rc = BP_OK;

    *rows = NULL;
    if (look->pg->conn == NULL)
        return BP_OK; /* its loss was told */
    rc = bp_pg_query(look->pg, sql, rows, &why);
    if (rc == BP_ESTOPPED) {
        *err = why;
        return rc;
    }
    if (rc != BP_OK && look->pg->conn == NULL)
        bp_findings_fail(look->findings, "database", &why);
    else if (rc != BP_OK)
        bp_findings_add(look->findings, BP_FOUND_UNKNOWN, about, "it cannot be looked at: %s",
                        why.msg);
    return BP_OK;
}

void bp_pg_look_names(const PGresult *rows, int column, struct bp_buf *out)
{
    int count = PQntuples(rows);

    for (int i = 0; i < count && i < NAMES_SHOWN; i++) {
        if (i > 0)
            bp_buf_puts(out, ", ");
        bp_put_foreign(out, PQgetvalue(rows, i, column), NAME_SHOWN);
    }
    if (count > NAMES_SHOWN)
        bp_buf_puts(out, ", ...");
}

/* ---- the connection ---- */

static bool is_on_this_machine(const struct bp_pg *pg)
{
    const PGconn *conn = pg->conn;
    const char *host = PQhost(conn);
    const char *address = PQhostaddr(conn);
    struct in_addr v4;

    if (host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@')
        return true;
    if (address == NULL || pg->tunnel != NULL)
        return false;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcmp(address, "::1") == 0;
}

static void free_conninfop(PQconninfoOption **list)
{
    PQconninfoFree(*list);
}

static bool checks_certificate(PGconn *conn)
{
    BP_AUTO(free_conninfop) PQconninfoOption *used = PQconninfo(conn);

    for (const PQconninfoOption *o = used; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "sslmode") == 0)
            return o->val != NULL && bp_text_starts_with(o->val, "verify-");
    }
    return false;
}

static void put_protection(PGconn *conn, struct bp_buf *out)
{
    const char *protocol = PQsslInUse(conn) != 0 ? PQsslAttribute(conn, "protocol") : NULL;
    const char *host = PQhost(conn);

    if (PQsslInUse(conn) != 0)
        bp_buf_printf(out, "encrypted with %s, the server's certificate %s",
                      protocol != NULL ? protocol : "TLS",
                      checks_certificate(conn) ? "checked"
                                               : "not checked (sslmode=verify-full would)");
    else if (PQgssEncInUse(conn) != 0)
        bp_buf_puts(out, "encrypted by GSSAPI");
    else if (host != NULL && (host[0] == '/' || host[0] == '@'))
        bp_buf_puts(out, "through a local socket");
    else
        bp_buf_puts(out, "not encrypted");
}

static void look_at_connection(struct bp_pg_look *look)
{
    PGconn *conn = look->pg->conn;
    BP_AUTO(bp_buf_free) struct bp_buf protection = {0};
    char where[BP_PG_WHERE_SIZE];
    bool open = PQsslInUse(conn) == 0 && PQgssEncInUse(conn) == 0;

    bp_pg_where(look->pg, where);
    put_protection(conn, &protection);
    bp_findings_add(look->findings, BP_FOUND_OK, "database",
                    "connected to '%s' at %s as user '%s', %s", PQdb(conn), where, PQuser(conn),
                    protection.data);
    if (open && PQconnectionUsedPassword(conn) != 0 && !is_on_this_machine(look->pg))
        bp_findings_add(look->findings, BP_FOUND_WARNING, "database",
                        "password and rows travel to %s without encryption; hint: add "
                        "sslmode=require to the connection, or better verify-full",
                        where);
    if (look->pg->pooled)
        bp_findings_add(look->findings, BP_FOUND_OK, "database",
                        "through a pooler in session mode");
}

/* ---- programs and disk ---- */

static enum bp_code look_at_programs(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_programs_free) struct bp_pg_programs programs = {0};
    int version = PQserverVersion(look->pg->conn);
    const char *words = PQparameterStatus(look->pg->conn, "server_version");
    struct bp_err why = {0};

    bp_findings_add(look->findings, BP_FOUND_OK, "database", "the server is PostgreSQL %s", words);
    if (bp_pg_programs_find(look->options, version, &programs, &why) == BP_OK) {
        bp_findings_add(look->findings, BP_FOUND_OK, "pg_dump", "version %s, in %s",
                        programs.version, programs.dir);
        return BP_OK;
    }
    if (why.code == BP_ESTOPPED) {
        *err = why;
        return why.code;
    }
    bp_findings_fail(look->findings, "pg_dump", &why);
    return BP_OK;
}

static void compare_space(struct bp_pg_look *look, int64_t space, int64_t size)
{
    BP_AUTO(bp_buf_free) struct bp_buf space_words = {0};
    BP_AUTO(bp_buf_free) struct bp_buf size_words = {0};
    const char *folder = look->options->temp_parent;

    bp_put_size(&space_words, space);
    bp_put_size(&size_words, size);
    if (space < size / 2)
        bp_findings_add(look->findings, BP_FOUND_WARNING, "temporary folder",
                        "'%s' has %s free, and the database takes %s; hint: a backup keeps there, "
                        "compressed, what it has to send: set TMPDIR (RUNNER_TEMP in a workflow) "
                        "to a folder with more space",
                        folder, space_words.data, size_words.data);
    else
        bp_findings_add(look->findings, BP_FOUND_OK, "temporary folder",
                        "'%s' has %s free, the database takes %s", folder, space_words.data,
                        size_words.data);
}

static enum bp_code look_at_space(struct bp_pg_look *look, struct bp_err *err)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    const char *folder = look->options->temp_parent;
    struct statvfs disk;
    enum bp_code rc = BP_OK;

    if (statvfs(folder, &disk) != 0 || access(folder, W_OK | X_OK) != 0) {
        bp_findings_refuse(look->findings, BP_EFAILED, "temporary folder",
                           "'%s' cannot be used: %m; hint: set TMPDIR (RUNNER_TEMP in a workflow) "
                           "to a folder that may be written",
                           folder);
        return BP_OK;
    }
    rc = bp_pg_look_ask(look, "temporary folder",
                        "SELECT pg_database_size(oid) FROM pg_database"
                        " WHERE datname = current_database()",
                        &rows, err);
    if (rc == BP_OK && rows != NULL)
        compare_space(look, (int64_t)disk.f_bavail * (int64_t)disk.f_frsize,
                      strtoll(PQgetvalue(rows, 0, 0), NULL, 10));
    return rc;
}

enum bp_code bp_pg_check(const struct bp_postgres_options *options, struct bp_findings *findings,
                         struct bp_err *err)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_pg_look look = {.pg = &pg, .options = options, .findings = findings};
    struct bp_err why = {0};
    enum bp_code rc = bp_pg_open(&pg, options, &why);

    if (rc == BP_OK) {
        look_at_connection(&look);
        rc = look_at_programs(&look, &why);
    }
    if (rc == BP_OK)
        rc = bp_pg_run(&pg, calm_sql, &why);
    if (rc == BP_OK)
        rc = bp_pg_check_rights(&look, &why);
    if (rc == BP_OK)
        rc = bp_pg_check_server(&look, &why);
    if (rc == BP_OK)
        rc = look_at_space(&look, &why);
    if (rc == BP_ESTOPPED) {
        *err = why;
        return rc;
    }
    if (rc != BP_OK)
        bp_findings_fail(findings, "database", &why);
    return BP_OK;
}
