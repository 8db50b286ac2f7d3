#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "test_postgres_support.h"

static void run(struct bp_writer *writer, const char *sql, const char *label)
{
    struct bp_err err = {0};

    cr_assert_eq(writer->ops->run(writer, sql, label, &err), BP_OK, "%s", err.msg);
}

Test(postgres_target, tells_what_a_database_holds)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_list_free) struct bp_list none = {0};
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    struct bp_err err = {0};
    int64_t count = -1;

    test_db_new(&db);
    at = test_writer_begin(&db);
    cr_assert_eq(at.target->ops->contents(at.target, &none, &count, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(count, 0, "%s", none.count > 0 ? none.at[0] : "");
    test_writer_drop(&at);

    test_db_run(&db, "CREATE SCHEMA app; CREATE TABLE app.users (id serial PRIMARY KEY, t text);"
                     "CREATE TYPE app.mood AS ENUM ('a'); CREATE VIEW app.v AS SELECT 1;"
                     "CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
                     "CREATE EXTENSION hstore; SELECT lo_create(5)");
    at = test_writer_begin(&db);
    cr_assert_eq(at.target->ops->contents(at.target, &some, &count, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(count, 8);
    cr_expect(bp_list_has(&some, "table app.users"));
    cr_expect(bp_list_has(&some, "function app.f(integer)"));
    cr_expect(bp_list_has(&some, "type app.mood"));
    cr_expect(bp_list_has(&some, "extension hstore"));
    cr_expect(bp_list_has(&some, "large object 5"));
}

Test(postgres_target, tells_where_it_is)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_target_freep) struct bp_target *target = NULL;
    struct bp_target_info info;
    struct bp_err err = {0};

    test_db_new(&db);
    target = bp_postgres_target_new(&db.options);
    cr_assert_eq(target->ops->open(target, &info, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(info.name, db.name);
    cr_expect_str_eq(info.encoding, "UTF8");
    cr_expect(bp_text_ends_with(info.where, "/socket"), "%s", info.where);
    cr_expect_geq(info.version_num, 120000);
}

static void expect_failure(const struct test_db *db, const char *sql, enum bp_code code,
                           const char *message)
{
    BP_AUTO(test_writer_drop) struct test_writer at = test_writer_begin(db);
    struct bp_err err = {0};

    cr_expect_eq(at.writer->ops->run(at.writer, sql, "x.sql", &err), code, "%s", sql);
    cr_expect_not_null(strstr(err.msg, message), "'%s' is not in: %s", message, err.msg);
}

Test(postgres_target, names_the_statement_that_failed)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};

    test_db_new(&db);
    expect_failure(
        &db, "SELECT 1;\n-- a comment; here\nALTER TABLE nowhere\n  OWNER TO x;\nSELECT 2;",
        BP_EFAILED, "x.sql: ALTER TABLE nowhere   OWNER TO x: relation \"nowhere\" does not exist");
    expect_failure(
        &db, "CREATE TABLE public.t (); ALTER TABLE public.t OWNER TO no_such_role; SELECT 1",
        BP_EFAILED, "x.sql: ALTER TABLE public.t OWNER TO no_such_role: role \"no_such_role\"");
    expect_failure(&db, "SELECT '\303\244\303\244;';\nSELECT '\303\244';\nSELEC 'oops';\nSELECT 4",
                   BP_EFAILED, "x.sql: SELEC 'oops': syntax error");
    expect_failure(
        &db,
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE"
        " WHEN true THEN 2 END; END; DO $a$BEGIN PERFORM 1; END$a$; SELECT 1/0",
        BP_EFAILED, "x.sql: SELECT 1/0: division by zero");
    expect_failure(&db, "COPY pg_class TO STDOUT", BP_EFAILED, "a COPY is not expected here");
}

Test(postgres_target, drops_restrict_lines_but_only_where_they_belong)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_freep) char *value = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    run(at.writer,
        "--\n-- dump\n--\n\n\\restrict k3y\n\nCREATE TABLE public.t AS SELECT '\n\\restrict a\n"
        "\\unrestrict b\n' AS v;\n\n-- done\n\n\\unrestrict k3y\n\n",
        "x.sql");
    cr_assert_eq(at.writer->ops->commit(at.writer, &err), BP_OK, "%s", err.msg);
    value = test_db_value(&db, "SELECT v FROM t");
    cr_expect_str_eq(value, "\n\\restrict a\n\\unrestrict b\n");
    expect_failure(&db, "\\connect other\n", BP_EFAILED, "syntax error");
}

Test(postgres_target, changes_nothing_before_the_commit)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_freep) char *count = NULL;
    struct test_writer at = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE kept ()");
    at = test_writer_begin(&db);
    run(at.writer, "CREATE TABLE public.made (); DROP TABLE public.kept", "x.sql");
    test_writer_drop(&at);
    count = test_db_value(&db, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname IN"
                               " ('kept', 'made')");
    cr_expect_str_eq(count, "kept");
}

Test(postgres_target, does_not_commit_what_has_failed)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    cr_expect_eq(at.writer->ops->run(at.writer, "SELECT 1/0", "x.sql", &err), BP_EFAILED);
    cr_expect_eq(at.writer->ops->commit(at.writer, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "rolled back"), "%s", err.msg);
}

Test(postgres_target, reports_rows_that_the_server_refuses)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    struct bp_err err = {0};
    int64_t rows = 0;

    test_db_new(&db);
    at = test_writer_begin(&db);
    run(at.writer, "CREATE TABLE public.t (id int PRIMARY KEY)", "x.sql");
    cr_assert_eq(at.writer->ops->copy_begin(at.writer, "COPY public.t (id) FROM stdin;", &err),
                 BP_OK);
    cr_assert_eq(at.writer->ops->copy_put(at.writer, "1\n2", 3, &err), BP_OK, "cut anywhere");
    cr_assert_eq(at.writer->ops->copy_put(at.writer, "\n", 1, &err), BP_OK);
    cr_assert_eq(at.writer->ops->copy_end(at.writer, &rows, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(rows, 2);
    cr_assert_eq(at.writer->ops->copy_begin(at.writer, "COPY public.t (id) FROM stdin;", &err),
                 BP_OK);
    cr_assert_eq(at.writer->ops->copy_put(at.writer, "two\n", 4, &err), BP_OK);
    cr_expect_eq(at.writer->ops->copy_end(at.writer, &rows, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "invalid input syntax for type integer: \"two\""), "%s",
                       err.msg);
}

Test(postgres_target, refuses_a_copy_statement_that_is_none)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    cr_expect_eq(at.writer->ops->copy_begin(at.writer, "SELECT 1", &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "not a statement that loads rows"), "%s", err.msg);
}

Test(postgres_target, does_not_wait_for_the_end_of_a_copy_that_nobody_reads, .timeout = 60)
{
    static const char *const texts[] = {"COPY (SELECT 1) TO stdout;", "SELECT 1; SELECT 2;",
                                        "SELECT 1; COPY (SELECT 1) TO stdout;"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(test_writer_drop) struct test_writer at = test_writer_begin(&db);

        cr_expect_eq(at.writer->ops->copy_begin(at.writer, texts[i], &err), BP_EFAILED, "%s",
                     texts[i]);
        cr_expect_not_null(strstr(err.msg, "not a statement that loads rows: "), "%s", err.msg);
        cr_expect_eq(at.writer->ops->commit(at.writer, &err), BP_EUNAVAILABLE, "closed for good");
    }
}

Test(postgres_target, does_not_run_a_copy, .timeout = 60)
{
    static const char *const texts[] = {"COPY pg_class TO STDOUT", "COPY t FROM STDIN",
                                        "SELECT 1; COPY (SELECT 1) TO STDOUT; SELECT 2",
                                        "COPY t FROM STDIN; COPY t TO STDOUT"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t ()");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(test_writer_drop) struct test_writer at = test_writer_begin(&db);

        run(at.writer, "SET search_path = public", "x.sql");
        cr_expect_eq(at.writer->ops->run(at.writer, texts[i], "x.sql", &err), BP_EFAILED, "%s",
                     texts[i]);
        cr_expect_str_eq(err.msg, "x.sql: a COPY is not expected here");
        cr_expect_eq(at.writer->ops->commit(at.writer, &err), BP_EUNAVAILABLE, "closed for good");
    }
}

Test(postgres_target, ends_a_load_that_starts_a_second_copy, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    struct bp_err err = {0};
    int64_t rows = 0;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (n int)");
    at = test_writer_begin(&db);
    cr_assert_eq(at.writer->ops->copy_begin(
                     at.writer, "COPY public.t FROM stdin; COPY public.t TO stdout", &err),
                 BP_OK, "%s", err.msg);
    cr_assert_eq(at.writer->ops->copy_put(at.writer, "1\n", 2, &err), BP_OK, "%s", err.msg);
    (void)!at.writer->ops->copy_end(at.writer, &rows, &err);
    cr_expect_eq(at.writer->ops->commit(at.writer, &err), BP_EUNAVAILABLE, "closed for good");
}

Test(postgres_target, says_what_a_missing_right_asks_for)
{
    static const char hint[] = "; hint: restore as a superuser, or as a member of every role that "
                               "owns something in the archive";
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_freep) char *role = NULL;
    BP_AUTO(bp_freep) char *make = NULL;
    BP_AUTO(bp_freep) char *drop = NULL;
    struct bp_err err = {0};
    struct test_db as = {0};
    char url[512];

    test_db_new(&db);
    role = bp_format("%s_plain", db.name);
    make = bp_format("CREATE ROLE %s LOGIN; CREATE TABLE t (); GRANT CREATE ON SCHEMA public TO %s",
                     role, role);
    drop = bp_format("DROP OWNED BY %s; DROP ROLE %s", role, role);
    test_db_run(&db, make);
    as.options = test_db_as(&db, role, url);
    at = test_writer_begin(&as);
    cr_expect_eq(at.writer->ops->run(
                     at.writer, "CREATE TABLE public.u (); ALTER TABLE public.u OWNER TO postgres",
                     "x.sql", &err),
                 BP_EAUTH);
    cr_expect(bp_text_ends_with(err.msg, hint), "%s", err.msg);
    test_writer_drop(&at);
    at = test_writer_begin(&as);
    cr_expect_eq(at.writer->ops->copy_begin(at.writer, "COPY public.t FROM stdin", &err), BP_EAUTH);
    cr_expect(bp_text_ends_with(err.msg, hint), "%s", err.msg);
    test_writer_drop(&at);
    at = test_writer_begin(&as);
    cr_expect_eq(at.writer->ops->clean(at.writer, &err), BP_EAUTH);
    cr_expect_not_null(strstr(err.msg, "; hint: empty it as a superuser, or as the owner"), "%s",
                       err.msg);
    test_writer_drop(&at);
    test_db_run(&db, drop);
}

static struct bp_writer *second_writer(const struct test_writer *at, struct bp_clock *clock)
{
    const struct bp_writer_want want = {
        .number = 1, .encoding = "UTF8", .preamble = "", .clock = clock};
    struct bp_writer *writer = NULL;
    struct bp_err err = {0};

    cr_assert_eq(at->target->ops->writer(at->target, &want, &writer, &err), BP_OK, "%s", err.msg);
    return writer;
}

Test(postgres_target, has_several_connections_and_counts_no_marks)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_writer_freep) struct bp_writer *other = NULL;
    BP_AUTO(bp_target_marks_free) struct bp_target_marks marks = {0};
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    struct bp_err err = {0};
    int64_t count = -1;

    test_db_new(&db);
    at = test_writer_begin(&db);
    cr_assert_eq(at.writer->ops->mark_begin(at.writer, "an 'id'", "sum", &err), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(at.writer->ops->commit(at.writer, &err), BP_OK, "%s", err.msg);
    other = second_writer(&at, db.options.clock);
    cr_assert_eq(other->ops->begin(other, false, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->mark(other, "kept", &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->commit(other, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->begin(other, false, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->mark(other, "lost", &err), BP_OK, "%s", err.msg);
    other->ops->rollback(other);
    cr_assert_eq(at.target->ops->contents(at.target, &some, &count, &err), BP_OK);
    cr_expect_eq(count, 0);
    cr_assert_eq(at.target->ops->marks(at.target, &marks, &err), BP_OK, "%s", err.msg);
    cr_expect(marks.found);
    cr_expect_str_eq(marks.archive, "an 'id'");
    cr_expect_str_eq(marks.plan, "sum");
    cr_assert_eq(marks.done.count, 1);
    cr_expect_str_eq(marks.done.at[0], "kept");
    cr_assert_eq(other->ops->begin(other, true, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->mark_end(other, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(other->ops->commit(other, &err), BP_OK, "%s", err.msg);
    bp_target_marks_free(&marks);
    cr_assert_eq(at.target->ops->marks(at.target, &marks, &err), BP_OK, "%s", err.msg);
    cr_expect_not(marks.found);
}

Test(postgres_target, lets_one_restore_in)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer first = {0};
    BP_AUTO(test_writer_drop) struct test_writer second = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    first = test_writer_begin(&db);
    second = test_writer_begin(&db);
    cr_expect_eq(first.target->ops->lock(first.target, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(second.target->ops->lock(second.target, &err), BP_ELOCKED);
    cr_expect_not_null(strstr(err.msg, "' is running (process "), "%s", err.msg);
    test_writer_drop(&first);
    cr_expect_eq(second.target->ops->lock(second.target, &err), BP_OK, "%s", err.msg);
}

/* How many rows are left when a table that has one is loaded with another one. */
static void load_beside(const struct test_db *db, const char *table, const char *copy,
                        const char *rows)
{
    BP_AUTO(test_writer_drop) struct test_writer at = test_writer_begin(db);
    BP_AUTO(bp_freep) char *count = NULL;
    struct bp_err err = {0};
    int64_t taken = 0;

    cr_assert_eq(at.writer->ops->load(at.writer, table, copy, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(at.writer->ops->copy_begin(at.writer, copy, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(at.writer->ops->copy_put(at.writer, "2\n", 2, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(at.writer->ops->copy_end(at.writer, &taken, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(at.writer->ops->commit(at.writer, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(taken, 1);
    count = test_db_value(db, "SELECT string_agg(n::text, ' ' ORDER BY n) FROM root");
    cr_expect_str_eq(count, rows, "%s", copy);
}

Test(postgres_target, empties_no_partition_whose_rows_go_through_the_root)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE root (n int) PARTITION BY RANGE (n);"
                     "CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (9);"
                     "INSERT INTO root VALUES (1)");
    load_beside(&db, "\"public\".\"leaf\"", "COPY public.root (n) FROM stdin;", "1 2");
    load_beside(&db, "\"public\".\"leaf\"", "COPY public.leaf (n) FROM stdin;", "2");
}
