#include <criterion/criterion.h>
#include <string.h>

#include "forge/test_github_support.h"

static struct bp_dispatched dispatched;
static struct bp_ask ask;
static struct bp_json *inputs;

static void set_up(void)
{
    github_set_up();
    ask = (struct bp_ask){.kind = BP_ASK_DISPATCH,
                          .repo = "o/r",
                          .workflow = ".github/workflows/backup.yml",
                          .branch = "feature/x",
                          .out.dispatched = &dispatched};
}

static void tear_down(void)
{
    github_tear_down();
    bp_json_freep(&inputs);
}

TestSuite(forge_github, .init = set_up, .fini = tear_down);

static const char no_key[] =
    "{\"message\": \"\\\"return_run_details\\\" is not a permitted key.\"}";
static const char retired[] = "{\"message\": \"API version no longer supported\"}";
static const char plain_body[] = "{\"ref\": \"feature/x\"}";

static const struct fake_exchange *sent(int i)
{
    return &rig.http.exchanges[i];
}

/* Begin without waiting. */
static void begin(struct bp_ask *what)
{
    rig.forge->ops->begin(rig.forge, what);
}

static struct bp_ask *wait_once(void)
{
    struct bp_ask *done = NULL;

    cr_assert_eq(rig.forge->ops->wait(rig.forge, -1, NULL, &done, &rig.err), BP_OK);
    return done;
}

/* ---- a dispatch ---- */

Test(forge_github, asks_for_the_run_and_reads_its_id)
{
    inputs = bp_json_object_new();
    bp_json_set_text(inputs, "level", "full");
    ask.inputs = inputs;
    cr_assert_eq(github_answer(&ask, 200,
                               "{\"workflow_run_id\": 12345678901, \"html_url\": \"https://x/1\"}"),
                 BP_OK, "%s", ask.err.msg);
    cr_expect_eq(dispatched.outcome, BP_DISPATCH_ACCEPTED);
    cr_expect_eq(dispatched.run_id, INT64_C(12345678901));
    cr_expect_str_eq(dispatched.url, "https://x/1");
    cr_expect_str_eq(sent(0)->method, "POST");
    cr_expect_str_eq(sent(0)->url,
                     "https://api.test/api/v3/repos/o/r/actions/workflows/backup.yml/dispatches");
    cr_expect_str_eq(sent(0)->sent, "{\"inputs\": {\"level\": \"full\"}, \"ref\": \"feature/x\", "
                                    "\"return_run_details\": true}");
    cr_expect_str_eq(sent(0)->authorization, "Authorization: Bearer github_pat_x");
}

Test(forge_github, an_answer_that_is_no_json_leaves_it_unknown)
{
    cr_expect_eq(github_answer(&ask, 200, "<html>Sign in to the network"), BP_EUNAVAILABLE);
    cr_expect_eq(dispatched.outcome, BP_DISPATCH_AMBIGUOUS);
}

Test(forge_github, takes_any_2xx_as_accepted)
{
    static const int statuses[] = {200, 201, 202, 204, 299};
    static const char *const bodies[] = {"", "{}", "[]", "{\"workflow_run_id\": \"x\"}",
                                         "{\"workflow_run_id\": -5}"};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        dispatched = (struct bp_dispatched){.run_id = 9, .url = "old"};
        cr_expect_eq(github_answer(&ask, statuses[i], bodies[i]), BP_OK, "row %zu", i);
        cr_expect_eq(dispatched.outcome, BP_DISPATCH_ACCEPTED);
        cr_expect_eq(dispatched.run_id, 0, "row %zu", i);
        cr_expect_str_eq(dispatched.url, "");
    }
}

Test(forge_github, leaves_the_key_out_for_a_server_that_refuses_it)
{
    static const int statuses[] = {422, 400};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        github_use_token("x");
        rig.http.exchanges[0] = (struct fake_exchange){.status = statuses[i], .body = no_key};
        rig.http.exchanges[1] = (struct fake_exchange){.status = 204};
        cr_expect_eq(github_ask(&ask), BP_OK);
        cr_expect_eq(rig.http.count, 2);
        cr_expect_str_eq(sent(1)->sent, plain_body);
        cr_expect_eq(github_answer(&ask, 204, NULL), BP_OK);
        cr_expect_eq(rig.http.count, 1, "it is remembered");
        cr_expect_str_eq(sent(0)->sent, plain_body);
    }
    cr_expect_eq(github_answer(&ask, 422, no_key), BP_EFAILED, "it is not sent for ever");
}

Test(forge_github, takes_the_newer_version_when_the_older_one_is_retired)
{
    rig.http.exchanges[0] = (struct fake_exchange){.status = 410, .body = retired};
    rig.http.exchanges[1] =
        (struct fake_exchange){.status = 200, .body = "{\"workflow_run_id\": 5}"};
    github_rewind();
    begin(&ask);
    cr_expect_str_eq(github_sent_header(0, "X-GitHub-Api-Version"), "2022-11-28");
    cr_expect_null(wait_once(), "sent again, so not done");
    cr_expect_str_eq(github_sent_header(1, "X-GitHub-Api-Version"), "2026-03-10");
    cr_expect_str_eq(sent(1)->sent, plain_body, "the newer version does not know the key");
    cr_expect_eq(wait_once(), &ask);
    cr_expect_eq(ask.err.code, BP_OK);
    cr_expect_eq(dispatched.run_id, 5);
    cr_expect_eq(github_answer(&ask, 410, retired), BP_EFAILED, "remembered, and not for ever");
    cr_expect_eq(dispatched.outcome, BP_DISPATCH_REJECTED);
    cr_expect(holds(ask.err.msg, "a newer version of backproof"), "%s", ask.err.msg);
    cr_expect_eq(github_answer(&ask, 410, "{\"message\": \"Gone\"}"), BP_EFAILED);
    cr_expect(holds(ask.err.msg, "answered with HTTP 410 \"Gone\""), "%s", ask.err.msg);
}

Test(forge_github, what_was_under_way_when_the_form_changed_is_sent_again_too)
{
    struct bp_dispatched other_dispatched;
    struct bp_ask other = ask;
    bool flag = false;
    struct bp_ask read = {.kind = BP_ASK_ACTIONS, .repo = "o/r", .out.flag = &flag};

    other.out.dispatched = &other_dispatched;
    github_rewind();
    rig.http.exchanges[0] = (struct fake_exchange){.status = 410, .body = retired};
    rig.http.exchanges[1] = rig.http.exchanges[0];
    rig.http.exchanges[2] = rig.http.exchanges[0];
    begin(&ask);
    begin(&other);
    begin(&read);
    for (int i = 3; i < 6; i++)
        rig.http.exchanges[i] =
            (struct fake_exchange){.status = 200, .body = "{\"enabled\": true}"};
    for (int i = 0; i < 3; i++)
        cr_expect_null(wait_once());
    cr_expect_eq(wait_once(), &ask);
    cr_expect_eq(wait_once(), &other);
    cr_expect_eq(wait_once(), &read);
    cr_expect_eq(other_dispatched.outcome, BP_DISPATCH_ACCEPTED);
    cr_expect(flag);
}

Test(forge_github, two_dispatches_may_find_out_at_once_that_the_key_is_refused)
{
    struct bp_dispatched other_dispatched;
    struct bp_ask other = ask;

    other.out.dispatched = &other_dispatched;
    github_rewind();
    for (int i = 0; i < 2; i++)
        rig.http.exchanges[i] = (struct fake_exchange){.status = 422, .body = no_key};
    for (int i = 2; i < 4; i++)
        rig.http.exchanges[i] = (struct fake_exchange){.status = 204};
    begin(&ask);
    begin(&other);
    for (int i = 0; i < 2; i++)
        cr_expect_null(wait_once());
    cr_expect_eq(wait_once(), &ask);
    cr_expect_eq(wait_once(), &other);
    cr_expect_eq(other.err.code, BP_OK, "%s", other.err.msg);
    cr_expect_str_eq(sent(3)->sent, plain_body);
}

Test(forge_github, what_was_kept_of_the_older_version_is_not_used_for_the_newer)
{
    static struct bp_runs runs;
    struct bp_ask list = {
        .kind = BP_ASK_RUNS, .repo = "o/r", .workflow = "b.yml", .out.runs = &runs};
    struct bp_ask late = list;

    rig.http.exchanges[0] = (struct fake_exchange){
        .status = 200, .body = "{\"workflow_runs\": []}", .header = "ETag: \"1\""};
    cr_assert_eq(github_ask(&list), BP_OK);
    github_rewind();
    rig.http.exchanges[0] = (struct fake_exchange){.status = 410, .body = retired};
    rig.http.exchanges[1] = (struct fake_exchange){
        .status = 200, .body = "{\"workflow_runs\": []}", .header = "ETag: \"2\""};
    rig.http.exchanges[2] = (struct fake_exchange){.hang = true};
    rig.http.exchanges[3] = rig.http.exchanges[2];
    begin(&list);
    begin(&late);
    cr_expect_str_eq(github_sent_header(0, "If-None-Match"), "\"1\"");
    cr_expect_null(wait_once(), "retired: sent again");
    cr_expect_null(github_sent_header(2, "If-None-Match"));
    cr_expect_eq(wait_once(), &late, "answered in the older version all the same");
    begin(&late);
    cr_expect_null(github_sent_header(3, "If-None-Match"));
    rig.forge->ops->drop(rig.forge, &list);
    rig.forge->ops->drop(rig.forge, &late);
}

Test(forge_github, classifies_what_became_of_a_dispatch)
{
    static const struct {
        struct fake_exchange given;
        enum bp_dispatch_outcome outcome;
        enum bp_code code;
        const char *words;
    } rows[] = {
        {{.status = 401, .body = "{\"message\": \"Bad credentials\"}"},
         BP_DISPATCH_REJECTED,
         BP_EAUTH,
         "not valid (HTTP 401 \"Bad credentials\")"},
        {{.status = 403, .body = "{\"message\": \"Resource not accessible by integration\"}"},
         BP_DISPATCH_REJECTED,
         BP_EAUTH,
         "may not do this"},
        {{.status = 403,
          .body = "{\"message\": \"Resource not accessible by personal access token\"}",
          .header = "X-Accepted-GitHub-Permissions: actions=write"},
         BP_DISPATCH_REJECTED,
         BP_EAUTH,
         "hint: give it actions=write"},
        {{.status = 404, .body = "{\"message\": \"Not Found\"}"},
         BP_DISPATCH_REJECTED,
         BP_ENOTFOUND,
         "no workflow"},
        {{.status = 403,
          .header = "X-RateLimit-Remaining: 0",
          .body = "{\"message\": \"API rate limit exceeded for user ID 1.\"}"},
         BP_DISPATCH_LIMITED,
         BP_EUNAVAILABLE,
         "the rate limit is reached"},
        {{.status = 429}, BP_DISPATCH_LIMITED, BP_EUNAVAILABLE, "rate limit"},
        {{.status = 403, .body = "{\"message\": \"You have exceeded a secondary rate limit\"}"},
         BP_DISPATCH_LIMITED,
         BP_EUNAVAILABLE,
         "rate limit"},
        {{.status = 302}, BP_DISPATCH_REJECTED, BP_EFAILED, "HTTP 302"},
        {{.status = 304}, BP_DISPATCH_REJECTED, BP_EFAILED, "HTTP 304"},
        {{.status = 400}, BP_DISPATCH_REJECTED, BP_EFAILED, "HTTP 400"},
        {{.status = 408}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 408"},
        {{.status = 500}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 500"},
        {{.status = 502, .body = "{\"message\": \"Server Error\"}"},
         BP_DISPATCH_AMBIGUOUS,
         BP_EUNAVAILABLE,
         "HTTP 502 \"Server Error\""},
        {{.status = 503}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 503"},
        {{.status = 504}, BP_DISPATCH_AMBIGUOUS, BP_EUNAVAILABLE, "HTTP 504"},
        {{.failure = BP_EUNAVAILABLE}, BP_DISPATCH_NOT_SENT, BP_EUNAVAILABLE, "no answer"},
        {{.failure = BP_EUNAVAILABLE, .maybe_sent = true},
         BP_DISPATCH_AMBIGUOUS,
         BP_EUNAVAILABLE,
         "no answer"},
        {{.failure = BP_ETIMEOUT, .maybe_sent = true}, BP_DISPATCH_AMBIGUOUS, BP_ETIMEOUT, "no"},
        {{.failure = BP_ETIMEOUT}, BP_DISPATCH_NOT_SENT, BP_ETIMEOUT, "no"},
        {{.failure = BP_EFAILED, .maybe_sent = true}, BP_DISPATCH_AMBIGUOUS, BP_EFAILED, "no"},
        {{.failure = BP_EUSAGE}, BP_DISPATCH_REJECTED, BP_EUSAGE, "no"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rig.http.exchanges[0] = rows[i].given;
        cr_expect_eq(github_ask(&ask), rows[i].code, "row %zu", i);
        cr_expect_eq(dispatched.outcome, rows[i].outcome, "row %zu", i);
        cr_expect(holds(ask.err.msg, rows[i].words), "row %zu: %s", i, ask.err.msg);
        cr_expect_eq(rig.http.count, 1, "row %zu: sent again", i);
    }
}

Test(forge_github, a_lost_dispatch_is_sent_after_a_redirect_only_if_nothing_arrived)
{
    rig.http.exchanges[0] = (struct fake_exchange){
        .status = 307, .header = "Location: https://api.test/repositories/9/dispatches"};
    rig.http.exchanges[1] = (struct fake_exchange){.failure = BP_EUNAVAILABLE};
    cr_expect_eq(github_ask(&ask), BP_EUNAVAILABLE);
    cr_expect_eq(dispatched.outcome, BP_DISPATCH_NOT_SENT);
    cr_expect_str_eq(sent(1)->method, "POST");
    cr_expect(holds(sent(1)->sent, "\"ref\": \"feature/x\""));
}

/* ---- several questions at once ---- */

Test(forge_github, one_without_an_answer_holds_up_no_other)
{
    struct bp_dispatched late;
    struct bp_ask first = ask;

    first.out.dispatched = &late;
    rig.http.exchanges[0] = (struct fake_exchange){.hang = true};
    rig.http.exchanges[1] = (struct fake_exchange){.status = 204};
    github_rewind();
    begin(&first);
    begin(&ask);
    cr_expect_eq(wait_once(), &ask);
    cr_expect_null(wait_once());
    cr_expect_not_null(first.exchange);
    rig.forge->ops->drop(rig.forge, &first);
    cr_expect_null(first.exchange);
    cr_expect_eq(fake_http_under_way(&rig.http), 0);
    rig.forge->ops->drop(rig.forge, &first);
}

Test(forge_github, answers_at_once_what_cannot_be_asked)
{
    struct bp_holdup holdup;
    struct bp_ask trigger = {
        .kind = BP_ASK_TRIGGER, .repo = "o/r", .workflow = "123", .branch = "main"};
    struct bp_ask why = {.kind = BP_ASK_HOLDUP,
                         .repo = "o/r",
                         .run_id = 5,
                         .status = "queued",
                         .out.holdup = &holdup};
    struct bp_ask gone = why;

    github_rewind();
    begin(&trigger);
    begin(&gone);
    begin(&why);
    cr_expect_not_null(trigger.exchange);
    rig.forge->ops->drop(rig.forge, &gone);
    cr_expect_null(gone.exchange);
    cr_expect_eq(wait_once(), &trigger);
    cr_expect_eq(trigger.err.code, BP_EUNAVAILABLE);
    cr_expect(holds(trigger.err.msg, "cannot be known"), "%s", trigger.err.msg);
    cr_expect_eq(wait_once(), &why);
    cr_expect_eq(why.err.code, BP_ENOTFOUND);
    cr_expect_null(why.exchange);
    cr_expect_null(wait_once());
    cr_expect_eq(rig.http.count, 0, "nothing was sent");
}

Test(forge_github, stops_and_leaves_the_questions_under_way)
{
    const struct bp_stop stop = {.signal = 2, .fd = -1};
    struct bp_ask at_once = {
        .kind = BP_ASK_TRIGGER, .repo = "o/r", .workflow = "1", .branch = "main"};
    struct bp_ask *done = &ask;

    github_rewind();
    begin(&ask);
    cr_expect_eq(rig.forge->ops->wait(rig.forge, -1, &stop, &done, &rig.err), BP_ESTOPPED);
    cr_expect_null(done);
    begin(&at_once);
    cr_expect_eq(rig.forge->ops->wait(rig.forge, -1, &stop, &done, &rig.err), BP_ESTOPPED);
    cr_expect_not_null(ask.exchange);
    cr_expect_not_null(at_once.exchange);
    rig.forge->ops->drop(rig.forge, &ask);
    rig.forge->ops->drop(rig.forge, &at_once);
}

Test(forge_github, a_question_may_have_a_time_limit_of_its_own)
{
    github_rewind();
    begin(&ask);
    cr_expect_eq(rig.http.calls[0]->request.timeout_ms, 1000);
    rig.forge->ops->drop(rig.forge, &ask);
    ask.timeout_ms = 77;
    begin(&ask);
    cr_expect_eq(rig.http.calls[1]->request.timeout_ms, 77);
    rig.forge->ops->drop(rig.forge, &ask);
}

/* ---- making one ---- */

Test(forge_github, refuses_a_token_that_cannot_be_one)
{
    static const char *const bad[] = {"", "  \n", "a b", "ghr_refresh", "a\nb", "t\xc3\xb6ken"};
    struct bp_forge *none = NULL;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        rig.options.token = bad[i];
        cr_expect_eq(bp_github_new(&rig.options, &none, &rig.err), BP_EAUTH, "row %zu", i);
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

    rig.options.token = "x";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bp_forge *made = NULL;

        rig.options.api_url = rows[i].url;
        cr_expect_eq(bp_github_new(&rig.options, &made, &rig.err), rows[i].code, "%s", rows[i].url);
        bp_forge_freep(&made);
    }
}
