#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_copy.h"
#include "test_postgres_support.h"

static void open_db(const struct test_db *db, struct bp_pg *pg)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(pg, &db->options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &err), BP_OK);
}

static enum bp_code count_bytes(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    size_t *bytes = ctx;

    (void)err;
    cr_expect_eq(line[len - 1], '\n');
    *bytes += len;
    return BP_OK;
}

static enum bp_code refuse(void *ctx, const char *line, size_t len, struct bp_err *err)
{
    (void)ctx;
    (void)line;
    (void)len;
    return bp_fail(err, BP_EINTEGRITY, "enough");
}

Test(postgres_copy, hands_over_every_line)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};
    size_t bytes = 0;

    test_db_new(&db);
    open_db(&db, &pg);
    cr_assert_eq(bp_pg_copy_out(&pg,
                                "COPY (SELECT E'a\\tb', NULL, '' UNION ALL SELECT E'\\n', '\\',"
                                " 'x') TO STDOUT",
                                test_keep_line, &rows, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(rows.data, "a\\tb\t\\N\t\n\\n\t\\\\\tx\n");
    cr_assert_eq(bp_pg_copy_out(&pg,
                                "COPY (SELECT repeat('x', 999) FROM generate_series(1, 20000))"
                                " TO STDOUT",
                                count_bytes, &bytes, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_eq(bytes, 20000000);
}

Test(postgres_copy, keeps_the_rows_of_a_table_without_columns)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_db(&db, &pg);
    cr_assert_eq(bp_pg_copy_out(&pg, "COPY (SELECT FROM generate_series(1, 3)) TO STDOUT",
                                test_keep_line, &rows, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(rows.data, "\n\n\n");
}

Test(postgres_copy, ends_with_the_error_of_the_sink)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_db(&db, &pg);
    cr_expect_eq(bp_pg_copy_out(&pg, "COPY (SELECT generate_series(1, 1000000)) TO STDOUT", refuse,
                                NULL, &err),
                 BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "enough");
}

Test(postgres_copy, reports_an_error_in_the_middle_of_the_rows)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_db(&db, &pg);
    cr_expect_eq(bp_pg_copy_out(&pg,
                                "COPY (SELECT 1 / (50000 - i) FROM generate_series(1, 60000)"
                                " AS i) TO STDOUT",
                                test_keep_line, &rows, &err),
                 BP_EFAILED);
    cr_expect_str_eq(err.msg, "division by zero");
}

Test(postgres_copy, reports_a_statement_that_does_not_start)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    open_db(&db, &pg);
    cr_expect_eq(bp_pg_copy_out(&pg, "COPY (SELECT FROM nowhere) TO STDOUT", refuse, NULL, &err),
                 BP_EFAILED);
    cr_expect_str_eq(err.msg, "relation \"nowhere\" does not exist");
}

Test(postgres_copy, refuses_a_statement_that_is_no_copy)
{
    static const char *const texts[] = {"SELECT 1", "COPY t FROM STDIN"};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t ()");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        BP_AUTO(bp_pg_close) struct bp_pg pg = {0};

        cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
        cr_assert_eq(bp_pg_run(&pg, "SET search_path = public", &err), BP_OK, "%s", err.msg);
        cr_expect_eq(bp_pg_copy_out(&pg, texts[i], refuse, NULL, &err), BP_EFAILED);
        cr_expect_not_null(strstr(err.msg, "not a statement that reads rows: "), "%s", err.msg);
    }
}

Test(postgres_copy, keeps_bytes_that_are_no_text_in_an_ascii_database)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_db_drop) struct test_db ascii = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *sql = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_new(&ascii);
    sql = bp_format("DROP DATABASE %s", ascii.name);
    test_db_run(&db, sql);
    bp_free(sql);
    sql = bp_format("CREATE DATABASE %s TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'",
                    ascii.name);
    test_db_run(&db, sql);
    test_db_run(&ascii, "SET client_encoding = 'SQL_ASCII'; CREATE TABLE t (a text);"
                        "INSERT INTO t VALUES (E'\\xff\\xfe'), (E'\\xc3')");
    open_db(&ascii, &pg);
    cr_assert_eq(
        bp_pg_copy_out(&pg,
                       "COPY (SELECT a FROM public.t ORDER BY ROW(a)::text COLLATE \"C\") TO"
                       " STDOUT",
                       test_keep_line, &rows, &err),
        BP_OK, "%s", err.msg);
    cr_expect_str_eq(rows.data, "\303\n\377\376\n");
}

Test(postgres_copy, names_a_large_object_that_may_not_be_read)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    BP_AUTO(bp_freep) char *role = NULL;
    BP_AUTO(bp_freep) char *sql = NULL;
    BP_AUTO(bp_freep) char *drop = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf lines = {0};
    struct bp_postgres_options options;
    struct bp_err err = {0};
    int64_t count = 0;
    char url[512];

    test_db_new(&db);
    role = bp_format("%s_lo", db.name);
    sql = bp_format("CREATE ROLE %s LOGIN; SELECT lo_from_bytea(4711, 'x')", role);
    drop = bp_format("DROP ROLE %s", role);
    test_db_run(&db, sql);
    options = test_db_as(&db, role, url);
    cr_assert_eq(bp_pg_open(&pg, &options, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_pg_copy_large_objects(&pg, test_keep_line, &lines, &count, &err), BP_EAUTH,
                 "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "permission denied for large object 4711"), "%s", err.msg);
    bp_pg_close(&pg);
    test_db_run(&db, drop);
}
