#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "forge/github.h"
#include "forge/github_api.h"
#include "net/url.h"

struct github {
    struct bp_forge base;
    struct bp_github_api api;
    char *url;
    char *token;
    bool without_details; /* the server refused return_run_details: do not ask again */
};

/* ---- reading answers ---- */

static void copy_text(char *out, size_t size, const struct bp_json *object, const char *key)
{
    bp_copy_foreign(out, size, bp_json_get_text(object, key));
}

static enum bp_code read_run(const struct bp_json *json, struct bp_run *out, struct bp_err *err)
{
    *out = (struct bp_run){0};
    if (!bp_json_get_int(json, "id", &out->id) || out->id <= 0)
        return bp_fail(err, BP_EFAILED, "the server described a run without an id");
    copy_text(out->url, sizeof(out->url), json, "html_url");
    copy_text(out->branch, sizeof(out->branch), json, "head_branch");
    copy_text(out->event, sizeof(out->event), json, "event");
    copy_text(out->status, sizeof(out->status), json, "status");
    copy_text(out->conclusion, sizeof(out->conclusion), json, "conclusion");
    return BP_OK;
}

/* Like bp_github_call() for a GET whose answer must be an object. */
static enum bp_code get(struct github *self, const char *path, struct bp_github_answer *answer,
                        struct bp_err *err)
{
    enum bp_code rc = bp_github_call(&self->api, "GET", path, NULL, answer, err);

    if (rc == BP_OK && !bp_json_is_object(answer->json))
        return bp_fail(err, BP_EUNAVAILABLE, "GET %s%s: the answer is no JSON object",
                       self->api.url, path);
    return rc;
}

/* ---- the questions ---- */

static enum bp_code github_repo(struct bp_forge *base, const char *repo, struct bp_forge_repo *out,
                                struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    BP_AUTO(bp_freep) char *path = bp_format("/repos/%s", repo);
    enum bp_code rc = get(self, path, &answer, err);

    *out = (struct bp_forge_repo){0};
    if (rc == BP_ENOTFOUND)
        return bp_fail(err, rc,
                       "no repository '%s', or the token may not see it; hint: check --repo, and "
                       "that the token was given access to this repository",
                       repo);
    if (rc != BP_OK)
        return bp_wrap(err, "repository '%s'", repo);
    copy_text(out->default_branch, sizeof(out->default_branch), answer.json, "default_branch");
    out->archived = bp_json_get_bool(answer.json, "archived", false);
    out->disabled = bp_json_get_bool(answer.json, "disabled", false);
    return BP_OK;
}

/* "/repos/o/r/actions/workflows/backup.yml" + tail; owned by the caller. */
static char *workflow_path(const char *repo, const char *workflow, const char *tail)
{
    const char *slash = strrchr(workflow, '/');
    BP_AUTO(bp_freep) char *file = bp_percent_encode(slash != NULL ? slash + 1 : workflow, "-._~");

    return bp_format("/repos/%s/actions/workflows/%s%s", repo, file, tail);
}

static enum bp_code github_workflow(struct bp_forge *base, const char *repo, const char *workflow,
                                    struct bp_forge_workflow *out, struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    BP_AUTO(bp_freep) char *path = workflow_path(repo, workflow, "");
    enum bp_code rc = get(self, path, &answer, err);

    *out = (struct bp_forge_workflow){0};
    if (rc == BP_ENOTFOUND)
        return bp_fail(err, rc,
                       "no workflow '%s' in '%s'; hint: the file must be in .github/workflows on "
                       "the default branch",
                       workflow, repo);
    if (rc != BP_OK)
        return bp_wrap(err, "workflow '%s' in '%s'", workflow, repo);
    (void)bp_json_get_int(answer.json, "id", &out->id);
    copy_text(out->path, sizeof(out->path), answer.json, "path");
    copy_text(out->state, sizeof(out->state), answer.json, "state");
    return BP_OK;
}

static enum bp_code github_branch_exists(struct bp_forge *base, const char *repo,
                                         const char *branch, struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    BP_AUTO(bp_freep) char *name = bp_percent_encode(branch, "-._~");
    BP_AUTO(bp_freep) char *path = bp_format("/repos/%s/branches/%s", repo, name);
    enum bp_code rc = get(self, path, &answer, err);

    if (rc == BP_ENOTFOUND)
        return bp_fail(err, rc, "no branch '%s' in '%s'", branch, repo);
    if (rc != BP_OK)
        return bp_wrap(err, "branch '%s' in '%s'", branch, repo);
    return BP_OK;
}

static enum bp_code github_run(struct bp_forge *base, const char *repo, int64_t id,
                               struct bp_run *out, struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    BP_AUTO(bp_freep) char *path = bp_format("/repos/%s/actions/runs/%" PRId64, repo, id);
    enum bp_code rc = get(self, path, &answer, err);

    if (rc == BP_OK)
        rc = read_run(answer.json, out, err);
    if (rc != BP_OK)
        return bp_wrap(err, "run %" PRId64, id);
    return BP_OK;
}

static enum bp_code github_runs(struct bp_forge *base, const struct bp_forge_dispatch *what,
                                struct bp_runs *out, struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    BP_AUTO(bp_freep)
    char *branch = what->branch != NULL ? bp_percent_encode(what->branch, "-._~") : NULL;
    BP_AUTO(bp_freep)
    char *query = bp_format("/runs?event=workflow_dispatch&per_page=%d%s%s", BP_RUNS_MAX,
                            branch != NULL ? "&branch=" : "", branch != NULL ? branch : "");
    BP_AUTO(bp_freep) char *path = workflow_path(what->repo, what->workflow, query);
    enum bp_code rc = get(self, path, &answer, err);

    out->count = 0;
    if (rc != BP_OK)
        return bp_wrap(err, "runs of '%s' in '%s'", what->workflow, what->repo);
    for (const struct bp_json *r = bp_json_first(bp_json_get(answer.json, "workflow_runs"));
         r != NULL && out->count < BP_RUNS_MAX; r = bp_json_next(r)) {
        if (read_run(r, &out->at[out->count], err) != BP_OK)
            return err->code;
        out->count++;
    }
    return BP_OK;
}

/* ---- dispatch ---- */

/* What a refusal means, by the words of GitHub; docs name no 4xx for a dispatch. */
static enum bp_code explain_refusal(const struct bp_forge_dispatch *what,
                                    const struct bp_github_answer *answer, struct bp_err *err)
{
    if (strstr(answer->message, "No ref found") != NULL)
        return bp_fail(err, BP_ENOTFOUND, "no branch '%s' in '%s'", what->branch, what->repo);
    if (strstr(answer->message, "workflow_dispatch") != NULL &&
        strstr(answer->message, "does not have") != NULL)
        return bp_fail(err, BP_EFAILED,
                       "'%s' on branch '%s' has no workflow_dispatch trigger; hint: add "
                       "'workflow_dispatch:' under 'on:' in the file on that branch",
                       what->workflow, what->branch);
    if (strstr(answer->message, "disabled workflow") != NULL)
        return bp_fail(err, BP_EFAILED, "'%s' is disabled; hint: gh workflow enable %s -R %s",
                       what->workflow, what->workflow, what->repo);
    return err->code;
}

static enum bp_dispatch_outcome classify(enum bp_code rc, const struct bp_github_answer *answer)
{
    if (rc == BP_OK)
        return BP_DISPATCH_ACCEPTED;
    if (answer->rate_limited)
        return BP_DISPATCH_NOT_PROCESSED;
    if (answer->status >= 500)
        return BP_DISPATCH_AMBIGUOUS;
    if (answer->status >= 300)
        return BP_DISPATCH_REJECTED;
    if (rc == BP_EUNAVAILABLE || rc == BP_ETIMEOUT || rc == BP_EFAILED || rc == BP_ESTOPPED)
        return answer->maybe_sent ? BP_DISPATCH_AMBIGUOUS : BP_DISPATCH_NOT_PROCESSED;
    return BP_DISPATCH_REJECTED;
}

static struct bp_json *dispatch_body_new(const struct github *self,
                                         const struct bp_forge_dispatch *what)
{
    struct bp_json *body = bp_json_object_new();

    bp_json_set_text(body, "ref", what->branch);
    if (what->inputs != NULL)
        bp_json_set(body, "inputs", bp_json_copy(what->inputs));
    if (!self->without_details)
        bp_json_set_bool(body, "return_run_details", true);
    return body;
}

static enum bp_code send_dispatch(struct github *self, const struct bp_forge_dispatch *what,
                                  struct bp_github_answer *answer, struct bp_err *err)
{
    BP_AUTO(bp_freep) char *path = workflow_path(what->repo, what->workflow, "/dispatches");
    BP_AUTO(bp_json_freep) struct bp_json *body = dispatch_body_new(self, what);

    return bp_github_call(&self->api, "POST", path, body, answer, err);
}

static enum bp_code github_dispatch(struct bp_forge *base, const struct bp_forge_dispatch *what,
                                    struct bp_dispatch_answer *out, struct bp_err *err)
{
    struct github *self = (struct github *)base;
    BP_AUTO(bp_github_answer_free) struct bp_github_answer answer = {0};
    enum bp_code rc = send_dispatch(self, what, &answer, err);

    if ((answer.status == 400 || answer.status == 422) && !self->without_details &&
        strstr(answer.message, "return_run_details") != NULL) {
        /* An older GitHub Enterprise Server: it refused the request because of this key. */
        self->without_details = true;
        bp_github_answer_free(&answer);
        rc = send_dispatch(self, what, &answer, err);
    }
    *out = (struct bp_dispatch_answer){.outcome = classify(rc, &answer),
                                       .retry_after_ms = answer.retry_after_ms};
    if (rc != BP_OK) {
        if (rc == BP_ENOTFOUND)
            return bp_fail(err, rc, "no workflow '%s' in '%s', or the token may not start it",
                           what->workflow, what->repo);
        return explain_refusal(what, &answer, err);
    }
    (void)bp_json_get_int(answer.json, "workflow_run_id", &out->run_id);
    copy_text(out->url, sizeof(out->url), answer.json, "html_url");
    return BP_OK;
}

/* ---- making one ---- */

static void github_free(struct bp_forge *base)
{
    struct github *self = (struct github *)base;

    bp_http_freep(&self->api.http);
    bp_free(self->url);
    bp_free_secretp(&self->token);
    bp_free(self);
}

static const struct bp_forge_ops ops = {
    .repo = github_repo,
    .workflow = github_workflow,
    .branch_exists = github_branch_exists,
    .dispatch = github_dispatch,
    .run = github_run,
    .runs = github_runs,
    .free = github_free,
};

static enum bp_code check_address(const char *url, struct bp_err *err)
{
    bool encrypted = bp_text_starts_with(url, "https://");

    if (!encrypted && !bp_text_starts_with(url, "http://"))
        return bp_fail(err, BP_EUSAGE,
                       "'%s' is no address of an API; hint: it starts with https://", url);
    if (strchr(url, '@') != NULL)
        return bp_fail(err, BP_EUSAGE,
                       "the address of the API holds a user's name; hint: the token alone says who "
                       "asks");
    if (encrypted || bp_url_is_loopback(url))
        return BP_OK;
    return bp_fail(err, BP_EUSAGE,
                   "'%s' would send the token unencrypted; hint: use https://, with --ca-file for "
                   "a server of your own",
                   url);
}

/* Tokens are opaque: any length and characters, but none holds blanks or control characters. */
static enum bp_code check_token(const char *token, struct bp_err *err)
{
    if (token[0] == '\0')
        return bp_fail(err, BP_EAUTH, "the token is empty; hint: set WORKFLOW_TRIGGER_TOKEN");
    if (bp_text_starts_with(token, "ghr_"))
        return bp_fail(err, BP_EAUTH,
                       "the token is a refresh token (ghr_); hint: use the access token");
    for (const char *p = token; *p != '\0'; p++) {
        if (!isgraph((unsigned char)*p))
            return bp_fail(err, BP_EAUTH,
                           "the token is malformed: it has a blank, a line end or another odd "
                           "character in it; hint: copy it again, without anything around it");
    }
    return BP_OK;
}

enum bp_code bp_github_new(const struct bp_github_options *options, struct bp_forge **out,
                           struct bp_err *err)
{
    struct github *self = bp_alloc(1, sizeof(*self));
    enum bp_code rc = check_address(options->api_url, err);
    size_t len = strlen(options->api_url);

    while (len > 0 && options->api_url[len - 1] == '/')
        len--;
    self->base.ops = &ops;
    self->url = bp_strndup(options->api_url, len);
    self->token = bp_strdup(options->token);
    bp_text_trim(self->token);
    self->api = (struct bp_github_api){.http = options->http,
                                       .clock = options->clock,
                                       .url = self->url,
                                       .token = self->token,
                                       .timeout_ms = options->request_timeout_ms};
    if (rc == BP_OK)
        rc = check_token(self->token, err);
    if (rc != BP_OK)
        github_free(&self->base);
    else
        *out = &self->base;
    return rc;
}
