#include <criterion/criterion.h>
#include <stdio.h>

#include "flow/correlate.h"

static struct bp_runs runs;

static struct bp_run *add(int64_t id, const char *branch, const char *event)
{
    struct bp_run *run = &runs.at[runs.count++];

    run->id = id;
    (void)snprintf(run->branch, sizeof(run->branch), "%s", branch);
    (void)snprintf(run->event, sizeof(run->event), "%s", event);
    (void)snprintf(run->actor, sizeof(run->actor), "octocat");
    return run;
}

Test(correlate, takes_the_oldest_new_run_of_the_branch)
{
    struct bp_seen seen = {.newest = 10};

    add(13, "main", "workflow_dispatch");
    add(11, "dev", "workflow_dispatch");
    add(12, "main", "workflow_dispatch");
    add(10, "main", "workflow_dispatch");
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL)->id, 12);
    cr_expect_eq(bp_correlate(&seen, &runs, "dev", NULL)->id, 11);
    cr_expect_null(bp_correlate(&seen, &runs, "other", NULL));
}

Test(correlate, passes_over_runs_that_no_dispatch_started)
{
    struct bp_seen seen = {0};

    add(12, "main", "push");
    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
}

Test(correlate, gives_each_run_to_one_claimant)
{
    struct bp_seen seen = {0};

    add(13, "main", "workflow_dispatch");
    add(12, "main", "workflow_dispatch");
    bp_seen_claim(&seen, 12);
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL)->id, 13);
    bp_seen_claim(&seen, 13);
    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
    bp_seen_free(&seen);
}

Test(correlate, what_was_there_before_never_counts)
{
    struct bp_seen seen = {0};

    add(13, "main", "workflow_dispatch");
    add(40, "main", "workflow_dispatch");
    bp_seen_runs(&seen, &runs);
    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
}

Test(correlate, a_run_of_another_actor_is_not_ours)
{
    struct bp_seen seen = {.actor = "Hubot"};
    struct bp_run *run = add(12, "main", "workflow_dispatch");

    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
    (void)snprintf(run->actor, sizeof(run->actor), "hubot");
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL), run);
    run->actor[0] = '\0';
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL), run, "a server that does not tell");
}

Test(correlate, a_robot_has_no_persons_name)
{
    struct bp_seen seen = {.robot = true};
    struct bp_run *run = add(12, "main", "workflow_dispatch");

    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
    (void)snprintf(run->actor, sizeof(run->actor), "github-actions[bot]");
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL), run);
}

Test(correlate, a_run_from_before_the_servers_clock_is_not_ours)
{
    struct bp_seen seen = {.since_ms = 1000000};
    struct bp_run *run = add(12, "main", "workflow_dispatch");

    run->created_ms = 939000;
    cr_expect_null(bp_correlate(&seen, &runs, "main", NULL));
    run->created_ms = 941000; /* whole seconds, several machines */
    cr_expect_eq(bp_correlate(&seen, &runs, "main", NULL), run);
}

Test(correlate, a_mark_decides)
{
    struct bp_seen seen = {0};
    struct bp_run *run = NULL;

    add(12, "main", "workflow_dispatch");
    run = add(13, "main", "workflow_dispatch");
    (void)snprintf(run->title, sizeof(run->title), "backup bp-77");
    cr_expect_eq(bp_correlate(&seen, &runs, "main", "bp-77"), run);
    cr_expect_null(bp_correlate(&seen, &runs, "main", "bp-78"));
}

Test(correlate, finds_a_run_by_its_id_and_the_newest_of_a_branch)
{
    add(12, "main", "push");
    add(14, "main", "workflow_dispatch");
    add(13, "main", "schedule");
    add(15, "dev", "push");
    cr_expect_eq(bp_runs_find(&runs, 13)->id, 13);
    cr_expect_null(bp_runs_find(&runs, 99));
    cr_expect_eq(bp_runs_newest(&runs, "main")->id, 14);
    cr_expect_null(bp_runs_newest(&runs, "other"));
}
