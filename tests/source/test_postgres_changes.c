#include "source/postgres_changes.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

/* One of everything that a change is looked for in. */
static const char objects[] =
    "CREATE SCHEMA app; CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE app.t (id int);"
    "CREATE VIEW v AS SELECT id FROM t; CREATE MATERIALIZED VIEW m AS SELECT id FROM t;"
    "CREATE SEQUENCE s; CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN small AS int;"
    "CREATE TYPE pair AS (a int, b int);"
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';"
    "CREATE FUNCTION add(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';"
    "CREATE AGGREGATE total (int) (sfunc = add, stype = int);"
    "CREATE OPERATOR ### (function = add, leftarg = int, rightarg = int);"
    "CREATE COLLATION words (locale = 'C')";

static char app[] = "app", old[] = "old", public[] = "public", stage[] = "stage";
static char *schema_names[] = {app, old, public, stage};
static const struct bp_list schemas = {.at = schema_names, .count = 4};
static const struct bp_pg_changes_scope everything = {.schemas = &schemas, .relations = ""};

struct lists {
    struct bp_pg pg;
    struct bp_list before;
    struct bp_list now;
};

static void lists_free(struct lists *l)
{
    bp_list_free(&l->before);
    bp_list_free(&l->now);
    bp_pg_close(&l->pg);
}

static void list(struct lists *l, struct bp_list *out)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_changes_list(&l->pg, &everything, false, out, &err), BP_OK, "%s", err.msg);
}

static void open_lists(const struct test_db *db, struct lists *l)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(&l->pg, &db->options, &err), BP_OK, "%s", err.msg);
    list(l, &l->before);
}

/* The change is seen, and named; it is taken for what was there from then on. */
static void expect_named(const struct test_db *db, struct lists *l, const char *change,
                         const char *words)
{
    struct bp_err err = {0};

    test_db_run(db, change);
    list(l, &l->now);
    cr_expect_eq(bp_pg_changes_check(&l->before, &l->now, &err), BP_ELOCKED, "%s", change);
    cr_expect_not_null(strstr(err.msg, "definitions were changed while they were read: "), "%s: %s",
                       change, err.msg);
    cr_expect_not_null(strstr(err.msg, words), "%s: %s", change, err.msg);
    list(l, &l->before);
}

static void expect_the_same(const struct test_db *db, struct lists *l, const char *change)
{
    struct bp_err err = {0};

    test_db_run(db, change);
    list(l, &l->now);
    cr_expect_eq(bp_pg_changes_check(&l->before, &l->now, &err), BP_OK, "%s: %s", change, err.msg);
}

Test(postgres_changes, names_what_was_changed)
{
    static const char *const cases[][2] = {
        {"CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
         "function public.f ["},
        {"ALTER FUNCTION f() RENAME TO g", "function public.f ["},
        {"DROP FUNCTION g()", "function public.g ["},
        {"DROP PROCEDURE p()", "function public.p ["},
        {"DROP AGGREGATE total(int)", "function public.total ["},
        {"ALTER TYPE mood RENAME VALUE 'a' TO 'zz'", "value 'a' of type public.mood ["},
        {"ALTER TYPE mood RENAME TO mood2", "mood"},
        {"DROP TYPE mood2", "mood2"},
        {"ALTER DOMAIN small SET DEFAULT 1", "type public.small ["},
        {"ALTER TYPE pair RENAME TO two", "pair"},
        {"CREATE OR REPLACE VIEW v AS SELECT id FROM t WHERE id > 0",
         "rule \"_RETURN\" on public.v ["},
        {"ALTER VIEW v RENAME TO w", "relation public.v ["},
        {"DROP VIEW w", "public.w"},
        {"DROP MATERIALIZED VIEW m", "public.m"},
        {"DROP SEQUENCE s", "relation public.s ["},
        {"DROP OPERATOR ### (int, int)", "operator public.### ["},
        {"DROP COLLATION words", "collation public.words ["},
        {"ALTER SCHEMA app RENAME TO old", "app"},
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};

    test_db_new(&db);
    test_db_run(&db, objects);
    open_lists(&db, &l);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_named(&db, &l, cases[i][0], cases[i][1]);
}

/* A blue-green deployment: the names are the same, the tables are others. */
Test(postgres_changes, sees_that_schemas_changed_places)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE SCHEMA app; CREATE TABLE app.t (id int);"
                     "CREATE SCHEMA stage; CREATE TABLE stage.t (id int)");
    open_lists(&db, &l);
    expect_named(&db, &l,
                 "BEGIN; ALTER SCHEMA app RENAME TO old; ALTER SCHEMA stage RENAME TO app; COMMIT",
                 "app");
}

Test(postgres_changes, does_not_mind_what_is_new_or_changes_nothing)
{
    static const char *const cases[] = {
        "CREATE TABLE another (id serial, m mood)",
        "CREATE FUNCTION another() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA another",
        "CREATE VIEW another.v AS SELECT 1 AS one",
        "ALTER TYPE mood ADD VALUE 'c' BEFORE 'a'",
        "INSERT INTO t SELECT generate_series(1, 100)",
        "ANALYZE t",
        "VACUUM t",
        "REFRESH MATERIALIZED VIEW m",
        "GRANT SELECT ON t, v, s TO PUBLIC",
        "SELECT nextval('s')",
        "CREATE TEMP TABLE t (id int)",
        "GRANT EXECUTE ON FUNCTION f() TO PUBLIC",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER SCHEMA another RENAME TO yet_another",
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};

    test_db_new(&db);
    test_db_run(&db, objects);
    open_lists(&db, &l);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_the_same(&db, &l, cases[i]);
}

Test(postgres_changes, sees_a_change_from_within_a_snapshot_only_from_outside)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists inside = {0};
    BP_AUTO(lists_free) struct lists outside = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, objects);
    cr_assert_eq(bp_pg_open(&inside.pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_run(&inside.pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &err),
                 BP_OK);
    list(&inside, &inside.before);
    test_db_run(&db, "DROP FUNCTION f()");
    list(&inside, &inside.now);
    cr_expect_eq(bp_pg_changes_check(&inside.before, &inside.now, &err), BP_OK, "%s", err.msg);
    open_lists(&db, &outside);
    cr_expect_eq(bp_pg_changes_check(&inside.before, &outside.before, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, "function public.f ["), "%s", err.msg);
}

Test(postgres_changes, shows_a_name_on_one_line)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE SEQUENCE \"a\n::error::b\"");
    open_lists(&db, &l);
    test_db_run(&db, "DROP SEQUENCE \"a\n::error::b\"");
    list(&l, &l.now);
    cr_expect_eq(bp_pg_changes_check(&l.before, &l.now, &err), BP_ELOCKED);
    cr_expect_null(strchr(err.msg, '\n'), "%s", err.msg);
}

Test(postgres_changes, does_not_look_at_what_is_left_out)
{
    static const struct bp_pg_changes_scope some = {.schemas = &schemas,
                                                    .relations = " AND c.relname <> 'left_out'"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE kept (id int); CREATE TABLE left_out (id int);"
                     "CREATE SCHEMA other; CREATE TABLE other.t (id int)");
    open_lists(&db, &l);
    cr_assert_eq(bp_pg_changes_list(&l.pg, &some, false, &l.before, &err), BP_OK, "%s", err.msg);
    test_db_run(&db, "DROP TABLE left_out, other.t");
    cr_expect_eq(bp_pg_changes_look(&db.options, &some, false, &l.before, &err), BP_OK, "%s",
                 err.msg);
    test_db_run(&db, "DROP TABLE kept");
    cr_expect_eq(bp_pg_changes_look(&db.options, &some, false, &l.before, &err), BP_ELOCKED);
}

Test(postgres_changes, names_alone_are_not_changed_by_a_new_body)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(lists_free) struct lists l = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, objects);
    open_lists(&db, &l);
    cr_assert_eq(bp_pg_changes_list(&l.pg, &everything, true, &l.before, &err), BP_OK);
    test_db_run(&db, "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'");
    cr_expect_eq(bp_pg_changes_look(&db.options, &everything, true, &l.before, &err), BP_OK, "%s",
                 err.msg);
    test_db_run(&db, "ALTER TYPE mood RENAME VALUE 'a' TO 'zz'");
    cr_expect_eq(bp_pg_changes_look(&db.options, &everything, true, &l.before, &err), BP_ELOCKED);
}
