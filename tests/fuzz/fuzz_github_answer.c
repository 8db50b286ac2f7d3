/*
 * forge/github.h against a server that says anything. The first line is the question and the
 * status ("runs 200"), the second a header, the rest the body.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "forge/github.h"
#include "fuzz/fuzz.h"

enum { MOST_REQUESTS = 8 }; /* of one question: redirects, other forms */

struct server {
    struct bp_http base;
    struct bp_http_call *call; /* under way */
    int status;
    const char *header;
    const char *body;
    int requests;
};

static void server_begin(struct bp_http *base, struct bp_http_call *call)
{
    struct server *self = (struct server *)base;

    /* Nobody else gets the token. */
    must(strncasecmp(call->request.url, "https://api.test", 16) == 0 &&
         strchr("/?#", call->request.url[16]) != NULL && fuzz_is_plain(call->request.url));
    must(self->call == NULL && ++self->requests <= MOST_REQUESTS);
    self->call = call;
}

static bool asks_for_changes(const struct bp_http_call *call)
{
    for (size_t i = 0; i < call->request.headers->count; i++) {
        must(fuzz_is_plain(call->request.headers->at[i]));
        if (bp_text_starts_with(call->request.headers->at[i], "If-None-Match: "))
            return true;
    }
    return false;
}

static enum bp_code server_wait(struct bp_http *base, int64_t timeout_ms,
                                const struct bp_stop *stop, struct bp_http_call **done,
                                struct bp_err *err)
{
    struct server *self = (struct server *)base;
    struct bp_http_call *call = self->call;

    (void)timeout_ms;
    (void)stop;
    (void)err;
    *done = call;
    self->call = NULL;
    if (self->status == 0) {
        call->response.maybe_sent = self->header[0] != '\0';
        bp_fail(&call->err, BP_EUNAVAILABLE, "no answer");
        return BP_OK;
    }
    call->response.status = asks_for_changes(call) ? 304 : self->status;
    bp_list_add(&call->response.headers, self->header);
    if (call->response.status != 304)
        bp_buf_puts(&call->response.body, self->body);
    return BP_OK;
}

static void server_drop(struct bp_http *base, struct bp_http_call *call)
{
    (void)base;
    (void)call;
}

static void server_free(struct bp_http *base)
{
    (void)base;
}

static const struct bp_http_ops server_ops = {
    .begin = server_begin, .wait = server_wait, .drop = server_drop, .free = server_free};

static int64_t now(struct bp_clock *clock)
{
    (void)clock;
    return INT64_C(1705329045000);
}

/* Where the answers go. */
struct answers {
    struct bp_forge_repo repo;
    struct bp_forge_workflow workflow;
    struct bp_run run;
    struct bp_runs runs;
    struct bp_run_jobs jobs;
    struct bp_holdup holdup;
    struct bp_dispatched dispatched;
    char text[128];
    bool flag;
};

static void check_run(const struct bp_run *run)
{
    must(run->id > 0 && fuzz_is_plain(run->url) && fuzz_is_plain(run->branch) &&
         fuzz_is_plain(run->event) && fuzz_is_plain(run->actor) && fuzz_is_plain(run->title) &&
         fuzz_is_plain(run->status) && fuzz_is_plain(run->conclusion));
}

static void check_answers(const struct answers *got)
{
    must(got->runs.count <= BP_RUNS_MAX && got->jobs.count <= BP_JOBS_MAX);
    for (size_t i = 0; i < got->runs.count; i++)
        check_run(&got->runs.at[i]);
    for (size_t i = 0; i < got->jobs.count; i++)
        must(fuzz_is_plain(got->jobs.at[i].name) && fuzz_is_plain(got->jobs.at[i].failed_step) &&
             fuzz_is_plain(got->jobs.at[i].labels) && fuzz_is_plain(got->jobs.at[i].url));
    must(got->holdup.ahead >= -1 && fuzz_is_plain(got->holdup.group) &&
         fuzz_is_plain(got->holdup.environments));
    must(fuzz_is_plain(got->repo.default_branch) && fuzz_is_plain(got->repo.token.scopes) &&
         got->repo.token.expires_ms >= 0);
    must(fuzz_is_plain(got->workflow.path) && fuzz_is_plain(got->workflow.state));
    must(got->dispatched.run_id >= 0 && fuzz_is_plain(got->dispatched.url));
    must(fuzz_is_plain(got->text));
}

/* By the first letter of the input. */
static struct bp_ask question(char letter, struct answers *to)
{
    const struct {
        char letter;
        struct bp_ask ask;
    } all[] = {
        {'d', {.kind = BP_ASK_DISPATCH, .out.dispatched = &to->dispatched}},
        {'r', {.kind = BP_ASK_RUNS, .out.runs = &to->runs}},
        {'w', {.kind = BP_ASK_WORKFLOW, .out.workflow = &to->workflow}},
        {'b', {.kind = BP_ASK_BRANCH, .out.text = &to->text}},
        {'o', {.kind = BP_ASK_RUN, .out.run = &to->run}},
        {'j', {.kind = BP_ASK_JOBS, .out.jobs = &to->jobs}},
        {'g', {.kind = BP_ASK_HOLDUP, .status = "pending", .out.holdup = &to->holdup}},
        {'e', {.kind = BP_ASK_HOLDUP, .status = "waiting", .out.holdup = &to->holdup}},
        {'t', {.kind = BP_ASK_TRIGGER}},
        {'u', {.kind = BP_ASK_USER, .out.text = &to->text}},
        {'a', {.kind = BP_ASK_ACTIONS, .out.flag = &to->flag}},
        {'c', {.kind = BP_ASK_CANCEL}},
        {'n', {.kind = BP_ASK_ENABLE}},
        {'s', {.kind = BP_ASK_STATUS, .status = "success", .context = "c", .commit = "0a"}},
    };
    struct bp_ask ask = {.kind = BP_ASK_REPO, .out.repo = &to->repo};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].letter == letter)
            ask = all[i].ask;
    }
    ask.repo = "o/r";
    ask.workflow = "backup.yml";
    ask.branch = "main";
    ask.run_id = 7;
    return ask;
}

static enum bp_code put(struct bp_forge *forge, struct server *server, struct bp_ask *ask)
{
    struct bp_ask *done = NULL;
    struct bp_err err = {0};

    server->requests = 0;
    forge->ops->begin(forge, ask);
    while (done == NULL)
        must(forge->ops->wait(forge, -1, NULL, &done, &err) == BP_OK);
    must(done == ask && ask->exchange == NULL);
    if (ask->err.code != BP_OK)
        must(ask->err.msg[0] != '\0' && fuzz_is_plain(ask->err.msg));
    must(ask->reply.retry_after_ms >= -1 && ask->reply.reset_in_ms >= -1 &&
         ask->reply.budget >= -1 && ask->reply.remaining >= -1 && ask->reply.date_ms >= 0 &&
         fuzz_is_plain(ask->reply.request_id));
    must(ask->reply.limited == BP_LIMIT_NONE || ask->err.code == BP_EUNAVAILABLE);
    return ask->err.code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answers first;
    static struct answers again;
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    char *rest = text;
    const char *words = fuzz_line(&rest);
    struct server server = {.base.ops = &server_ops};
    struct bp_clock clock = {.wall_ms = now, .mono_ms = now};
    const struct bp_github_options options = {.http = &server.base,
                                              .clock = &clock,
                                              .api_url = "https://api.test",
                                              .token = "ghp_t0ken",
                                              .request_timeout_ms = 1000};
    BP_AUTO(bp_forge_freep) struct bp_forge *forge = NULL;
    struct bp_ask ask;
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;

    first = again = (struct answers){0};
    server.status = (int)(strtoul(words + strcspn(words, "0123456789"), NULL, 10) % 1000);
    server.header = fuzz_line(&rest);
    server.body = rest;
    must(bp_github_new(&options, &forge, &err) == BP_OK);
    ask = question(words[0], &first);
    rc = put(forge, &server, &ask);
    check_answers(&first);
    if (ask.kind == BP_ASK_DISPATCH)
        must((rc == BP_OK) == (first.dispatched.outcome == BP_DISPATCH_ACCEPTED));
    /* With an ETag the second answer is "not modified", and the same. */
    ask = question(words[0], &again);
    must(put(forge, &server, &ask) == rc);
    if (rc == BP_OK)
        must(memcmp(&first, &again, sizeof(first)) == 0);
    return 0;
}
