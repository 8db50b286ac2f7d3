#include <criterion/criterion.h>
#include <string.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_forge.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static struct fake_clock fclock;
static struct fake_forge forge;
static struct fake_app fake;
static struct fake_source source;

static void set_up(void)
{
    fclock = fake_clock_new();
    forge = fake_forge(&fclock);
    fake = fake_app(&fclock.base);
    source = fake_source(NULL);
}

static void tear_down(void)
{
    fake_app_release(&fake);
}

TestSuite(cmd_check, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.forge = &forge.base;
    fake.app.source = &source.base;
    return fake_app_run(&fake, line);
}

Test(cmd_check, says_of_each_thing_that_it_is_well)
{
    cr_expect_eq(run("check --repo o/r --branch main"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "the branch exists"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "Actions is on"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "failure"), "%s", fake.out);
    cr_expect_eq(run("check --repo o/r --format json"), 0);
    cr_expect_not_null(strstr(fake.out, "\"ok\": true"), "%s", fake.out);
}

Test(cmd_check, names_a_branch_that_is_not_there_and_looks_at_the_others)
{
    fake_forge_branch(&forge, "gone")->script_len = 1;
    fake_forge_branch(&forge, "gone")->script[0] = FAKE_NO_BRANCH;
    cr_expect_eq(run("check --repo o/r --branch gone --branch main"), 4);
    cr_expect_str_eq(fake.err,
                     "backproof: error: a dispatch would fail: no branch 'gone' in 'o/r'\n");
    cr_expect_not_null(strstr(fake.out, "o/r@main"), "%s", fake.out);
}

#define RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

Test(cmd_check, tells_what_a_backup_would_refuse_of_its_keys)
{
    struct fake_store store = fake_store();

    store.is_public = true;
    fake.env[0] = "GITHUB_REF_NAME=main";
    fake.app.store = &store.base;
    cr_expect_eq(run("check --backup-repo /x --recipient " RECIPIENT), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "archives are sealed for one recipient"), "%s", fake.out);
    fake.env[1] = "BACKPROOF_CHUNK_KEY=secret-but-no-key";
    fake.app.store = &store.base;
    cr_expect_eq(run("check --backup-repo /x --recipient " RECIPIENT), 2);
    cr_expect_not_null(strstr(fake.out, "failure  sealing: BACKPROOF_CHUNK_KEY"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "secret-but"), "%s", fake.out);
    cr_expect_null(strstr(fake.out, "everybody"), "the recipient is one all the same");
    fake.app.store = &store.base;
    cr_expect_eq(run("check --backup-repo /x"), 2);
    cr_expect_not_null(strstr(fake.out, "--chunk-key is for sealed archives"), "%s", fake.out);
    fake_store_release(&store);
}

Test(cmd_check, gives_the_status_of_what_is_wrong)
{
    forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(run("check --repo o/r"), 4);
    forge.repo_result = BP_EAUTH;
    cr_expect_eq(run("check --repo o/r"), 3);
}

Test(cmd_check, changes_nothing_whatever_is_wrong)
{
    forge.state = "disabled_inactivity";
    cr_expect_eq(run("check --repo o/r --branch main"), 1);
    for (int i = 0; i < forge.asked; i++)
        cr_expect_not(bp_ask_changes(forge.log[i].kind));
}

Test(cmd_check, needs_something_to_look_at)
{
    cr_expect_eq(run("check"), 2);
    cr_expect_not_null(strstr(fake.err, "--repo"), "%s", fake.err);
    cr_expect_not_null(strstr(fake.err, "DATABASE_URL"), "%s", fake.err);
    cr_expect_not_null(strstr(fake.err, "--backup-repo"), "%s", fake.err);
    cr_expect_str_eq(fake.out, "");
}

Test(cmd_check, looks_at_a_database_alone)
{
    cr_expect_eq(run("check --database-url postgresql://h/x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "ok       database: connected\n");
    cr_expect_eq(forge.asked, 0);
    fake.env[0] = "PGSERVICE=shop";
    fake.env[1] = "GITHUB_REPOSITORY=o/r";
    cr_expect_eq(run("check"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "ok       database: connected\n");
}

Test(cmd_check, looks_at_a_dispatch_and_a_database)
{
    cr_expect_eq(run("check --repo o/r --database-url postgresql://h/x"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "Actions is on"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "database: connected"), "%s", fake.out);
}

Test(cmd_check, says_what_would_fail)
{
    source.examine_result = BP_EAUTH;
    cr_expect_eq(run("check --repo o/r --database-url postgresql://h/x"), 3);
    cr_expect_str_eq(fake.err, "backproof: error: a backup would fail: user 'u' may not read t; "
                               "hint: GRANT it\n");
    cr_expect_not_null(strstr(fake.out, "failure  tables: user 'u' may not read t\n         -> "
                                        "GRANT it\n"),
                       "%s", fake.out);
    forge.workflow_result = BP_ENOTFOUND;
    cr_expect_eq(run("check --repo o/r --database-url postgresql://h/x"), 1);
    cr_expect_str_eq(fake.err, "backproof: error: a dispatch and a backup would fail, for the 2 "
                               "reasons above\n");
}

Test(cmd_check, ends_when_asked_to)
{
    source.examine_result = BP_ESTOPPED;
    cr_expect_eq(run("check --database-url postgresql://h/x"), 130, "%s", fake.err);
}

Test(cmd_check, looks_at_a_backup_repository)
{
    struct fake_store store = fake_store();

    fake.app.store = &store.base;
    cr_expect_eq(run("check --backup-repo /backups"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "backup repository: it can be read"), "%s", fake.out);
    fake.app.store = &store.base;
    store.open_result = BP_EAUTH;
    cr_expect_eq(run("check --backup-repo /backups"), 3);
    cr_expect_not_null(strstr(fake.out, "failure  backup repository: "), "%s", fake.out);
    fake_store_release(&store);
}
