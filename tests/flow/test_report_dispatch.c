#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "flow/report.h"
#include "test_report_rows.h"

static struct report_rows rows;
static struct bp_secrets secrets;
static struct bp_buf text;
static struct bp_json *json;
static struct bp_list pairs;
static struct bp_err err;

static void set_up(void)
{
    report_rows_fill(&rows);
}

static void tear_down(void)
{
    bp_secrets_free(&secrets);
    bp_buf_free(&text);
    bp_json_freep(&json);
    bp_list_free(&pairs);
}

TestSuite(report_dispatch, .init = set_up, .fini = tear_down);

static void parse(const struct bp_buf *given)
{
    bp_json_freep(&json);
    cr_assert_eq(bp_json_parse(given->data, given->len, &json, &err), BP_OK, "%s", err.msg);
}

static int64_t number(const struct bp_json *object, const char *key)
{
    int64_t value = -1;

    cr_expect(bp_json_get_int(object, key, &value), "%s is no number", key);
    return value;
}

static void expect_text(const struct bp_json *object, const char *key, const char *wanted)
{
    const char *value = bp_json_get_text(object, key);

    cr_assert_not_null(bp_json_get(object, key), "%s is missing", key);
    if (wanted == NULL)
        cr_expect_null(value, "%s is '%s'", key, value);
    else
        cr_expect(value != NULL && strcmp(value, wanted) == 0, "%s is '%s'", key, value);
}

/* ---- text ---- */

Test(report_dispatch, the_table_has_a_line_per_branch_and_then_the_jobs_that_failed)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);

    bp_report_dispatch_text(&results, NULL, &text);
    cr_expect_str_eq(bp_buf_str(&text),
                     "BRANCH  RESULT     ATTEMPTS  RUN  URL                REASON\n"
                     "main    started    1         42   https://x.test/42  in_progress\n"
                     "größe   failed     1         -    -                  no branch; hint: push "
                     "it\n"
                     "slow    timed-out  4         44   https://x.test/44  \n"
                     "\n"
                     "failed jobs of slow:\n"
                     "  test: failure in step 'Run it', https://x.test/44/job/2\n"
                     "  ship: cancelled\n");
}

Test(report_dispatch, a_good_branch_shows_no_jobs)
{
    struct bp_dispatch_results results = {0};

    rows.at[2].verdict = BP_VERDICT_STARTED;
    results = report_rows_results(&rows, 3);
    bp_report_dispatch_text(&results, NULL, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "failed jobs"));
}

Test(report_dispatch, hostile_text_stays_on_its_line)
{
    char evil[] = "x\n::error::y\r\n##[error]z\033[2J\xff s3cr3t";
    struct bp_dispatch_results results = {0};
    size_t lines = 0;

    bp_secrets_add(&secrets, "s3cr3t");
    report_rows_spoil(&rows, 2, evil);
    results = report_rows_results(&rows, 3);
    bp_report_dispatch_text(&results, &secrets, &text);
    for (const char *p = bp_buf_str(&text); *p != '\0'; p++)
        lines += *p == '\n';
    cr_expect_eq(lines, 4u + 2u + 2u, "%s", bp_buf_str(&text));
    cr_expect_null(strpbrk(bp_buf_str(&text), "\r\033"));
    cr_expect_null(strstr(bp_buf_str(&text), "s3cr3t"));
    cr_expect_null(strchr(bp_buf_str(&text), '\xff'));
}

/* ---- JSON ---- */

Test(report_dispatch, json_has_what_is_known_of_a_branch)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);
    const struct bp_json *one = NULL;

    bp_findings_add(&results.findings, BP_FOUND_WARNING, "token", "it ends soon; hint: renew it");
    bp_report_dispatch_json(&results, NULL, &text);
    parse(&text);
    cr_expect_eq(bp_json_count(json), 7u);
    cr_expect_eq(number(json, "succeeded"), 1);
    cr_expect_eq(number(json, "failed"), 2);
    cr_expect_eq(number(json, "requests"), 9);
    cr_expect_eq(number(json, "took_ms"), 60001);
    expect_text(json, "conclusion", "partial");
    one = bp_json_first(bp_json_get(json, "results"));
    cr_expect_eq(bp_json_count(one), 16u);
    expect_text(one, "repository", "o/r");
    expect_text(one, "branch", "main");
    expect_text(one, "workflow", "b.yml");
    expect_text(one, "result", "started");
    expect_text(one, "url", "https://x.test/42");
    expect_text(one, "status", "in_progress");
    expect_text(one, "reason", "in_progress");
    expect_text(one, "request_id", "ABCD:1234");
    expect_text(one, "commit", "0123abc");
    cr_expect_eq(number(one, "attempts"), 1);
    cr_expect_eq(number(one, "run_id"), 42);
    cr_expect_eq(number(one, "took_ms"), 12345);
    cr_expect_not(bp_json_get_bool(one, "cancelled", true));
    cr_expect_eq(bp_json_count(bp_json_get(one, "failed_jobs")), 0u);
    one = bp_json_first(bp_json_get(json, "findings"));
    cr_expect_eq(bp_json_count(one), 4u);
    expect_text(one, "about", "token");
    expect_text(one, "level", "warning");
    expect_text(one, "what", "it ends soon");
    expect_text(one, "fix", "renew it");
    bp_findings_free(&results.findings);
}

Test(report_dispatch, json_has_null_for_what_is_unknown)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 2);
    const struct bp_json *one = NULL;

    bp_report_dispatch_json(&results, NULL, &text);
    parse(&text);
    one = bp_json_next(bp_json_first(bp_json_get(json, "results")));
    cr_expect_eq(bp_json_count(one), 16u);
    expect_text(one, "run_id", NULL);
    expect_text(one, "url", NULL);
    expect_text(one, "status", NULL);
    expect_text(one, "conclusion", NULL);
    expect_text(one, "request_id", NULL);
    expect_text(one, "commit", NULL);
    expect_text(one, "reason", "no branch");
    expect_text(one, "hint", "push it");
}

Test(report_dispatch, json_names_the_jobs_that_failed)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);
    const struct bp_json *one = NULL;

    bp_report_dispatch_json(&results, NULL, &text);
    parse(&text);
    one = bp_json_first(bp_json_get(json, "results"));
    one = bp_json_next(bp_json_next(one));
    cr_expect(bp_json_get_bool(one, "cancelled", false));
    one = bp_json_get(one, "failed_jobs");
    cr_assert_eq(bp_json_count(one), 2u);
    one = bp_json_first(one);
    expect_text(one, "name", "test");
    expect_text(one, "conclusion", "failure");
    expect_text(one, "step", "Run it");
    expect_text(one, "url", "https://x.test/44/job/2");
    one = bp_json_next(one);
    expect_text(one, "name", "ship");
    expect_text(one, "step", NULL);
    expect_text(one, "url", NULL);
}

/* A tab or a quote mark would be escaped in JSON, and the secret not be known there any more. */
Test(report_dispatch, json_hides_secrets_and_is_utf8)
{
    char evil[] = "a\xff\"b\" s3\tcr\"3t </script>";
    struct bp_dispatch_results results = {0};

    bp_secrets_add(&secrets, "s3\tcr\"3t");
    report_rows_spoil(&rows, 2, evil);
    results = report_rows_results(&rows, 3);
    bp_report_dispatch_json(&results, &secrets, &text);
    parse(&text);
    cr_expect_null(strstr(bp_buf_str(&text), "s3"), "%s", bp_buf_str(&text));
    expect_text(bp_json_next(bp_json_next(bp_json_first(bp_json_get(json, "results")))), "branch",
                "a?\"b\" *** </script>");
}

/* ---- outputs ---- */

static const char *output(const char *name)
{
    for (size_t i = 0; i + 1 < pairs.count; i += 2) {
        if (strcmp(pairs.at[i], name) == 0)
            return pairs.at[i + 1];
    }
    cr_assert_fail("no output %s", name);
    return "";
}

Test(report_dispatch, outputs_are_five_texts)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);
    struct bp_buf line = {0};

    bp_report_dispatch_outputs(&results, NULL, &pairs);
    cr_expect_eq(pairs.count, 10u);
    cr_expect_str_eq(output("succeeded"), "1");
    cr_expect_str_eq(output("failed"), "2");
    cr_expect_str_eq(output("run-ids"), "42,44");
    cr_expect_str_eq(output("conclusion"), "partial");
    cr_expect_null(strchr(output("results"), '\n'));
    bp_buf_puts(&line, output("results"));
    parse(&line);
    cr_expect(bp_json_is_array(json));
    cr_expect_eq(bp_json_count(json), 3u);
    bp_buf_free(&line);
}

Test(report_dispatch, outputs_without_runs_are_empty_texts)
{
    struct bp_dispatch_results results = {0};

    bp_report_dispatch_outputs(&results, NULL, &pairs);
    cr_expect_str_eq(output("results"), "[]");
    cr_expect_str_eq(output("run-ids"), "");
}

Test(report_dispatch, very_many_failed_jobs_are_left_out_of_the_output)
{
    struct bp_dispatch_results results = report_rows_results(&rows, 3);
    struct bp_buf line = {0};

    rows.jobs.count = BP_JOBS_MAX;
    for (size_t i = 0; i < BP_JOBS_MAX; i++) {
        struct bp_run_job *job = &rows.jobs.at[i];

        memset(job->name, '"', sizeof(job->name) - 1);
        memset(job->url, 'u', sizeof(job->url) - 1);
        memset(job->failed_step, '\\', sizeof(job->failed_step) - 1);
        (void)snprintf(job->conclusion, sizeof(job->conclusion), "failure");
    }
    bp_report_dispatch_outputs(&results, NULL, &pairs);
    cr_expect_lt(strlen(output("results")), 2000u);
    bp_buf_puts(&line, output("results"));
    parse(&line);
    cr_expect_eq(bp_json_count(json), 3u);
    bp_buf_free(&line);
}

/* ---- a look before the work ---- */

static struct bp_findings some_findings(void)
{
    struct bp_findings findings = {0};

    bp_findings_add(&findings, BP_FOUND_OK, "o/r", "the token sees it");
    bp_findings_add(&findings, BP_FOUND_UNKNOWN, "o/r", "whether Actions is on");
    bp_findings_add(&findings, BP_FOUND_WARNING, "token", "it ends in 3 days; hint: renew it");
    return findings;
}

Test(report_dispatch, a_check_is_a_line_per_finding_with_its_fix_below)
{
    BP_AUTO(bp_findings_free) struct bp_findings findings = some_findings();
    const struct bp_err failure = {.code = BP_ENOTFOUND, .msg = "no branch\n::error::x"};

    bp_findings_fail(&findings, "o/r@main", &failure);
    bp_report_check_text(&findings, NULL, &text);
    cr_expect_str_eq(bp_buf_str(&text), "ok       o/r: the token sees it\n"
                                        "unknown  o/r: whether Actions is on\n"
                                        "warning  token: it ends in 3 days\n"
                                        "         -> renew it\n"
                                        "failure  o/r@main: no branch ::error::x\n");
}

Test(report_dispatch, a_check_is_ok_in_json_without_a_failure)
{
    BP_AUTO(bp_findings_free) struct bp_findings findings = some_findings();
    const struct bp_err failure = {.code = BP_ENOTFOUND, .msg = "no branch"};

    bp_report_check_json(&findings, bp_findings_verdict(&findings) == BP_OK, NULL, &text);
    parse(&text);
    cr_expect_eq(bp_json_count(json), 2u);
    cr_expect(bp_json_get_bool(json, "ok", false));
    cr_expect_eq(bp_json_count(bp_json_get(json, "findings")), 3u);
    expect_text(bp_json_first(bp_json_get(json, "findings")), "fix", NULL);
    bp_findings_fail(&findings, "o/r@main", &failure);
    bp_buf_cut(&text, 0);
    bp_report_check_json(&findings, bp_findings_verdict(&findings) == BP_OK, NULL, &text);
    parse(&text);
    cr_expect_not(bp_json_get_bool(json, "ok", true));
}

Test(report_dispatch, a_check_hides_secrets)
{
    BP_AUTO(bp_findings_free) struct bp_findings findings = {0};

    bp_secrets_add(&secrets, "s3\tcr3t");
    bp_findings_add(&findings, BP_FOUND_FAILURE, "s3\tcr3t", "a s3\tcr3t; hint: b s3\tcr3t");
    bp_report_check_text(&findings, &secrets, &text);
    cr_expect_str_eq(bp_buf_str(&text), "failure  ***: a ***\n         -> b ***\n");
    bp_report_check_json(&findings, false, &secrets, &text);
    cr_expect_null(strstr(bp_buf_str(&text), "cr3t"));
}
