#include "flow/report.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { WIDEST_CELL = 400, NAMES_SHOWN = 5 };

void bp_report_clean(const struct bp_secrets *secrets, const char *text, size_t limit,
                     struct bp_buf *out)
{
    BP_AUTO(bp_buf_free) struct bp_buf masked = {0};

    if (secrets != NULL)
        bp_secrets_mask(secrets, text, &masked);
    else
        bp_buf_puts(&masked, text);
    bp_put_foreign(out, bp_buf_str(&masked), limit);
}

/* ---- tables ---- */

/* Characters, not bytes: what pads a column. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (const char *p = text; *p != '\0'; p++)
        width += ((unsigned char)*p & 0xC0U) != 0x80U;
    return width;
}

void bp_report_table(const struct bp_report_table *table, struct bp_buf *out)
{
    BP_AUTO(bp_freep) size_t *widths = bp_alloc(table->columns, sizeof(*widths));
    BP_AUTO(bp_list_free) struct bp_list clean = {0};

    for (size_t i = 0; i < table->cells.count; i++) {
        size_t column = i % table->columns;
        /* The last column pushes nothing aside, and may hold a reason with its hint. */
        size_t limit = column + 1 == table->columns ? SIZE_MAX : WIDEST_CELL;
        struct bp_buf cell = {0};
        size_t width = 0;

        bp_report_clean(table->secrets, table->cells.at[i], limit, &cell);
        width = width_of(bp_buf_str(&cell));
        if (width > widths[column])
            widths[column] = width;
        bp_list_take(&clean, bp_buf_take(&cell));
    }
    for (size_t i = 0; i < clean.count; i++) {
        size_t column = i % table->columns;

        bp_buf_puts(out, clean.at[i]);
        if (column + 1 == table->columns)
            bp_buf_putc(out, '\n');
        else
            bp_buf_printf(out, "%*s", (int)(widths[column] - width_of(clean.at[i]) + 2), "");
    }
}

/* ---- words ---- */

const char *bp_report_result(const struct bp_branch_result *b)
{
    switch (b->verdict) {
    case BP_VERDICT_CHECKED:
        return "checked";
    case BP_VERDICT_DRY_RUN:
        return "dry-run";
    case BP_VERDICT_ALREADY_RUNNING:
        return "already-running";
    case BP_VERDICT_RECENT:
        return "recent";
    case BP_VERDICT_APPEARED:
        return "appeared";
    case BP_VERDICT_STARTED:
        return "started";
    case BP_VERDICT_FINISHED:
        return "finished";
    case BP_VERDICT_TIMED_OUT:
        return "timed-out";
    case BP_VERDICT_STOPPED:
        return "stopped";
    case BP_VERDICT_OPEN:
    case BP_VERDICT_FAILED:
    default:
        return "failed";
    }
}

const char *bp_report_conclusion(const struct bp_dispatch_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        if (results->at[i].verdict == BP_VERDICT_STOPPED)
            return "stopped";
    }
    if (results->succeeded == 0)
        return "failure";
    return results->failed == 0 ? "success" : "partial";
}

void bp_report_label(const struct bp_dispatch_results *results, const struct bp_branch_result *b,
                     struct bp_buf *out)
{
    bool repos = false;
    bool workflows = false;

    for (size_t i = 0; i < results->count; i++) {
        const struct bp_dispatch_target *other = results->at[i].target;

        repos = repos || strcmp(other->repo, b->target->repo) != 0;
        workflows = workflows || strcmp(other->workflow, b->target->workflow) != 0;
    }
    if (repos || b->target->branch[0] == '\0')
        bp_buf_puts(out, b->target->repo);
    if (repos && b->target->branch[0] != '\0')
        bp_buf_putc(out, '@');
    bp_buf_puts(out, b->target->branch);
    if (workflows)
        bp_buf_printf(out, ":%s", b->target->workflow);
}

const char *bp_report_hint(const char *reason, size_t *len)
{
    static const char mark[] = "; hint: ";
    const char *last = NULL;

    /* The last one is ours; one before it may stand in what a server said. */
    for (const char *p = strstr(reason, mark); p != NULL; p = strstr(p + 1, mark))
        last = p;
    *len = last != NULL ? (size_t)(last - reason) : strlen(reason);
    return last != NULL ? last + strlen(mark) : "";
}

bool bp_report_job_failed(const struct bp_run_job *job)
{
    return job->conclusion[0] != '\0' && strcmp(job->conclusion, "success") != 0 &&
           strcmp(job->conclusion, "skipped") != 0;
}

/* ---- the verdict ---- */

const char *bp_report_shared_reason(const struct bp_dispatch_results *results)
{
    const char *reason = NULL;

    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];

        if (bp_verdict_is_good(b->verdict))
            continue;
        if (reason != NULL && strcmp(reason, b->reason) != 0)
            return NULL;
        reason = b->reason;
    }
    return reason;
}

/* "main", "main, dev and dev2", "main, dev, dev2 and 37 more". */
static void put_names(const struct bp_dispatch_results *results, struct bp_buf *out)
{
    size_t named = 0;

    for (size_t i = 0; i < results->count && named < NAMES_SHOWN; i++) {
        if (bp_verdict_is_good(results->at[i].verdict))
            continue;
        if (named++ > 0)
            bp_buf_puts(out, ", ");
        bp_report_label(results, &results->at[i], out);
    }
    if (results->failed > named)
        bp_buf_printf(out, " and %zu more", results->failed - named);
}

enum bp_code bp_report_dispatch_verdict(const struct bp_dispatch_results *results, bool require_all,
                                        struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    const char *reason = bp_report_shared_reason(results);
    enum bp_code code = BP_OK;

    if (results->failed == 0 || (results->succeeded > 0 && !require_all))
        return BP_OK;
    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];

        if (!bp_verdict_is_good(b->verdict))
            code = code == BP_OK || code == b->code ? b->code : BP_EFAILED;
    }
    if (code == BP_OK)
        code = BP_EFAILED;
    put_names(results, &names);
    if (reason != NULL)
        return bp_fail(err, code, "%s: %s", bp_buf_str(&names), reason);
    return bp_fail(err, code, "%zu of %zu branches failed: %s", results->failed, results->count,
                   bp_buf_str(&names));
}
