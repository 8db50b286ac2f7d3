/* Results of a dispatch for the tests of the reports: one branch that started, two that failed. */
#ifndef TESTS_FLOW_TEST_REPORT_ROWS_H
#define TESTS_FLOW_TEST_REPORT_ROWS_H

#include "flow/dispatch.h"

enum { REPORT_ROWS = 3 };

struct report_rows {
    struct bp_dispatch_target targets[REPORT_ROWS];
    struct bp_branch_result at[REPORT_ROWS];
    struct bp_run_jobs jobs; /* of the last row */
};

/* main started, "größe" was not found, slow timed out with jobs that failed. */
void report_rows_fill(struct report_rows *rows);

/* The first count rows; counted afresh with each call. */
struct bp_dispatch_results report_rows_results(struct report_rows *rows, size_t count);

/* Every text of this row that somebody else decides becomes this one, cut to fit. */
void report_rows_spoil(struct report_rows *rows, size_t row, char *text);

#endif
