#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "flow/report.h"

static struct bp_branch_result rows[3];
static struct bp_err err;

static struct bp_dispatch_results results(size_t count)
{
    struct bp_dispatch_results r = {.at = rows, .count = count};

    for (size_t i = 0; i < count; i++) {
        if (rows[i].state == BP_BRANCH_FAILED)
            r.failed++;
        else
            r.started++;
    }
    return r;
}

static void set_up(void)
{
    rows[0] = (struct bp_branch_result){.branch = "main",
                                        .state = BP_BRANCH_STARTED,
                                        .attempts = 1,
                                        .run_id = 42,
                                        .url = "https://x/42",
                                        .reason = "queued"};
    rows[1] = (struct bp_branch_result){.branch = "größe",
                                        .state = BP_BRANCH_FAILED,
                                        .code = BP_ENOTFOUND,
                                        .attempts = 1,
                                        .reason = "no\nbranch"};
    rows[2] = (struct bp_branch_result){
        .branch = "slow", .state = BP_BRANCH_FAILED, .code = BP_ETIMEOUT, .attempts = 4};
}

TestSuite(report, .init = set_up);

Test(report, the_table_lines_up_by_characters_and_stays_on_its_lines)
{
    struct bp_dispatch_results r = results(2);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    bp_report_dispatch_text(&r, &text);
    cr_expect_str_eq(bp_buf_str(&text),
                     "BRANCH  RESULT   ATTEMPTS  RUN  URL           REASON\n"
                     "main    started  1         42   https://x/42  queued\n"
                     "größe   failed   1         -    -             no branch\n");
}

Test(report, json_has_the_three_keys_and_null_for_what_is_unknown)
{
    struct bp_dispatch_job job = {.repo = "o/r", .workflow = "b.yml"};
    struct bp_dispatch_results r = results(2);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    const struct bp_json *first = NULL;
    int64_t id = 0;

    bp_report_dispatch_json(&job, &r, &text);
    cr_assert_eq(bp_json_parse(text.data, text.len, &json, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(bp_json_count(json), 3u);
    first = bp_json_first(bp_json_get(json, "results"));
    cr_expect_str_eq(bp_json_get_text(first, "result"), "started");
    cr_expect(bp_json_get_int(first, "run_id", &id) && id == 42);
    cr_expect_not(bp_json_get_int(bp_json_next(first), "run_id", &id));
    cr_expect_eq(bp_json_count(first), 8u);
}

Test(report, the_verdict_is_the_reason_that_all_failures_share)
{
    struct bp_dispatch_results all = results(3);
    struct bp_dispatch_results none = {.at = rows + 1, .count = 2, .failed = 2};
    struct bp_dispatch_results same = {.at = rows + 1, .count = 1, .failed = 1};

    cr_expect_eq(bp_report_dispatch_verdict(&all, false, &err), BP_OK);
    cr_expect_eq(bp_report_dispatch_verdict(&all, true, &err), BP_EFAILED);
    cr_expect_eq(bp_report_dispatch_verdict(&none, false, &err), BP_EFAILED);
    cr_expect_eq(bp_report_dispatch_verdict(&same, false, &err), BP_ENOTFOUND);
    cr_expect_str_eq(err.msg, "1 of 1 branches did not start: größe");
}

Test(report, names_each_result)
{
    cr_expect_str_eq(bp_report_result(&rows[0]), "started");
    cr_expect_str_eq(bp_report_result(&rows[1]), "failed");
    cr_expect_str_eq(bp_report_result(&rows[2]), "timed-out");
    rows[0].state = BP_BRANCH_DRY_RUN;
    cr_expect_str_eq(bp_report_result(&rows[0]), "dry-run");
    rows[1].code = BP_ESTOPPED;
    cr_expect_str_eq(bp_report_result(&rows[1]), "stopped");
}
