#include <criterion/criterion.h>
#include <string.h>

#include "flow/drill.h"

static char main_name[] = "main";
static char odd_name[] = "a|b";
static char nothing[] = "";
static char reason[] = "archive x did not reach L0";
static struct bp_drill_branch at[2];
static const struct bp_drill_result result = {.at = at, .count = 2, .took_ms = 5000};
static struct bp_buf out;

static void set_up(void)
{
    at[0] = (struct bp_drill_branch){.branch = main_name,
                                     .reason = nothing,
                                     .verified = {.id = "2024-01-15T14-30-45Z",
                                                  .level = BP_L3,
                                                  .wanted = BP_L3,
                                                  .recovery_ms = 4900},
                                     .gaps = {.age_ms = 1000, .gap_ms = 90000, .good = 3}};
    at[1] = (struct bp_drill_branch){.branch = odd_name,
                                     .code = BP_EINTEGRITY,
                                     .reason = reason,
                                     .verified = {.level = BP_UNPROVED, .wanted = BP_L3},
                                     .gaps = {.age_ms = -1}};
}

static void tear_down(void)
{
    bp_buf_free(&out);
}

TestSuite(report_drill, .init = set_up, .fini = tear_down);

Test(report_drill, a_table_and_below_it_what_was_wrong)
{
    bp_drill_text(&result, NULL, &out);
    cr_expect_str_eq(out.data,
                     "BRANCH  ARCHIVE               AGE    LEVEL  RTO    RPO       RESULT\n"
                     "main    2024-01-15T14-30-45Z  1.0 s  L3     4.9 s  1 m 30 s  proved\n"
                     "a|b     -                     -      -      -      -         failed\n"
                     "\na|b: archive x did not reach L0\n");
}

Test(report_drill, programs_get_numbers_and_null_for_what_is_not_known)
{
    BP_AUTO(bp_json_freep) struct bp_json *top = bp_drill_json(&result);

    bp_json_render(top, 0, &out);
    cr_expect(strstr(out.data, "\"rpo_ms\": 90000") != NULL, "%s", out.data);
    cr_expect(strstr(out.data, "\"rto_ms\": null") != NULL, "%s", out.data);
    cr_expect(strstr(out.data, "\"result\": \"integrity\"") != NULL, "%s", out.data);
    cr_expect(strstr(out.data, "\"proved\": false") != NULL, "%s", out.data);
}

Test(report_drill, a_page_keeps_its_table_whatever_a_branch_is_called)
{
    bp_drill_summary(&result, NULL, &out);
    cr_expect(strstr(out.data, "### Restore drill: 1 of 2 branches proved\n") == out.data);
    cr_expect(strstr(out.data, "| a|b |") == NULL, "%s", out.data);
}
