/* A restore by several connections, with marks. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/backup.h"
#include "flow/restore.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {
    {"public", "small", 3, 30}, {"public", "large", 20, 40}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_target target;
static struct bp_out out;
static struct bp_err err;
static struct bp_restore_result result;
static struct bp_restore_job job;

static bool yes(void *ctx, const char *question)
{
    (void)ctx;
    (void)question;
    return true;
}

static void set_up(void)
{
    struct fake_source source = fake_source(tables);
    struct bp_backup_job backup = {.source = &source.base,
                                   .store = &store.base,
                                   .clock = &fclock.base,
                                   .out = &out,
                                   .branch = "main",
                                   .event = "push",
                                   .tool_version = "1"};
    struct bp_backup_result made;

    source.large_object_lines = 2;
    fclock = fake_clock_new();
    fclock.wall_start_ms = INT64_C(1705329045000);
    store = fake_store();
    target = fake_target();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    cr_assert_eq(bp_flow_backup(&backup, &made, &err), BP_OK);
    job = (struct bp_restore_job){.store = &store.base,
                                  .target = &target.base,
                                  .clock = &fclock.base,
                                  .out = &out,
                                  .archive = "latest",
                                  .branch = "main",
                                  .jobs = 2,
                                  .confirm = yes};
}

static void tear_down(void)
{
    cr_expect_eq(atomic_load(&target.writers), 0);
    bp_restore_result_free(&result);
    fake_store_release(&store);
    fake_target_release(&target);
}

TestSuite(restore_crew, .init = set_up, .fini = tear_down);

static enum bp_code run(void)
{
    bp_restore_result_free(&result);
    bp_buf_cut(&target.log, 0);
    return bp_flow_restore(&job, &result, &err);
}

static bool was_told(const char *words)
{
    return strstr(bp_buf_str(&target.log), words) != NULL;
}

Test(restore_crew, loads_every_table_and_leaves_no_marks)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(result.rows, 23);
    cr_expect_eq(result.jobs, 2);
    cr_expect_eq(target.rows.len, (size_t)(3 * 30 + 20 * 40));
    cr_expect_null(target.marks_archive);
    cr_expect(bp_list_has(&target.marks, "rows \"public\".\"large\""));
    cr_expect(bp_list_has(&target.marks, "objects"));
}

Test(restore_crew, works_with_the_connections_that_there_are)
{
    target.most_writers = 1;
    job.jobs = 4;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(result.rows, 23);
}

Test(restore_crew, says_how_to_go_on_and_goes_on)
{
    target.refuses = "\"large\"";
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_str_eq(err.msg, "database 'new' is partly restored (--resume goes on with it, "
                              "--clean begins anew): table 'public.large': \"public\".\"large\": "
                              "syntax error");
    cr_expect_str_eq(target.marks_archive, "2024-01-15T14-30-45Z");
    target.refuses = NULL;
    target.contents = 2;
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "was cut off; hint: --resume goes on with it"), "%s",
                       err.msg);
    job.resume = true;
    target.rows.len = 0;
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect(was_told("copy COPY \"public\".\"large\""));
    cr_expect_not(was_told("run roles.sql"));
    cr_expect_null(target.marks_archive);
}

Test(restore_crew, goes_on_with_nothing_else)
{
    job.resume = true;
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "holds no restore that was cut off"), "%s", err.msg);
    target.marks_archive = bp_strdup("2020-01-01T00-00-00Z");
    target.marks_plan = bp_strdup("x");
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "is one of archive 2020-01-01T00-00-00Z"), "%s", err.msg);
    bp_free(target.marks_archive);
    target.marks_archive = bp_strdup("2024-01-15T14-30-45Z");
    cr_expect_eq(run(), BP_EUSAGE);
    cr_expect_not_null(strstr(err.msg, "had other options"), "%s", err.msg);
}

Test(restore_crew, changes_nothing_when_the_first_definitions_fail)
{
    target.refuses = "roles.sql";
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "nothing was restored: roles.sql"), "%s", err.msg);
    cr_expect_not(target.committed);
}

Test(restore_crew, lists_all_that_failed_and_restores_the_rest)
{
    job.continue_on_error = true;
    target.refuses = "\"large\"";
    cr_expect_eq(run(), BP_OK, "%s", err.msg);
    cr_assert_eq(result.failures.count, 1);
    cr_expect_str_eq(result.failures.at[0],
                     "table 'public.large': \"public\".\"large\": syntax error");
    cr_expect_eq(result.rows, 3);
    cr_expect_null(target.marks_archive);
}

Test(restore_crew, a_lost_connection_ends_it_in_any_case)
{
    job.continue_on_error = true;
    target.refuses = "\"large\"";
    target.refusal = BP_EUNAVAILABLE;
    cr_expect_eq(run(), BP_EUNAVAILABLE);
    cr_expect_eq(result.failures.count, 0);
}

Test(restore_crew, says_when_it_does_not_know_whether_it_began)
{
    target.commit_result = BP_ESTOPPED;
    cr_expect_eq(run(), BP_ESTOPPED);
    cr_expect_str_eq(err.msg,
                     "it is not known whether the transaction that begins the restore into "
                     "database 'new' was committed (restoring again tells): cannot commit");
    target.commit_result = BP_EFAILED;
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect_str_eq(err.msg, "nothing was restored: cannot commit");
}

Test(restore_crew, waits_for_nobody_else)
{
    target.locked = true;
    cr_expect_eq(run(), BP_ELOCKED);
    cr_expect_str_eq(bp_buf_str(&target.log), "");
}
