#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "source/postgres_scratch.h"
#include "test_postgres_support.h"

static struct test_db db;
static struct bp_scratch *scratch;
static struct bp_scratch_want want;
static struct bp_scratch_info info;
static struct bp_err err;

static void set_up(void)
{
    test_db_new(&db);
    scratch = bp_postgres_scratch_url_new(&db.options);
    want = (struct bp_scratch_want){
        .version_num = 130000, .encoding = "UTF8", .collation = "C", .name = "somewhere"};
}

static void tear_down(void)
{
    bp_scratch_freep(&scratch);
    test_db_drop(&db);
}

TestSuite(postgres_scratch_url, .init = set_up, .fini = tear_down, .timeout = 60);

static enum bp_code start(void)
{
    return scratch->ops->start(scratch, &want, &info, &err);
}

Test(postgres_scratch_url, an_empty_database_is_taken_and_emptied_again)
{
    BP_AUTO(bp_freep) char *tables = NULL;

    cr_assert_eq(start(), BP_OK, "%s", err.msg);
    cr_expect_geq(info.version_num, 130000);
    cr_expect_not(info.same_collation, "the cluster has C.UTF-8");
    test_db_run(&db, "CREATE TABLE left_over (a int); SELECT lo_create(0)");
    bp_scratch_freep(&scratch);
    tables = test_db_value(&db, "SELECT (SELECT count(*) FROM pg_class WHERE relname = 'left_over')"
                                " + (SELECT count(*) FROM pg_largeobject_metadata)");
    cr_expect_str_eq(tables, "0");
}

Test(postgres_scratch_url, a_database_that_holds_something_is_refused_and_left_alone)
{
    BP_AUTO(bp_freep) char *tables = NULL;

    test_db_run(&db, "CREATE TABLE precious (a int)");
    cr_expect_eq(start(), BP_EUSAGE);
    cr_expect(strstr(err.msg, "is not empty: it holds 1 objects (table public.precious)") != NULL,
              "%s", err.msg);
    bp_scratch_freep(&scratch);
    tables = test_db_value(&db, "SELECT count(*) FROM pg_class WHERE relname = 'precious'");
    cr_expect_str_eq(tables, "1");
}

Test(postgres_scratch_url, the_source_itself_is_refused_whatever_its_address_is)
{
    BP_AUTO(bp_freep)
    char *identifier = test_db_value(&db, "SELECT system_identifier FROM pg_control_system()");

    want.name = db.name;
    want.system_identifier = "1";
    cr_expect_eq(start(), BP_OK, "a database of that name elsewhere: %s", err.msg);
    want.system_identifier = identifier;
    cr_expect_eq(start(), BP_EUSAGE);
    cr_expect(strstr(err.msg, "is the source of the archive") != NULL, "%s", err.msg);
    want.name = "another";
    cr_expect_eq(start(), BP_OK, "another database of that cluster: %s", err.msg);
}

Test(postgres_scratch_url, an_older_server_is_refused)
{
    want.version_num = 990001;
    cr_expect_eq(start(), BP_EUSAGE);
    cr_expect(strstr(err.msg, "the archive is from PostgreSQL 99") != NULL, "%s", err.msg);
}

Test(postgres_scratch_url, no_connection_is_told)
{
    struct bp_postgres_options options = db.options;

    options.url = "host=/no/such/folder";
    bp_scratch_freep(&scratch);
    scratch = bp_postgres_scratch_url_new(&options);
    cr_expect_eq(start(), BP_EUNAVAILABLE);
    cr_expect(strstr(err.msg, "the scratch database: ") == err.msg, "%s", err.msg);
}
