/*
 * forge/github.h against a server that says anything. The first line is the question and the
 * status ("runs 200"), the second a header, the rest the body.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "forge/github.h"
#include "fuzz/fuzz.h"

struct server {
    struct bp_http base;
    int status;
    const char *header;
    const char *body;
};

static enum bp_code server_send(struct bp_http *base, const struct bp_http_request *request,
                                struct bp_http_response *response, struct bp_err *err)
{
    const struct server *self = (const struct server *)base;

    /* Nobody else gets the token. */
    must(strncasecmp(request->url, "https://api.test", 16) == 0 &&
         strchr("/?#", request->url[16]) != NULL);
    if (self->status == 0) {
        response->maybe_sent = self->header[0] != '\0';
        return bp_fail(err, BP_EUNAVAILABLE, "no answer");
    }
    response->status = self->status;
    bp_list_add(&response->headers, self->header);
    bp_buf_puts(&response->body, self->body);
    return BP_OK;
}

static void server_free(struct bp_http *base)
{
    (void)base;
}

static const struct bp_http_ops server_ops = {.send = server_send, .free = server_free};

static int64_t now(struct bp_clock *clock)
{
    (void)clock;
    return INT64_C(1705329045000);
}

static enum bp_code ask_runs(struct bp_forge *forge, const struct bp_forge_dispatch *what,
                             struct bp_err *err)
{
    static struct bp_runs runs;
    enum bp_code rc = forge->ops->runs(forge, what, &runs, err);

    must(runs.count <= BP_RUNS_MAX);
    for (size_t i = 0; i < runs.count; i++)
        must(runs.at[i].id > 0 && fuzz_is_plain(runs.at[i].url) &&
             fuzz_is_plain(runs.at[i].branch) && fuzz_is_plain(runs.at[i].conclusion));
    return rc;
}

static enum bp_code ask_dispatch(struct bp_forge *forge, const struct bp_forge_dispatch *what,
                                 struct bp_err *err)
{
    struct bp_dispatch_answer answer = {0};
    enum bp_code rc = forge->ops->dispatch(forge, what, &answer, err);

    must((rc == BP_OK) == (answer.outcome == BP_DISPATCH_ACCEPTED));
    must(answer.retry_after_ms >= 0 && fuzz_is_plain(answer.url));
    return rc;
}

static enum bp_code ask(struct bp_forge *forge, char question, struct bp_err *err)
{
    static const struct bp_forge_dispatch what = {
        .repo = "o/r", .workflow = "backup.yml", .branch = "main"};
    struct bp_forge_workflow workflow;
    struct bp_forge_repo repo;
    struct bp_run run;

    switch (question) {
    case 'd':
        return ask_dispatch(forge, &what, err);
    case 'r':
        return ask_runs(forge, &what, err);
    case 'w':
        return forge->ops->workflow(forge, what.repo, what.workflow, &workflow, err);
    case 'b':
        return forge->ops->branch_exists(forge, what.repo, what.branch, err);
    case 'o':
        return forge->ops->run(forge, what.repo, 7, &run, err);
    default:
        return forge->ops->repo(forge, what.repo, &repo, err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BP_AUTO(bp_freep) char *text = fuzz_string(data, size);
    char *rest = text;
    const char *question = fuzz_line(&rest);
    struct server server = {.base.ops = &server_ops};
    struct bp_clock clock = {.wall_ms = now, .mono_ms = now};
    const struct bp_github_options options = {.http = &server.base,
                                              .clock = &clock,
                                              .api_url = "https://api.test",
                                              .token = "t0ken",
                                              .request_timeout_ms = 1000};
    BP_AUTO(bp_forge_freep) struct bp_forge *forge = NULL;
    struct bp_err err = {0};
    enum bp_code rc = BP_OK;

    server.status = (int)(strtoul(question + strcspn(question, "0123456789"), NULL, 10) % 1000);
    server.header = fuzz_line(&rest);
    server.body = rest;
    must(bp_github_new(&options, &forge, &err) == BP_OK);
    rc = ask(forge, question[0], &err);
    if (rc != BP_OK)
        must(rc == err.code && err.msg[0] != '\0' && fuzz_is_plain(err.msg));
    return 0;
}
