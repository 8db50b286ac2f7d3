#include "forge/github_ask.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"

/* https://docs.github.com/en/rest/commits/statuses: longer descriptions are refused. */
enum { STATUS_TEXT = 140 };

const char *bp_github_workflow_file(const char *workflow)
{
    const char *slash = strrchr(workflow, '/');

    return slash != NULL ? slash + 1 : workflow;
}

bool bp_github_workflow_is_number(const char *workflow)
{
    return workflow[0] != '\0' && strspn(workflow, "0123456789") == strlen(workflow);
}

/* A part of a path or a query's value: a slash in it is none of the address. */
static char *part(const char *text)
{
    return bp_percent_encode(text, "-._~");
}

/* ---- addresses ---- */

static char *repo_path(const struct bp_ask *ask, const char *tail)
{
    return bp_format("/repos/%s%s", ask->repo, tail);
}

static char *workflow_path(const struct bp_ask *ask, const char *tail)
{
    BP_AUTO(bp_freep) char *file = part(bp_github_workflow_file(ask->workflow));

    return bp_format("/repos/%s/actions/workflows/%s%s", ask->repo, file, tail);
}

static char *run_path(const struct bp_ask *ask, const char *tail)
{
    return bp_format("/repos/%s/actions/runs/%" PRId64 "%s", ask->repo, ask->run_id, tail);
}

static char *user_path(const struct bp_ask *ask, const char *tail)
{
    (void)ask;
    return bp_strdup(tail);
}

static char *branch_path(const struct bp_ask *ask, const char *tail)
{
    BP_AUTO(bp_freep) char *branch = part(ask->branch);

    return bp_format("/repos/%s%s%s", ask->repo, tail, branch);
}

static char *status_path(const struct bp_ask *ask, const char *tail)
{
    BP_AUTO(bp_freep) char *commit = part(ask->commit);

    return bp_format("/repos/%s%s%s", ask->repo, tail, commit);
}

static char *file_path(const struct bp_ask *ask, const char *tail)
{
    BP_AUTO(bp_freep) char *file = part(bp_github_workflow_file(ask->workflow));
    BP_AUTO(bp_freep) char *branch = part(ask->branch);

    if (bp_github_workflow_is_number(ask->workflow))
        return NULL;
    return bp_format("/repos/%s%s%s?ref=%s", ask->repo, tail, file, branch);
}

/* What pull requests a run belongs to is costly to find out, and of no use here. */
static char *runs_path(const struct bp_ask *ask, const char *tail)
{
    BP_AUTO(bp_buf_free) struct bp_buf query = {0};

    bp_buf_printf(&query, "%s?per_page=%d&exclude_pull_requests=true", tail, BP_RUNS_MAX);
    if (ask->event != NULL) {
        BP_AUTO(bp_freep) char *event = part(ask->event);

        bp_buf_printf(&query, "&event=%s", event);
    }
    if (ask->since_ms > 0) {
        char since[BP_TIME_SIZE];

        bp_time_format(ask->since_ms, since);
        bp_buf_printf(&query, "&created=%%3E%%3D%s", since);
    }
    return workflow_path(ask, bp_buf_str(&query));
}

static char *holdup_path(const struct bp_ask *ask, const char *tail)
{
    (void)tail;
    if (strcmp(ask->status, "pending") == 0)
        return run_path(ask, "/concurrency_groups");
    return strcmp(ask->status, "waiting") == 0 ? run_path(ask, "/pending_deployments") : NULL;
}

/* ---- bodies ---- */

static struct bp_json *dispatch_body(const struct bp_ask *ask)
{
    struct bp_json *body = bp_json_object_new();

    bp_json_set_text(body, "ref", ask->branch);
    if (ask->inputs != NULL)
        bp_json_set(body, "inputs", bp_json_copy(ask->inputs));
    return body;
}

static struct bp_json *status_body(const struct bp_ask *ask)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_json *body = bp_json_object_new();

    if (ask->text != NULL)
        bp_put_foreign(&text, ask->text,
                       strlen(ask->text) <= STATUS_TEXT ? STATUS_TEXT : STATUS_TEXT - 3);
    bp_json_set_text(body, "state", ask->status);
    bp_json_set_text(body, "context", ask->context);
    bp_json_set_text(body, "description", bp_buf_str(&text));
    if (ask->url != NULL && ask->url[0] != '\0')
        bp_json_set_text(body, "target_url", ask->url);
    return body;
}

/* ---- the questions ---- */

static const struct {
    const char *method;
    char *(*path)(const struct bp_ask *ask, const char *tail);
    const char *tail;
    struct bp_json *(*body)(const struct bp_ask *ask); /* NULL: none */
    bool polled;
} questions[BP_ASK_COUNT] = {
    [BP_ASK_REPO] = {"GET", repo_path, ""},
    [BP_ASK_ACTIONS] = {"GET", repo_path, "/actions/permissions"},
    [BP_ASK_WORKFLOW] = {"GET", workflow_path, "", .polled = true},
    [BP_ASK_BRANCH] = {"GET", branch_path, "/branches/"},
    [BP_ASK_TRIGGER] = {"GET", file_path, "/contents/.github/workflows/"},
    [BP_ASK_USER] = {"GET", user_path, "/user"},
    [BP_ASK_RUN] = {"GET", run_path, "", .polled = true},
    [BP_ASK_RUNS] = {"GET", runs_path, "/runs", .polled = true},
    [BP_ASK_JOBS] = {"GET", run_path, "/jobs?filter=latest&per_page=100", .polled = true},
    [BP_ASK_HOLDUP] = {"GET", holdup_path, ""},
    [BP_ASK_ENABLE] = {"PUT", workflow_path, "/enable"},
    [BP_ASK_DISPATCH] = {"POST", workflow_path, "/dispatches", dispatch_body},
    [BP_ASK_CANCEL] = {"POST", run_path, "/cancel"},
    [BP_ASK_STATUS] = {"POST", status_path, "/statuses/", status_body},
};

const char *bp_github_method(enum bp_ask_kind kind)
{
    return questions[kind].method;
}

char *bp_github_path(const struct bp_ask *ask)
{
    return questions[ask->kind].path(ask, questions[ask->kind].tail);
}

struct bp_json *bp_github_body(const struct bp_ask *ask, bool details)
{
    struct bp_json *body =
        questions[ask->kind].body != NULL ? questions[ask->kind].body(ask) : NULL;

    if (details && ask->kind == BP_ASK_DISPATCH)
        bp_json_set_bool(body, "return_run_details", true);
    return body;
}

bool bp_github_is_polled(enum bp_ask_kind kind)
{
    return questions[kind].polled;
}
