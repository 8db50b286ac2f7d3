#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "flow/report.h"
#include "test_report_rows.h"

static struct report_rows rows;
static struct bp_err err;

static void set_up(void)
{
    report_rows_fill(&rows);
}

TestSuite(report, .init = set_up);

Test(report, a_table_lines_up_by_characters_and_stays_on_its_lines)
{
    static const char *const cells[] = {"A", "B", "größe", "x\ny", "b", "\xff"};
    struct bp_report_table table = {.columns = 2};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        bp_list_add(&table.cells, cells[i]);
    bp_report_table(&table, &text);
    cr_expect_str_eq(bp_buf_str(&text), "A      B\n"
                                        "größe  x y\n"
                                        "b      ?\n");
    bp_list_free(&table.cells);
}

/* A half of it would not be recognised as one. */
Test(report, a_secret_at_the_cut_of_a_cell_is_hidden)
{
    BP_AUTO(bp_buf_free) struct bp_buf cell = {0};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_secrets secrets = {0};
    struct bp_report_table table = {.columns = 2, .secrets = &secrets};

    bp_secrets_add(&secrets, "correct-horse-battery");
    for (int i = 0; i < 390; i++)
        bp_buf_putc(&cell, 'x');
    bp_buf_puts(&cell, "correct-horse-battery");
    bp_list_take(&table.cells, bp_buf_take(&cell));
    bp_list_add(&table.cells, "y");
    bp_report_table(&table, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "correct"));
    cr_expect_not_null(strstr(bp_buf_str(&text), "xxx***  y\n"));
    bp_list_free(&table.cells);
    bp_secrets_free(&secrets);
}

Test(report, the_last_column_is_not_cut)
{
    BP_AUTO(bp_freep) char *reason = bp_alloc(1001, 1);
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_report_table table = {.columns = 2};

    memset(reason, 'x', 1000);
    bp_list_add(&table.cells, reason);
    bp_list_add(&table.cells, reason);
    bp_report_table(&table, &text);
    cr_expect_eq(text.len, 403u + 2u + 1000u + 1u);
    bp_list_free(&table.cells);
}

Test(report, names_each_result)
{
    static const struct {
        enum bp_verdict verdict;
        const char *word;
    } words[] = {
        {BP_VERDICT_CHECKED, "checked"},     {BP_VERDICT_DRY_RUN, "dry-run"},
        {BP_VERDICT_RECENT, "recent"},       {BP_VERDICT_ALREADY_RUNNING, "already-running"},
        {BP_VERDICT_APPEARED, "appeared"},   {BP_VERDICT_STARTED, "started"},
        {BP_VERDICT_FINISHED, "finished"},   {BP_VERDICT_FAILED, "failed"},
        {BP_VERDICT_TIMED_OUT, "timed-out"}, {BP_VERDICT_STOPPED, "stopped"},
        {BP_VERDICT_OPEN, "failed"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        rows.at[0].verdict = words[i].verdict;
        cr_expect_str_eq(bp_report_result(&rows.at[0]), words[i].word);
    }
}

Test(report, the_conclusion_is_one_word_for_all)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 1);

    cr_expect_str_eq(bp_report_conclusion(&results), "success");
    results = report_rows_results(&rows, 3);
    cr_expect_str_eq(bp_report_conclusion(&results), "partial");
    results = (struct bp_dispatch_results){.at = rows.at + 1, .count = 2, .failed = 2};
    cr_expect_str_eq(bp_report_conclusion(&results), "failure");
    results = (struct bp_dispatch_results){0};
    cr_expect_str_eq(bp_report_conclusion(&results), "failure", "nothing was done");
    rows.at[2].verdict = BP_VERDICT_STOPPED;
    results = report_rows_results(&rows, 3);
    cr_expect_str_eq(bp_report_conclusion(&results), "stopped");
}

static void expect_label(const char *wanted)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 2);
    BP_AUTO(bp_buf_free) struct bp_buf label = {0};

    bp_report_label(&results, &rows.at[0], &label);
    cr_expect_str_eq(bp_buf_str(&label), wanted);
}

Test(report, a_branch_is_called_as_shortly_as_it_is_clear)
{
    char other[] = "other";
    char none[] = "";

    expect_label("main");
    rows.targets[1].workflow = other;
    expect_label("main:b.yml");
    rows.targets[1].repo = other;
    expect_label("o/r@main:b.yml");
    rows.targets[0].workflow = other;
    expect_label("o/r@main");
    rows.targets[0].branch = none;
    expect_label("o/r");
    rows.targets[1].repo = rows.targets[0].repo;
    expect_label("o/r");
}

Test(report, the_last_hint_is_the_one_that_is_ours)
{
    size_t len = 0;

    cr_expect_str_eq(bp_report_hint("no hint: here", &len), "");
    cr_expect_eq(len, strlen("no hint: here"));
    cr_expect_str_eq(bp_report_hint("it failed; hint: do this", &len), "do this");
    cr_expect_eq(len, strlen("it failed"));
    cr_expect_str_eq(bp_report_hint("he said 'a; hint: run it'; hint: do not", &len), "do not");
    cr_expect_eq(len, strlen("he said 'a; hint: run it'"));
}

Test(report, the_verdict_is_the_reason_that_all_failures_share)
{
    struct bp_dispatch_results all = report_rows_results(&rows, 3);
    struct bp_dispatch_results none = {.at = rows.at + 1, .count = 2, .failed = 2};
    struct bp_dispatch_results same = {.at = rows.at + 1, .count = 1, .failed = 1};

    cr_expect_eq(bp_report_dispatch_verdict(&all, false, &err), BP_OK);
    cr_expect_eq(bp_report_dispatch_verdict(&all, true, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "2 of 3 branches failed: größe, slow");
    cr_expect_eq(bp_report_dispatch_verdict(&none, false, &err), BP_EFAILED);
    cr_expect_eq(bp_report_dispatch_verdict(&same, false, &err), BP_ENOTFOUND);
    cr_expect_not_null(strstr(err.msg, "größe: "), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, rows.at[1].reason), "%s", err.msg);
}

Test(report, a_failure_without_a_code_is_a_failure)
{
    struct bp_dispatch_results results = {.at = rows.at + 1, .count = 1, .failed = 1};

    rows.at[1].code = BP_OK;
    cr_expect_eq(bp_report_dispatch_verdict(&results, false, &err), BP_EFAILED);
}
