/*
 * Results as text for people, as JSON for programs, and as Markdown for the page of a workflow's
 * run. What a server wrote is made safe for the place where it stands; secrets are hidden before
 * a text is cut or escaped, because afterwards they would not be known as such.
 *
 * report.c has tables and words; report_dispatch.c text and JSON; report_summary.c Markdown.
 */
#ifndef BP_FLOW_REPORT_H
#define BP_FLOW_REPORT_H

#include "base/buf.h"
#include "base/list.h"
#include "base/secret.h"
#include "flow/dispatch.h"

/*
 * A table: cells row by row, the first row is the heading; columns are padded to the widest cell,
 * the last one is not. Cells are made safe for one line of a terminal.
 */
struct bp_report_table {
    size_t columns;
    struct bp_list cells;
    const struct bp_secrets *secrets; /* lent; NULL: none */
};
void bp_report_table(const struct bp_report_table *table, struct bp_buf *out);

/* ---- a dispatch ---- */

/* "checked", "dry-run", "already-running", "recent", "appeared", "started", ...: one word. */
const char *bp_report_result(const struct bp_branch_result *b);

/* "success", "partial", "failure" or "stopped". */
const char *bp_report_conclusion(const struct bp_dispatch_results *results);

/*
 * What a branch is called: "main"; "owner/name@main" when the results are of several repositories;
 * with ":workflow" when they are of several workflows. Without a branch it is the repository.
 */
void bp_report_label(const struct bp_dispatch_results *results, const struct bp_branch_result *b,
                     struct bp_buf *out);

/* A table, then the jobs that failed. secrets may be NULL here and below. */
void bp_report_dispatch_text(const struct bp_dispatch_results *results,
                             const struct bp_secrets *secrets, struct bp_buf *out);

/* One object, which docs/dispatch-results.schema.json describes. */
void bp_report_dispatch_json(const struct bp_dispatch_results *results,
                             const struct bp_secrets *secrets, struct bp_buf *out);

/* Markdown, the branches that failed first. */
void bp_report_dispatch_summary(const struct bp_dispatch_results *results,
                                const struct bp_secrets *secrets, struct bp_buf *out);

/*
 * Add what later steps of a workflow may ask for, a name and a value in turn: results (the JSON
 * array on one line), succeeded, failed, run-ids (with commas), conclusion. Of very many failed
 * jobs, results tells none: what a later step passes on in its environment may have 128 KiB.
 */
void bp_report_dispatch_outputs(const struct bp_dispatch_results *results,
                                const struct bp_secrets *secrets, struct bp_list *pairs);

/* The reason that all branches which failed have in common, lent; NULL when they differ. */
const char *bp_report_shared_reason(const struct bp_dispatch_results *results);

/*
 * What the whole amounts to; a reason that all failures share is told. BP_OK when enough branches
 * are good; else the code that all failures share, or BP_EFAILED.
 */
enum bp_code bp_report_dispatch_verdict(const struct bp_dispatch_results *results, bool require_all,
                                        struct bp_err *err) BP_CHECK;

/* ---- a look before the work ---- */

/* A line for each finding, and one below it for what to do. */
void bp_report_check_text(const struct bp_findings *findings, const struct bp_secrets *secrets,
                          struct bp_buf *out);

/* {"findings": [...], "ok": true}; ok: nothing is wrong, and everything was looked at. */
void bp_report_check_json(const struct bp_findings *findings, bool ok,
                          const struct bp_secrets *secrets, struct bp_buf *out);

/* ---- what the files of this report share ---- */

/* Append text on one line, as UTF-8, secrets hidden, at most limit bytes of it. */
void bp_report_clean(const struct bp_secrets *secrets, const char *text, size_t limit,
                     struct bp_buf *out);

/* The hint at the end of a reason, or "". *len is how long the reason without it is. */
const char *bp_report_hint(const char *reason, size_t *len);

/* Whether a job is one of the reasons why its run failed. */
bool bp_report_job_failed(const struct bp_run_job *job);

#endif
