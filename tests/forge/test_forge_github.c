#include <criterion/criterion.h>
#include <string.h>

#include "forge/github.h"
#include "support/fake_clock.h"
#include "support/fake_http.h"

static struct fake_clock fclock;
static struct fake_http http;
static struct bp_forge *forge;
static struct bp_err err;
static struct bp_github_options options;
static struct bp_dispatch_answer answer;
static struct bp_json *inputs;

static void set_up(void)
{
    fclock = fake_clock_new();
    http = fake_http();
    options = (struct bp_github_options){.http = &http.base,
                                         .clock = &fclock.base,
                                         .api_url = "https://api.test/api/v3/",
                                         .token = "github_pat_x\n",
                                         .request_timeout_ms = 1000};
    cr_assert_eq(bp_github_new(&options, &forge, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_forge_freep(&forge);
    bp_json_freep(&inputs);
}

TestSuite(forge_github, .init = set_up, .fini = tear_down);

static enum bp_code dispatch(void)
{
    struct bp_forge_dispatch what = {
        .repo = "o/r", .workflow = "backup.yml", .branch = "feature/x", .inputs = inputs};

    http.count = 0;
    return forge->ops->dispatch(forge, &what, &answer, &err);
}

Test(forge_github, asks_for_the_run_and_reads_its_id)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 200, .body = "{\"workflow_run_id\": 12345678901, \"html_url\": \"https://x/1\"}"};
    inputs = bp_json_object_new();
    bp_json_set_text(inputs, "level", "full");
    cr_assert_eq(dispatch(), BP_OK, "%s", err.msg);
    cr_expect_eq(answer.outcome, BP_DISPATCH_ACCEPTED);
    cr_expect_eq(answer.run_id, INT64_C(12345678901));
    cr_expect_str_eq(answer.url, "https://x/1");
    cr_expect_str_eq(http.exchanges[0].url,
                     "https://api.test/api/v3/repos/o/r/actions/workflows/backup.yml/dispatches");
    cr_expect_str_eq(http.exchanges[0].sent, "{\"inputs\": {\"level\": \"full\"}, \"ref\": "
                                             "\"feature/x\", \"return_run_details\": true}");
    cr_expect_str_eq(http.exchanges[0].authorization, "Authorization: Bearer github_pat_x");
}

Test(forge_github, takes_204_as_accepted_without_an_id)
{
    http.exchanges[0] = (struct fake_exchange){.status = 204};
    cr_expect_eq(dispatch(), BP_OK);
    cr_expect_eq(answer.outcome, BP_DISPATCH_ACCEPTED);
    cr_expect_eq(answer.run_id, 0);
}

Test(forge_github, leaves_the_key_out_for_a_server_that_refuses_it)
{
    http.exchanges[0] = (struct fake_exchange){
        .status = 422,
        .body = "{\"message\": \"\\\"return_run_details\\\" is not a permitted "
                "key.\"}"};
    http.exchanges[1] = (struct fake_exchange){.status = 204};
    cr_expect_eq(dispatch(), BP_OK);
    cr_expect_str_eq(http.exchanges[1].sent, "{\"ref\": \"feature/x\"}");
    http.exchanges[0] = (struct fake_exchange){.status = 204};
    cr_expect_eq(dispatch(), BP_OK);
    cr_expect_eq(http.count, 1, "it is remembered");
}

Test(forge_github, classifies_what_became_of_a_dispatch)
{
    static const struct {
        struct fake_exchange given;
        enum bp_dispatch_outcome outcome;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {{.status = 401}, BP_DISPATCH_REJECTED, BP_EAUTH, "not valid"},
        {{.status = 403}, BP_DISPATCH_REJECTED, BP_EAUTH, "may not do this"},
        {{.status = 404}, BP_DISPATCH_REJECTED, BP_ENOTFOUND, "no workflow"},
        {{.status = 422, .body = "{\"message\": \"No ref found for: feature/x\"}"},
         BP_DISPATCH_REJECTED,
         BP_ENOTFOUND,
         "no branch 'feature/x' in 'o/r'"},
        {{.status = 422,
          .body = "{\"message\": \"Workflow does not have 'workflow_dispatch' trigger\"}"},
         BP_DISPATCH_REJECTED,
         BP_EFAILED,
         "add 'workflow_dispatch:' under 'on:'"},
        {{.status = 422,
          .body = "{\"message\": \"Cannot trigger a 'workflow_dispatch' on a disabled workflow\"}"},
         BP_DISPATCH_REJECTED,
         BP_EFAILED,
         "gh workflow enable"},
        {{.status = 429}, BP_DISPATCH_NOT_PROCESSED, BP_EUNAVAILABLE, "rate limit"},
        {{.status = 500}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 500"},
        {{.status = 504}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 504"},
        {{.failure = BP_EUNAVAILABLE}, BP_DISPATCH_NOT_PROCESSED, BP_EUNAVAILABLE, "no answer"},
        {{.failure = BP_EUNAVAILABLE, .maybe_sent = true},
         BP_DISPATCH_AMBIGUOUS,
         BP_EUNAVAILABLE,
         "no answer"},
        {{.failure = BP_ETIMEOUT, .maybe_sent = true}, BP_DISPATCH_AMBIGUOUS, BP_ETIMEOUT, "no"},
        {{.failure = BP_ETIMEOUT}, BP_DISPATCH_NOT_PROCESSED, BP_ETIMEOUT, "no"},
        {{.failure = BP_EFAILED, .maybe_sent = true}, BP_DISPATCH_AMBIGUOUS, BP_EFAILED, "no"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http.exchanges[0] = rows[i].given;
        cr_expect_eq(dispatch(), rows[i].code, "row %zu", i);
        cr_expect_eq(answer.outcome, rows[i].outcome, "row %zu", i);
        cr_expect(strstr(err.msg, rows[i].words) != NULL, "row %zu: %s", i, err.msg);
    }
}

Test(forge_github, an_accepted_dispatch_with_an_odd_body_stays_accepted)
{
    static const char *const bodies[] = {"", "<html>", "[]", "{\"workflow_run_id\": \"x\"}"};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        http.exchanges[0] = (struct fake_exchange){.status = 200, .body = bodies[i]};
        cr_expect_eq(dispatch(), BP_OK, "%s", bodies[i]);
        cr_expect_eq(answer.run_id, 0, "%s", bodies[i]);
    }
}

Test(forge_github, lists_the_runs_of_a_branch)
{
    struct bp_forge_dispatch what = {.repo = "o/r", .workflow = "backup.yml", .branch = "a b"};
    static struct bp_runs runs;

    http.exchanges[0] = (struct fake_exchange){
        .status = 200,
        .body =
            "{\"workflow_runs\": [{\"id\": 5, \"head_branch\": \"a b\", \"status\": \"queued\", "
            "\"conclusion\": null, \"event\": \"workflow_dispatch\", \"html_url\": \"u\"}]}"};
    cr_assert_eq(forge->ops->runs(forge, &what, &runs, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(runs.count, 1u);
    cr_expect_eq(runs.at[0].id, 5);
    cr_expect_str_eq(runs.at[0].branch, "a b");
    cr_expect_str_eq(runs.at[0].conclusion, "");
    cr_expect(strstr(http.exchanges[0].url,
                     "/runs?event=workflow_dispatch&per_page=100&branch=a%20b") != NULL);
}

Test(forge_github, an_answer_that_makes_no_sense_is_no_run)
{
    static const char *const bodies[] = {"[]", "{}", "{\"id\": -1}", "{\"id\": 1.5}", "x"};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct bp_run run;

        http.count = 0;
        http.exchanges[0] = (struct fake_exchange){.status = 200, .body = bodies[i]};
        cr_expect_neq(forge->ops->run(forge, "o/r", 1, &run, &err), BP_OK, "%s", bodies[i]);
    }
}

Test(forge_github, encodes_what_goes_into_a_path)
{
    http.exchanges[0] = (struct fake_exchange){.status = 200, .body = "{}"};
    cr_expect_eq(forge->ops->branch_exists(forge, "o/r", "a/b#c", &err), BP_OK);
    cr_expect_str_eq(http.exchanges[0].url, "https://api.test/api/v3/repos/o/r/branches/a%2Fb%23c");
}

Test(forge_github, refuses_a_token_that_cannot_be_one)
{
    static const char *const bad[] = {"", "  \n", "a b", "ghr_refresh", "a\nb", "t\xc3\xb6ken"};
    struct bp_forge *none = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options.token = bad[i];
        cr_expect_eq(bp_github_new(&options, &none, &err), BP_EAUTH, "row %zu", i);
    }
}

Test(forge_github, sends_a_token_unencrypted_to_this_machine_only)
{
    static const struct {
        const char *url;
        enum bp_code code;
    } rows[] = {{"https://api.github.com", BP_OK},     {"http://127.0.0.1:80", BP_OK},
                {"http://localhost:1/api/v3", BP_OK},  {"http://[::1]:9", BP_OK},
                {"http://api.github.com", BP_EUSAGE},  {"http://127.evil.test", BP_EUSAGE},
                {"http://localhost.test", BP_EUSAGE},  {"ftp://x", BP_EUSAGE},
                {"http://127.0.0.1@evil", BP_EUSAGE},  {"", BP_EUSAGE},
                {"http://localhost:x@evil", BP_EUSAGE}};

    options.token = "x";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bp_forge *made = NULL;

        options.api_url = rows[i].url;
        cr_expect_eq(bp_github_new(&options, &made, &err), rows[i].code, "%s", rows[i].url);
        bp_forge_freep(&made);
    }
}
