#include "test_report_rows.h"

#include <stdio.h>

static void name(struct bp_dispatch_target *target, char *branch)
{
    static char repo[] = "o/r";
    static char workflow[] = "b.yml";

    *target = (struct bp_dispatch_target){.repo = repo, .workflow = workflow, .branch = branch};
}

void report_rows_fill(struct report_rows *rows)
{
    static char one[] = "main";
    static char two[] = "größe";
    static char three[] = "slow";

    *rows = (struct report_rows){0};
    name(&rows->targets[0], one);
    name(&rows->targets[1], two);
    name(&rows->targets[2], three);
    rows->at[0] = (struct bp_branch_result){.verdict = BP_VERDICT_STARTED,
                                            .attempts = 1,
                                            .run_id = 42,
                                            .url = "https://x.test/42",
                                            .status = "in_progress",
                                            .reason = "in_progress",
                                            .request_id = "ABCD:1234",
                                            .commit = "0123abc",
                                            .took_ms = 12345};
    rows->at[1] = (struct bp_branch_result){.verdict = BP_VERDICT_FAILED,
                                            .code = BP_ENOTFOUND,
                                            .attempts = 1,
                                            .reason = "no\nbranch; hint: push it"};
    rows->at[2] = (struct bp_branch_result){.verdict = BP_VERDICT_TIMED_OUT,
                                            .code = BP_ETIMEOUT,
                                            .attempts = 4,
                                            .run_id = 44,
                                            .url = "https://x.test/44",
                                            .status = "completed",
                                            .conclusion = "failure",
                                            .cancelled = true,
                                            .jobs = &rows->jobs};
    rows->jobs.at[0] = (struct bp_run_job){.name = "lint", .conclusion = "success"};
    rows->jobs.at[1] = (struct bp_run_job){.name = "test",
                                           .url = "https://x.test/44/job/2",
                                           .conclusion = "failure",
                                           .failed_step = "Run it"};
    rows->jobs.at[2] = (struct bp_run_job){.name = "docs", .conclusion = "skipped"};
    rows->jobs.at[3] = (struct bp_run_job){.name = "late"};
    rows->jobs.at[4] = (struct bp_run_job){.name = "ship", .conclusion = "cancelled"};
    rows->jobs.count = 5;
    for (size_t i = 0; i < REPORT_ROWS; i++)
        rows->at[i].target = &rows->targets[i];
}

struct bp_dispatch_results report_rows_results(struct report_rows *rows, size_t count)
{
    struct bp_dispatch_results results = {
        .at = rows->at, .count = count, .requests = 9, .took_ms = 60001};

    for (size_t i = 0; i < count; i++) {
        if (bp_verdict_is_good(rows->at[i].verdict))
            results.succeeded++;
        else
            results.failed++;
    }
    return results;
}

#define SPOIL(field) (void)snprintf(field, sizeof(field), "%s", text)

void report_rows_spoil(struct report_rows *rows, size_t row, char *text)
{
    struct bp_branch_result *b = &rows->at[row];

    rows->targets[row] =
        (struct bp_dispatch_target){.repo = text, .workflow = text, .branch = text};
    SPOIL(b->url);
    SPOIL(b->status);
    SPOIL(b->conclusion);
    SPOIL(b->reason);
    SPOIL(b->request_id);
    SPOIL(b->commit);
    b->jobs = &rows->jobs;
    SPOIL(rows->jobs.at[1].name);
    SPOIL(rows->jobs.at[1].url);
    SPOIL(rows->jobs.at[1].conclusion);
    SPOIL(rows->jobs.at[1].failed_step);
}
