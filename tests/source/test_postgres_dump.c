#include "source/postgres_dump.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "test_postgres_support.h"

/* A source in its snapshot, and a reader of it. */
struct opened {
    struct bp_source *source;
    struct bp_source_info info;
    struct bp_tables tables;
    struct bp_reader *reader;
};

static void opened_free(struct opened *o)
{
    bp_reader_freep(&o->reader);
    bp_source_freep(&o->source);
    bp_source_info_free(&o->info);
    bp_tables_free(&o->tables);
}

static void open_source(const struct test_db *db, struct opened *o)
{
    struct bp_err err = {0};

    o->source = bp_postgres_source_new(&db->options);
    cr_assert_eq(o->source->ops->snapshot(o->source, &o->info, &o->tables, &err), BP_OK, "%s",
                 err.msg);
    o->reader = test_reader(o->source);
}

static void dump_of(const struct opened *o, const char *schema, struct bp_buf *out)
{
    struct bp_err err = {0};

    cr_assert_eq(o->reader->ops->schema_dump(o->reader, schema, test_keep_line, out, &err), BP_OK,
                 "%s", err.msg);
    cr_assert_gt(out->len, 100);
}

/* A whole backup of one schema, in a snapshot of its own. */
static void dump_anew(const struct test_db *db, const char *schema, struct bp_buf *out)
{
    BP_AUTO(opened_free) struct opened o = {0};

    open_source(db, &o);
    dump_of(&o, schema, out);
}

/* Run pg_restore with these words behind the dump's file; what it prints is added to out. */
static void run_pg_restore(const struct test_db *db, const struct bp_buf *dump, const char *word,
                           const char *more, struct bp_buf *out)
{
    BP_AUTO(bp_tempdir_removep) char *dir = NULL;
    BP_AUTO(bp_freep) char *file = NULL;
    BP_AUTO(bp_freep) char *version = test_db_value(db, "SHOW server_version_num");
    BP_AUTO(bp_pg_programs_free) struct bp_pg_programs programs = {0};
    BP_AUTO(bp_freep) char *program = NULL;
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_err err = {0};
    const char *argv[] = {NULL, word, more, "--exit-on-error", NULL, NULL};
    const struct bp_child_job job = {.argv = argv,
                                     .env = db->options.env->vars,
                                     .output_limit = 1 << 20,
                                     .clock = db->options.clock};

    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
    file = bp_format("%s/file", dir);
    cr_assert_eq(bp_file_write(file, dump->data, dump->len, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_programs_find(&db->options, (int)strtol(version, NULL, 10), &programs, &err),
                 BP_OK, "%s", err.msg);
    program = bp_format("%s/pg_restore", programs.dir);
    argv[0] = program;
    argv[4] = file;
    cr_assert_eq(bp_child_run(&job, &result, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(result.exit_status, 0, "%s", bp_buf_str(&result.errs));
    bp_buf_add(out, bp_buf_str(&result.out), result.out.len);
}

static void list_of(const struct test_db *db, const struct bp_buf *dump, struct bp_buf *out)
{
    run_pg_restore(db, dump, "--list", "--verbose", out);
}

static void expect_in(const char *words, const struct bp_buf *text, bool is_there)
{
    cr_expect((strstr(bp_buf_str(text), words) != NULL) == is_there, "'%s' in:\n%s", words,
              bp_buf_str(text));
}

static const char shop_sql[] =
    "CREATE SCHEMA shop; CREATE TABLE shop.item (id int PRIMARY KEY, name text);"
    "INSERT INTO shop.item SELECT i, 'item ' || i FROM generate_series(1, 20000) i;"
    "CREATE FUNCTION shop.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE TABLE alone (id int)";

Test(postgres_dump, gives_the_same_bytes_in_another_second, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf one = {0};
    BP_AUTO(bp_buf_free) struct bp_buf two = {0};

    test_db_new(&db);
    test_db_run(&db, shop_sql);
    dump_anew(&db, "shop", &one);
    /* The time in the head has seconds. */
    test_db_run(&db, "DO $$BEGIN WHILE date_trunc('second', clock_timestamp()) ="
                     " date_trunc('second', now()) LOOP PERFORM pg_sleep(0.05); END LOOP; END$$");
    dump_anew(&db, "shop", &two);
    cr_assert_eq(one.len, two.len);
    cr_expect_eq(memcmp(one.data, two.data, one.len), 0);
}

Test(postgres_dump, says_that_it_was_made_in_1970)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    BP_AUTO(bp_buf_free) struct bp_buf list = {0};

    test_db_new(&db);
    test_db_run(&db, shop_sql);
    dump_anew(&db, "shop", &dump);
    list_of(&db, &dump, &list);
    expect_in("; Archive created at 1970-01-01 00:00:00 ", &list, true);
    expect_in("SCHEMA - shop ", &list, true);
    expect_in("TABLE shop item ", &list, true);
    expect_in("TABLE DATA shop item ", &list, true);
    expect_in("FUNCTION shop f() ", &list, true);
    expect_in("alone", &list, false);
}

Test(postgres_dump, can_be_restored)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_db_drop) struct test_db target = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    BP_AUTO(bp_buf_free) struct bp_buf ignored = {0};
    BP_AUTO(bp_freep) char *rows = NULL;

    test_db_new(&db);
    test_db_new(&target);
    test_db_run(&db, shop_sql);
    dump_anew(&db, "shop", &dump);
    run_pg_restore(&target, &dump, "--dbname", target.url, &ignored);
    rows = test_db_value(&target, "SELECT count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY"
                                  " id)) = (SELECT 20000 || ' ' || md5(string_agg('(' || i ||"
                                  " ',\"item ' || i || '\")', ',')) FROM generate_series(1, 20000)"
                                  " i) FROM shop.item t");
    cr_expect_str_eq(rows, "t");
}

Test(postgres_dump, takes_any_name_of_a_schema, .timeout = 60)
{
    static const char *const names[] = {"UPPER", "a.b", "*",    "q\"s", "a|b", "new\nline",
                                        "$1",    "-n",  "it's", "(x",   "\\",  "\303\244 ?"};
    const size_t count = sizeof(names) / sizeof(names[0]);
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    test_db_new(&db);
    for (size_t i = 0; i < count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf quoted = {0};

        for (const char *p = names[i]; *p != '\0'; p++)
            bp_buf_printf(&quoted, "%s%c", *p == '"' ? "\"" : "", *p);
        bp_buf_printf(&sql, "CREATE SCHEMA \"%1$s\"; CREATE TABLE \"%1$s\".table_%2$zu_ (id int);",
                      quoted.data, i);
    }
    test_db_run(&db, sql.data);
    open_source(&db, &o);
    for (size_t i = 0; i < count; i++) {
        BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
        BP_AUTO(bp_buf_free) struct bp_buf list = {0};

        dump_of(&o, names[i], &dump);
        list_of(&db, &dump, &list);
        for (size_t j = 0; j < count; j++) {
            BP_AUTO(bp_freep) char *table = bp_format("table_%zu_", j);

            expect_in(table, &list, i == j);
        }
    }
}

Test(postgres_dump, has_the_rows_of_the_snapshot)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_db_drop) struct test_db target = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    BP_AUTO(bp_buf_free) struct bp_buf ignored = {0};
    BP_AUTO(bp_freep) char *rows = NULL;

    test_db_new(&db);
    test_db_new(&target);
    test_db_run(&db, shop_sql);
    open_source(&db, &o);
    test_db_run(&db, "DELETE FROM shop.item WHERE id > 1");
    dump_of(&o, "shop", &dump);
    run_pg_restore(&target, &dump, "--dbname", target.url, &ignored);
    rows = test_db_value(&target, "SELECT count(*) FROM shop.item");
    cr_expect_str_eq(rows, "20000");
}

static const char three_schemas[] =
    "CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE TABLE a.at (id int);"
    "CREATE TABLE a.ax (id int); CREATE TABLE b.bt (id int); CREATE TABLE c.ct (id int);"
    "INSERT INTO a.ax VALUES (1)";

static void expect_entries(const struct test_db *db, const struct opened *o, const char *schema,
                           const char *const *there, const char *const *missing)
{
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    BP_AUTO(bp_buf_free) struct bp_buf list = {0};

    dump_of(o, schema, &dump);
    list_of(db, &dump, &list);
    for (; *there != NULL; there++)
        expect_in(*there, &list, true);
    for (; *missing != NULL; missing++)
        expect_in(*missing, &list, false);
}

Test(postgres_dump, holds_one_of_the_schemas_that_were_selected, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, three_schemas);
    bp_list_add(&scope->schemas, "a");
    bp_list_add(&scope->schemas, "b");
    bp_list_add(&scope->exclude_tables, "a.at");
    bp_list_add(&scope->exclude_table_data, "a.ax");
    open_source(&db, &o);
    expect_entries(&db, &o, "a", (const char *const[]){"TABLE a ax", NULL},
                   (const char *const[]){" bt ", " ct ", "TABLE a at", "TABLE DATA a ax", NULL});
    expect_entries(&db, &o, "b", (const char *const[]){"TABLE b bt", NULL},
                   (const char *const[]){" ax ", " ct ", NULL});
    bp_list_free(&scope->schemas);
    bp_list_free(&scope->exclude_tables);
    bp_list_free(&scope->exclude_table_data);
}

Test(postgres_dump, holds_the_selected_tables_of_its_schema, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, three_schemas);
    bp_list_add(&scope->tables, "a.ax");
    bp_list_add(&scope->tables, "b.*");
    open_source(&db, &o);
    cr_assert_eq(o.info.schemas.count, 2);
    expect_entries(&db, &o, "a", (const char *const[]){"TABLE a ax", "TABLE DATA a ax", NULL},
                   (const char *const[]){" bt ", " ct ", "TABLE a at", NULL});
    expect_entries(&db, &o, "b", (const char *const[]){"TABLE b bt", NULL},
                   (const char *const[]){" ax ", " ct ", NULL});
    bp_list_free(&scope->tables);
}

static enum bp_code refuse_piece(void *ctx, const char *bytes, size_t len, struct bp_err *err)
{
    (void)ctx;
    (void)bytes;
    (void)len;
    return bp_fail(err, BP_EINTEGRITY, "no more");
}

Test(postgres_dump, ends_with_the_error_of_the_sink)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, shop_sql);
    open_source(&db, &o);
    cr_expect_eq(o.reader->ops->schema_dump(o.reader, "shop", refuse_piece, NULL, &err),
                 BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "no more");
}

Test(postgres_dump, names_a_schema_that_does_not_exist)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, shop_sql);
    open_source(&db, &o);
    cr_expect_eq(o.reader->ops->schema_dump(o.reader, "Shop", test_keep_line, &dump, &err),
                 BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "no matching schemas were found"), "%s", err.msg);
    cr_expect_eq(dump.len, 0);
}
