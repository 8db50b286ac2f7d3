#include <criterion/criterion.h>
#include <stdio.h>

#include "flow/correlate.h"

static struct bp_runs runs;

static void add(int64_t id, const char *branch, const char *event)
{
    struct bp_run *run = &runs.at[runs.count++];

    run->id = id;
    (void)snprintf(run->branch, sizeof(run->branch), "%s", branch);
    (void)snprintf(run->event, sizeof(run->event), "%s", event);
}

Test(correlate, takes_the_oldest_new_run_of_the_branch)
{
    struct bp_seen seen = {.newest = 10};

    add(13, "main", "workflow_dispatch");
    add(12, "main", "workflow_dispatch");
    add(11, "dev", "workflow_dispatch");
    add(10, "main", "workflow_dispatch");
    cr_expect_eq(bp_correlate(&seen, &runs, "main")->id, 12);
    cr_expect_eq(bp_correlate(&seen, &runs, "dev")->id, 11);
    cr_expect_null(bp_correlate(&seen, &runs, "other"));
}

Test(correlate, passes_over_runs_that_no_dispatch_started)
{
    struct bp_seen seen = {0};

    add(12, "main", "push");
    cr_expect_null(bp_correlate(&seen, &runs, "main"));
}

Test(correlate, gives_each_run_to_one_claimant)
{
    struct bp_seen seen = {0};

    add(13, "main", "workflow_dispatch");
    add(12, "main", "workflow_dispatch");
    bp_seen_claim(&seen, 12);
    cr_expect_eq(bp_correlate(&seen, &runs, "main")->id, 13);
    bp_seen_claim(&seen, 13);
    cr_expect_null(bp_correlate(&seen, &runs, "main"));
    bp_seen_free(&seen);
}

Test(correlate, what_was_there_before_never_counts)
{
    struct bp_seen seen = {0};

    add(13, "main", "workflow_dispatch");
    add(40, "main", "workflow_dispatch");
    bp_seen_runs(&seen, &runs);
    cr_expect_null(bp_correlate(&seen, &runs, "main"));
}
