#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/report.h"
#include "test_report_rows.h"

static struct report_rows rows;
static struct bp_secrets secrets;
static struct bp_buf text;

static void set_up(void)
{
    report_rows_fill(&rows);
}

static void tear_down(void)
{
    bp_secrets_free(&secrets);
    bp_buf_free(&text);
}

TestSuite(report_summary, .init = set_up, .fini = tear_down);

static size_t count_of(const char *needle)
{
    size_t count = 0;

    for (const char *p = strstr(bp_buf_str(&text), needle); p != NULL; p = strstr(p + 1, needle))
        count++;
    return count;
}

Test(report_summary, failures_come_first_and_are_explained)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);

    (void)snprintf(rows.at[1].request_id, sizeof(rows.at[1].request_id), "AB:12");
    bp_report_dispatch_summary(&results, NULL, &text);
    cr_expect_str_eq(bp_buf_str(&text),
                     "## backproof dispatch: 1 of 3 branches started\n"
                     "\n"
                     "| Branch | Result | Run | Time | Reason |\n"
                     "| --- | --- | --- | --- | --- |\n"
                     "| größe | failed |  |  | no branch |\n"
                     "| slow | timed-out | [44](https://x.test/44) |  |  |\n"
                     "| main | started | [42](https://x.test/42) | 12.3 s | in&#95;progress |\n"
                     "\n"
                     "<details><summary>größe: failed</summary>\n"
                     "\n"
                     "**Reason:** no branch\n"
                     "\n"
                     "**What to do:** push it\n"
                     "\n"
                     "**Request id:** AB&#58;12\n"
                     "\n"
                     "</details>\n"
                     "\n"
                     "<details><summary>slow: timed-out</summary>\n"
                     "\n"
                     "- [test](https://x.test/44/job/2): failure in step Run it\n"
                     "- ship: cancelled\n"
                     "\n"
                     "</details>\n");
}

Test(report_summary, the_heading_says_what_all_good_branches_share)
{
    static const struct {
        enum bp_verdict first;
        enum bp_verdict second;
        const char *heading;
    } cases[] = {
        {BP_VERDICT_FINISHED, BP_VERDICT_FINISHED, "2 of 2 branches finished with success\n"},
        {BP_VERDICT_APPEARED, BP_VERDICT_APPEARED, "2 of 2 branches appeared\n"},
        {BP_VERDICT_DRY_RUN, BP_VERDICT_FAILED, "1 of 2 branches would be started\n"},
        {BP_VERDICT_CHECKED, BP_VERDICT_CHECKED, "2 of 2 branches could be started\n"},
        {BP_VERDICT_RECENT, BP_VERDICT_STARTED, "2 of 2 branches succeeded\n"},
        {BP_VERDICT_FAILED, BP_VERDICT_STOPPED, "0 of 2 branches succeeded\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_dispatch_results results = {0};

        rows.at[0].verdict = cases[i].first;
        rows.at[1].verdict = cases[i].second;
        results = report_rows_results(&rows, 2);
        bp_buf_cut(&text, 0);
        bp_report_dispatch_summary(&results, NULL, &text);
        cr_expect_not_null(strstr(bp_buf_str(&text), cases[i].heading), "%s", bp_buf_str(&text));
    }
}

Test(report_summary, findings_are_shown_when_they_need_somebody)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 1);

    bp_findings_add(&results.findings, BP_FOUND_OK, "o/r", "it is fine");
    bp_findings_add(&results.findings, BP_FOUND_UNKNOWN, "o/r", "who knows");
    bp_report_dispatch_summary(&results, NULL, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "Findings"));
    bp_findings_add(&results.findings, BP_FOUND_WARNING, "token", "ends | soon; hint: renew it");
    bp_buf_cut(&text, 0);
    bp_report_dispatch_summary(&results, NULL, &text);
    cr_expect(bp_text_ends_with(bp_buf_str(&text),
                                "\n### Findings\n\n| About | Level | What | What to do |\n"
                                "| --- | --- | --- | --- |\n"
                                "| token | warning | ends &#124; soon | renew it |\n"),
              "%s", bp_buf_str(&text));
    bp_findings_free(&results.findings);
}

/* What a server says may be anything. */
Test(report_summary, hostile_text_changes_nothing_but_itself)
{
    static const char *const evil[] = {
        "a|b",
        "a\n| x | y |\r\n",
        "##[error]x",
        "\n::error::x",
        "<script>alert(1)</script>",
        "</summary></details>",
        "@team and @a/b",
        "```\n`x`",
        "[x](javascript:alert(1))",
        "![x](https://e.test/p.png)",
        "javascript:alert(1)",
        "https://e.test/\"onload=x",
        "bad \xff\xfe\xc3",
        "ghp_s3cr3t_x",
    };
    struct bp_dispatch_results results = {0};
    size_t lines = 0;

    bp_secrets_add(&secrets, "ghp_s3cr3t_x");
    for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
        BP_AUTO(bp_freep) char *one = bp_strdup(evil[i]);

        report_rows_fill(&rows);
        report_rows_spoil(&rows, 2, one);
        results = report_rows_results(&rows, 3);
        bp_buf_cut(&text, 0);
        bp_report_dispatch_summary(&results, &secrets, &text);
        lines = count_of("\n");
        cr_expect_eq(lines, 26u, "%zu lines with %s:\n%s", lines, one, bp_buf_str(&text));
        cr_expect_eq(count_of("|"), 5u * 6u, "%s:\n%s", one, bp_buf_str(&text));
        cr_expect_eq(count_of("<"), 8u, "%s:\n%s", one, bp_buf_str(&text));
        cr_expect_eq(count_of("]("), 1u, "%s:\n%s", one, bp_buf_str(&text));
        cr_expect_null(strpbrk(bp_buf_str(&text), "`@\\!"), "%s:\n%s", one, bp_buf_str(&text));
        cr_expect_null(strstr(bp_buf_str(&text), "##["), "%s", one);
        cr_expect_null(strstr(bp_buf_str(&text), "::"), "%s", one);
        cr_expect_null(strstr(bp_buf_str(&text), "s3cr3t"), "%s", one);
        cr_expect(bp_text_is_utf8(bp_buf_str(&text), text.len), "%s", one);
    }
}

Test(report_summary, many_rows_and_jobs_end_with_how_many_more)
{
    enum { MANY = 250 };
    struct bp_dispatch_results results = {0};

    for (size_t i = 0; i < 30; i++)
        rows.jobs.at[i] = rows.jobs.at[1];
    for (size_t i = 0; i < 30; i++)
        (void)snprintf(rows.jobs.at[i].conclusion, sizeof(rows.jobs.at[i].conclusion), "failure");
    rows.jobs.count = 30;
    results.at = bp_alloc(MANY, sizeof(*results.at));
    results.count = MANY;
    results.failed = MANY;
    for (size_t i = 0; i < MANY; i++)
        results.at[i] = rows.at[2];
    bp_report_dispatch_summary(&results, NULL, &text);
    cr_expect_eq(count_of("| slow | timed-out |"), 200u);
    cr_expect_eq(count_of("\n50 more\n"), 1u);
    cr_expect_eq(count_of("<details>"), 200u);
    cr_expect_eq(count_of("\n- 20 more\n"), 200u);
    bp_free(results.at);
}

Test(report_summary, without_a_branch_there_is_a_heading)
{
    const struct bp_dispatch_results results = {0};

    bp_report_dispatch_summary(&results, NULL, &text);
    cr_expect_str_eq(bp_buf_str(&text), "## backproof dispatch: 0 of 0 branches succeeded\n");
}
