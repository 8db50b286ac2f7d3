#include "source/postgres_scratch.h"

#include <criterion/criterion.h>
#include <string.h>

#include "test_postgres_support.h"

static struct test_db db;
static struct bp_pg_scratch scratch;
static struct bp_err err;

static void set_up(void)
{
    test_db_new(&db);
    scratch.reach = db.options;
}

static void tear_down(void)
{
    test_db_drop(&db);
}

TestSuite(postgres_scratch, .init = set_up, .fini = tear_down, .timeout = 60);

/* What a query that does not return true is answered; "" for one that does. */
static void expect(const char *sql, const char *words)
{
    BP_AUTO(bp_buf_free) struct bp_buf why = {0};
    bool yes = false;

    cr_assert_eq(bp_pg_scratch_ask(&scratch.base, sql, &yes, &why, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(yes, words[0] == '\0', "%s: %s", sql, bp_buf_str(&why));
    cr_expect(strstr(bp_buf_str(&why), words) != NULL, "%s: %s", sql, bp_buf_str(&why));
}

Test(postgres_scratch, only_one_row_with_one_true_is_a_yes)
{
    expect("SELECT true;", "");
    expect("SELECT count(*) = 0 FROM pg_class WHERE false;", "");
    expect("SELECT false;", "it returned false");
    expect("SELECT NULL::boolean;", "it returned null");
    expect("SELECT true WHERE false;", "it returned 0 rows and not one");
    expect("SELECT true FROM generate_series(1, 2);", "it returned 2 rows and not one");
    expect("SELECT true, true;", "it returned 2 values and not one");
    expect("SELECT 't';", "neither true nor false");
    expect("SELECT no_such_thing;", "no_such_thing");
    expect("COMMIT;", "no rows");
}

Test(postgres_scratch, a_question_changes_nothing)
{
    expect("CREATE TABLE t ();", "read-only transaction");
}

Test(postgres_scratch, a_question_is_asked_with_the_search_path_of_the_database)
{
    BP_AUTO(bp_buf_free) struct bp_buf sql = {0};

    test_db_run(&db, "CREATE SCHEMA app; CREATE TABLE app.users (); CREATE TABLE public.t ()");
    expect("SELECT count(*) = 0 FROM t;", "");
    expect("SELECT count(*) = 0 FROM users;", "does not exist");
    bp_buf_printf(&sql, "ALTER DATABASE %s SET search_path = app", db.name);
    test_admin_run(sql.data);
    expect("SELECT count(*) = 0 FROM users;", "");
}

Test(postgres_scratch, a_server_that_is_gone_gives_no_answer)
{
    BP_AUTO(bp_buf_free) struct bp_buf why = {0};
    bool yes = true;

    scratch.reach.url = "host=/no/such/folder";
    cr_expect_eq(bp_pg_scratch_ask(&scratch.base, "SELECT true;", &yes, &why, &err),
                 BP_EUNAVAILABLE);
    cr_expect_not(yes);
}

Test(postgres_scratch, extensions_that_the_server_cannot_make_are_named)
{
    BP_AUTO(bp_list_free) struct bp_list wanted = {0};
    BP_AUTO(bp_list_free) struct bp_list missing = {0};

    bp_list_add(&wanted, "citext");
    bp_list_add(&wanted, "no_such_extension");
    cr_assert_eq(bp_pg_scratch_missing(&scratch.base, &wanted, &missing, &err), BP_OK, "%s",
                 err.msg);
    cr_assert_eq(missing.count, 1);
    cr_expect_str_eq(missing.at[0], "no_such_extension");
}
