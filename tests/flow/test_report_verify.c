#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "flow/verify.h"

static struct bp_verify_result result;
static const struct bp_verify_job job = {.branch = "main"};
static struct bp_buf out;

static void set_up(void)
{
    result = (struct bp_verify_result){.id = "2024-01-15T14-30-45Z",
                                       .level = BP_L3,
                                       .wanted = BP_L3,
                                       .files = 132,
                                       .bytes = 2048,
                                       .tables = 12,
                                       .rows = 48210,
                                       .where = "a scratch cluster",
                                       .restore_ms = 3200,
                                       .recovery_ms = 4900,
                                       .took_ms = 12400,
                                       .commit = "7c1f2ab"};
}

static void tear_down(void)
{
    bp_verify_result_free(&result);
    bp_buf_free(&out);
}

TestSuite(report_verify, .init = set_up, .fini = tear_down);

Test(report_verify, a_proof_is_told_with_what_it_took)
{
    bp_verify_text(&job, &result, &out);
    cr_expect_str_eq(bp_buf_str(&out),
                     "2024-01-15T14-30-45Z: proved to L3 in 12.4 s\n"
                     "  checked  132 files, 2.0 KiB, 12 tables, 48,210 rows\n"
                     "  restored into a scratch cluster in 3.2 s; with fetch and check 4.9 s\n"
                     "  recorded in main, commit 7c1f2ab\n");
}

Test(report_verify, an_exception_is_never_a_plain_success)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = NULL;

    result.level = BP_L1;
    bp_list_add(&result.except, "extension 'x'");
    bp_list_add(&result.findings, "one\ntwo");
    bp_verify_text(&job, &result, &out);
    cr_expect(strstr(out.data, ": verified, with exceptions, to L1 in") != NULL);
    cr_expect(strstr(out.data, "  except   extension 'x'\n  failed   one\n           two\n") !=
                  NULL,
              "%s", out.data);
    top = bp_verify_json(&job, &result);
    cr_expect_not(bp_json_get_bool(top, "verified", true));
    bp_buf_cut(&out, 0);
    bp_verify_words(&result, &out);
    cr_expect_str_eq(out.data, "proved to L1 except: extension 'x'");
}

Test(report_verify, what_is_not_proved_is_said_so)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = NULL;

    result.level = BP_UNPROVED;
    bp_verify_text(&job, &result, &out);
    cr_expect(strstr(out.data, "2024-01-15T14-30-45Z: not proved in 12.4 s\n") == out.data);
    top = bp_verify_json(&job, &result);
    cr_expect_null(bp_json_get_text(top, "level"));
    cr_expect_str_eq(bp_json_get_text(top, "wanted"), "L3");
}
