#include "source/postgres_clean.h"

#include <criterion/criterion.h>

#include "test_postgres_support.h"

static int64_t count_contents(struct bp_pg *pg)
{
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    struct bp_err err = {0};
    int64_t count = -1;

    cr_assert_eq(bp_pg_contents(pg, &some, &count, &err), BP_OK, "%s", err.msg);
    return count;
}

Test(postgres_clean, leaves_nothing_of_what_somebody_made)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(bp_pg_close) struct bp_pg pg = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    cr_assert_eq(bp_pg_open(&pg, &db.options, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(count_contents(&pg), 0, "a new database is empty");
    test_db_run(&db, "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('a');"
                     "CREATE TABLE app.t (m app.mood); CREATE VIEW public.v AS TABLE app.t;"
                     "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
                     "CREATE EXTENSION citext; SELECT lo_create(4711)");
    cr_expect_gt(count_contents(&pg), 0);
    cr_assert_eq(bp_pg_clean(&pg, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(count_contents(&pg), 0);
}
