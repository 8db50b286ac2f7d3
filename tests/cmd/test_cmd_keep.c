#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"
#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_store.h"

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_app fake;

static void set_up(void)
{
    fclock = fake_clock_new();
    store = fake_store();
    fake = fake_app(&fclock.base);
    fake_store_put(&store, "backups/latest/latest_2024-01-15T14-30-45Z/x", "x");
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_keep, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

Test(cmd_keep, says_what_was_marked)
{
    cr_expect_eq(run("keep latest --reason release --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "marked 2024-01-15T14-30-45Z: release\n");
    cr_expect_eq(run("keep latest --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "2024-01-15T14-30-45Z is marked already: release\n");
    cr_expect_eq(run("keep latest --undo --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "unmarked 2024-01-15T14-30-45Z\n");
    cr_expect_eq(run("keep latest --undo --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "2024-01-15T14-30-45Z is not marked, nothing changes\n");
    cr_expect_eq(store.commits, 2);
}

Test(cmd_keep, a_dry_run_commits_nothing)
{
    cr_expect_eq(run("keep latest --backup-repo /x --dry-run"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "would mark 2024-01-15T14-30-45Z\n");
    cr_expect_eq(store.commits, 0);
    cr_expect_null(fake_store_get(&store, "backups/keep"));
}

Test(cmd_keep, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    cr_expect_eq(run("keep latest --reason why --backup-repo /x --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(json, "reason"), "why");
    cr_expect_str_eq(bp_json_get_text(json, "commit"), "c0ffee1");
    cr_expect(bp_json_get_bool(json, "marked", false));
    cr_expect(bp_json_get_bool(json, "changed", false));
    cr_expect_eq(bp_json_count(json), 7u);
}

Test(cmd_keep, refuses_what_makes_no_sense)
{
    cr_expect_eq(run("keep --backup-repo /x"), 2);
    cr_expect_eq(run("keep latest --undo --reason why --backup-repo /x"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: --undo takes the mark away, so there is no "
                               "--reason\n");
    cr_expect_eq(run("keep 2023 --backup-repo /x"), 4);
    cr_expect_eq(store.commits, 0);
}
