/* The marks of a restore by several connections, and the lock. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

static void ok(enum bp_code code, const struct bp_err *err)
{
    cr_assert_eq(code, BP_OK, "%s", err->msg);
}

static void begin_marks(const struct test_writer *at)
{
    struct bp_err err = {0};

    ok(at->writer->ops->mark_begin(at->writer, "an 'id'", "sum", &err), &err);
    ok(at->writer->ops->commit(at->writer, &err), &err);
}

/* Rows into a table, with a mark, in a transaction. */
static void load_marked(const struct test_writer *at, const char *table)
{
    BP_AUTO(bp_freep) char *copy = bp_format("COPY %s (n) FROM stdin;", table);
    struct bp_writer *writer = at->writer;
    struct bp_err err = {0};
    int64_t rows = 0;

    ok(writer->ops->begin(writer, false, &err), &err);
    ok(writer->ops->load(writer, table, copy, &err), &err);
    ok(writer->ops->copy_begin(writer, copy, &err), &err);
    ok(writer->ops->copy_put(writer, "1\n", 2, &err), &err);
    ok(writer->ops->copy_end(writer, &rows, &err), &err);
    ok(writer->ops->mark(writer, table, &err), &err);
    ok(writer->ops->commit(writer, &err), &err);
}

/* A crash empties an unlogged table: TRUNCATE, which it cannot be told from, stands for it. */
Test(postgres_target_marks, a_mark_of_an_unlogged_table_is_lost_when_its_rows_are)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_target_marks_free) struct bp_target_marks marks = {0};
    BP_AUTO(bp_freep) char *unlogged = NULL;
    BP_AUTO(bp_freep) char *truncate = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE logged (n int); CREATE UNLOGGED TABLE light (n int)");
    at = test_writer_begin(&db);
    begin_marks(&at);
    load_marked(&at, "\"public\".\"light\"");
    load_marked(&at, "\"public\".\"logged\"");
    ok(at.target->ops->marks(at.target, &marks, &err), &err);
    cr_expect_eq(marks.done.count, 2);
    bp_target_marks_free(&marks);
    unlogged = test_db_value(&db, "SELECT string_agg(oid::regclass::text, ', ' ORDER BY oid) FROM"
                                  " pg_class WHERE relpersistence = 'u' AND relkind = 'r'");
    truncate = bp_format("TRUNCATE %s", unlogged);
    test_db_run(&db, truncate);
    ok(at.target->ops->marks(at.target, &marks, &err), &err);
    cr_assert_eq(marks.done.count, 1);
    cr_expect_str_eq(marks.done.at[0], "\"public\".\"logged\"");
}

Test(postgres_target_marks, somebody_elses_schema_of_the_name_is_neither_read_nor_removed)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_target_marks_free) struct bp_target_marks marks = {0};
    BP_AUTO(bp_freep) char *rows = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE SCHEMA backproof_restore;"
                     "CREATE TABLE backproof_restore.restore AS SELECT 1 AS mine");
    at = test_writer_begin(&db);
    ok(at.target->ops->marks(at.target, &marks, &err), &err);
    cr_expect_not(marks.found);
    cr_expect_eq(at.writer->ops->mark_begin(at.writer, "id", "sum", &err), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "the database has a schema 'backproof_restore'"), "%s",
                       err.msg);
    cr_expect_not_null(strstr(err.msg, "; hint: rename it, or restore with --jobs 1"), "%s",
                       err.msg);
    (void)at.writer->ops->commit(at.writer, &err);
    rows = test_db_value(&db, "SELECT mine FROM backproof_restore.restore");
    cr_expect_str_eq(rows, "1");
}

Test(postgres_target_marks, nothing_is_left_behind_them)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_freep) char *count = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    begin_marks(&at);
    ok(at.writer->ops->begin(at.writer, true, &err), &err);
    ok(at.writer->ops->mark_end(at.writer, &err), &err);
    ok(at.writer->ops->commit(at.writer, &err), &err);
    count = test_db_value(&db, "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'backproof'");
    cr_expect_str_eq(count, "0");
}
