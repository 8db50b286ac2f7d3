/* Results as text for people and as JSON for programs. */
#ifndef BP_FLOW_REPORT_H
#define BP_FLOW_REPORT_H

#include "base/buf.h"
#include "base/list.h"
#include "flow/dispatch.h"

/*
 * A table: cells row by row, the first row is the heading; columns are padded to the widest cell,
 * the last one is not. Cells are made safe for one line of a terminal.
 */
struct bp_report_table {
    size_t columns;
    struct bp_list cells;
};
void bp_report_table(const struct bp_report_table *table, struct bp_buf *out);

/* "started", "dry-run", "timed-out", "stopped" or "failed". */
const char *bp_report_result(const struct bp_branch_result *b);

void bp_report_dispatch_text(const struct bp_dispatch_results *results, struct bp_buf *out);
void bp_report_dispatch_json(const struct bp_dispatch_job *job,
                             const struct bp_dispatch_results *results, struct bp_buf *out);

/*
 * What the whole amounts to. BP_OK when enough branches were started; else the code that all
 * failures share, or BP_EFAILED.
 */
enum bp_code bp_report_dispatch_verdict(const struct bp_dispatch_results *results, bool require_all,
                                        struct bp_err *err) BP_CHECK;

#endif
