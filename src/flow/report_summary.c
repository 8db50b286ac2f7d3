/* What a dispatch found, as Markdown for the page of a workflow's run. */
#include <inttypes.h>
#include <string.h>

#include "base/markdown.h"
#include "base/mem.h"
#include "base/text.h"
#include "flow/report.h"

/* The page must stay readable, and a summary may have 1 MiB. */
enum { MOST_ROWS = 200, MOST_JOBS = 10, NAME_LIMIT = 300, CELL_LIMIT = 300, TEXT_LIMIT = 2000 };

struct page {
    const struct bp_dispatch_results *results;
    const struct bp_secrets *secrets;
    struct bp_buf *out;
};

static void put(const struct page *page, const char *text, size_t limit)
{
    bp_markdown_put(page->out, page->secrets, text, limit);
}

static void put_label(const struct page *page, const struct bp_branch_result *b)
{
    BP_AUTO(bp_buf_free) struct bp_buf label = {0};

    bp_report_label(page->results, b, &label);
    put(page, bp_buf_str(&label), NAME_LIMIT);
}

/* What can be said of all branches that did well. */
static const char *outcome_of(const struct bp_dispatch_results *results)
{
    static const char *const words[] = {[BP_VERDICT_CHECKED] = "could be started",
                                        [BP_VERDICT_DRY_RUN] = "would be started",
                                        [BP_VERDICT_ALREADY_RUNNING] = "already running",
                                        [BP_VERDICT_RECENT] = "had a recent run",
                                        [BP_VERDICT_APPEARED] = "appeared",
                                        [BP_VERDICT_STARTED] = "started",
                                        [BP_VERDICT_FINISHED] = "finished with success"};
    enum bp_verdict shared = BP_VERDICT_OPEN;

    for (size_t i = 0; i < results->count; i++) {
        enum bp_verdict verdict = results->at[i].verdict;

        if (!bp_verdict_is_good(verdict))
            continue;
        if (shared != BP_VERDICT_OPEN && shared != verdict)
            return "succeeded";
        shared = verdict;
    }
    return shared != BP_VERDICT_OPEN && shared < sizeof(words) / sizeof(words[0]) ? words[shared]
                                                                                  : "succeeded";
}

/* ---- the table of branches ---- */

static void put_row(const struct page *page, const struct bp_branch_result *b)
{
    size_t reason_len = 0;
    BP_AUTO(bp_freep) char *reason = NULL;
    char id[32];

    (void)bp_report_hint(b->reason, &reason_len);
    reason = bp_strndup(b->reason, reason_len);
    bp_buf_puts(page->out, "| ");
    put_label(page, b);
    bp_buf_printf(page->out, " | %s | ", bp_report_result(b));
    (void)snprintf(id, sizeof(id), "%" PRId64, b->run_id);
    if (b->run_id > 0)
        bp_markdown_put_link(page->out, page->secrets, id, b->url);
    bp_buf_puts(page->out, " | ");
    if (b->took_ms > 0)
        bp_put_duration(page->out, b->took_ms);
    bp_buf_puts(page->out, " | ");
    put(page, reason, CELL_LIMIT);
    bp_buf_puts(page->out, " |\n");
}

static void put_more(const struct page *page, size_t count)
{
    if (count > MOST_ROWS)
        bp_buf_printf(page->out, "\n%zu more\n", count - MOST_ROWS);
}

static void put_table(const struct page *page)
{
    const struct bp_dispatch_results *results = page->results;
    size_t rows = 0;

    if (results->count == 0)
        return;
    bp_buf_puts(page->out, "\n| Branch | Result | Run | Time | Reason |\n"
                           "| --- | --- | --- | --- | --- |\n");
    for (int good = 0; good < 2; good++) {
        for (size_t i = 0; i < results->count && rows < MOST_ROWS; i++) {
            if (bp_verdict_is_good(results->at[i].verdict) != (good == 1))
                continue;
            put_row(page, &results->at[i]);
            rows++;
        }
    }
    put_more(page, results->count);
}

/* ---- a branch that failed ---- */

static void put_paragraph(const struct page *page, const char *title, const char *text)
{
    if (text[0] == '\0')
        return;
    bp_buf_printf(page->out, "**%s:** ", title);
    put(page, text, TEXT_LIMIT);
    bp_buf_puts(page->out, "\n\n");
}

static void put_jobs(const struct page *page, const struct bp_run_jobs *jobs)
{
    size_t failed = 0;

    for (size_t i = 0; jobs != NULL && i < jobs->count; i++) {
        const struct bp_run_job *job = &jobs->at[i];

        if (!bp_report_job_failed(job) || failed++ >= MOST_JOBS)
            continue;
        bp_buf_puts(page->out, "- ");
        bp_markdown_put_link(page->out, page->secrets, job->name, job->url);
        bp_buf_puts(page->out, ": ");
        put(page, job->conclusion, NAME_LIMIT);
        if (job->failed_step[0] != '\0') {
            bp_buf_puts(page->out, " in step ");
            put(page, job->failed_step, NAME_LIMIT);
        }
        bp_buf_putc(page->out, '\n');
    }
    if (failed > MOST_JOBS)
        bp_buf_printf(page->out, "- %zu more\n", failed - MOST_JOBS);
    if (failed > 0)
        bp_buf_putc(page->out, '\n');
}

static void put_failure(const struct page *page, const struct bp_branch_result *b)
{
    size_t reason_len = 0;
    const char *hint = bp_report_hint(b->reason, &reason_len);
    BP_AUTO(bp_freep) char *reason = bp_strndup(b->reason, reason_len);

    bp_buf_puts(page->out, "\n<details><summary>");
    put_label(page, b);
    bp_buf_printf(page->out, ": %s</summary>\n\n", bp_report_result(b));
    put_paragraph(page, "Reason", reason);
    put_paragraph(page, "What to do", hint);
    put_paragraph(page, "Request id", b->request_id);
    put_jobs(page, b->jobs);
    bp_buf_puts(page->out, "</details>\n");
}

static void put_failures(const struct page *page)
{
    const struct bp_dispatch_results *results = page->results;
    size_t shown = 0;

    for (size_t i = 0; i < results->count && shown < MOST_ROWS; i++) {
        if (bp_verdict_is_good(results->at[i].verdict))
            continue;
        put_failure(page, &results->at[i]);
        shown++;
    }
}

/* ---- what the look before the work found ---- */

static bool is_bad(const struct bp_finding *f)
{
    return f->level == BP_FOUND_WARNING || f->level == BP_FOUND_FAILURE;
}

static void put_finding(const struct page *page, const struct bp_finding *f)
{
    bp_buf_puts(page->out, "| ");
    put(page, f->about, NAME_LIMIT);
    bp_buf_printf(page->out, " | %s | ", bp_findings_level_name(f->level));
    put(page, f->what, TEXT_LIMIT);
    bp_buf_puts(page->out, " | ");
    put(page, f->fix, TEXT_LIMIT);
    bp_buf_puts(page->out, " |\n");
}

static void put_findings(const struct page *page)
{
    const struct bp_findings *findings = &page->results->findings;
    size_t bad = 0;

    for (size_t i = 0; i < findings->count; i++) {
        if (!is_bad(&findings->at[i]))
            continue;
        if (bad == 0)
            bp_buf_puts(page->out, "\n### Findings\n\n| About | Level | What | What to do |\n"
                                   "| --- | --- | --- | --- |\n");
        if (bad++ < MOST_ROWS)
            put_finding(page, &findings->at[i]);
    }
    put_more(page, bad);
}

void bp_report_dispatch_summary(const struct bp_dispatch_results *results,
                                const struct bp_secrets *secrets, struct bp_buf *out)
{
    const struct page page = {.results = results, .secrets = secrets, .out = out};

    bp_buf_printf(out, "## backproof dispatch: %zu of %zu branches %s\n", results->succeeded,
                  results->count, outcome_of(results));
    put_table(&page);
    put_failures(&page);
    put_findings(&page);
}
