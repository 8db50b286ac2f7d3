#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "flow/check_backup.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static struct fake_clock fclock;
static struct fake_source source;
static struct fake_store store;
static struct bp_findings findings;
static struct bp_check_backup_job job;

static void set_up(void)
{
    fclock = fake_clock_new();
    source = fake_source(NULL);
    store = fake_store();
    job = (struct bp_check_backup_job){
        .source = &source.base, .store = &store.base, .branch = "main", .clock = &fclock.base};
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
    cr_assert_eq(findings.count, 3u);
    cr_expect_str_eq(findings.at[0].what, "connected");
    cr_expect_str_eq(findings.at[1].about, "backup repository");
    cr_expect_str_eq(findings.at[1].what, "it can be read, and has the branch 'main'");
    cr_expect_str_eq(findings.at[2].what, "0 earlier archives, and there is room for 3000");
}

Test(check_backup, tells_how_large_the_branch_is_and_when_it_is_full)
{
    struct bp_err err = {0};

    (void)snprintf(store.message, sizeof(store.message),
                   "x\n\nStore: 200000000 bytes, 100000000 at 2024-01-05T14-30-45Z\n");
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 4u);
    cr_expect_eq(findings.at[2].level, BP_FOUND_OK);
    cr_expect_str_eq(findings.at[2].what, "the branch holds about 190.7 MiB and grows by about "
                                          "9.5 MiB a day: 5 GiB in about 17 months");
    cr_expect_eq(store.fetches, 0, "the tip's message is enough");
}

Test(check_backup, warns_of_a_branch_that_will_be_full_soon)
{
    struct bp_err err = {0};

    (void)snprintf(store.message, sizeof(store.message),
                   "x\n\nStore: 3000000000 bytes, 2000000000 at 2024-01-05T14-30-45Z\n");
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(findings.at[2].level, BP_FOUND_WARNING);
    cr_expect_not_null(strstr(findings.at[2].what, ": 5 GiB in about 23 days; "));
    cr_expect(strstr(findings.at[2].fix, "'backproof prune --squash'") == findings.at[2].fix, "%s",
              findings.at[2].fix);
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK, "a backup would work");
}

/* As many archives as somebody made in a hundred days, one each hour. */
static enum bp_code list_many(struct bp_store *base, const char *path, struct bp_list *names,
                              struct bp_err *err)
{
    (void)base;
    (void)err;
    for (int i = 0; i < 2500 && strcmp(path, "backups/archive") == 0; i++)
        bp_list_addf(names, "%d", i);
    return BP_OK;
}

static enum bp_code list_fails(struct bp_store *base, const char *path, struct bp_list *names,
                               struct bp_err *err)
{
    (void)path;
    (void)names;
    return bp_fail(err, ((struct fake_store *)base)->open_result, "no answer");
}

static enum bp_code opens(struct bp_store *base, struct bp_err *err)
{
    (void)base;
    (void)err;
    return BP_OK;
}

Test(check_backup, warns_of_many_archives)
{
    struct bp_store_ops ops = *store.base.ops;
    struct bp_err err = {0};

    ops.list = list_many;
    store.base.ops = &ops;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 3u);
    cr_expect_eq(findings.at[2].level, BP_FOUND_WARNING);
    cr_expect_str_eq(findings.at[2].what, "the branch holds 2,500 archives, and GitHub takes 3,000 "
                                          "entries in a folder");
}

Test(check_backup, a_branch_that_cannot_be_listed_is_a_failure)
{
    struct bp_store_ops ops = *store.base.ops;
    struct bp_err err = {0};

    ops.open = opens;
    ops.list = list_fails;
    store.base.ops = &ops;
    store.open_result = BP_EUNAVAILABLE;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_expect_eq(findings.at[2].code, BP_EUNAVAILABLE);
    store.open_result = BP_ESTOPPED;
    cr_expect_eq(bp_flow_check_backup(&job, &findings, &err), BP_ESTOPPED);
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

Test(check_backup, a_public_repository_is_a_failure_unless_it_is_allowed)
{
    struct bp_err err = {0};

    store.is_public = true;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 4u);
    cr_expect_eq(findings.at[3].level, BP_FOUND_FAILURE);
    cr_expect_eq(findings.at[3].code, BP_EUSAGE);
    cr_expect_str_eq(findings.at[3].what, "it is public: everybody on the internet could read the "
                                          "rows of the database in it, without a password");
    cr_expect_str_eq(findings.at[3].fix, "make the repository private; or, when the data is meant "
                                         "to be public, give --allow-public");
    bp_findings_free(&findings);
    job.allow_public = true;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 4u);
    cr_expect_str_eq(findings.at[3].what, "it is public, as --allow-public says");
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK);
}

Test(check_backup, a_public_repository_is_no_failure_when_archives_are_sealed)
{
    struct bp_err err = {0};

    store.is_public = true;
    job.recipients = 2;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 5u);
    cr_expect_str_eq(findings.at[3].what, "it is public, and archives are sealed");
    cr_expect_eq(bp_findings_verdict(&findings), BP_OK);
    cr_expect_str_eq(findings.at[4].fix, "");
}

Test(check_backup, one_recipient_alone_is_noted)
{
    struct bp_err err = {0};

    job.recipients = 1;
    cr_assert_eq(bp_flow_check_backup(&job, &findings, &err), BP_OK, "%s", err.msg);
    cr_assert_eq(findings.count, 4u);
    cr_expect_str_eq(findings.at[3].about, "sealing");
    cr_expect_eq(findings.at[3].level, BP_FOUND_OK);
    cr_expect_not_null(strstr(findings.at[3].fix, "a second recipient"), "%s", findings.at[3].fix);
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
