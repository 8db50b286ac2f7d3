#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "test_postgres_support.h"

/* A source and its newest snapshot. */
struct opened {
    struct bp_source *source;
    struct bp_source_info info;
    struct bp_tables tables;
    struct bp_ddl ddl;
    struct bp_err err;
};

static void forget(struct opened *o)
{
    bp_source_info_free(&o->info);
    bp_tables_free(&o->tables);
    bp_ddl_free(&o->ddl);
}

static void opened_free(struct opened *o)
{
    forget(o);
    bp_source_freep(&o->source);
}

static enum bp_code try_snapshot(struct opened *o)
{
    return o->source->ops->snapshot(o->source, &o->info, &o->tables, &o->err);
}

static void take_snapshot(struct opened *o)
{
    cr_assert_eq(try_snapshot(o), BP_OK, "%s", o->err.msg);
}

static char *rows_of(struct opened *o, size_t table)
{
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = test_reader(o->source);
    struct bp_buf rows = {0};

    cr_assert_eq(test_rows(reader, &o->tables.at[table], &rows, &o->err), BP_OK, "%s", o->err.msg);
    return bp_buf_take(&rows);
}

static void read_ddl(struct opened *o)
{
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = test_reader(o->source);

    cr_assert_eq(reader->ops->ddl(reader, &o->tables, &o->ddl, &o->err), BP_OK, "%s", o->err.msg);
}

Test(postgres_source, keeps_its_lock_when_the_snapshot_is_closed)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened one = {0};
    BP_AUTO(opened_free) struct opened two = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int)");
    one.source = bp_postgres_source_new(&db.options);
    two.source = bp_postgres_source_new(&db.options);
    cr_assert_eq(one.source->ops->lock(one.source, "main", false, &one.err), BP_OK, "%s",
                 one.err.msg);
    take_snapshot(&one);
    one.source->ops->close(one.source);
    cr_expect_eq(two.source->ops->lock(two.source, "main", false, &two.err), BP_ELOCKED);
    one.source->ops->close(one.source);
    cr_expect_eq(two.source->ops->lock(two.source, "main", false, &two.err), BP_ELOCKED);
    bp_source_freep(&one.source);
    cr_expect_eq(two.source->ops->lock(two.source, "main", true, &two.err), BP_OK, "%s",
                 two.err.msg);
}

Test(postgres_source, sees_what_is_new_in_a_snapshot_after_a_close)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_freep) char *before = NULL;
    BP_AUTO(bp_freep) char *after = NULL;
    BP_AUTO(bp_freep) char *name = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    test_db_run(&db, "INSERT INTO t VALUES (2)");
    before = rows_of(&o, 0);
    cr_expect_str_eq(before, "1\n");
    name = bp_strdup(o.info.snapshot);
    o.source->ops->close(o.source);
    /* Nobody holds the table any more. */
    test_db_run(&db, "ALTER TABLE t ADD COLUMN n int; CREATE TABLE u (id int)");
    forget(&o);
    take_snapshot(&o);
    cr_expect_str_neq(o.info.snapshot, name);
    cr_assert_eq(o.tables.count, 2);
    after = rows_of(&o, 0);
    cr_expect_str_eq(after, "1\t\\N\n2\t\\N\n");
    read_ddl(&o);
    cr_expect_not_null(strstr(o.ddl.pre_data, "CREATE TABLE public.u"), "%s", o.ddl.pre_data);
}

/* Two schemas, and a name that is in both. */
static const char two_schemas[] =
    "CREATE SCHEMA app; CREATE SCHEMA \"Old\"; CREATE TABLE app.t (id int);"
    "CREATE TABLE app.log (id int); CREATE TABLE \"Old\".t (id int); CREATE TABLE alone (id int);"
    "INSERT INTO app.t VALUES (1); INSERT INTO app.log VALUES (2);"
    "INSERT INTO \"Old\".t VALUES (3)";

static void expect_tables(const struct opened *o, const char *expected)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};

    for (size_t i = 0; i < o->tables.count; i++)
        bp_buf_printf(&names, "%s.%s ", o->tables.at[i].schema, o->tables.at[i].name);
    cr_expect_str_eq(bp_buf_str(&names), expected);
}

static void expect_words(const struct bp_list *list, const char *expected)
{
    BP_AUTO(bp_buf_free) struct bp_buf words = {0};

    for (size_t i = 0; i < list->count; i++)
        bp_buf_printf(&words, "%s;", list->at[i]);
    cr_expect_str_eq(bp_buf_str(&words), expected);
}

static void expect_ddl(const struct opened *o, const char *words, bool is_there)
{
    cr_expect((strstr(o->ddl.pre_data, words) != NULL) == is_there, "'%s' in %s", words,
              o->ddl.pre_data);
}

Test(postgres_source, takes_everything_without_a_scope)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    test_db_run(&db, "CREATE SCHEMA empty");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    expect_tables(&o, "Old.t app.log app.t public.alone ");
    expect_words(&o.info.schemas, "Old;app;empty;public;");
    expect_words(&o.info.warnings, "");
}

Test(postgres_source, applies_the_scope_to_tables_schemas_and_definitions)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    bp_list_add(&scope->schemas, "app");
    bp_list_add(&scope->schemas, "\"Old\"");
    bp_list_add(&scope->exclude_tables, "app.log");
    bp_list_add(&scope->exclude_table_data, "\"Old\".*");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    expect_tables(&o, "app.t ");
    expect_words(&o.info.schemas, "Old;app;");
    read_ddl(&o);
    expect_ddl(&o, "CREATE TABLE app.t ", true);
    expect_ddl(&o, "CREATE TABLE \"Old\".t ", true);
    expect_ddl(&o, "app.log", false);
    expect_ddl(&o, "public.alone", false);
    bp_list_free(&scope->schemas);
    bp_list_free(&scope->exclude_tables);
    bp_list_free(&scope->exclude_table_data);
}

Test(postgres_source, warns_of_patterns_without_effect)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    bp_list_add(&scope->exclude_schemas, "old");
    bp_list_add(&scope->exclude_table_data, "lgo");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    expect_tables(&o, "Old.t app.log app.t public.alone ");
    expect_words(&o.info.warnings, "no schema matches --exclude-schema 'old';"
                                   "no table matches --exclude-table-data 'lgo';");
    bp_list_free(&scope->exclude_schemas);
    bp_list_free(&scope->exclude_table_data);
}

Test(postgres_source, sees_a_table_that_matches_only_in_the_second_snapshot)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    bp_list_add(&scope->tables, "app.t*");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    expect_tables(&o, "app.t ");
    o.source->ops->close(o.source);
    forget(&o);
    test_db_run(&db, "CREATE TABLE app.t2 (id int)");
    take_snapshot(&o);
    expect_tables(&o, "app.t app.t2 ");
    read_ddl(&o);
    expect_ddl(&o, "CREATE TABLE app.t2 ", true);
    expect_ddl(&o, "app.log", false);
    bp_list_free(&scope->tables);
}

static void expect_refused(const struct test_db *db, const char *words)
{
    BP_AUTO(opened_free) struct opened o = {0};

    o.source = bp_postgres_source_new(&db->options);
    cr_expect_eq(try_snapshot(&o), BP_EUSAGE, "%s", o.err.msg);
    cr_expect_not_null(strstr(o.err.msg, words), "%s", o.err.msg);
}

Test(postgres_source, refuses_a_scope_that_matches_nothing)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    bp_list_add(&scope->tables, "usres");
    expect_refused(&db, "no table matches --table 'usres'");
    bp_list_add(&scope->tables, "app.t");
    expect_refused(&db, "no table matches --table 'usres'");
    bp_list_free(&scope->tables);
    bp_list_add(&scope->schemas, "ap");
    expect_refused(&db, "no schema matches --schema 'ap'");
    bp_list_free(&scope->schemas);
}

Test(postgres_source, may_select_what_has_no_rows)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_scope *scope = &db.options.scope;

    test_db_new(&db);
    test_db_run(&db, two_schemas);
    test_db_run(&db, "CREATE VIEW app.v AS SELECT 1 AS n");
    bp_list_add(&scope->tables, "app.v");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    expect_tables(&o, "");
    read_ddl(&o);
    expect_ddl(&o, "CREATE VIEW app.v ", true);
    expect_ddl(&o, "CREATE TABLE", false);
    bp_list_free(&scope->tables);
}

Test(postgres_source, is_fine_without_any_call)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    o.source = bp_postgres_source_new(&db.options);
    o.source->ops->close(o.source);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_EUNAVAILABLE);
    cr_expect_not_null(strstr(o.err.msg, "the session that holds the locks is gone"), "%s",
                       o.err.msg);
}

static void end_sessions(const struct test_db *db)
{
    test_db_run(db, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()");
}

static enum bp_code try_lock(const struct test_db *db, struct bp_err *err)
{
    BP_AUTO(bp_source_freep) struct bp_source *other = bp_postgres_source_new(&db->options);

    return other->ops->lock(other, "main", false, err);
}

Test(postgres_source, takes_its_lock_again_with_a_new_session)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int)");
    o.source = bp_postgres_source_new(&db.options);
    cr_assert_eq(o.source->ops->lock(o.source, "main", false, &o.err), BP_OK, "%s", o.err.msg);
    take_snapshot(&o);
    end_sessions(&db);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_EUNAVAILABLE);
    o.source->ops->close(o.source);
    forget(&o);
    take_snapshot(&o);
    cr_expect_eq(try_lock(&db, &err), BP_ELOCKED, "two backups at once");
}

Test(postgres_source, does_not_begin_anew_beside_another_backup)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(opened_free) struct opened other = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int)");
    o.source = bp_postgres_source_new(&db.options);
    other.source = bp_postgres_source_new(&db.options);
    cr_assert_eq(o.source->ops->lock(o.source, "main", false, &o.err), BP_OK, "%s", o.err.msg);
    take_snapshot(&o);
    end_sessions(&db);
    o.source->ops->close(o.source);
    forget(&o);
    cr_assert_eq(other.source->ops->lock(other.source, "main", false, &other.err), BP_OK, "%s",
                 other.err.msg);
    cr_expect_eq(try_snapshot(&o), BP_ELOCKED, "%s", o.err.msg);
    cr_expect_not_null(strstr(o.err.msg, "another backup of database"), "%s", o.err.msg);
}

Test(postgres_source, confirms_that_nothing_was_changed_but_what_does_not_matter)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood);"
                     "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    test_db_run(&db, "CREATE TABLE u (id int); CREATE FUNCTION g() RETURNS int LANGUAGE sql AS"
                     " 'SELECT 1'; ANALYZE t; GRANT SELECT ON t TO PUBLIC; DROP FUNCTION f()");
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_OK, "%s", o.err.msg);
    test_db_run(&db, "ALTER TYPE mood RENAME VALUE 'a' TO 'zz'");
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_ELOCKED, "%s", o.err.msg);
    cr_expect_not_null(strstr(o.err.msg, "value 'a' of type public.mood ["), "%s", o.err.msg);
    o.source->ops->close(o.source);
    forget(&o);
    take_snapshot(&o);
    cr_expect_eq(o.source->ops->confirm(o.source, true, &o.err), BP_OK, "%s", o.err.msg);
}

Test(postgres_source, takes_no_definitions_that_changed_while_pg_dump_ran)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_reader_freep) struct bp_reader *reader = NULL;
    struct bp_ddl ddl = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS"
                     " 'SELECT 1'");
    o.source = bp_postgres_source_new(&db.options);
    take_snapshot(&o);
    test_db_run(&db, "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'");
    reader = test_reader(o.source);
    cr_expect_eq(reader->ops->ddl(reader, &o.tables, &ddl, &o.err), BP_ELOCKED, "%s", o.err.msg);
    cr_expect_not_null(strstr(o.err.msg, "function public.f ["), "%s", o.err.msg);
    bp_ddl_free(&ddl);
}
