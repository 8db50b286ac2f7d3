#include "source/postgres_scope.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "source/postgres_dump.h"
#include "test_postgres_support.h"

/* A session in a snapshot, with a scope. */
struct session {
    struct bp_pg pg;
    struct bp_scope scope;
    struct bp_pg_scope made;
};

static void close_session(struct session *s)
{
    bp_list_free(&s->scope.schemas);
    bp_list_free(&s->scope.exclude_schemas);
    bp_list_free(&s->scope.tables);
    bp_list_free(&s->scope.exclude_tables);
    bp_list_free(&s->scope.exclude_table_data);
    bp_pg_scope_free(&s->made);
    bp_pg_close(&s->pg);
}

/* Words as on the command line: "-n", "app", "-T", "x", NULL. */
static void take_words(struct bp_scope *scope, const char *const *words)
{
    for (; words[0] != NULL; words += 2) {
        struct bp_list *list = strcmp(words[0], "-n") == 0   ? &scope->schemas
                               : strcmp(words[0], "-N") == 0 ? &scope->exclude_schemas
                               : strcmp(words[0], "-t") == 0 ? &scope->tables
                               : strcmp(words[0], "-T") == 0 ? &scope->exclude_tables
                                                             : &scope->exclude_table_data;

        bp_list_add(list, words[1]);
    }
}

static enum bp_code try_open(struct session *s, const struct test_db *db, const char *const *words,
                             struct bp_err *err)
{
    enum bp_code rc = bp_pg_open(&s->pg, &db->options, err);

    cr_assert_eq(rc, BP_OK, "%s", err->msg);
    take_words(&s->scope, words);
    rc = bp_pg_scope_open(&s->pg, &s->scope, &s->made, err);
    return rc == BP_OK ? bp_pg_run(&s->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err)
                       : rc;
}

static void open_session(struct session *s, const struct test_db *db, const char *const *words)
{
    struct bp_err err = {0};

    cr_assert_eq(try_open(s, db, words, &err), BP_OK, "%s", err.msg);
}

static const char schema_sql[] =
    "CREATE SCHEMA app; CREATE SCHEMA \"App\"; CREATE SCHEMA \"a.b\"; CREATE SCHEMA \"q\"\"s\";"
    "CREATE SCHEMA \"new\nline\"; CREATE SCHEMA app2; CREATE SCHEMA \"$x\";"
    "CREATE TABLE public.users (); CREATE TABLE app.users (id serial, n int);"
    "CREATE TABLE \"App\".\"Users\" (); CREATE TABLE \"a.b\".\"c.d\" (); CREATE TABLE public.only ();"
    "CREATE TABLE \"q\"\"s\".\"we\"\"ird\" (); CREATE TABLE \"new\nline\".\"new\nline\" ();"
    "CREATE TABLE app.\"we\"\"ird\" (); CREATE TABLE app.\"new\nline\" ();"
    "CREATE TABLE app.\"re*[0-9]+(x)|y?{}^\" (); CREATE TABLE app.\"$d\" (); CREATE TABLE app.a$b ();"
    "CREATE TABLE app.\"back\\slash\" (); CREATE TABLE app.t1 (); CREATE TABLE app.t2 ();"
    "CREATE TABLE app.t10 (); CREATE TABLE app.\"T1\" (); CREATE TABLE app.\"\303\244\" ();"
    "CREATE TABLE app.\"a b\" (); CREATE TABLE app.\"-n\" (); CREATE TABLE app.\"it's\" ();"
    "CREATE TABLE app.\"arr[]\" (); CREATE TABLE \"$x\".\"c|d\" (); CREATE TABLE \"$x\".c ();"
    "CREATE TABLE public.pg_class (); CREATE TABLE app2.users (id int GENERATED ALWAYS AS IDENTITY);"
    "CREATE TABLE app2.root (id int PRIMARY KEY) PARTITION BY RANGE (id);"
    "CREATE TABLE app2.leaf PARTITION OF app2.root DEFAULT;"
    "CREATE TABLE app2.child (x int) INHERITS (app.users);"
    "CREATE VIEW app2.v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW app2.m AS SELECT 1 AS a;"
    "CREATE SEQUENCE app2.free; CREATE INDEX users_n ON app.users (n);"
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;"
    "CREATE FOREIGN TABLE app2.f () SERVER srv;"
    "CREATE TABLE app2.ext_config (); CREATE TABLE app2.ext_other (); CREATE EXTENSION citext;"
    "ALTER EXTENSION citext ADD TABLE app2.ext_config;"
    "ALTER EXTENSION citext ADD TABLE app2.ext_other;"
    "UPDATE pg_extension SET extconfig = ARRAY['app2.ext_config'::regclass::oid], extcondition ="
    " ARRAY[''] WHERE extname = 'citext';";

static void make_db(struct test_db *db)
{
    BP_AUTO(bp_freep) char *sql = NULL;

    test_db_new(db);
    test_db_run(db, schema_sql);
    sql = bp_format("ALTER DATABASE %s SET search_path = app, nowhere, public", db->name);
    test_db_run(db, sql);
}

static void run_program(const struct test_db *db, const char *const *argv, const struct bp_buf *in,
                        struct bp_buf *out)
{
    BP_AUTO(bp_child_result_free) struct bp_child_result result = {0};
    struct bp_err err = {0};
    const struct bp_child_job job = {.argv = argv,
                                     .env = db->options.env->vars,
                                     .input = in != NULL ? in->data : NULL,
                                     .input_len = in != NULL ? in->len : 0,
                                     .output_limit = 64 << 20,
                                     .clock = db->options.clock};

    cr_assert_eq(bp_child_run(&job, &result, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(result.exit_status, 0, "%s", bp_buf_str(&result.errs));
    bp_buf_add(out, result.out.data, result.out.len);
}

/*
 * "215; 1259 16406 TABLE app users postgres": the OIDs of what is in pg_class, sorted. What the
 * server itself has is not ours to compare, and indexes come with their tables.
 */
static void collect_oids(char *listing, struct bp_list *out)
{
    enum { FIRST_USER_OID = 16384 };
    char *rest = listing;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        char *at = strstr(line, "; 1259 ");
        char *end = NULL;
        long oid = at != NULL ? strtol(at + 7, &end, 10) : 0;

        if (oid >= FIRST_USER_OID && strncmp(end, " INDEX ", 7) != 0)
            bp_list_addf(out, "%ld", oid);
    }
    bp_list_sort(out);
}

/* What pg_dump takes with these arguments. */
static void ask_pg_dump(const struct test_db *db, const char *const *words, struct bp_list *out)
{
    enum { MOST = 200, FIXED = 6 };
    BP_AUTO(bp_pg_programs_free) struct bp_pg_programs programs = {0};
    BP_AUTO(bp_buf_free) struct bp_buf dump = {0};
    BP_AUTO(bp_buf_free) struct bp_buf listing = {0};
    BP_AUTO(bp_freep) char *version = test_db_value(db, "SHOW server_version_num");
    struct bp_err err = {0};
    enum bp_code rc =
        bp_pg_programs_find(&db->options, (int)strtol(version, NULL, 10), &programs, &err);
    BP_AUTO(bp_freep) char *pg_dump = bp_format("%s/pg_dump", programs.dir);
    BP_AUTO(bp_freep) char *pg_restore = bp_format("%s/pg_restore", programs.dir);
    const char *dump_argv[MOST] = {pg_dump, "-Fc", "--schema-only", "-E", "UTF8", "--dbname"};
    const char *list_argv[] = {pg_restore, "--list", NULL};
    size_t count = FIXED;

    cr_assert_eq(rc, BP_OK, "%s", err.msg);
    dump_argv[count++] = db->url;
    for (; *words != NULL && count < MOST - 1; words++)
        dump_argv[count++] = *words;
    cr_assert_null(*words);
    run_program(db, dump_argv, NULL, &dump);
    run_program(db, list_argv, &dump, &listing);
    collect_oids(listing.data, out);
}

static void ask_server(struct session *s, const char *condition, struct bp_list *out)
{
    BP_AUTO(bp_pg_clear) PGresult *rows = NULL;
    struct bp_err err = {0};
    BP_AUTO(bp_freep)
    char *sql =
        bp_format("SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_'"
                  " AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d"
                  " WHERE d.objid = c.oid AND d.deptype = 'e')%s",
                  condition);

    cr_assert_eq(bp_pg_query(&s->pg, sql, &rows, &err), BP_OK, "%s", err.msg);
    for (int i = 0; i < PQntuples(rows); i++)
        bp_list_add(out, PQgetvalue(rows, i, 0));
    bp_list_sort(out);
}

static char *join(const struct bp_list *list)
{
    struct bp_buf out = {0};

    for (size_t i = 0; i < list->count; i++)
        bp_buf_printf(&out, "%s ", list->at[i]);
    return bp_buf_take(&out);
}

/* pg_dump with these words, pg_dump with our arguments and our condition must take the same. */
static void compare(const struct test_db *db, const char *const *words)
{
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list args = {0};
    BP_AUTO(bp_list_free) struct bp_list theirs = {0};
    BP_AUTO(bp_list_free) struct bp_list resolved = {0};
    BP_AUTO(bp_list_free) struct bp_list ours = {0};
    BP_AUTO(bp_freep) char *a = NULL;
    BP_AUTO(bp_freep) char *b = NULL;
    BP_AUTO(bp_freep) char *c = NULL;
    struct bp_err err = {0};

    open_session(&s, db, words);
    cr_assert_eq(bp_pg_scope_args(&s.pg, &s.scope, &s.made, &args, &err), BP_OK, "%s %s: %s",
                 words[0], words[1], err.msg);
    bp_list_take(&args, NULL);
    ask_pg_dump(db, words, &theirs);
    ask_pg_dump(db, (const char *const *)args.at, &resolved);
    ask_server(&s, s.made.relations, &ours);
    a = join(&theirs);
    b = join(&resolved);
    c = join(&ours);
    cr_expect_str_eq(b, a, "arguments for %s %s: %s, pg_dump %s", words[0], words[1], b, a);
    cr_expect_str_eq(c, a, "condition for %s %s: %s, pg_dump %s", words[0], words[1], c, a);
    cr_expect_gt(theirs.count, 0, "%s %s matches nothing", words[0], words[1]);
}

static void compare_all(const char *const cases[][9], size_t count)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};

    make_db(&db);
    for (size_t i = 0; i < count; i++)
        compare(&db, cases[i]);
}

Test(postgres_scope, takes_the_tables_that_pg_dump_takes, .timeout = 300)
{
    static const char *const cases[][9] = {
        {"-t", "users"},
        {"-t", "USERS"},
        {"-t", "only"},
        {"-t", "app2.*"},
        {"-t", "*.users"},
        {"-t", "\"App\".\"Users\""},
        {"-t", "\"a.b\".*"},
        {"-t", "\"a.b\".\"c.d\""},
        {"-t", "a?b.c?d"},
        {"-t", "*\"\"\"\"*"},
        {"-t", "*.\"we\"\"ird\""},
        {"-t", "*line.new*line"},
        {"-t", "\"re*[0-9]+(x)|y?{}^\""},
        {"-t", "re*"},
        {"-t", "$*"},
        {"-t", "\"$d\"", "-t", "a$b", "-t", "\"$x\".c"},
        {"-t", "\"back\\slash\"", "-t", "t[0-9]"},
        {"-t", "t[0-9]+"},
        {"-t", "t(1|2)"},
        {"-t", "\"T1\"", "-t", "t1"},
        {"-t", "\303\244", "-t", "*it's", "-t", "\"-n\"", "-t", "\"a b\""},
        {"-t", "arr[]"},
        {"-t", "\"$x\".\"c|d\""},
        {"-t", "\\w"},
        {"-t", "app.*", "-T", "t?"},
        {"-t", "app2.root"},
        {"-t", "app2.*", "-T", "app2.users"},
        {"-t", "app2.v", "-t", "app2.m", "-t", "app2.free", "-t", "app2.f"},
        {"-t", "app.users_id_seq"},
        {"-t", "app2.users_id_seq", "-t", "app.t1"},
    };

    compare_all(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(postgres_scope, takes_the_schemas_that_pg_dump_takes, .timeout = 300)
{
    static const char *const cases[][9] = {
        {"-n", "app"},
        {"-n", "app*", "-N", "app2"},
        {"-n", "\"App\""},
        {"-n", "*", "-T", "users", "-T", "*.t1"},
        {"-n", "\"a.b\"", "-n", "\"q\"\"s\"", "-n", "\"new\nline\""},
        {"-n", "$x"},
        {"-N", "app"},
        {"-N", "*p*", "-N", "nowhere"},
        {"-T", "app.*"},
        {"-T", "app2.root"},
        {"-T", "app2.users"},
        {"-T", "*users_id_seq"},
        {"-N", "app2", "-T", "t1", "-T", "*.\"new\nline\""},
        {"-n", "app2", "-t", "app.t1"},
        {"-N", "app", "-t", "app.t1"},
    };

    compare_all(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(postgres_scope, takes_everything_when_nothing_is_said)
{
    static const char *const none[] = {NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list args = {0};
    BP_AUTO(bp_list_free) struct bp_list warnings = {0};
    struct bp_err err = {0};

    make_db(&db);
    open_session(&s, &db, none);
    cr_expect_str_eq(s.made.relations, "");
    cr_expect_str_eq(s.made.rows, "");
    cr_expect_not(s.made.narrow);
    cr_expect_eq(bp_pg_scope_args(&s.pg, &s.scope, &s.made, &args, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_pg_scope_data_args(&s.pg, &s.scope, &s.made, &args, &err), BP_OK, "%s",
                 err.msg);
    cr_expect_eq(args.count, 0);
    cr_expect_eq(bp_pg_scope_check(&s.pg, &s.scope, &s.made, &warnings, &err), BP_OK, "%s",
                 err.msg);
    cr_expect_eq(warnings.count, 0);
}

Test(postgres_scope, leaves_the_session_with_its_own_search_path)
{
    static const char *const words[] = {"-t", "users", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_buf_free) struct bp_buf path = {0};
    struct bp_err err = {0};

    make_db(&db);
    open_session(&s, &db, words);
    cr_expect(s.made.narrow);
    cr_assert_eq(bp_pg_query_text(&s.pg, "SHOW search_path", &path, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(path.data, "\"\"");
    cr_expect_str_eq(s.made.path, "'{pg_catalog,app,public}'::name[]");
}

Test(postgres_scope, leaves_out_rows_but_not_their_tables)
{
    static const char *const words[] = {"-n", "app*", "-d", "t[0-9]", "-d", "app2.root", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list all = {0};
    BP_AUTO(bp_list_free) struct bp_list rows = {0};
    BP_AUTO(bp_list_free) struct bp_list args = {0};
    struct bp_err err = {0};

    make_db(&db);
    open_session(&s, &db, words);
    ask_server(&s, s.made.relations, &all);
    ask_server(&s, s.made.rows, &rows);
    cr_expect_eq(rows.count, all.count - 3);
    cr_assert_eq(bp_pg_scope_data_args(&s.pg, &s.scope, &s.made, &args, &err), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(args.count, 2);
    cr_expect_str_eq(args.at[0], "--exclude-table-data=\"app\".\"t1\"|\"t2\"");
    cr_expect_str_eq(args.at[1], "--exclude-table-data=\"app2\".\"ext_config\"|\"root\"");
}

static void expect_refused(const struct test_db *db, const char *const *words, const char *expected)
{
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list list = {0};
    struct bp_err err = {0};
    enum bp_code rc = try_open(&s, db, words, &err);

    if (rc == BP_OK)
        rc = bp_pg_scope_check(&s.pg, &s.scope, &s.made, &list, &err);
    if (rc == BP_OK)
        rc = bp_pg_scope_args(&s.pg, &s.scope, &s.made, &list, &err);
    cr_expect_eq(rc, BP_EUSAGE, "%s %s", words[0], words[1]);
    cr_expect_not_null(strstr(err.msg, expected), "%s", err.msg);
}

Test(postgres_scope, refuses_a_pattern_that_matches_nothing)
{
    static const struct {
        const char *words[5];
        const char *expected;
    } cases[] = {
        {{"-t", "usres"}, "no table matches --table 'usres'"},
        {{"-t", "users", "-t", "Nope"}, "no table matches --table 'Nope'"},
        {{"-t", "child"}, "no table matches --table 'child'"}, /* not in the search path */
        {{"-t", "pg_class"}, "no table matches --table 'pg_class'"},
        {{"-n", "nowhere"}, "no schema matches --schema 'nowhere'"},
        {{"-n", "pg_catalog"}, "no schema matches --schema 'pg_catalog'"},
        {{"-n", "a.b"}, "'a.b' has a dot"},
        {{"-T", "a.b.c"}, "'a.b.c' has too many dots"},
        {{"-d", "x("}, "'x(' cannot be used: invalid regular expression"},
        {{"-t", "app.t1", "-T", "t1"}, "nothing is left of what --table names"},
        {{"-n", "app", "-N", "app"}, "nothing is left of what --schema names"},
    };
    BP_AUTO(test_db_drop) struct test_db db = {0};

    make_db(&db);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refused(&db, cases[i].words, cases[i].expected);
}

Test(postgres_scope, warns_of_what_has_no_effect)
{
    static const char *const words[] = {"-t", "t1",    "-n", "app", "-N", "zz",
                                        "-T", "*.y\n", "-d", "X",   NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list warnings = {0};
    struct bp_err err = {0};

    make_db(&db);
    open_session(&s, &db, words);
    cr_assert_eq(bp_pg_scope_check(&s.pg, &s.scope, &s.made, &warnings, &err), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(warnings.count, 5);
    cr_expect_str_eq(warnings.at[0], "--schema has no effect together with --table");
    cr_expect_str_eq(warnings.at[1], "no schema matches --exclude-schema 'zz'");
    cr_expect_str_eq(warnings.at[2], "--exclude-schema has no effect together with --table");
    cr_expect_str_eq(warnings.at[3], "no table matches --exclude-table '*.y '");
    cr_expect_str_eq(warnings.at[4], "no table matches --exclude-table-data 'X'");
}

Test(postgres_scope, warns_of_tables_that_need_one_that_is_left_out)
{
    static const char *const words[] = {"-T", "app2.root", "-N", "app", NULL};
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(close_session) struct session s = {0};
    BP_AUTO(bp_list_free) struct bp_list warnings = {0};
    struct bp_err err = {0};

    make_db(&db);
    test_db_run(&db, "CREATE TABLE app2.ref (id int REFERENCES app2.root)");
    open_session(&s, &db, words);
    cr_assert_eq(bp_pg_scope_check(&s.pg, &s.scope, &s.made, &warnings, &err), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(warnings.count, 3);
    cr_expect_str_eq(warnings.at[0], "app2.child is made from app.users, which is left out: a "
                                     "restore into an empty database will fail");
    cr_expect_not_null(strstr(warnings.at[1], "app2.leaf is made from app2.root"));
    cr_expect_not_null(strstr(warnings.at[2], "app2.ref refers to app2.root"));
}
