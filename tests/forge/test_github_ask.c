#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "forge/github_ask.h"
#include "forge/test_github_support.h"

Test(github_ask, knows_method_and_address_of_each_question)
{
    static const struct {
        struct bp_ask ask;
        const char *method;
        const char *path;
    } rows[] = {
        {{.kind = BP_ASK_REPO}, "GET", "/repos/o/r"},
        {{.kind = BP_ASK_ACTIONS}, "GET", "/repos/o/r/actions/permissions"},
        {{.kind = BP_ASK_WORKFLOW, .workflow = "b c.yml"},
         "GET",
         "/repos/o/r/actions/workflows/b%20c.yml"},
        {{.kind = BP_ASK_WORKFLOW, .workflow = ".github/workflows/b.yml"},
         "GET",
         "/repos/o/r/actions/workflows/b.yml"},
        {{.kind = BP_ASK_WORKFLOW, .workflow = "123"}, "GET", "/repos/o/r/actions/workflows/123"},
        {{.kind = BP_ASK_BRANCH, .branch = "a/b#c"}, "GET", "/repos/o/r/branches/a%2Fb%23c"},
        {{.kind = BP_ASK_TRIGGER, .workflow = "x/b.yml", .branch = "a/b&c"},
         "GET",
         "/repos/o/r/contents/.github/workflows/b.yml?ref=a%2Fb%26c"},
        {{.kind = BP_ASK_USER}, "GET", "/user"},
        {{.kind = BP_ASK_RUN, .run_id = INT64_C(12345678901)},
         "GET",
         "/repos/o/r/actions/runs/12345678901"},
        {{.kind = BP_ASK_RUNS, .workflow = "b.yml"},
         "GET",
         "/repos/o/r/actions/workflows/b.yml/runs?per_page=100&exclude_pull_requests=true"},
        {{.kind = BP_ASK_RUNS,
          .workflow = "b.yml",
          .event = "workflow_dispatch",
          .since_ms = INT64_C(1795255200999)},
         "GET",
         "/repos/o/r/actions/workflows/b.yml/runs?per_page=100&exclude_pull_requests=true"
         "&event=workflow_dispatch&created=%3E%3D2026-11-21T10:00:00Z"},
        {{.kind = BP_ASK_JOBS, .run_id = 5},
         "GET",
         "/repos/o/r/actions/runs/5/jobs?filter=latest&per_page=100"},
        {{.kind = BP_ASK_HOLDUP, .run_id = 5, .status = "pending"},
         "GET",
         "/repos/o/r/actions/runs/5/concurrency_groups"},
        {{.kind = BP_ASK_HOLDUP, .run_id = 5, .status = "waiting"},
         "GET",
         "/repos/o/r/actions/runs/5/pending_deployments"},
        {{.kind = BP_ASK_ENABLE, .workflow = "b.yml"},
         "PUT",
         "/repos/o/r/actions/workflows/b.yml/enable"},
        {{.kind = BP_ASK_DISPATCH, .workflow = "b.yml", .branch = "main"},
         "POST",
         "/repos/o/r/actions/workflows/b.yml/dispatches"},
        {{.kind = BP_ASK_CANCEL, .run_id = 5}, "POST", "/repos/o/r/actions/runs/5/cancel"},
        {{.kind = BP_ASK_STATUS, .commit = "0a1b"}, "POST", "/repos/o/r/statuses/0a1b"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_ask ask = rows[i].ask;
        BP_AUTO(bp_freep) char *path = NULL;

        ask.repo = "o/r";
        path = bp_github_path(&ask);
        cr_expect_str_eq(path, rows[i].path, "row %zu", i);
        cr_expect_str_eq(bp_github_method(ask.kind), rows[i].method, "row %zu", i);
    }
}

Test(github_ask, has_nothing_to_ask_of_what_the_server_does_not_tell)
{
    static const char *const statuses[] = {"queued", "in_progress", "requested", "completed", ""};
    struct bp_ask trigger = {
        .kind = BP_ASK_TRIGGER, .repo = "o/r", .workflow = "00123", .branch = "main"};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct bp_ask ask = {
            .kind = BP_ASK_HOLDUP, .repo = "o/r", .run_id = 5, .status = statuses[i]};

        cr_expect_null(bp_github_path(&ask), "%s", statuses[i]);
    }
    cr_expect_null(bp_github_path(&trigger));
    cr_expect_not(bp_github_workflow_is_number("1.yml"));
    cr_expect_not(bp_github_workflow_is_number(""));
}

static char *body_of(const struct bp_ask *ask, bool details)
{
    BP_AUTO(bp_json_freep) struct bp_json *body = bp_github_body(ask, details);
    struct bp_buf text = {0};

    if (body == NULL)
        return NULL;
    bp_json_render(body, 0, &text);
    return bp_buf_take(&text);
}

Test(github_ask, a_dispatch_sends_values_of_every_kind)
{
    static const char given[] = "{\"a\": \"x\", \"b\": true, \"c\": 1.5}";
    BP_AUTO(bp_json_freep) struct bp_json *inputs = NULL;
    struct bp_ask ask = {.kind = BP_ASK_DISPATCH, .branch = "main"};
    struct bp_err err;
    BP_AUTO(bp_freep) char *with = NULL;
    BP_AUTO(bp_freep) char *without = body_of(&ask, false);

    cr_assert_eq(bp_json_parse(given, strlen(given), &inputs, &err), BP_OK);
    ask.inputs = inputs;
    with = body_of(&ask, true);
    cr_expect_str_eq(with, "{\"inputs\": {\"a\": \"x\", \"b\": true, \"c\": 1.5}, "
                           "\"ref\": \"main\", \"return_run_details\": true}");
    cr_expect_str_eq(without, "{\"ref\": \"main\"}");
}

Test(github_ask, only_a_dispatch_and_a_status_have_a_body)
{
    for (int i = 0; i < BP_ASK_COUNT; i++) {
        struct bp_ask ask = {.kind = (enum bp_ask_kind)i,
                             .branch = "b",
                             .status = "success",
                             .context = "c",
                             .text = "t"};
        BP_AUTO(bp_freep) char *body = body_of(&ask, true);

        cr_expect_eq(body != NULL, i == BP_ASK_DISPATCH || i == BP_ASK_STATUS, "kind %d", i);
    }
}

Test(github_ask, a_status_says_what_it_is_given)
{
    struct bp_ask ask = {.kind = BP_ASK_STATUS,
                         .status = "success",
                         .context = "backproof",
                         .text = "run 5\nstarted",
                         .url = "https://x/5"};
    BP_AUTO(bp_freep) char *with = body_of(&ask, false);
    BP_AUTO(bp_freep) char *without = NULL;

    ask.url = "";
    ask.text = NULL;
    without = body_of(&ask, false);
    cr_expect_str_eq(with, "{\"context\": \"backproof\", \"description\": \"run 5 started\", "
                           "\"state\": \"success\", \"target_url\": \"https://x/5\"}");
    cr_expect_str_eq(without,
                     "{\"context\": \"backproof\", \"description\": \"\", \"state\": \"success\"}");
}

Test(github_ask, the_text_of_a_status_is_cut_between_characters)
{
    static const struct {
        size_t given; /* two-byte characters */
        size_t len;
        bool cut;
    } rows[] = {{70, 140, false}, {71, 139, true}, {200, 139, true}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        BP_AUTO(bp_buf_free) struct bp_buf text = {0};
        struct bp_ask ask = {.kind = BP_ASK_STATUS, .status = "error", .context = "c"};
        BP_AUTO(bp_json_freep) struct bp_json *body = NULL;
        const char *sent = NULL;

        for (size_t c = 0; c < rows[i].given; c++)
            bp_buf_puts(&text, "\xC3\xA9");
        ask.text = text.data;
        body = bp_github_body(&ask, false);
        sent = bp_json_get_text(body, "description");
        cr_expect_eq(strlen(sent), rows[i].len, "row %zu: %zu", i, strlen(sent));
        cr_expect_eq(holds(sent, "..."), rows[i].cut);
    }
}
