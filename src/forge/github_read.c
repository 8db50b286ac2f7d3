#include "forge/github_read.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "base/time.h"
#include "forge/github_api.h"
#include "forge/github_trigger.h"

static enum bp_code odd(struct bp_err *err, const char *what)
{
    return bp_fail(err, BP_EUNAVAILABLE, "the answer makes no sense: %s", what);
}

static void copy_text(char *out, size_t size, const struct bp_json *object, const char *key)
{
    bp_github_copy(out, size, bp_json_get_text(object, key));
}

static bool text_is(const struct bp_json *object, const char *key, const char *wanted)
{
    const char *text = bp_json_get_text(object, key);

    return text != NULL && strcmp(text, wanted) == 0;
}

/* Add to a list of names: "production, staging". */
static void add_name(struct bp_buf *names, const char *name)
{
    if (name == NULL)
        return;
    if (names->len > 0)
        bp_buf_puts(names, ", ");
    bp_buf_puts(names, name);
}

/* ---- the repository and what is in it ---- */

static enum bp_code take_repo(const struct bp_ask *ask, const struct bp_json *json,
                              struct bp_err *err)
{
    struct bp_forge_repo *out = ask->out.repo;

    *out = (struct bp_forge_repo){0};
    if (!bp_json_is_object(json))
        return odd(err, "it is no JSON object");
    copy_text(out->default_branch, sizeof(out->default_branch), json, "default_branch");
    out->archived = bp_json_get_bool(json, "archived", false);
    out->disabled = bp_json_get_bool(json, "disabled", false);
    return BP_OK;
}

static enum bp_code take_actions(const struct bp_ask *ask, const struct bp_json *json,
                                 struct bp_err *err)
{
    *ask->out.flag = bp_json_get_bool(json, "enabled", false);
    if (bp_json_get_bool(json, "enabled", true) != *ask->out.flag)
        return odd(err, "it does not tell whether Actions is on");
    return BP_OK;
}

static enum bp_code take_workflow(const struct bp_ask *ask, const struct bp_json *json,
                                  struct bp_err *err)
{
    struct bp_forge_workflow *out = ask->out.workflow;

    *out = (struct bp_forge_workflow){0};
    if (!bp_json_is_object(json))
        return odd(err, "it is no JSON object");
    (void)bp_json_get_int(json, "id", &out->id);
    copy_text(out->path, sizeof(out->path), json, "path");
    copy_text(out->state, sizeof(out->state), json, "state");
    return BP_OK;
}

static enum bp_code take_branch(const struct bp_ask *ask, const struct bp_json *json,
                                struct bp_err *err)
{
    const char *sha = bp_json_get_text(bp_json_get(json, "commit"), "sha");

    /* It becomes a part of an address. */
    if (sha == NULL || sha[0] == '\0' || strspn(sha, "0123456789abcdef") != strlen(sha))
        return odd(err, "it does not tell the branch's head commit");
    bp_github_copy(*ask->out.text, sizeof(*ask->out.text), sha);
    return BP_OK;
}

/* A file comes as base64, in lines. */
static enum bp_code take_trigger(const struct bp_ask *ask, const struct bp_json *json,
                                 struct bp_err *err)
{
    const char *content = bp_json_get_text(json, "content");
    BP_AUTO(bp_buf_free) struct bp_buf file = {0};

    if (content == NULL || !text_is(json, "encoding", "base64") ||
        !bp_text_unbase64(content, &file))
        return bp_fail(err, BP_EUNAVAILABLE,
                       "whether '%s' on branch '%s' takes the dispatch cannot be known: the server "
                       "does not give the file",
                       ask->workflow, ask->branch);
    return bp_github_judge(ask, bp_buf_str(&file), file.len, err);
}

static enum bp_code take_user(const struct bp_ask *ask, const struct bp_json *json,
                              struct bp_err *err)
{
    copy_text(*ask->out.text, sizeof(*ask->out.text), json, "login");
    return (*ask->out.text)[0] != '\0' ? BP_OK : odd(err, "it names no user");
}

/* ---- runs ---- */

/* Whether the commit of a run comes from another repository: a pull request does that. */
static bool is_of_fork(const struct bp_json *run)
{
    const char *here = bp_json_get_text(bp_json_get(run, "repository"), "full_name");
    const char *head = bp_json_get_text(bp_json_get(run, "head_repository"), "full_name");

    return here != NULL && head != NULL && strcasecmp(here, head) != 0;
}

static enum bp_code read_run(const struct bp_json *json, struct bp_run *out, struct bp_err *err)
{
    const char *created = bp_json_get_text(json, "created_at");
    const struct bp_json *actor = bp_json_get(json, "triggering_actor");
    struct bp_err ignored;

    *out = (struct bp_run){0};
    if (!bp_json_get_int(json, "id", &out->id) || out->id <= 0)
        return odd(err, "it describes a run without an id");
    if (created != NULL && bp_time_parse(created, &out->created_ms, &ignored) != BP_OK)
        out->created_ms = 0;
    if (bp_json_get_text(actor, "login") == NULL)
        actor = bp_json_get(json, "actor");
    copy_text(out->url, sizeof(out->url), json, "html_url");
    /* A fork's branch may have the name of one of ours. */
    if (is_of_fork(json))
        out->branch[0] = '\0';
    else
        copy_text(out->branch, sizeof(out->branch), json, "head_branch");
    copy_text(out->event, sizeof(out->event), json, "event");
    copy_text(out->actor, sizeof(out->actor), actor, "login");
    copy_text(out->title, sizeof(out->title), json, "display_title");
    copy_text(out->status, sizeof(out->status), json, "status");
    copy_text(out->conclusion, sizeof(out->conclusion), json, "conclusion");
    return BP_OK;
}

static enum bp_code take_run(const struct bp_ask *ask, const struct bp_json *json,
                             struct bp_err *err)
{
    return read_run(json, ask->out.run, err);
}

/* No list is no proof that there are no runs: that could start one twice. */
static enum bp_code take_runs(const struct bp_ask *ask, const struct bp_json *json,
                              struct bp_err *err)
{
    const struct bp_json *list = bp_json_get(json, "workflow_runs");
    struct bp_runs *out = ask->out.runs;

    out->count = 0;
    if (!bp_json_is_array(list))
        return odd(err, "it lists no runs");
    for (const struct bp_json *r = bp_json_first(list); r != NULL && out->count < BP_RUNS_MAX;
         r = bp_json_next(r)) {
        if (read_run(r, &out->at[out->count], err) != BP_OK)
            return err->code;
        out->count++;
    }
    return BP_OK;
}

/* ---- jobs ---- */

static bool was_taken(const struct bp_json *job)
{
    const char *runner = bp_json_get_text(job, "runner_name");
    int64_t id = 0;

    if (!text_is(job, "status", "in_progress") && !text_is(job, "status", "completed"))
        return false;
    if ((bp_json_get_int(job, "runner_id", &id) && id > 0) || (runner != NULL && runner[0] != '\0'))
        return true;
    for (const struct bp_json *step = bp_json_first(bp_json_get(job, "steps")); step != NULL;
         step = bp_json_next(step)) {
        if (text_is(step, "status", "in_progress") || text_is(step, "status", "completed"))
            return true;
    }
    return false;
}

static const char *failed_step(const struct bp_json *job)
{
    if (text_is(job, "conclusion", "success"))
        return NULL;
    for (const struct bp_json *step = bp_json_first(bp_json_get(job, "steps")); step != NULL;
         step = bp_json_next(step)) {
        if (text_is(step, "conclusion", "failure") || text_is(step, "conclusion", "timed_out") ||
            text_is(step, "conclusion", "cancelled"))
            return bp_json_get_text(step, "name");
    }
    return NULL;
}

static void read_job(const struct bp_json *json, struct bp_run_job *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf labels = {0};

    *out = (struct bp_run_job){.started = was_taken(json)};
    for (const struct bp_json *label = bp_json_first(bp_json_get(json, "labels")); label != NULL;
         label = bp_json_next(label))
        add_name(&labels, bp_json_text(label));
    copy_text(out->name, sizeof(out->name), json, "name");
    copy_text(out->url, sizeof(out->url), json, "html_url");
    copy_text(out->status, sizeof(out->status), json, "status");
    copy_text(out->conclusion, sizeof(out->conclusion), json, "conclusion");
    bp_github_copy(out->failed_step, sizeof(out->failed_step), failed_step(json));
    bp_github_copy(out->labels, sizeof(out->labels), bp_buf_str(&labels));
}

static enum bp_code take_jobs(const struct bp_ask *ask, const struct bp_json *json,
                              struct bp_err *err)
{
    const struct bp_json *list = bp_json_get(json, "jobs");
    struct bp_run_jobs *out = ask->out.jobs;

    out->count = 0;
    if (!bp_json_is_array(list))
        return odd(err, "it lists no jobs");
    for (const struct bp_json *job = bp_json_first(list); job != NULL && out->count < BP_JOBS_MAX;
         job = bp_json_next(job))
        read_job(job, &out->at[out->count++]);
    return BP_OK;
}

/* ---- what holds a run back ---- */

/* A position is 0 for the run that holds the group, so it is the number of those before it. */
static bool is_behind(const struct bp_json *group, int64_t *ahead)
{
    for (const struct bp_json *member = bp_json_first(bp_json_get(group, "group_members"));
         member != NULL; member = bp_json_next(member)) {
        if (text_is(member, "status", "pending")) {
            if (!bp_json_get_int(member, "position", ahead) || *ahead < 0)
                *ahead = -1;
            return true;
        }
    }
    return false;
}

static enum bp_code take_groups(const struct bp_json *json, struct bp_holdup *out,
                                struct bp_err *err)
{
    const struct bp_json *list = bp_json_get(json, "concurrency_groups");

    if (!bp_json_is_array(list))
        return odd(err, "it lists no concurrency groups");
    for (const struct bp_json *group = bp_json_first(list); group != NULL;
         group = bp_json_next(group)) {
        if (!is_behind(group, &out->ahead))
            continue;
        copy_text(out->group, sizeof(out->group), group, "group_name");
        return BP_OK;
    }
    return BP_OK;
}

static enum bp_code take_environments(const struct bp_json *json, struct bp_holdup *out,
                                      struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};

    if (!bp_json_is_array(json))
        return odd(err, "it lists no deployments");
    for (const struct bp_json *each = bp_json_first(json); each != NULL; each = bp_json_next(each))
        add_name(&names, bp_json_get_text(bp_json_get(each, "environment"), "name"));
    bp_github_copy(out->environments, sizeof(out->environments), bp_buf_str(&names));
    return BP_OK;
}

static enum bp_code take_holdup(const struct bp_ask *ask, const struct bp_json *json,
                                struct bp_err *err)
{
    *ask->out.holdup = (struct bp_holdup){.ahead = -1};
    if (strcmp(ask->status, "pending") == 0)
        return take_groups(json, ask->out.holdup, err);
    return take_environments(json, ask->out.holdup, err);
}

/* ---- what changes something ---- */

/* Accepted is accepted, whatever the body says. */
static enum bp_code take_dispatch(const struct bp_ask *ask, const struct bp_json *json,
                                  struct bp_err *err)
{
    struct bp_dispatched *out = ask->out.dispatched;

    (void)err;
    if (!bp_json_get_int(json, "workflow_run_id", &out->run_id) || out->run_id < 0)
        out->run_id = 0;
    copy_text(out->url, sizeof(out->url), json, "html_url");
    return BP_OK;
}

static enum bp_code take_nothing(const struct bp_ask *ask, const struct bp_json *json,
                                 struct bp_err *err)
{
    (void)ask;
    (void)json;
    (void)err;
    return BP_OK;
}

/* ---- the table ---- */

enum bp_code bp_github_take(const struct bp_ask *ask, const struct bp_json *json,
                            struct bp_err *err)
{
    static enum bp_code (*const takes[BP_ASK_COUNT])(const struct bp_ask *, const struct bp_json *,
                                                     struct bp_err *) = {
        [BP_ASK_REPO] = take_repo,         [BP_ASK_ACTIONS] = take_actions,
        [BP_ASK_WORKFLOW] = take_workflow, [BP_ASK_BRANCH] = take_branch,
        [BP_ASK_TRIGGER] = take_trigger,   [BP_ASK_USER] = take_user,
        [BP_ASK_RUN] = take_run,           [BP_ASK_RUNS] = take_runs,
        [BP_ASK_JOBS] = take_jobs,         [BP_ASK_HOLDUP] = take_holdup,
        [BP_ASK_ENABLE] = take_nothing,    [BP_ASK_DISPATCH] = take_dispatch,
        [BP_ASK_CANCEL] = take_nothing,    [BP_ASK_STATUS] = take_nothing,
    };

    return takes[ask->kind](ask, json, err);
}
