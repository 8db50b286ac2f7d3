#include <criterion/criterion.h>
#include <string.h>

#include "forge/test_github_support.h"

TestSuite(github_read, .init = github_set_up, .fini = github_tear_down);

Test(github_read, a_repository)
{
    struct bp_forge_repo repo;
    struct bp_ask ask = {.kind = BP_ASK_REPO, .out.repo = &repo};

    cr_assert_eq(github_answer(&ask, 200,
                               "{\"default_branch\": \"ma\\nin\", \"archived\": true, "
                               "\"disabled\": true}"),
                 BP_OK);
    cr_expect_str_eq(repo.default_branch, "ma in");
    cr_expect(repo.archived && repo.disabled);
    cr_expect_str_eq(repo.token.kind, "fine-grained personal access token");
    cr_expect_eq(github_answer(&ask, 200, "{}"), BP_OK);
    cr_expect_not(repo.archived || repo.disabled);
    cr_expect_eq(github_answer(&ask, 200, "<html>"), BP_EUNAVAILABLE);
}

Test(github_read, whether_actions_is_on)
{
    bool on = false;
    struct bp_ask ask = {.kind = BP_ASK_ACTIONS, .out.flag = &on};

    cr_expect_eq(github_answer(&ask, 200, "{\"enabled\": true}"), BP_OK);
    cr_expect(on);
    cr_expect_eq(github_answer(&ask, 200, "{\"enabled\": false}"), BP_OK);
    cr_expect_not(on);
    cr_expect_eq(github_answer(&ask, 200, "{\"enabled\": \"yes\"}"), BP_EUNAVAILABLE);
}

Test(github_read, a_workflow)
{
    struct bp_forge_workflow workflow;
    struct bp_ask ask = {.kind = BP_ASK_WORKFLOW, .workflow = "b.yml", .out.workflow = &workflow};

    cr_assert_eq(github_answer(&ask, 200,
                               "{\"id\": 12, \"path\": \".github/workflows/b.yml\", "
                               "\"state\": \"disabled_inactivity\"}"),
                 BP_OK);
    cr_expect_eq(workflow.id, 12);
    cr_expect_str_eq(workflow.path, ".github/workflows/b.yml");
    cr_expect_str_eq(workflow.state, "disabled_inactivity");
    cr_expect_eq(github_answer(&ask, 200, "[]"), BP_EUNAVAILABLE);
    cr_expect_str_eq(workflow.state, "");
}

Test(github_read, the_head_of_a_branch)
{
    static const char *const bad[] = {"{}", "{\"commit\": {}}", "{\"commit\": {\"sha\": \"\"}}",
                                      "{\"commit\": {\"sha\": \"../x\"}}", "[]"};
    char sha[128];
    struct bp_ask ask = {.kind = BP_ASK_BRANCH, .branch = "main", .out.text = &sha};

    cr_expect_eq(github_answer(&ask, 200, "{\"commit\": {\"sha\": \"0123abc\"}}"), BP_OK);
    cr_expect_str_eq(sha, "0123abc");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cr_expect_eq(github_answer(&ask, 200, bad[i]), BP_EUNAVAILABLE, "%s", bad[i]);
        cr_expect(holds(ask.err.msg, "branch 'main' in 'o/r': the answer makes no sense"), "%s",
                  ask.err.msg);
    }
}

Test(github_read, the_owner_of_the_token)
{
    char login[128];
    struct bp_ask ask = {.kind = BP_ASK_USER, .out.text = &login};

    cr_expect_eq(github_answer(&ask, 200, "{\"login\": \"octo\\u001bcat\"}"), BP_OK);
    cr_expect_str_eq(login, "octo cat");
    cr_expect_eq(github_answer(&ask, 200, "{\"login\": null}"), BP_EUNAVAILABLE);
}

/* ---- runs ---- */

#define A_RUN                                                                                      \
    "{\"id\": 5, \"created_at\": \"2026-11-21T10:00:00Z\", \"html_url\": \"https://x/5\", "        \
    "\"head_branch\": \"a b\", \"event\": \"workflow_dispatch\", \"actor\": {\"login\": \"ann\"}," \
    " \"triggering_actor\": {\"login\": \"bob\"}, \"display_title\": \"Backup\\n#1\", "            \
    "\"status\": \"queued\", \"conclusion\": null}"

Test(github_read, a_run)
{
    struct bp_run run;
    struct bp_ask ask = {.kind = BP_ASK_RUN, .run_id = 5, .out.run = &run};

    cr_assert_eq(github_answer(&ask, 200, A_RUN), BP_OK, "%s", ask.err.msg);
    cr_expect_eq(run.id, 5);
    cr_expect_eq(run.created_ms, INT64_C(1795255200000));
    cr_expect_str_eq(run.url, "https://x/5");
    cr_expect_str_eq(run.branch, "a b");
    cr_expect_str_eq(run.event, "workflow_dispatch");
    cr_expect_str_eq(run.actor, "bob", "who dispatched it, not whose commit it is");
    cr_expect_str_eq(run.title, "Backup #1");
    cr_expect_str_eq(run.status, "queued");
    cr_expect_str_eq(run.conclusion, "");
}

Test(github_read, a_run_of_which_little_is_known)
{
    struct bp_run run;
    struct bp_ask ask = {.kind = BP_ASK_RUN, .run_id = 5, .out.run = &run};

    cr_assert_eq(github_answer(&ask, 200,
                               "{\"id\": 5, \"created_at\": \"soon\", \"triggering_actor\": null, "
                               "\"actor\": {\"login\": \"ann\"}, \"status\": \"brand_new\"}"),
                 BP_OK);
    cr_expect_eq(run.created_ms, 0);
    cr_expect_str_eq(run.actor, "ann");
    cr_expect_str_eq(run.status, "brand_new");
    cr_expect_eq(github_answer(&ask, 200, "{\"id\": 5}"), BP_OK);
    cr_expect_eq(run.created_ms, 0);
    cr_expect_str_eq(run.actor, "");
}

Test(github_read, an_answer_that_makes_no_sense_is_no_run)
{
    static const char *const bodies[] = {"", "[]", "{}", "{\"id\": -1}", "{\"id\": 1.5}", "x"};
    struct bp_run run;
    struct bp_ask ask = {.kind = BP_ASK_RUN, .run_id = 1, .out.run = &run};

    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        cr_expect_eq(github_answer(&ask, 200, bodies[i]), BP_EUNAVAILABLE, "%s", bodies[i]);
        cr_expect(holds(ask.err.msg, "run 1: the answer makes no sense"), "%s", ask.err.msg);
    }
}

Test(github_read, runs_in_the_order_of_the_server)
{
    static struct bp_runs runs;
    struct bp_ask ask = {.kind = BP_ASK_RUNS, .workflow = "b.yml", .out.runs = &runs};

    cr_assert_eq(github_answer(&ask, 200, "{\"workflow_runs\": [" A_RUN ", {\"id\": 4}]}"), BP_OK);
    cr_assert_eq(runs.count, 2u);
    cr_expect_eq(runs.at[0].id, 5);
    cr_expect_eq(runs.at[1].id, 4);
    cr_expect_eq(github_answer(&ask, 200, "{\"workflow_runs\": []}"), BP_OK);
    cr_expect_eq(runs.count, 0u);
}

Test(github_read, a_list_that_cannot_be_read_is_no_empty_list)
{
    static const char *const bodies[] = {"",
                                         "{}",
                                         "[]",
                                         "{\"workflow_runs\": {}}",
                                         "{\"workflow_runs\": [{\"id\": 5}, {\"id\": 0}]}",
                                         "{\"workflow_runs\": [1]}"};
    static struct bp_runs runs;
    struct bp_ask ask = {.kind = BP_ASK_RUNS, .workflow = "b.yml", .out.runs = &runs};

    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        cr_expect_eq(github_answer(&ask, 200, bodies[i]), BP_EUNAVAILABLE, "%s", bodies[i]);
}

Test(github_read, takes_as_many_runs_as_fit)
{
    static struct bp_runs runs;
    BP_AUTO(bp_buf_free) struct bp_buf body = {0};
    struct bp_ask ask = {.kind = BP_ASK_RUNS, .workflow = "b.yml", .out.runs = &runs};

    bp_buf_puts(&body, "{\"workflow_runs\": [{\"id\": 1}");
    for (int i = 2; i <= BP_RUNS_MAX + 1; i++)
        bp_buf_printf(&body, ", {\"id\": %d}", i);
    bp_buf_puts(&body, "]}");
    cr_expect_eq(github_answer(&ask, 200, body.data), BP_OK);
    cr_expect_eq(runs.count, (size_t)BP_RUNS_MAX);
}

Test(github_read, the_same_answer_when_nothing_changed)
{
    static struct bp_runs before;
    static struct bp_runs after;
    struct bp_ask ask = {.kind = BP_ASK_RUNS, .workflow = "b.yml", .out.runs = &before};

    rig.http.exchanges[0] = (struct fake_exchange){
        .status = 200, .body = "{\"workflow_runs\": [" A_RUN "]}", .header = "ETag: \"1\""};
    cr_assert_eq(github_ask(&ask), BP_OK);
    ask.out.runs = &after;
    cr_assert_eq(github_answer(&ask, 304, NULL), BP_OK);
    cr_expect_eq(after.count, 1u);
    cr_expect_arr_eq(&before, &after, sizeof(before));
}

Test(github_read, an_odd_answer_is_not_kept)
{
    static struct bp_runs runs;
    struct bp_ask ask = {.kind = BP_ASK_RUNS, .workflow = "b.yml", .out.runs = &runs};

    rig.http.exchanges[0] =
        (struct fake_exchange){.status = 200, .body = "{\"workfl", .header = "ETag: \"1\""};
    cr_expect_eq(github_ask(&ask), BP_EUNAVAILABLE);
    cr_expect_eq(github_answer(&ask, 304, NULL), BP_EFAILED, "nobody asked for that");
}

/* ---- jobs ---- */

Test(github_read, jobs)
{
    static struct bp_run_jobs jobs;
    struct bp_ask ask = {.kind = BP_ASK_JOBS, .run_id = 5, .out.jobs = &jobs};

    cr_assert_eq(
        github_answer(&ask, 200,
                      "{\"jobs\": [{\"name\": \"back\\nup\", \"html_url\": \"https://x/j\", "
                      "\"status\": \"completed\", \"conclusion\": \"failure\", \"runner_id\": 3, "
                      "\"labels\": [\"self-hosted\", 1, \"linux\"], \"steps\": ["
                      "{\"name\": \"set up\", \"conclusion\": \"success\"}, "
                      "{\"name\": \"dump\", \"conclusion\": \"failure\"}, "
                      "{\"name\": \"push\", \"conclusion\": \"cancelled\"}]}, "
                      "{\"name\": \"next\", \"status\": \"queued\", \"conclusion\": null}]}"),
        BP_OK);
    cr_assert_eq(jobs.count, 2u);
    cr_expect_str_eq(jobs.at[0].name, "back up");
    cr_expect_str_eq(jobs.at[0].url, "https://x/j");
    cr_expect_str_eq(jobs.at[0].status, "completed");
    cr_expect_str_eq(jobs.at[0].conclusion, "failure");
    cr_expect_str_eq(jobs.at[0].failed_step, "dump");
    cr_expect_str_eq(jobs.at[0].labels, "self-hosted, linux");
    cr_expect(jobs.at[0].started);
    cr_expect_str_eq(jobs.at[1].conclusion, "");
    cr_expect_str_eq(jobs.at[1].failed_step, "");
    cr_expect_str_eq(jobs.at[1].labels, "");
    cr_expect_not(jobs.at[1].started);
    cr_expect_eq(github_answer(&ask, 200, "{}"), BP_EUNAVAILABLE);
    cr_expect_eq(github_answer(&ask, 200, "{\"jobs\": []}"), BP_OK);
    cr_expect_eq(jobs.count, 0u);
}

static const struct bp_run_job *one_job(const char *fields)
{
    static struct bp_run_jobs jobs;
    BP_AUTO(bp_buf_free) struct bp_buf body = {0};
    struct bp_ask ask = {.kind = BP_ASK_JOBS, .run_id = 5, .out.jobs = &jobs};

    bp_buf_printf(&body, "{\"jobs\": [{%s}]}", fields);
    cr_assert_eq(github_answer(&ask, 200, body.data), BP_OK, "%s", fields);
    return &jobs.at[0];
}

Test(github_read, a_job_has_started_once_a_runner_took_it)
{
    static const struct {
        const char *fields;
        bool started;
    } rows[] = {
        {"\"status\": \"in_progress\", \"runner_id\": 3", true},
        {"\"status\": \"in_progress\", \"runner_name\": \"box\"", true},
        {"\"status\": \"completed\", \"runner_id\": 0, \"steps\": [{\"status\": \"completed\"}]",
         true},
        {"\"status\": \"in_progress\", \"steps\": [{\"status\": \"queued\"}, "
         "{\"status\": \"in_progress\"}]",
         true},
        {"\"status\": \"in_progress\", \"steps\": [{\"status\": \"queued\"}]", false},
        {"\"status\": \"in_progress\", \"runner_id\": null, \"runner_name\": null", false},
        {"\"status\": \"completed\", \"conclusion\": \"skipped\", \"runner_id\": 0, "
         "\"runner_name\": \"\", \"steps\": []",
         false},
        {"\"status\": \"queued\", \"runner_id\": 3", false},
        {"\"status\": \"waiting\", \"runner_name\": \"box\"", false},
        {"", false},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_eq(one_job(rows[i].fields)->started, rows[i].started, "row %zu", i);
}

Test(github_read, names_the_first_step_that_failed)
{
    static const struct {
        const char *fields;
        const char *step;
    } rows[] = {
        {"\"conclusion\": \"failure\", \"steps\": [{\"name\": \"a\", \"conclusion\": "
         "\"timed_out\"}]",
         "a"},
        {"\"conclusion\": \"cancelled\", \"steps\": [{\"name\": \"a\", \"conclusion\": "
         "\"skipped\"}, {\"name\": \"b\", \"conclusion\": \"cancelled\"}]",
         "b"},
        {"\"conclusion\": \"success\", \"steps\": [{\"name\": \"a\", \"conclusion\": "
         "\"failure\"}]",
         ""},
        {"\"conclusion\": null, \"steps\": [{\"name\": \"a\", \"conclusion\": null}]", ""},
        {"\"conclusion\": \"failure\"", ""},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        cr_expect_str_eq(one_job(rows[i].fields)->failed_step, rows[i].step, "row %zu", i);
}

/* ---- what holds a run back ---- */

Test(github_read, the_concurrency_group_of_a_pending_run)
{
    struct bp_holdup holdup;
    struct bp_ask ask = {
        .kind = BP_ASK_HOLDUP, .run_id = 5, .status = "pending", .out.holdup = &holdup};

    cr_assert_eq(github_answer(&ask, 200,
                               "{\"total_count\": 3, \"concurrency_groups\": ["
                               "{\"group_name\": \"left\", \"group_members\": []}, "
                               "{\"group_name\": \"held\", \"group_members\": [{\"status\": "
                               "\"in_progress\", \"position\": 0}]}, "
                               "{\"group_name\": \"back\\nup\", \"group_members\": [{\"status\": "
                               "\"pending\", \"position\": 2}]}]}"),
                 BP_OK);
    cr_expect_str_eq(holdup.group, "back up");
    cr_expect_eq(holdup.ahead, 2);
    cr_expect_str_eq(holdup.environments, "");
}

Test(github_read, a_pending_run_of_which_the_place_is_unknown)
{
    static const char *const members[] = {"{\"status\": \"pending\"}",
                                          "{\"status\": \"pending\", \"position\": -3}",
                                          "{\"status\": \"pending\", \"position\": \"2\"}"};
    struct bp_holdup holdup;
    struct bp_ask ask = {
        .kind = BP_ASK_HOLDUP, .run_id = 5, .status = "pending", .out.holdup = &holdup};

    for (size_t i = 0; i < COUNT_OF(members); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf body = {0};

        bp_buf_printf(
            &body, "{\"concurrency_groups\": [{\"group_name\": \"g\", \"group_members\": [%s]}]}",
            members[i]);
        cr_expect_eq(github_answer(&ask, 200, body.data), BP_OK);
        cr_expect_str_eq(holdup.group, "g");
        cr_expect_eq(holdup.ahead, -1, "row %zu", i);
    }
    cr_expect_eq(github_answer(&ask, 200, "{\"concurrency_groups\": []}"), BP_OK);
    cr_expect_str_eq(holdup.group, "");
    cr_expect_eq(holdup.ahead, -1);
    cr_expect_eq(github_answer(&ask, 200, "[]"), BP_EUNAVAILABLE);
}

Test(github_read, the_environments_of_a_waiting_run)
{
    struct bp_holdup holdup;
    struct bp_ask ask = {
        .kind = BP_ASK_HOLDUP, .run_id = 5, .status = "waiting", .out.holdup = &holdup};

    cr_assert_eq(github_answer(&ask, 200,
                               "[{\"environment\": {\"name\": \"production\"}}, {}, "
                               "{\"environment\": {\"name\": \"staging\"}}]"),
                 BP_OK);
    cr_expect_str_eq(holdup.environments, "production, staging");
    cr_expect_str_eq(holdup.group, "");
    cr_expect_eq(holdup.ahead, -1);
    cr_expect_eq(github_answer(&ask, 200, "[]"), BP_OK);
    cr_expect_str_eq(holdup.environments, "");
    cr_expect_eq(github_answer(&ask, 200, "{}"), BP_EUNAVAILABLE);
}

/* ---- the file of a workflow ---- */

Test(github_read, a_file_in_base64)
{
    /* "on: workflow_dispatch\n", in two lines */
    static const char good[] =
        "{\"encoding\": \"base64\", \"content\": \"b246IHdvcmtmbG93\\nX2Rpc3BhdGNoCg==\\n\"}";
    static const char *const odd[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"encoding\": \"none\", \"content\": \"\"}",
                                      "{\"encoding\": \"base64\", \"content\": \"b246%\"}",
                                      "{\"encoding\": \"base64\"}"};
    struct bp_ask ask = {.kind = BP_ASK_TRIGGER, .workflow = "b.yml", .branch = "dev"};

    cr_expect_eq(github_answer(&ask, 200, good), BP_OK, "%s", ask.err.msg);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        cr_expect_eq(github_answer(&ask, 200, odd[i]), BP_EUNAVAILABLE, "%s", odd[i]);
        cr_expect_str_eq(ask.err.msg, "whether 'b.yml' on branch 'dev' takes the dispatch cannot "
                                      "be known: the server does not give the file");
    }
}
