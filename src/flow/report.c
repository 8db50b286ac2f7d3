#include "flow/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

enum { WIDEST_CELL = 400 };

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
        struct bp_buf cell = {0};
        size_t width = 0;

        bp_put_foreign(&cell, table->cells.at[i], WIDEST_CELL);
        width = width_of(bp_buf_str(&cell));
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
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

const char *bp_report_result(const struct bp_branch_result *b)
{
    if (b->state == BP_BRANCH_STARTED)
        return "started";
    if (b->state == BP_BRANCH_DRY_RUN)
        return "dry-run";
    if (b->code == BP_ETIMEOUT)
        return "timed-out";
    return b->code == BP_ESTOPPED ? "stopped" : "failed";
}

void bp_report_dispatch_text(const struct bp_dispatch_results *results, struct bp_buf *out)
{
    static const char *const heading[] = {"BRANCH", "RESULT", "ATTEMPTS", "RUN", "URL", "REASON"};
    struct bp_report_table table = {.columns = sizeof(heading) / sizeof(heading[0])};

    for (size_t i = 0; i < table.columns; i++)
        bp_list_add(&table.cells, heading[i]);
    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];

        bp_list_add(&table.cells, b->branch);
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
}

void bp_report_dispatch_json(const struct bp_dispatch_job *job,
                             const struct bp_dispatch_results *results, struct bp_buf *out)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_json_object_new();
    struct bp_json *list = bp_json_array_new();

    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];
        struct bp_json *one = bp_json_object_new();

        bp_json_set_text(one, "repository", job->repo);
        bp_json_set_text(one, "branch", b->branch);
        bp_json_set_text(one, "workflow", job->workflow);
        bp_json_set_text(one, "result", bp_report_result(b));
        bp_json_set_int(one, "attempts", b->attempts);
        bp_json_set(one, "run_id",
                    b->run_id > 0 ? bp_json_int_new(b->run_id) : bp_json_text_new(NULL));
        bp_json_set_text(one, "url", b->url[0] != '\0' ? b->url : NULL);
        bp_json_set_text(one, "reason", b->reason);
        bp_json_push(list, one);
    }
    bp_json_set(top, "results", list);
    bp_json_set_int(top, "succeeded", (int64_t)results->started);
    bp_json_set_int(top, "failed", (int64_t)results->failed);
    bp_json_render(top, 2, out);
    bp_buf_putc(out, '\n');
}

enum bp_code bp_report_dispatch_verdict(const struct bp_dispatch_results *results, bool require_all,
                                        struct bp_err *err)
{
    BP_AUTO(bp_buf_free) struct bp_buf names = {0};
    enum bp_code code = BP_OK;

    for (size_t i = 0; i < results->count; i++) {
        const struct bp_branch_result *b = &results->at[i];

        if (b->state != BP_BRANCH_FAILED)
            continue;
        bp_buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", b->branch);
        code = code == BP_OK || code == b->code ? b->code : BP_EFAILED;
    }
    if (results->failed == 0 || (results->started > 0 && !require_all))
        return BP_OK;
    return bp_fail(err, code, "%zu of %zu branches did not start: %s", results->failed,
                   results->count, bp_buf_str(&names));
}
