#include <criterion/criterion.h>

#include "flow/check_backup.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static struct fake_source source;
static struct fake_store store;
static struct bp_findings findings;
static struct bp_check_backup_job job;

static void set_up(void)
{
    source = fake_source(NULL);
    store = fake_store();
    job = (struct bp_check_backup_job){
        .source = &source.base, .store = &store.base, .branch = "main"};
}

static void tear_down(void)
{
    bp_findings_free(&findings);
    fake_store_release(&store);
}

TestSuite(check_backup, .init = set_up, .fini = tear_down);

Test(check_backup, tells_of_the_database_and_then_of_the_repository)
{
    struct bp_err err = {0};

    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 2u);
    cr_expect_str_eq(findings.at[0].what, "connected");
    cr_expect_str_eq(findings.at[1].about, "backup repository");
    cr_expect_str_eq(findings.at[1].what, "it can be read, and has the branch 'main'");
}

Test(check_backup, a_missing_branch_is_no_failure)
{
    struct bp_err err = {0};

    store.missing = true;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(findings.at[1].what, "it can be read; the first backup makes its branch "
                                          "'main'");
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK);
}

Test(check_backup, looks_at_the_repository_whatever_the_database_is_like)
{
    struct bp_err err = {0};

    source.examine_result = BP_EAUTH;
    store.open_result = BP_ENOTFOUND;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(findings.at[0].code, BP_EAUTH);
    cr_expect_eq(findings.at[1].code, BP_ENOTFOUND);
}

Test(check_backup, a_stop_ends_it)
{
    struct bp_err err = {0};

    source.examine_result = BP_ESTOPPED;
    cr_expect_eq(bp_flow_check_backup(&job, &findings, &err), BP_ESTOPPED);
    cr_expect_eq(store.opens, 0);
    source.examine_result = BP_OK;
    store.open_result = BP_ESTOPPED;
    cr_expect_eq(bp_flow_check_backup(&job, &findings, &err), BP_ESTOPPED);
}
