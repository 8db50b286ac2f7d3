#include "source/postgres_mask.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_catalog.h"
#include "test_postgres_support.h"

/* A session in a snapshot, with the tables of the catalog. */
struct session {
    struct bp_pg pg;
    struct bp_pg_scope scope;
    struct bp_tables tables;
};

static void close_session(struct session *s)
{
    bp_tables_free(&s->tables);
    bp_pg_scope_free(&s->scope);
    bp_pg_close(&s->pg);
}

static void open_session(struct session *s, const struct test_db *db)
{
    const struct bp_scope everything = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(&s->pg, &db->options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_scope_open(&s->pg, &everything, &s->scope, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_run(&s->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &err), BP_OK);
    cr_assert_eq(bp_pg_catalog_read(&s->pg, "", &s->tables, &err), BP_OK, "%s", err.msg);
}

static enum bp_code apply(struct session *s, const char *const *masks, struct bp_err *err)
{
    BP_AUTO(bp_list_free) struct bp_list list = {0};

    for (; *masks != NULL; masks++)
        bp_list_add(&list, *masks);
    return bp_pg_masks_apply(&s->pg, &s->scope, &list, &s->tables, err);
}

static const char *columns_of(const struct session *s, const char *name)
{
    for (size_t i = 0; i < s->tables.count; i++) {
        if (strcmp(s->tables.at[i].name, name) == 0)
            return s->tables.at[i].columns;
    }
    cr_assert_fail("no table '%s'", name);
    return NULL;
}

/* The rows as a backup would read them; owned. */
static char *read_rows(struct session *s, const char *quoted, const char *name)
{
    struct bp_buf out = {0};
    struct bp_err err = {0};
    BP_AUTO(bp_freep)
    char *sql = bp_format("SELECT ROW(%s)::text || ' ' FROM ONLY %s AS t ORDER BY 1",
                          columns_of(s, name), quoted);

    cr_assert_eq(bp_pg_query_text(&s->pg, sql, &out, &err), BP_OK, "%s", err.msg);
    return bp_buf_take(&out);
}

Test(postgres_mask, replaces_values_and_leaves_the_others)
{
    static const char *const masks[] = {"people.Name='it''s ' || upper(name)",
                                        "public.people.\"E \"\"Mail\"=hash",
                                        "people.phone=null",
                                        "people.born=date_trunc('year', t.born)",
                                        "people.code='x'",
                                        "people.tag=hash",
                                        "people.short=hash",
                                        NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_freep) char *rows = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db,
                "CREATE DOMAIN tag AS varchar(20); CREATE TABLE people (gone int, id int PRIMARY"
                " KEY, name text NOT NULL, \"E \"\"Mail\" text, phone text, born date, code"
                " char(3), tag tag, short varchar(8), g int GENERATED ALWAYS AS (id * 2)"
                " STORED); ALTER TABLE people DROP gone;"
                "INSERT INTO people VALUES (1, 'Ann', 'a@x', '1', '2001-02-03', 'abc', 'T',"
                " 'S'), (2, 'Bob', NULL, NULL, NULL, NULL, NULL, NULL)");
    open_session(&s, &db);
    cr_assert_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
    rows = read_rows(&s, "public.people", "people");
    cr_expect_str_eq(rows,
                     "(1,\"it's ANN\","
                     "bd39e6feafd837011c64e8a29c3fdffe59f41e1a071b936bbd66b7c31fb390d4,,2001-01-01,"
                     "\"x  \",e632b7095b0bf32c260f,8de0b3c4) (2,\"it's BOB\",,,,\"x  \",,) ");
}

Test(postgres_mask, covers_partitions_and_heirs)
{
    static const char *const masks[] = {"root.name='p' || id", "parent.v='h'", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db,
                "CREATE SCHEMA \"Odd.\"\"s\"; CREATE TABLE root (id int, name text) PARTITION BY"
                " RANGE (id); CREATE TABLE middle PARTITION OF root DEFAULT PARTITION BY LIST"
                " (id); CREATE TABLE \"Odd.\"\"s\".leaf (name text, id int);"
                "ALTER TABLE middle ATTACH PARTITION \"Odd.\"\"s\".leaf DEFAULT;"
                "CREATE TABLE parent (v text); CREATE TABLE child (\"More\" int) INHERITS"
                " (parent); CREATE TABLE \"Grand\nchild\" () INHERITS (child);"
                "CREATE TABLE free (v text)");
    open_session(&s, &db);
    cr_assert_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(columns_of(&s, "leaf"), "CAST('p' || id AS text), t.id");
    cr_expect_str_eq(columns_of(&s, "parent"), "CAST('h' AS text)");
    cr_expect_str_eq(columns_of(&s, "child"), "CAST('h' AS text), t.\"More\"");
    cr_expect_str_eq(columns_of(&s, "Grand\nchild"), "CAST('h' AS text), t.\"More\"");
    cr_expect_str_eq(columns_of(&s, "free"), "t.v");
}

Test(postgres_mask, finds_a_table_without_a_schema_where_a_session_does)
{
    static const char *const masks[] = {"t.a=null", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    sql = bp_format("CREATE SCHEMA app; CREATE TABLE public.t (a int); CREATE TABLE app.t (a int);"
                    "ALTER DATABASE %s SET search_path = nowhere, app, public",
                    db.name);
    test_db_run(&db, sql);
    open_session(&s, &db);
    cr_assert_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
    cr_assert_str_eq(s.tables.at[0].schema, "app");
    cr_expect_str_eq(s.tables.at[0].columns, "CAST(NULL AS integer)");
    cr_expect_str_eq(s.tables.at[1].columns, "t.a");
}

Test(postgres_mask, takes_a_mask_of_a_table_that_is_left_out)
{
    static const char *const masks[] = {"t.a=no_such_function(a)", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (a int)");
    open_session(&s, &db);
    bp_tables_free(&s.tables);
    cr_expect_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
}

static const char refusals_sql[] =
    "CREATE EXTENSION citext; CREATE DOMAIN filled AS text NOT NULL;"
    "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, name text NOT NULL, age int,"
    " pin varchar(7), ref varchar(15) UNIQUE, twin text, c \"char\", list text[], doc json,"
    " f filled, g text GENERATED ALWAYS AS ('g' || age) STORED, UNIQUE (twin, age));"
    "CREATE TABLE \"Up\" (a int); CREATE TABLE root (k int, v text) PARTITION BY RANGE (k);"
    "CREATE TABLE leaf PARTITION OF root DEFAULT; CREATE VIEW v AS SELECT 1 AS a;"
    "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE SEQUENCE s; CREATE TABLE parent (n text);"
    "CREATE TABLE child (CHECK (n <> '')) INHERITS (parent); ALTER TABLE child ALTER n SET NOT NULL;"
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;"
    "CREATE FOREIGN TABLE f (a int) SERVER srv; CREATE TYPE pair AS (a int, b int)";

Test(postgres_mask, refuses_what_cannot_be_masked_and_goes_on)
{
    static const struct {
        const char *masks[3];
        const char *why;
    } cases[] = {
        {{"nope.a=null"}, "there is no table 'nope' in the search path"},
        {{"other.users.email=null"}, "there is no table 'users' in that schema"},
        {{"pg_catalog.pg_class.relname=null"}, "there is no table 'pg_class'"},
        {{"up.a=null"}, "there is no table 'up'"},
        {{"users.nope=null"}, "table 'users' has no column 'nope'"},
        {{"users.ctid=null"}, "has no column 'ctid'"},
        {{"v.a=null"}, "'v' is a view"},
        {{"m.a=null"}, "'m' is a materialized view"},
        {{"f.a=null"}, "'f' is a foreign table"},
        {{"s.last_value=null"}, "'s' is a sequence"},
        {{"users_pkey.id=null"}, "'users_pkey' is an index"},
        {{"pair.a=null"}, "'pair' is a type"},
        {{"users.g='x'"}, "column g of public.users is generated"},
        {{"root.k=1"}, "column k of public.root is a partition key"},
        {{"leaf.k=1"}, "column k of public.leaf is a partition key"},
        {{"users.name=null"}, "column name of public.users cannot be null"},
        {{"users.id=null"}, "column id of public.users cannot be null"},
        {{"parent.n=null"}, "column n of public.child cannot be null"},
        {{"users.f=null"}, "column f of public.users cannot be null"},
        {{"users.email='x'"}, "is unique, and the literal would be the same"},
        {{"users.age=hash"}, "column age of public.users is integer, and a hash is text"},
        {{"users.c=hash"}, "is \"char\", and a hash is text"},
        {{"users.list=hash"}, "is text[], and a hash is text"},
        {{"users.doc=hash"}, "is json, and a hash is text"},
        {{"users.pin=hash"}, "is character varying(7), too short for a hash"},
        {{"users.ref=hash"}, "needs 16 characters, because its values are unique"},
        {{"users.name='x'", "public.users.name=hash"}, "column name of public.users has another"},
        {{"parent.n='x'", "child.n='y'"}, "column n of public.child has another mask already"},
        {{"users.age='old'"}, "invalid input syntax for type integer: \"old\""},
        {{"users.name=nme"}, "the mask 'users.name=nme': the server says: column \"nme\""},
        {{"users.name=1 +"}, "syntax error"},
        {{"users.name=SELECT 1"}, "syntax error"},
        {{"users.name=1 FROM other"}, "syntax error"},
        {{"users.name=1, 2"}, "syntax error at or near \",\""},
        {{"users.name=x AS y"}, "syntax error"},
        {{"users.name=max(name)"}, "aggregate functions are not allowed"},
        {{"users.age=generate_series(1, 2)"}, "set-returning functions are not allowed"},
        {{"users.age=row_number() OVER ()"}, "window functions are not allowed"},
        {{"users.age=1/0"}, "division by zero"},
        {{"users.name=mask_it(name)"}, "function mask_it(text) does not exist"},
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, refusals_sql);
    open_session(&s, &db);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(apply(&s, cases[i].masks, &err), BP_EUSAGE, "%s", cases[i].masks[0]);
        cr_expect_not_null(strstr(err.msg, cases[i].why), "%s: %s", cases[i].masks[0], err.msg);
        cr_expect_not_null(strstr(err.msg, "the mask '"), "%s", err.msg);
        cr_assert_eq(bp_pg_run(&s.pg, "SELECT 1", &err), BP_OK, "after %s: %s", cases[i].masks[0],
                     err.msg);
    }
}

Test(postgres_mask, takes_what_a_column_can_hold)
{
    static const char *const masks[] = {"users.email=hash",
                                        "users.age=null",
                                        "users.twin='x'",
                                        "users.list='{}'",
                                        "users.doc='{}'",
                                        "users.f=hash",
                                        "users.c='x'",
                                        "users.name=(SELECT 'a;b')",
                                        "root.v=null",
                                        "\"Up\".a=length('--)')",
                                        NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, refusals_sql);
    open_session(&s, &db);
    cr_expect_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
}

Test(postgres_mask, hashes_every_type_that_is_text)
{
    static const char *const masks[] = {"ci.a=hash", "ci.b=hash", "ci.c=hash", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_freep) char *rows = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE EXTENSION citext; CREATE TABLE ci (a citext, b name, c char(80));"
                     "INSERT INTO ci VALUES ('\303\204', 'b', 'c')");
    open_session(&s, &db);
    cr_assert_eq(apply(&s, masks, &err), BP_OK, "%s", err.msg);
    rows = read_rows(&s, "public.ci", "ci");
    cr_expect_str_eq(rows, "(2fe5ca1c1a3d50bd92f1d3cf6da34ceddabe02022b2a0183ab0b805ada6f787a,"
                           "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009,"
                           "\"2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"
                           "                \") ");
}

static void drop_role(char **role)
{
    BP_AUTO(bp_freep) char *sql = bp_format("DROP ROLE %s", *role);

    test_admin_run(sql);
    bp_free(*role);
}

Test(postgres_mask, says_that_the_user_may_not_use_a_function)
{
    static const char *const masks[] = {"t.a=public.secret()", NULL};
    struct test_db db = {0};
    struct session s = {0};
    struct test_db reader = {0};
    BP_AUTO(drop_role) char *role = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    struct bp_err err = {0};
    char url[512];

    test_db_new(&db);
    role = bp_format("%s_reader", db.name);
    sql = bp_format("CREATE TABLE t (a int); CREATE FUNCTION secret() RETURNS int LANGUAGE sql AS"
                    " 'SELECT 1'; REVOKE ALL ON FUNCTION secret() FROM PUBLIC;"
                    "CREATE ROLE %s LOGIN; GRANT SELECT ON t TO %s",
                    role, role);
    test_db_run(&db, sql);
    reader.options = test_db_as(&db, role, url);
    open_session(&s, &reader);
    cr_expect_eq(apply(&s, masks, &err), BP_EAUTH);
    cr_expect_not_null(strstr(err.msg, "cannot check the mask 't.a=public.secret()': permission"),
                       "%s", err.msg);
    close_session(&s);
    test_db_drop(&db);
}
