#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static const char pre_data[] = WORLD_HEAD WORLD_BLOCK("users", "TABLE",
                                                      "CREATE TABLE public.users (id int);")
    WORLD_BLOCK("parts", "TABLE", "CREATE TABLE public.parts (id int)\nPARTITION BY RANGE (id);");

static struct restore_world w;
static struct bp_list schemas;

static void set_up(void)
{
    restore_world_open(&w, tables);
    restore_world_put(&w, "database/pre-data.sql", pre_data);
}

static void tear_down(void)
{
    bp_list_free(&schemas);
    restore_world_close(&w);
}

TestSuite(restore_target, .init = set_up, .fini = tear_down);

static void expect_refusal(const char *words)
{
    cr_expect_eq(restore_world_run(&w), BP_EUSAGE);
    cr_expect_not_null(strstr(w.err.msg, words), "'%s' is not in: %s", words, w.err.msg);
    cr_expect_str_eq(bp_buf_str(&w.target.log), "");
}

static void choose_public(void)
{
    bp_list_add(&schemas, "public");
    w.job.want.schemas = &schemas;
}

Test(restore_target, a_part_does_not_go_into_tables_that_are_there)
{
    choose_public();
    w.target.has = "\"public\".\"users\"";
    expect_refusal("has such tables already (table \"public\".\"users\"); hint: --into-schema");
}

Test(restore_target, a_table_without_rows_of_its_own_counts_too)
{
    choose_public();
    w.target.has = "\"public\".\"parts\"";
    expect_refusal("has such tables already (table \"public\".\"parts\")");
    w.job.clean = true;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(restore_world_told(&w, "run what is replaced"), 1);
}

Test(restore_target, what_was_cut_off_is_ended_first)
{
    w.target.marks_archive = bp_strdup("2020-01-01T00-00-00Z");
    w.target.marks_plan = bp_strdup("x");
    choose_public();
    expect_refusal("was cut off; hint: go on with it first");
    w.job.want.schemas = NULL;
    w.target.contents = 1;
    expect_refusal("holds a restore of archive 2020-01-01T00-00-00Z that was cut off");
}

Test(restore_target, an_empty_one_is_filled_by_several_connections_others_in_one_transaction)
{
    w.job.jobs = 0;
    w.target.contents = 1;
    w.job.clean = true;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.jobs, 1);
    w.job.jobs = 1000;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.jobs, 64);
}

Test(restore_target, an_archive_with_the_schema_of_the_marks_is_restored_in_one_transaction)
{
    restore_world_put(&w, "database/pre-data.sql",
                      WORLD_HEAD "--\n-- Name: marks; Type: SCHEMA; Schema: -; Owner: a\n--\n\n"
                                 "CREATE SCHEMA marks;\n\n");
    expect_refusal("the schema 'marks' would be made, where a restore by several connections keeps "
                   "what is done; hint: restore with --jobs 1, in one transaction");
    w.job.jobs = 0;
    cr_assert_eq(restore_world_run(&w), BP_OK, "%s", w.err.msg);
    cr_expect_eq(w.result.jobs, 1);
    cr_expect_eq(w.target.marks.count, 0);
    w.job.continue_on_error = true;
    expect_refusal("the schema 'marks' would be made");
}
