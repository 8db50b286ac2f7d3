#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_source source;
static struct fake_store store;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    source = fake_source(tables);
    store = fake_store();
    fake = fake_app(&fclock.base);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_backup, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.source = &source.base;
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_backup, says_what_was_backed_up_and_where_it_is)
{
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "backed up 2024-01-15T14-30-45Z: 1 tables, 3 rows, ") == fake.out,
              "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "  path    backups/latest/latest_2024-01-15T14-30-45Z\n"));
}

Test(cmd_backup, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    cr_expect_eq(run("backup --backup-repo /x --format json"), 0);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(json, "commit"), "c0ffee1");
    cr_expect_eq(bp_json_count(json), 10u);
}

Test(cmd_backup, takes_its_description_from_the_workflow)
{
    fake.env[0] = "GITHUB_REPOSITORY=myorg/myapp";
    fake.env[1] = "GITHUB_EVENT_NAME=pull_request";
    fake.env[2] = "GITHUB_HEAD_REF=feature/x";
    fake.env[3] = "GITHUB_SHA=abcdef0123";
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "  branch  feature/x\n"));
    fclock.now_ms += 1000;
    cr_expect_eq(run("backup --backup-repo /x"), 0);
    cr_expect_gt(
        fake_store_count(&store, "backups/archive/2024-01-15T14-30-45Z--myorg-myapp--pr--abcdef0/"),
        0u);
}

Test(cmd_backup, a_dry_run_commits_nothing)
{
    cr_expect_eq(run("backup --backup-repo /x --dry-run"), 0);
    cr_expect_eq(store.commits, 0);
    cr_expect(strstr(fake.out, "would commit ") == fake.out, "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "  commit  none\n"));
}

Test(cmd_backup, refuses_a_password_on_the_command_line_and_never_shows_it)
{
    cr_expect_eq(run("backup --backup-repo /x --database-url postgresql://u:hunter22@h/d"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: the password in --database-url would show in the "
                               "process list; set BACKPROOF_DATABASE_URL instead\n");
    cr_expect_eq(store.opens, 0);
    cr_expect_eq(run("backup --backup-repo https://u:hunter22@h/x"), 2);
    cr_expect_null(strstr(fake.err, "hunter22"));
}
