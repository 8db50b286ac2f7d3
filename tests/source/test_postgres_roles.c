#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_roles.h"
#include "test_postgres_support.h"

static void expect_in(const char *words, const char *text)
{
    cr_expect_not_null(strstr(text, words), "'%s' is not in:\n%s", words, text);
}

static void expect_not_in(const char *words, const char *text)
{
    cr_expect_null(strstr(text, words), "'%s' is in:\n%s", words, text);
}

Test(postgres_roles, makes_missing_roles_again)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};
    BP_AUTO(bp_buf_free) struct bp_buf again = {0};
    BP_AUTO(bp_freep) char *make = NULL;
    BP_AUTO(bp_freep) char *grant = NULL;
    BP_AUTO(bp_freep) char *drop = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    make = bp_format("CREATE ROLE \"%1$s a\" LOGIN CREATEDB CONNECTION LIMIT 3 VALID UNTIL"
                     " '2040-01-02 03:04:05+00' PASSWORD 'hidden';"
                     "CREATE ROLE \"%1$s $backproof$ '\\\" NOINHERIT BYPASSRLS;"
                     "GRANT \"%1$s a\" TO \"%1$s $backproof$ '\\\" WITH ADMIN OPTION;"
                     "ALTER ROLE \"%1$s a\" SET search_path = '$user', '', 'x y';"
                     "ALTER ROLE \"%1$s a\" SET work_mem = '7MB';"
                     "ALTER ROLE \"%1$s a\" IN DATABASE %1$s SET datestyle = 'German';"
                     "COMMENT ON ROLE \"%1$s a\" IS '100%% it''s';"
                     "ALTER DATABASE %1$s SET search_path = ''",
                     db.name);
    drop = bp_format(
        "DROP OWNED BY \"%1$s $backproof$ '\\\"; DROP ROLE \"%1$s a\", \"%1$s $backproof$ '\\\";"
        "ALTER DATABASE %1$s RESET ALL",
        db.name);
    grant = bp_format("GRANT CONNECT ON DATABASE %1$s TO \"%1$s $backproof$ '\\\"", db.name);
    test_db_run(&db, make);
    test_db_run(&db, grant);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_roles(&pg, false, &roles, &err), BP_OK, "%s", err.msg);
    test_db_run(&db, drop);
    test_db_run(&db, roles.data);
    test_db_run(&db, roles.data); /* a second time nothing is missing */
    test_db_run(&db, grant);
    cr_assert_eq(bp_pg_roles(&pg, false, &again, &err), BP_OK, "%s", err.msg);
    test_db_run(&db, drop);
    expect_not_in("hidden", roles.data);
    expect_in("SET search_path TO \"$user\", '', \"x y\";", roles.data);
    cr_expect_str_eq(again.data, roles.data);
}

/* Run a statement in which every '@' stands for the name of the database. */
static void run(const struct test_db *db, const char *sql)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (; *sql != '\0'; sql++) {
        if (*sql == '@')
            bp_buf_puts(&text, db->name);
        else
            bp_buf_putc(&text, *sql);
    }
    test_db_run(db, text.data);
}

static void read_roles(const struct test_db *db, struct bp_buf *out)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(&pg, &db->options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_roles(&pg, false, out, &err), BP_OK, "%s", err.msg);
}

/* Which of the roles "<database>_<one of these>" are made; each with a space behind it. */
static char *made(const struct test_db *db, const char *const *names, const struct bp_buf *roles)
{
    struct bp_buf found = {0};

    for (; *names != NULL; names++) {
        BP_AUTO(bp_freep) char *words = bp_format("  CREATE ROLE %s_%s", db->name, *names);
        const char *at = strstr(bp_buf_str(roles), words);

        if (at != NULL && strchr("; ", at[strlen(words)]) != NULL)
            bp_buf_printf(&found, "%s ", *names);
    }
    return bp_buf_take(&found);
}

Test(postgres_roles, are_those_that_the_database_needs)
{
    static const char *const names[] = {"owner",   "reader", "column", "group",   "top",  "policy",
                                        "default", "mapped", "object", "connect", "here", "dba",
                                        "member",  "other",  "unused", NULL};
    BP_AUTO(test_db_drop) struct test_db other = {0};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};
    BP_AUTO(bp_freep) char *found = NULL;
    BP_AUTO(bp_freep) char *grant = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;

    test_db_new(&db);
    test_db_new(&other);
    for (const char *const *name = names; *name != NULL; name++) {
        bp_free(sql);
        sql = bp_format("CREATE ROLE %s_%s", db.name, *name);
        test_admin_run(sql);
    }
    run(&db, "CREATE TABLE t (a int, b int); ALTER TABLE t OWNER TO @_owner;"
             "GRANT SELECT ON t TO @_reader; GRANT SELECT (a) ON t TO @_column;"
             "GRANT pg_monitor TO @_reader; CREATE POLICY p ON t TO @_policy;"
             "GRANT @_top TO @_group; GRANT @_group TO @_owner, @_member;"
             "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO @_default;"
             "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
             "CREATE USER MAPPING FOR @_mapped SERVER s;"
             "SELECT lo_create(5); ALTER LARGE OBJECT 5 OWNER TO @_object;"
             "GRANT CONNECT ON DATABASE @ TO @_connect; ALTER DATABASE @ OWNER TO @_dba;"
             "ALTER ROLE @_here IN DATABASE @ SET work_mem = '7MB';"
             "ALTER ROLE @_owner SET work_mem = '8MB'; ALTER ROLE @_other SET work_mem = '9MB'");
    bp_free(sql);
    sql = bp_format("CREATE TABLE t (); ALTER TABLE t OWNER TO %s_other", db.name);
    test_db_run(&other, sql);
    read_roles(&db, &roles);
    found = made(&db, names, &roles);
    cr_expect_str_eq(found, "owner reader column group top policy default mapped object connect "
                            "here dba ");
    expect_in("  CREATE ROLE postgres ", roles.data);
    expect_in("work_mem TO ''7MB''", roles.data);
    expect_in("work_mem TO '8MB'", roles.data);
    expect_not_in("work_mem TO '9MB'", roles.data);
    grant = bp_format("    GRANT %1$s_top TO %1$s_group;", db.name);
    expect_in(grant, roles.data);
    bp_free(grant);
    grant = bp_format("    GRANT pg_monitor TO %s_reader;", db.name);
    expect_in(grant, roles.data);
    bp_free(grant);
    grant = bp_format("GRANT %1$s_group TO %1$s_member", db.name);
    expect_not_in(grant, roles.data);
    test_db_drop(&db);
    test_db_drop(&other);
    for (const char *const *name = names; *name != NULL; name++) {
        bp_free(sql);
        sql = bp_format("DROP ROLE %s_%s", db.name, *name);
        test_admin_run(sql);
    }
}

Test(postgres_roles, leave_out_the_clusters_own_where_it_owns_nothing)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};

    test_db_new(&db);
    /* What belongs to an extension, or to another object, is not given to its owner. */
    run(&db, "CREATE ROLE @_owner; CREATE EXTENSION citext; CREATE TABLE t (id serial, t citext);"
             "ALTER TABLE t OWNER TO @_owner; ALTER SCHEMA public OWNER TO @_owner");
    read_roles(&db, &roles);
    expect_not_in("CREATE ROLE postgres", roles.data);
    test_db_run(&db, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    bp_buf_cut(&roles, 0);
    read_roles(&db, &roles);
    expect_in("CREATE ROLE postgres", roles.data);
    run(&db, "DROP TABLE t; ALTER SCHEMA public OWNER TO postgres; DROP ROLE @_owner");
}

Test(postgres_roles, are_enough_to_restore_a_database_elsewhere)
{
    static const char drop[] =
        "DROP POLICY p ON s.t; DROP OWNED BY @_reader; DROP OWNED BY @_owner;"
        "DROP ROLE @_owner, @_reader";
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf before = {0};
    BP_AUTO(bp_buf_free) struct bp_buf after = {0};
    BP_AUTO(bp_buf_free) struct bp_buf roles = {0};

    test_db_new(&db);
    run(&db,
        "CREATE ROLE @_owner; CREATE ROLE @_reader; CREATE SCHEMA s AUTHORIZATION @_owner;"
        "CREATE TABLE s.t (a int); ALTER TABLE s.t OWNER TO @_owner;"
        "GRANT SELECT ON s.t TO @_reader WITH GRANT OPTION; CREATE POLICY p ON s.t TO @_reader;"
        "ALTER DEFAULT PRIVILEGES FOR ROLE @_owner GRANT SELECT ON TABLES TO @_reader");
    test_db_dump(&db, "--schema-only", &before);
    read_roles(&db, &roles);
    run(&db, drop);
    test_db_run(&db, roles.data);
    test_db_run(&db, before.data);
    test_db_dump(&db, "--schema-only", &after);
    cr_expect_str_eq(before.data, after.data);
    run(&db, drop);
}

Test(postgres_roles, passwords_are_in_it_only_when_asked_for)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf without = {0};
    BP_AUTO(bp_buf_free) struct bp_buf with = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *as_keeper = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    run(&db, "CREATE ROLE @_keeper LOGIN PASSWORD 'a secret of the keeper'");
    run(&db, "CREATE TABLE t (id int); ALTER TABLE t OWNER TO @_keeper");
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_roles(&pg, false, &without, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_roles(&pg, true, &with, &err), BP_OK, "%s", err.msg);
    cr_expect_null(strstr(bp_buf_str(&without), "PASSWORD"));
    cr_expect_not_null(strstr(bp_buf_str(&with), "PASSWORD 'SCRAM-SHA-256$"));
    cr_expect_null(strstr(bp_buf_str(&with), "a secret of the keeper"));
    /* Who may not read them is told how to go on. */
    as_keeper = bp_format("SET ROLE %s_keeper", db.name);
    cr_assert_eq(bp_pg_run(&pg, as_keeper, &err), BP_OK, "%s", err.msg);
    bp_buf_cut(&with, 0);
    cr_expect_eq(bp_pg_roles(&pg, true, &with, &err), BP_EAUTH);
    cr_expect_not_null(strstr(err.msg, "--role-passwords"), "%s", err.msg);
    cr_assert_eq(bp_pg_run(&pg, "RESET ROLE", &err), BP_OK, "%s", err.msg);
    run(&db, "DROP OWNED BY @_keeper; DROP ROLE @_keeper");
}
