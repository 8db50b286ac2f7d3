#include "source/postgres_split.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_catalog.h"
#include "source/postgres_copy.h"
#include "test_postgres_support.h"

enum { LARGE = 1 << 30, READERS = 4, MANY_READERS = 64 };

/* A table of two cuts, made by hand. */
static struct bp_table table_by_hand(void)
{
    static char first[] = "'10'::integer";
    static char second[] = "'20'::integer";
    static char *cuts[] = {first, second};
    static char columns[] = "t.id, t.\"No\"";
    static char quoted[] = "app.\"Users\"";
    static char key[] = "t.id";

    return (struct bp_table){
        .columns = columns,
        .quoted = quoted,
        .order_by = key,
        .key = key,
        .slices = 3,
        .cuts = {.at = cuts, .count = 2},
    };
}

static void expect_sql(const struct bp_slice *slice, const char *expected)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    bp_pg_put_copy_out(&sql, slice);
    cr_expect_str_eq(sql.data, expected, "%s", sql.data);
}

Test(postgres_split, writes_the_statement_of_each_slice)
{
    const struct bp_table table = table_by_hand();

    expect_sql(&(struct bp_slice){.table = &table},
               "COPY (SELECT t.id, t.\"No\" FROM ONLY app.\"Users\" t WHERE t.id < '10'::integer"
               " ORDER BY t.id) TO STDOUT");
    expect_sql(&(struct bp_slice){.table = &table, .number = 1},
               "COPY (SELECT t.id, t.\"No\" FROM ONLY app.\"Users\" t WHERE t.id >= '10'::integer"
               " AND t.id < '20'::integer ORDER BY t.id) TO STDOUT");
    expect_sql(&(struct bp_slice){.table = &table, .number = 2},
               "COPY (SELECT t.id, t.\"No\" FROM ONLY app.\"Users\" t WHERE t.id >= '20'::integer"
               " ORDER BY t.id) TO STDOUT");
    expect_sql(&(struct bp_slice){.table = &table, .number = 1, .limit = 5000000000},
               "COPY (SELECT t.id, t.\"No\" FROM ONLY app.\"Users\" t WHERE t.id >= '10'::integer"
               " AND t.id < '20'::integer ORDER BY t.id LIMIT 5000000000) TO STDOUT");
}

Test(postgres_split, writes_the_statement_of_a_whole_table)
{
    static char none[] = "";
    static char condition[] = "WHERE id > 1";
    struct bp_table table = table_by_hand();

    table.cuts = (struct bp_list){0};
    expect_sql(&(struct bp_slice){.table = &table, .limit = 7},
               "COPY (SELECT t.id, t.\"No\" FROM ONLY app.\"Users\" t ORDER BY t.id LIMIT 7)"
               " TO STDOUT");
    table.order_by = none;
    table.columns = none;
    table.condition = condition;
    expect_sql(&(struct bp_slice){.table = &table},
               "COPY (SELECT  FROM ONLY app.\"Users\" WHERE id > 1) TO STDOUT");
}

/* One connection that reads in one snapshot. */
struct opened {
    struct bp_pg pg;
    struct bp_tables tables;
};

static void opened_free(struct opened *o)
{
    bp_tables_free(&o->tables);
    bp_pg_close(&o->pg);
}

/* Open, and say that each table is so large. */
static void open_snapshot(const struct test_db *db, int64_t size, struct opened *o)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_open(&o->pg, &db->options, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_pg_run(&o->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &err), BP_OK,
                 "%s", err.msg);
    cr_assert_eq(bp_pg_catalog_read(&o->pg, "", &o->tables, &err), BP_OK, "%s", err.msg);
    for (size_t i = 0; i < o->tables.count; i++)
        o->tables.at[i].size_bytes = size;
}

static void split(struct opened *o, size_t readers)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_pg_split(&o->pg, readers, &o->tables, &err), BP_OK, "%s", err.msg);
}

static void read_slice(struct opened *o, const struct bp_slice *slice, struct bp_buf *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};
    struct bp_err err = {0};

    bp_pg_put_copy_out(&sql, slice);
    cr_assert_eq(bp_pg_copy_out(&o->pg, sql.data, test_keep_line, out, &err), BP_OK, "%s: %s",
                 sql.data, err.msg);
}

/* What all slices hold, one after the other, is the table; no slice holds most of it. */
static void expect_parts_of_a_whole(struct opened *o, const struct bp_table *table)
{
    BP_AUTO(bp_buf_free) struct bp_buf whole = {0};
    BP_AUTO(bp_buf_free) struct bp_buf parts = {0};
    struct bp_table uncut = *table;
    size_t largest = 0;

    uncut.cuts = (struct bp_list){0};
    read_slice(o, &(struct bp_slice){.table = &uncut}, &whole);
    for (size_t i = 0; i < table->slices; i++) {
        size_t before = parts.len;

        read_slice(o, &(struct bp_slice){.table = table, .number = i}, &parts);
        largest = parts.len - before > largest ? parts.len - before : largest;
    }
    cr_expect_gt(whole.len, 0, "%s", table->name);
    cr_expect(strcmp(bp_buf_str(&parts), bp_buf_str(&whole)) == 0, "%s: %zu and %zu bytes",
              table->name, parts.len, whole.len);
    cr_expect_lt(largest, whole.len / 2, "a slice of %s has %zu of %zu bytes", table->name, largest,
                 whole.len);
}

static const char keys_sql[] =
    "CREATE TABLE by_int AS SELECT i - 500 AS id FROM generate_series(1, 1000) i;"
    "CREATE TABLE by_uuid AS SELECT md5(i::text)::uuid AS id FROM generate_series(1, 1000) i;"
    "CREATE TABLE by_time AS SELECT '2024-01-01 00:00:00.5+00'::timestamptz + i * '1 day'::interval"
    " AS id FROM generate_series(-900000, 10000, 1000) i;"
    "INSERT INTO by_time VALUES ('infinity'), ('-infinity');"
    "CREATE TABLE by_pair AS SELECT i / 5 AS a, i AS b FROM generate_series(1, 2000) i;"
    "CREATE TABLE by_number AS SELECT (i * 1.5)::numeric(10, 2) AS id"
    " FROM generate_series(-500, 500) i; INSERT INTO by_number VALUES ('NaN');"
    "CREATE TABLE by_float AS SELECT i / 7.0::float8 AS id FROM generate_series(-500, 500) i;"
    "CREATE TABLE by_bytes AS SELECT decode(md5(i::text), 'hex') AS id"
    " FROM generate_series(1, 1000) i;"
    "CREATE TABLE by_address AS SELECT '10.0.0.0'::inet + i AS id FROM generate_series(1, 1000) i;"
    "CREATE TABLE by_bits AS SELECT i::bit(16) AS id FROM generate_series(1, 1000) i;"
    "CREATE DOMAIN number AS bigint CHECK (value > 0);"
    "CREATE TABLE by_domain AS SELECT i::number AS id FROM generate_series(1, 1000) i;"
    "CREATE TABLE \"by \"\"odd\"\" 'name'\" AS SELECT i AS \"I'd \"\"is\"\"\""
    " FROM generate_series(1, 1000) i;"
    "ALTER TABLE by_pair ADD PRIMARY KEY (a, b);"
    "ALTER TABLE \"by \"\"odd\"\" 'name'\" ADD PRIMARY KEY (\"I'd \"\"is\"\"\");"
    "DO $$DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['int', 'uuid', 'time', 'number', 'float',"
    " 'bytes', 'address', 'bits', 'domain'] LOOP"
    " EXECUTE format('ALTER TABLE by_%s ADD PRIMARY KEY (id)', t); END LOOP; END$$;"
    "ANALYZE";

Test(postgres_split, cuts_tables_by_keys_of_many_types, .timeout = 60)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, keys_sql);
    open_snapshot(&db, LARGE, &o);
    cr_assert_eq(o.tables.count, 11);
    split(&o, MANY_READERS);
    for (size_t i = 0; i < o.tables.count; i++) {
        const struct bp_table *table = &o.tables.at[i];

        cr_expect_eq(table->slices, table->cuts.count + 1);
        cr_expect_geq(table->slices, 4, "%s has %zu slices", table->name, table->slices);
        /* Bits are compared with the first of them only: all rows are there, the parts unequal. */
        if (strcmp(table->name, "by_bits") != 0)
            expect_parts_of_a_whole(&o, table);
    }
}

static const char hole_sql[] =
    "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t;"
    "DELETE FROM t WHERE id % 3 = 0; INSERT INTO t SELECT generate_series(-700, 0);"
    "INSERT INTO t SELECT generate_series(1001, 3000)";

Test(postgres_split, reads_every_row_once_when_the_statistics_are_old)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf whole = {0};
    BP_AUTO(bp_buf_free) struct bp_buf parts = {0};
    struct bp_table uncut;

    test_db_new(&db);
    test_db_run(&db, hole_sql);
    open_snapshot(&db, LARGE, &o);
    split(&o, READERS);
    cr_assert_gt(o.tables.at[0].slices, 1);
    uncut = o.tables.at[0];
    uncut.cuts = (struct bp_list){0};
    read_slice(&o, &(struct bp_slice){.table = &uncut}, &whole);
    for (size_t i = 0; i < o.tables.at[0].slices; i++)
        read_slice(&o, &(struct bp_slice){.table = &o.tables.at[0], .number = i}, &parts);
    cr_expect_str_eq(bp_buf_str(&parts), bp_buf_str(&whole));
}

static const char whole_sql[] =
    "CREATE TABLE no_statistics (id int PRIMARY KEY);"
    "CREATE TABLE no_key (id int); CREATE TABLE by_text (id text PRIMARY KEY);"
    "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE by_mood (m mood, id int,"
    " PRIMARY KEY (m, id)); CREATE TABLE constant (a int, b int, PRIMARY KEY (a, b));"
    "INSERT INTO no_statistics SELECT generate_series(1, 1000);"
    "INSERT INTO no_key SELECT generate_series(1, 1000);"
    "INSERT INTO by_text SELECT generate_series(1, 1000)::text;"
    "INSERT INTO by_mood SELECT 'ok', generate_series(1, 1000);"
    "INSERT INTO constant SELECT 1, generate_series(1, 1000);"
    "ANALYZE no_key; ANALYZE by_text; ANALYZE by_mood; ANALYZE constant";

Test(postgres_split, leaves_whole_what_it_cannot_cut)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, whole_sql);
    open_snapshot(&db, LARGE, &o);
    cr_assert_eq(o.tables.count, 5);
    split(&o, READERS);
    for (size_t i = 0; i < o.tables.count; i++)
        cr_expect_eq(o.tables.at[i].slices, 1, "%s", o.tables.at[i].name);
}

/* How many slices a table of 1000 rows gets when it is so large. */
static size_t slices_of(const struct test_db *db, int64_t size, size_t readers)
{
    BP_AUTO(opened_free) struct opened o = {0};

    open_snapshot(db, size, &o);
    split(&o, readers);
    cr_assert_eq(o.tables.count, 1);
    cr_expect_eq(o.tables.at[0].slices, o.tables.at[0].cuts.count + 1);
    return o.tables.at[0].slices;
}

Test(postgres_split, makes_no_more_slices_than_are_worth_it)
{
    const int64_t mib = 1 << 20;
    BP_AUTO(test_db_drop) struct test_db db = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY);"
                     "INSERT INTO t SELECT generate_series(1, 1000); ANALYZE");
    cr_expect_eq(slices_of(&db, 191 * mib, 8), 1);
    cr_expect_eq(slices_of(&db, 192 * mib, 8), 2);
    cr_expect_eq(slices_of(&db, 1024 * mib, 8), 8);
    cr_expect_eq(slices_of(&db, 1024 * 1024 * mib, 2), 4);
    cr_expect_eq(slices_of(&db, 1024 * 1024 * mib, 64), 32);
    cr_expect_eq(slices_of(&db, 1024 * 1024 * mib, 1), 1, "nobody shares with one reader");
}

Test(postgres_split, leaves_a_table_whole_that_is_small_beside_another)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE large (id int PRIMARY KEY); CREATE TABLE small (id int PRIMARY"
                     " KEY); INSERT INTO large SELECT generate_series(1, 1000);"
                     "INSERT INTO small TABLE large; ANALYZE");
    open_snapshot(&db, LARGE, &o);
    o.tables.at[0].size_bytes = (int64_t)LARGE * 100;
    split(&o, READERS);
    cr_expect_str_eq(o.tables.at[0].name, "large");
    cr_expect_eq(o.tables.at[0].slices, 8);
    cr_expect_eq(o.tables.at[1].slices, 1);
}

Test(postgres_split, reads_at_most_so_many_rows_of_a_slice)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(opened_free) struct opened o = {0};
    BP_AUTO(bp_buf_free) struct bp_buf rows = {0};

    test_db_new(&db);
    test_db_run(&db, "CREATE TABLE t (id int PRIMARY KEY);"
                     "INSERT INTO t SELECT generate_series(1000, 1999);"
                     "ANALYZE");
    open_snapshot(&db, LARGE / 4, &o);
    split(&o, READERS);
    cr_assert_eq(o.tables.at[0].slices, 2);
    read_slice(&o, &(struct bp_slice){.table = &o.tables.at[0], .limit = 2}, &rows);
    read_slice(&o, &(struct bp_slice){.table = &o.tables.at[0], .number = 1, .limit = 1}, &rows);
    cr_expect_str_eq(rows.data, "1000\n1001\n1499\n");
}
