#include "flow/drill.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "test_verify_world.h"

#define W verify_world

static struct bp_list branches;
static struct bp_drill_result result;
static struct bp_drill_job job;

/* Branch "main" has the archive; "empty" has none; "away" cannot be reached. */
static enum bp_code make_store(void *ctx, const char *branch, struct bp_store **out,
                               struct bp_err *err)
{
    (void)ctx;
    if (strcmp(branch, "away") == 0)
        return bp_fail(err, BP_EUNAVAILABLE, "HTTP 502");
    W.store.missing = strcmp(branch, "empty") == 0;
    *out = &W.store.base;
    return BP_OK;
}

static enum bp_code make_scratch(void *ctx, struct bp_scratch **out, struct bp_err *err)
{
    (void)ctx;
    (void)err;
    fake_target_release(&W.target);
    W.target = fake_target();
    *out = &W.scratch.base;
    return BP_OK;
}

static void set_up(void)
{
    verify_world_open();
    job = (struct bp_drill_job){.branches = &branches,
                                .store = make_store,
                                .scratch = make_scratch,
                                .clock = &W.clock.base,
                                .out = &W.out,
                                .level = BP_L3,
                                .jobs = 2,
                                .record = true};
}

static void tear_down(void)
{
    bp_drill_result_free(&result);
    bp_list_free(&branches);
    verify_world_close();
}

TestSuite(drill, .init = set_up, .fini = tear_down, .timeout = 60);

Test(drill, branches_without_an_archive_are_passed_over)
{
    bp_list_add(&branches, "empty");
    bp_list_add(&branches, "main");
    cr_assert_eq(bp_flow_drill(&job, &result, &W.err), BP_OK, "%s", W.err.msg);
    cr_assert_eq(result.count, 1);
    cr_expect_str_eq(result.at[0].branch, "main");
    cr_expect_eq(result.at[0].verified.level, BP_L3);
    cr_expect_eq(result.at[0].gaps.good, 1);
}

Test(drill, but_not_when_a_person_names_them)
{
    bp_list_add(&branches, "empty");
    job.named = true;
    cr_expect_eq(bp_flow_drill(&job, &result, &W.err), BP_ENOTFOUND);
    cr_expect_eq(result.count, 1);
}

Test(drill, one_failure_does_not_stop_the_others_and_the_worst_counts)
{
    bp_list_add(&branches, "away");
    bp_list_add(&branches, "main");
    cr_expect_eq(bp_flow_drill(&job, &result, &W.err), BP_EUNAVAILABLE);
    cr_assert_eq(result.count, 2);
    cr_expect_eq(result.at[1].code, BP_OK);
    cr_expect_str_eq(W.err.msg, "1 of 2 branches could not be proved; 'away': HTTP 502");
    bp_drill_result_free(&result);
    fake_store_put(&W.store, VERIFY_FOLDER "/roles.sql", "DROP ROLE x;");
    cr_expect_eq(bp_flow_drill(&job, &result, &W.err), BP_EINTEGRITY);
    cr_expect_eq(result.at[1].gaps.age_ms, -1, "what is damaged does not count");
    cr_expect_eq(result.at[1].gaps.damaged, 1);
}

Test(drill, nothing_anywhere_is_an_error)
{
    cr_expect_eq(bp_flow_drill(&job, &result, &W.err), BP_ENOTFOUND);
}

Test(drill, the_gap_is_that_between_good_archives)
{
    struct bp_catalog_entry at[] = {{.name = {.id = "d", .time_ms = 1000}, .described = true},
                                    {.name = {.id = "c", .time_ms = 900}},
                                    {.name = {.id = "b", .time_ms = 700}, .described = true},
                                    {.name = {.id = "a", .time_ms = 600}, .described = true}};
    const struct bp_catalog catalog = {.at = at, .count = 4};
    struct bp_drill_gaps gaps;

    bp_drill_gaps(&catalog, "", 1100, &gaps);
    cr_expect_eq(gaps.age_ms, 100);
    cr_expect_eq(gaps.gap_ms, 300, "the damaged one between them does not shorten it");
    cr_expect_eq(gaps.good, 3);
    cr_expect_eq(gaps.damaged, 1);
    cr_expect_eq(bp_drill_rpo(&gaps), 300);
    bp_drill_gaps(&catalog, "d", 1100, &gaps);
    cr_expect_eq(gaps.age_ms, 400);
    cr_expect_eq(bp_drill_rpo(&gaps), 400);
    bp_drill_gaps(&catalog, "", 500, &gaps);
    cr_expect_eq(gaps.age_ms, 0, "a clock that was wrong");
    bp_drill_gaps(&(const struct bp_catalog){0}, "", 500, &gaps);
    cr_expect_eq(bp_drill_rpo(&gaps), -1);
}
