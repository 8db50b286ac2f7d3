#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_catalog.h"
#include "test_postgres_support.h"

static void read_catalog(const struct test_db *db, struct bp_tables *tables)
{
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(&pg, &db->options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_catalog_read(&pg, "", tables, &err), BP_OK, "%s", err.msg);
}

static const struct bp_table *find(const struct bp_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->count; i++) {
        if (strcmp(tables->at[i].name, name) == 0)
            return &tables->at[i];
    }
    cr_assert_fail("no table '%s'", name);
    return NULL;
}

static void expect_copy_out(const struct bp_table *table, const char *sql)
{
    BP_AUTO(bp_freep) char *got = test_copy_out(table);

    cr_expect_str_eq(got, sql, "%s", got);
}

Test(postgres_catalog, lists_what_has_rows_sorted_by_bytes)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE b (); CREATE TABLE \"B\" (); CREATE TABLE \"\303\244\" ();"
                     "CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1;"
                     "CREATE UNLOGGED TABLE u (); CREATE TEMP TABLE temporary ();"
                     "CREATE TABLE root (id int) PARTITION BY RANGE (id);"
                     "CREATE TABLE leaf PARTITION OF root DEFAULT;"
                     "CREATE TABLE child () INHERITS (b); CREATE SCHEMA \"A\";"
                     "CREATE TABLE \"A\".z ()");
    read_catalog(&db, &tables);
    for (size_t i = 0; i < tables.count; i++)
        bp_buf_printf(&names, "%s.%s ", tables.at[i].schema, tables.at[i].name);
    cr_expect_str_eq(names.data, "A.z public.B public.b public.child public.leaf public.u "
                                 "public.\303\244 ");
    for (size_t i = 0; i < tables.count; i++) {
        const struct bp_table *t = &tables.at[i];
        BP_AUTO(bp_freep)
        char *sql = bp_format("SELECT '\"%s\".\"%s\"'::regclass::oid", t->schema, t->name);
        BP_AUTO(bp_freep) char *oid = test_db_value(&db, sql);
        BP_AUTO(bp_freep) char *id = bp_format("%u", t->id);

        cr_expect_str_eq(id, oid);
    }
}

Test(postgres_catalog, writes_the_statements_of_an_ordinary_table)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};
    const struct bp_table *t = NULL;

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (gone int, \"A b\" text, n int, g int GENERATED ALWAYS AS"
                     " (n * 2) STORED, PRIMARY KEY (n, \"A b\")); ALTER TABLE t DROP gone");
    read_catalog(&db, &tables);
    t = find(&tables, "t");
    cr_expect_str_eq(t->copy_in, "COPY public.t (\"A b\", n) FROM stdin;");
    expect_copy_out(t, "COPY (SELECT t.\"A b\", t.n FROM ONLY public.t t ORDER BY t.n, "
                       "t.\"A b\"::pg_catalog.text COLLATE pg_catalog.\"C\") TO STDOUT");
    cr_expect(t->all_differ);
    cr_expect_eq(t->key_columns, 3u);
    cr_expect_str_eq(t->order, "primary key");
}

Test(postgres_catalog, knows_which_values_of_a_row_are_the_key)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};
    BP_AUTO(bp_buf_free) struct bp_buf wide = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE a (gone int, x int, g int GENERATED ALWAYS AS (1) STORED,"
                     " k int, y int, l int, PRIMARY KEY (l, k)); ALTER TABLE a DROP gone;"
                     "CREATE TABLE b (x int, g int GENERATED ALWAYS AS (x + 1) STORED PRIMARY KEY);"
                     "CREATE TABLE c (x int UNIQUE)");
    bp_buf_puts(&wide, "CREATE TABLE d (");
    for (int i = 1; i < 64; i++)
        bp_buf_printf(&wide, "c%d int, ", i);
    bp_buf_puts(&wide, "id int PRIMARY KEY); CREATE TABLE e (");
    for (int i = 1; i < 63; i++)
        bp_buf_printf(&wide, "c%d int, ", i);
    bp_buf_puts(&wide, "id int PRIMARY KEY)");
    test_db_run(&db, wide.data);
    read_catalog(&db, &tables);
    cr_expect_eq(find(&tables, "a")->key_columns, 2u | 8u, "x, k, y and l are read");
    cr_expect_eq(find(&tables, "b")->key_columns, 0u, "the key is not among what is read");
    cr_expect_eq(find(&tables, "c")->key_columns, 0u);
    cr_expect_eq(find(&tables, "d")->key_columns, 0u, "its place has no bit");
    cr_expect_eq(find(&tables, "e")->key_columns, UINT64_C(1) << 62);
}

Test(postgres_catalog, writes_the_statements_of_tables_without_keys_or_columns)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE zero (); CREATE TABLE keyless (a json, b xml)");
    read_catalog(&db, &tables);
    cr_expect_str_eq(find(&tables, "zero")->copy_in, "COPY public.zero FROM stdin;");
    expect_copy_out(find(&tables, "zero"), "COPY (SELECT  FROM ONLY public.zero t) TO STDOUT");
    expect_copy_out(find(&tables, "keyless"),
                    "COPY (SELECT t.a, t.b FROM ONLY public.keyless t ORDER BY "
                    "ROW(t.a, t.b)::pg_catalog.text COLLATE pg_catalog.\"C\") TO STDOUT");
    cr_expect_not(find(&tables, "keyless")->all_differ);
    cr_expect_eq(find(&tables, "keyless")->key_columns, 0u);
    cr_expect_str_eq(find(&tables, "keyless")->order, "row text");
}

Test(postgres_catalog, sorts_by_text_where_the_type_has_no_lasting_order)
{
    static const struct {
        const char *type;
        bool by_text;
    } keys[] = {{"int", false},     {"uuid", false},      {"timestamptz", false},
                {"text", true},     {"varchar(3)", true}, {"char(3)", true},
                {"mood", false},    {"int4range", true},  {"text[]", true},
                {"regclass", true}, {"numeric", false},   {"positive", false},
                {"word", true},     {"bytea", false},     {"citext", true},
                {"jsonb", true},    {"pair", true}};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    test_db_new(&db);
    bp_buf_puts(&sql, "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('a', 'b');"
                      "CREATE DOMAIN positive AS int; CREATE DOMAIN word AS text;"
                      "CREATE TYPE pair AS (a int, b text);");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        bp_buf_printf(&sql, "CREATE TABLE t%zu (k %s PRIMARY KEY);", i, keys[i].type);
    test_db_run(&db, sql.data);
    read_catalog(&db, &tables);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        BP_AUTO(bp_freep) char *name = bp_format("t%zu", i);

        cr_expect_eq(strstr(find(&tables, name)->order_by, "COLLATE") != NULL, keys[i].by_text,
                     "%s: %s", keys[i].type, find(&tables, name)->order_by);
    }
}

Test(postgres_catalog, loads_partitions_hashed_by_an_enum_through_their_root)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TYPE mood AS ENUM ('a', 'b');"
                     "CREATE TABLE top (m mood, n int) PARTITION BY LIST (m);"
                     "CREATE TABLE middle PARTITION OF top DEFAULT PARTITION BY HASH (m);"
                     "CREATE TABLE moving PARTITION OF middle FOR VALUES WITH (MODULUS 1, REMAINDER"
                     " 0); CREATE TABLE top2 (n int) PARTITION BY HASH (n);"
                     "CREATE TABLE staying PARTITION OF top2 FOR VALUES WITH (MODULUS 1, REMAINDER"
                     " 0)");
    read_catalog(&db, &tables);
    cr_expect_str_eq(find(&tables, "moving")->copy_in, "COPY public.top (m, n) FROM stdin;");
    cr_expect_str_eq(find(&tables, "staying")->copy_in, "COPY public.staying (n) FROM stdin;");
}

Test(postgres_catalog, leaves_out_what_an_extension_brings_back)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_tables_free) struct bp_tables tables = {0};

    test_db_new(&db);
    /* No extension in Debian's package has a configuration table, so one is made by hand. */
    test_db_run(&db, "CREATE TABLE mine (); CREATE TABLE theirs (); CREATE TABLE config (n int);"
                     "CREATE EXTENSION citext; ALTER EXTENSION citext ADD TABLE theirs;"
                     "ALTER EXTENSION citext ADD TABLE config; UPDATE pg_extension SET extconfig ="
                     " ARRAY['config'::regclass::oid], extcondition = ARRAY['WHERE n > 1'] WHERE"
                     " extname = 'citext'");
    read_catalog(&db, &tables);
    cr_assert_eq(tables.count, 2);
    expect_copy_out(find(&tables, "config"),
                    "COPY (SELECT n FROM ONLY public.config WHERE n > 1 ORDER BY "
                    "ROW(n)::pg_catalog.text COLLATE pg_catalog.\"C\") TO STDOUT");
    cr_expect_not_null(find(&tables, "config")->condition);
    cr_expect_not_null(find(&tables, "mine"));
}
