/* What the server refuses while an archive is restored, and the fix. */
#include <criterion/criterion.h>
#include <string.h>

#include "test_postgres_support.h"

static void expect(const char *sql, enum bp_code code, const char *words)
{
    BP_AUTO(test_db_drop) struct test_db db = {0};
    BP_AUTO(test_writer_drop) struct test_writer at = {0};
    struct bp_err err = {0};

    test_db_new(&db);
    at = test_writer_begin(&db);
    cr_expect_eq(at.writer->ops->define(at.writer, sql, "x.sql", &err), code, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, words), "'%s' is not in: %s", words, err.msg);
}

Test(postgres_target_error, an_extension_that_is_missing_asks_for_its_package)
{
    expect("CREATE EXTENSION no_such", BP_EFAILED,
           "; hint: install that extension's package on the target's server");
    expect("CREATE EXTENSION hstore VERSION '0.0'", BP_EFAILED,
           "; hint: install that extension's package in this version on the target's server");
}

Test(postgres_target_error, a_role_that_is_missing_can_be_left_out)
{
    expect("CREATE TABLE public.t (); ALTER TABLE public.t OWNER TO no_such", BP_EFAILED,
           "x.sql: ALTER TABLE public.t OWNER TO no_such: role \"no_such\" does not exist; hint: "
           "make that role, or leave it out with --role-map or --no-owner");
}

Test(postgres_target_error, a_view_is_filled_with_the_rights_of_its_owner)
{
    expect("CREATE ROLE bp_view_owner;"
           "CREATE TABLE public.t (a int);"
           "CREATE MATERIALIZED VIEW public.v AS SELECT a FROM public.t WITH NO DATA;"
           "ALTER MATERIALIZED VIEW public.v OWNER TO bp_view_owner;"
           "REFRESH MATERIALIZED VIEW public.v",
           BP_EAUTH,
           "x.sql: REFRESH MATERIALIZED VIEW public.v: permission denied for table t; hint: a "
           "materialized view is filled with the rights of its owner");
}

Test(postgres_target_error, what_is_in_the_way_can_be_gone_round)
{
    expect("CREATE TABLE public.t (); CREATE VIEW public.v AS SELECT FROM public.t;"
           "DROP TABLE public.t",
           BP_EFAILED,
           "(view public.v depends on table public.t); hint: drop what depends on it first, or");
    expect("CREATE TYPE public.t AS ENUM (); CREATE TYPE public.t AS ENUM ()", BP_EFAILED,
           "type \"t\" already exists; hint: drop it first, or put the part elsewhere");
    expect("CREATE VIEW public.t AS SELECT 1; CREATE VIEW public.t AS SELECT 1", BP_EFAILED,
           "relation \"t\" already exists; hint: drop it first, or");
    expect("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
           "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
           BP_EFAILED, "already exists with same argument types; hint: drop it first, or");
}

Test(postgres_target_error, a_deadlock_may_be_tried_again)
{
    expect("DO $$BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END$$",
           BP_ELOCKED, "x.sql: DO ");
}

Test(postgres_target_error, a_full_disk_asks_for_room)
{
    expect("DO $$BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END$$", BP_EFAILED,
           "No space left; hint: make room on the disk of the target's server");
}
