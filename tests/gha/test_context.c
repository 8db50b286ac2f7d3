#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "gha/context.h"

static const char *vars[9];
static const struct bp_env env = {.vars = vars};
static struct bp_gha_context context;

Test(context, outside_a_workflow_there_is_nothing)
{
    bp_gha_context_read(&env, &context);
    cr_expect_null(context.repository);
    cr_expect_null(context.ref);
    cr_expect_null(context.sha);
    cr_expect_null(context.run_id);
    cr_expect_str_eq(context.event, "standalone");
    cr_expect_str_eq(context.run_url, "");
}

Test(context, takes_what_the_runner_says)
{
    vars[0] = "GITHUB_REPOSITORY=o/r";
    vars[1] = "GITHUB_REF_NAME=feature/x";
    vars[2] = "GITHUB_SHA=0123abc";
    vars[3] = "GITHUB_EVENT_NAME=schedule";
    vars[4] = "GITHUB_RUN_ID=42";
    vars[5] = "GITHUB_SERVER_URL=https://github.test";
    bp_gha_context_read(&env, &context);
    cr_expect_str_eq(context.repository, "o/r");
    cr_expect_str_eq(context.ref, "feature/x");
    cr_expect_str_eq(context.sha, "0123abc");
    cr_expect_str_eq(context.event, "schedule");
    cr_expect_str_eq(context.run_id, "42");
    cr_expect_str_eq(context.run_url, "https://github.test/o/r/actions/runs/42");
}

Test(context, each_event_has_one_of_five_names)
{
    static const char *const rows[][2] = {
        {"push", "push"},
        {"schedule", "schedule"},
        {"pull_request", "pr"},
        {"pull_request_target", "pr"},
        {"pull_request_review", "pr"},
        {"workflow_dispatch", "manual"},
        {"repository_dispatch", "manual"},
        {"pusher", "manual"},
        {"Schedule", "manual"},
        {"", "standalone"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BP_AUTO(bp_freep) char *variable = bp_format("GITHUB_EVENT_NAME=%s", rows[i][0]);

        vars[0] = variable;
        bp_gha_context_read(&env, &context);
        cr_expect_str_eq(context.event, rows[i][1], "'%s' is %s", rows[i][0], context.event);
    }
}

/* There GITHUB_REF_NAME is "7/merge". */
Test(context, the_branch_of_a_pull_request_is_its_head)
{
    vars[0] = "GITHUB_REF_NAME=7/merge";
    vars[1] = "GITHUB_HEAD_REF=feature/x";
    bp_gha_context_read(&env, &context);
    cr_expect_str_eq(context.ref, "feature/x");
    vars[1] = "GITHUB_HEAD_REF=";
    bp_gha_context_read(&env, &context);
    cr_expect_str_eq(context.ref, "7/merge", "it is empty for other events");
}

Test(context, an_address_needs_all_of_its_parts)
{
    static const char *const all[] = {"GITHUB_SERVER_URL=https://github.test",
                                      "GITHUB_REPOSITORY=o/r", "GITHUB_RUN_ID=42"};

    for (size_t missing = 0; missing < 3; missing++) {
        for (size_t i = 0; i < 3; i++)
            vars[i] = i == missing ? "X=" : all[i];
        bp_gha_context_read(&env, &context);
        cr_expect_str_eq(context.run_url, "", "without %s", all[missing]);
    }
}

Test(context, an_address_that_is_too_long_is_none)
{
    char server[1000] = "GITHUB_SERVER_URL=https://";

    memset(server + strlen(server), 'x', sizeof(server) - strlen(server) - 1);
    vars[0] = server;
    vars[1] = "GITHUB_REPOSITORY=o/r";
    vars[2] = "GITHUB_RUN_ID=42";
    bp_gha_context_read(&env, &context);
    cr_expect_str_eq(context.run_url, "", "half an address leads nowhere");
}
