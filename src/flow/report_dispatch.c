/* What a dispatch, and a look before it, found: as text and as JSON. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "flow/report.h"

/* Less than the 128 KiB that a system allows for one variable of an environment. */
enum { OUTPUT_LIMIT = 100000 };

/* ---- text ---- */

static void put_job(const struct bp_run_job *job, const struct bp_secrets *secrets,
                    struct bp_buf *out)
{
    bp_buf_puts(out, "  ");
    bp_report_clean(secrets, job->name, SIZE_MAX, out);
    bp_buf_puts(out, ": ");
    bp_report_clean(secrets, job->conclusion, SIZE_MAX, out);
    if (job->failed_step[0] != '\0') {
        bp_buf_puts(out, " in step '");
        bp_report_clean(secrets, job->failed_step, SIZE_MAX, out);
        bp_buf_putc(out, '\'');
    }
    if (job->url[0] != '\0') {
        bp_buf_puts(out, ", ");
        bp_report_clean(secrets, job->url, SIZE_MAX, out);
    }
    bp_buf_putc(out, '\n');
}

static void put_failed_jobs(const struct bp_dispatch_results *results,
                            const struct bp_branch_result *b, const struct bp_secrets *secrets,
                            struct bp_buf *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf label = {0};
    bool first = true;

    if (b->jobs == NULL || bp_verdict_is_good(b->verdict))
        return;
    bp_report_label(results, b, &label);
    for (size_t i = 0; i < b->jobs->count; i++) {
        if (!bp_report_job_failed(&b->jobs->at[i]))
            continue;
        if (first) {
            bp_buf_puts(out, "\nfailed jobs of ");
            bp_report_clean(secrets, bp_buf_str(&label), SIZE_MAX, out);
            bp_buf_puts(out, ":\n");
        }
        first = false;
        put_job(&b->jobs->at[i], secrets, out);
    }
}

void bp_report_dispatch_text(const struct bp_dispatch_results *results,
                             const struct bp_secrets *secrets, struct bp_buf *out)
{
    static const char *const heading[] = {"BRANCH", "RESULT", "ATTEMPTS", "RUN", "URL", "REASON"};
    struct bp_report_table table = {.columns = sizeof(heading) / sizeof(heading[0]),
                                    .secrets = secrets};

    for (size_t i = 0; i < table.columns; i++)
        bp_list_add(&table.cells, heading[i]);
    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];
        struct bp_buf label = {0};

        bp_report_label(results, b, &label);
        bp_list_take(&table.cells, bp_buf_take(&label));
        bp_list_add(&table.cells, bp_report_result(b));
        bp_list_addf(&table.cells, "%" PRId64, b->attempts);
        if (b->run_id > 0)
            bp_list_addf(&table.cells, "%" PRId64, b->run_id);
        else
            bp_list_add(&table.cells, "-");
        bp_list_add(&table.cells, b->url[0] != '\0' ? b->url : "-");
        bp_list_add(&table.cells, b->reason);
    }
    bp_report_table(&table, out);
    bp_list_free(&table.cells);
    for (size_t i = 0; i < results->count; i++)
        put_failed_jobs(results, &results->at[i], secrets, out);
}

void bp_report_check_text(const struct bp_findings *findings, const struct bp_secrets *secrets,
                          struct bp_buf *out)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct bp_finding *f = &findings->at[i];

        bp_buf_printf(out, "%-9s", bp_findings_level_name(f->level));
        bp_report_clean(secrets, f->about, SIZE_MAX, out);
        bp_buf_puts(out, ": ");
        bp_report_clean(secrets, f->what, SIZE_MAX, out);
        if (f->fix[0] != '\0') {
            bp_buf_printf(out, "\n%9s-> ", "");
            bp_report_clean(secrets, f->fix, SIZE_MAX, out);
        }
        bp_buf_putc(out, '\n');
    }
}

/* ---- JSON ---- */

static void set_clean(struct bp_json *object, const char *key, const char *text,
                      const struct bp_secrets *secrets)
{
    BP_AUTO(bp_buf_free) struct bp_buf clean = {0};

    bp_report_clean(secrets, text, SIZE_MAX, &clean);
    bp_json_set_text(object, key, bp_buf_str(&clean));
}

static void set_clean_or_null(struct bp_json *object, const char *key, const char *text,
                              const struct bp_secrets *secrets)
{
    if (text[0] != '\0')
        set_clean(object, key, text, secrets);
    else
        bp_json_set_text(object, key, NULL);
}

static struct bp_json *failed_jobs_new(const struct bp_run_jobs *jobs,
                                       const struct bp_secrets *secrets)
{
    struct bp_json *list = bp_json_array_new();

    for (size_t i = 0; jobs != NULL && i < jobs->count; i++) {
        const struct bp_run_job *job = &jobs->at[i];
        struct bp_json *one = NULL;

        if (!bp_report_job_failed(job))
            continue;
        one = bp_json_object_new();
        set_clean(one, "name", job->name, secrets);
        set_clean(one, "conclusion", job->conclusion, secrets);
        set_clean_or_null(one, "step", job->failed_step, secrets);
        set_clean_or_null(one, "url", job->url, secrets);
        bp_json_push(list, one);
    }
    return list;
}

static struct bp_json *result_new(const struct bp_branch_result *b,
                                  const struct bp_secrets *secrets, bool with_jobs)
{
    struct bp_json *one = bp_json_object_new();
    size_t reason_len = 0;
    const char *hint = bp_report_hint(b->reason, &reason_len);
    BP_AUTO(bp_freep) char *reason = bp_strndup(b->reason, reason_len);

    set_clean(one, "repository", b->target->repo, secrets);
    set_clean(one, "branch", b->target->branch, secrets);
    set_clean(one, "workflow", b->target->workflow, secrets);
    bp_json_set_text(one, "result", bp_report_result(b));
    bp_json_set_int(one, "attempts", b->attempts);
    bp_json_set(one, "run_id", b->run_id > 0 ? bp_json_int_new(b->run_id) : bp_json_text_new(NULL));
    set_clean_or_null(one, "url", b->url, secrets);
    set_clean_or_null(one, "status", b->status, secrets);
    set_clean_or_null(one, "conclusion", b->conclusion, secrets);
    set_clean(one, "reason", reason, secrets);
    set_clean_or_null(one, "hint", hint, secrets);
    set_clean_or_null(one, "request_id", b->request_id, secrets);
    set_clean_or_null(one, "commit", b->commit, secrets);
    bp_json_set_int(one, "took_ms", b->took_ms);
    bp_json_set_bool(one, "cancelled", b->cancelled);
    bp_json_set(one, "failed_jobs", failed_jobs_new(with_jobs ? b->jobs : NULL, secrets));
    return one;
}

static struct bp_json *results_new(const struct bp_dispatch_results *results,
                                   const struct bp_secrets *secrets, bool with_jobs)
{
    struct bp_json *list = bp_json_array_new();

    for (size_t i = 0; i < results->count; i++)
        bp_json_push(list, result_new(&results->at[i], secrets, with_jobs));
    return list;
}

static struct bp_json *findings_new(const struct bp_findings *findings,
                                    const struct bp_secrets *secrets)
{
    struct bp_json *list = bp_json_array_new();

    for (size_t i = 0; i < findings->count; i++) {
        const struct bp_finding *f = &findings->at[i];
        struct bp_json *one = bp_json_object_new();

        set_clean(one, "about", f->about, secrets);
        bp_json_set_text(one, "level", bp_findings_level_name(f->level));
        set_clean(one, "what", f->what, secrets);
        set_clean_or_null(one, "fix", f->fix, secrets);
        bp_json_push(list, one);
    }
    return list;
}

void bp_report_dispatch_json(const struct bp_dispatch_results *results,
                             const struct bp_secrets *secrets, struct bp_buf *out)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();

    bp_json_set(top, "results", results_new(results, secrets, true));
    bp_json_set_int(top, "succeeded", (int64_t)results->succeeded);
    bp_json_set_int(top, "failed", (int64_t)results->failed);
    bp_json_set_text(top, "conclusion", bp_report_conclusion(results));
    bp_json_set_int(top, "requests", results->requests);
    bp_json_set_int(top, "took_ms", results->took_ms);
    bp_json_set(top, "findings", findings_new(&results->findings, secrets));
    bp_json_render(top, 2, out);
    bp_buf_putc(out, '\n');
}

void bp_report_check_json(const struct bp_findings *findings, bool ok,
                          const struct bp_secrets *secrets, struct bp_buf *out)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();

    bp_json_set_bool(top, "ok", ok);
    bp_json_set(top, "findings", findings_new(findings, secrets));
    bp_json_render(top, 2, out);
    bp_buf_putc(out, '\n');
}

/* ---- outputs of a step ---- */

static char *results_line(const struct bp_dispatch_results *results,
                          const struct bp_secrets *secrets, bool with_jobs)
{
    BP_AUTO(bp_json_freep) struct bp_json *list = results_new(results, secrets, with_jobs);
    struct bp_buf line = {0};

    bp_json_render(list, 0, &line);
    return bp_buf_take(&line);
}

void bp_report_dispatch_outputs(const struct bp_dispatch_results *results,
                                const struct bp_secrets *secrets, struct bp_list *pairs)
{
    char *line = results_line(results, secrets, true);
    struct bp_buf ids = {0};

    if (strlen(line) > OUTPUT_LIMIT) {
        bp_free(line);
        line = results_line(results, secrets, false);
    }
    for (size_t i = 0; i < results->count; i++) {
        if (results->at[i].run_id > 0)
            bp_buf_printf(&ids, "%s%" PRId64, ids.len > 0 ? "," : "", results->at[i].run_id);
    }
    bp_list_add(pairs, "results");
    bp_list_take(pairs, line);
    bp_list_add(pairs, "succeeded");
    bp_list_addf(pairs, "%zu", results->succeeded);
    bp_list_add(pairs, "failed");
    bp_list_addf(pairs, "%zu", results->failed);
    bp_list_add(pairs, "run-ids");
    bp_list_take(pairs, bp_buf_take(&ids));
    bp_list_add(pairs, "conclusion");
    bp_list_add(pairs, bp_report_conclusion(results));
}
