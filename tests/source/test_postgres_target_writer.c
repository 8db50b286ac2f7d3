/* A connection that changes the target. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

static void ok(enum bp_code code, const struct bp_err *err)
{
    cr_assert_eq(code, BP_OK, "%s", err->msg);
}

static struct bp_writer *writer_with(const struct test_writer *at, const struct test_db *db,
                                     const char *encoding, const char *preamble)
{
    const struct bp_writer_want want = {
        .number = 1, .encoding = encoding, .preamble = preamble, .clock = db->options.clock};
    struct bp_writer *writer = NULL;
    struct bp_err err = {0};

    ok(at->target->ops->writer(at->target, &want, &writer, &err), &err);
    return writer;
}

Test(postgres_target_writer, each_text_has_the_strings_it_was_written_for)
{
    static const char old[] = "\nSET standard_conforming_strings = off;\n";
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_writer_freep) struct bp_writer *writer = NULL;
    BP_AUTO(bp_freep) char *found = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer(&db);
    writer = writer_with(&at, &db, "UTF8", old);
    ok(writer->ops->begin(writer, true, &err), &err);
    ok(writer->ops->run(writer,
                        "CREATE TABLE public.t (s text); INSERT INTO public.t VALUES ('a\\nb')",
                        "x", &err),
       &err);
    ok(writer->ops->define(writer, "INSERT INTO public.t VALUES ('c\\nd')", "x", &err), &err);
    ok(writer->ops->run(writer, "INSERT INTO public.t VALUES ('e\\nf')", "x", &err), &err);
    ok(writer->ops->commit(writer, &err), &err);
    found = test_db_value(&db, "SELECT string_agg(length(s)::text, ' ' ORDER BY s) FROM t");
    cr_expect_str_eq(found, "4 3 4");
}

Test(postgres_target_writer, what_is_sent_is_in_the_encoding_that_was_asked_for)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_writer_freep) struct bp_writer *writer = NULL;
    BP_AUTO(bp_freep) char *found = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer(&db);
    writer = writer_with(&at, &db, "LATIN1", "SET client_encoding = 'UTF8';");
    ok(writer->ops->begin(writer, true, &err), &err);
    ok(writer->ops->run(writer, "CREATE TABLE public.t AS SELECT '\344'::text AS s", "x", &err),
       &err);
    ok(writer->ops->commit(writer, &err), &err);
    found = test_db_value(&db, "SELECT s FROM t");
    cr_expect_str_eq(found, "\303\244");
}

Test(postgres_target_writer, what_is_not_committed_goes_with_the_connection)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_freep) char *found = NULL;
    struct bp_writer *writer = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer(&db);
    writer = writer_with(&at, &db, "UTF8", "");
    ok(writer->ops->begin(writer, false, &err), &err);
    ok(writer->ops->run(writer, "CREATE TABLE public.t ()", "x", &err), &err);
    bp_writer_freep(&writer);
    cr_expect_null(writer);
    found = test_db_value(&db, "SELECT to_regclass('public.t') IS NULL");
    cr_expect_str_eq(found, "t");
}

Test(postgres_target_writer, only_a_durable_transaction_waits_for_the_disk)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    BP_AUTO(bp_freep) char *found = NULL;
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    ok(at.writer->ops->run(at.writer, "SET synchronous_commit = on; CREATE TABLE public.t (s text)",
                           "x", &err),
       &err);
    ok(at.writer->ops->commit(at.writer, &err), &err);
    for (int durable = 0; durable < 2; durable++) {
        ok(at.writer->ops->begin(at.writer, durable == 1, &err), &err);
        ok(at.writer->ops->run(
               at.writer, "INSERT INTO public.t VALUES (current_setting('synchronous_commit'))",
               "x", &err),
           &err);
        ok(at.writer->ops->commit(at.writer, &err), &err);
    }
    found = test_db_value(&db, "SELECT string_agg(s, ' ' ORDER BY ctid) FROM t");
    cr_expect_str_eq(found, "off on");
}
