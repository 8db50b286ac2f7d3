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

static int run(const char *line)
{
    fake.app.source = &source.base;
    fake.app.store = &store.base;
    return fake_app_run(&fake, line);
}

/* Three archives, a day apart: of the 15th, 16th and 17th. */
static void set_up(void)
{
    fclock = fake_clock_new();
    source = fake_source(tables);
    store = fake_store();
    store.weights[0] = 4 << 20;
    store.weights[1] = 1 << 20;
    fake = fake_app(&fclock.base);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
        fclock.now_ms += 86400000;
    }
    store.commits = 0;
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
}

TestSuite(cmd_prune, .init = set_up, .fini = tear_down);

Test(cmd_prune, says_what_was_removed_and_that_this_frees_nothing)
{
    cr_expect_eq(run("prune --keep-last 1 --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "removed 2 of 3 archives, kept 1\n"
                               "  branch  main\n"
                               "  commit  c0ffee1\n"
                               "  removed 2024-01-16T14-30-45Z\n"
                               "          2024-01-15T14-30-45Z\n");
    cr_expect_str_eq(fake.err, "this frees no space, because Git keeps what was removed in the "
                               "history; hint: --squash rewrites that\n");
    cr_expect_eq(run("prune --keep-last 1 --backup-repo /x --quiet"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "nothing to remove: all 1 archives are kept\n"
                               "  branch  main\n"
                               "  commit  none\n");
    cr_expect_str_empty(fake.err);
}

Test(cmd_prune, a_dry_run_says_it_and_changes_nothing)
{
    cr_expect_eq(run("prune --keep-last 2 --backup-repo /x --dry-run"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "would have removed 1 of 3 archives, kept 2\n"
                               "  branch  main\n"
                               "  commit  none\n"
                               "  removed 2024-01-15T14-30-45Z\n");
    cr_expect_eq(store.commits, 0);
    cr_expect_eq(run("prune --keep-last 2 --squash --backup-repo /x --dry-run"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "would have removed 1 of 3 archives, kept 2\n"
                               "  history would be rewritten\n"
                               "  clone   4.0 MiB so far\n"
                               "  branch  main\n"
                               "  commit  none\n"
                               "  removed 2024-01-15T14-30-45Z\n");
    cr_expect_eq(store.rewrites, 0);
    cr_expect_eq(store.weighings, 1);
}

Test(cmd_prune, explains_each_archive)
{
    cr_expect_eq(run("prune --keep-last 1 --keep-yearly 1 --explain --backup-repo /x -n"), 0, "%s",
                 fake.err);
    cr_expect(strstr(fake.out, "ARCHIVE               PLAN  WHY\n"
                               "2024-01-17T14-30-45Z  kept  newest, last 1, yearly 2024\n"
                               "2024-01-16T14-30-45Z  goes  no rule keeps it\n"
                               "2024-01-15T14-30-45Z  goes  no rule keeps it\n"
                               "would have removed 2 of 3 archives, kept 1\n") == fake.out,
              "%s", fake.out);
}

Test(cmd_prune, a_squash_tells_what_it_freed)
{
    cr_expect_eq(run("prune --keep-last 2 --squash --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "removed 1 of 3 archives, kept 2\n"
                               "  history rewritten, one commit for each archive\n"
                               "  freed   3.0 MiB of 4.0 MiB in a fresh clone\n"
                               "  branch  main\n"
                               "  commit  5caa5b1\n"
                               "  removed 2024-01-15T14-30-45Z\n");
    cr_expect_not_null(strstr(fake.err, "who has a clone of it has to clone anew"));
    cr_expect_null(strstr(fake.err, "frees no space"));
}

Test(cmd_prune, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    const struct bp_json *first = NULL;
    int64_t number = 0;
    struct bp_err err;

    cr_expect_eq(run("prune --keep-last 1 --squash --backup-repo /x --format json"), 0, "%s",
                 fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    first = bp_json_first(bp_json_get(json, "archives"));
    cr_expect_str_eq(bp_json_get_text(first, "id"), "2024-01-17T14-30-45Z");
    cr_expect(bp_json_get_bool(first, "kept", false));
    cr_expect_str_eq(bp_json_text(bp_json_first(bp_json_get(first, "reasons"))), "newest");
    cr_expect_not(bp_json_get_bool(bp_json_next(first), "kept", true));
    cr_expect(bp_json_get_int(json, "removed", &number) && number == 2);
    cr_expect(bp_json_get_int(json, "bytes_before", &number) && number == 4 << 20);
    cr_expect(bp_json_get_int(json, "bytes_after", &number) && number == 1 << 20);
    cr_expect_not(bp_json_get_bool(json, "dry_run", true));
    cr_expect_eq(bp_json_count(json), 9u);
}

Test(cmd_prune, refuses_rules_that_keep_nothing)
{
    static const char *const lines[] = {
        "prune --backup-repo /x --keep-last 0", "prune --backup-repo /x --keep-within 0s",
        "prune --backup-repo /x --keep-daily 0 --keep-yearly 0",
        "backup --prune --backup-repo /x --keep-last 0", "prune --backup-repo /x --keep-last -1"};
    int opens = store.opens;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        cr_expect_eq(run(lines[i]), 2, "%s", lines[i]);
    cr_expect_eq(store.opens, opens);
    cr_expect_eq(run("prune --backup-repo /x --keep-last 0 --keep-daily 2"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "removed 1 of 3 archives, kept 2\n") == fake.out, "%s", fake.out);
}

Test(cmd_prune, a_squash_of_unknown_size_tells_what_a_clone_takes_now)
{
    store.weights[0] = -1;
    cr_expect_eq(run("prune --keep-last 2 --squash --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "\n  clone   1.0 MiB now\n"), "%s", fake.out);
}

Test(cmd_prune, a_squash_needs_a_rule)
{
    int opens = store.opens;

    cr_expect_eq(run("prune --squash --backup-repo /x"), 2);
    cr_expect_not_null(strstr(fake.err, "--squash needs a rule, because what no rule keeps is gone "
                                        "for good then; hint: use the rules of your backups"),
                       "%s", fake.err);
    cr_expect_eq(run("prune --squash --dry-run --backup-repo /x"), 2);
    cr_expect_eq(run("backup --prune --squash --backup-repo /x"), 2);
    cr_expect_eq(store.opens, opens);
    fake.env[0] = "BACKPROOF_SQUASH=true";
    cr_expect_eq(run("prune --backup-repo /x"), 2);
    fake.env[1] = "BACKPROOF_KEEP_LAST=2";
    cr_expect_eq(run("prune --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_eq(store.rewrites, 1);
}

Test(cmd_prune, rules_that_are_wrong_do_not_stop_a_backup_that_uses_none)
{
    fake.env[0] = "BACKPROOF_SQUASH=true";
    fake.env[1] = "BACKPROOF_PRUNE=false";
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_eq(store.commits, 1);
    cr_expect_eq(store.rewrites, 0);
}

Test(cmd_prune, without_a_rule_it_keeps_thirty_days)
{
    cr_expect_eq(run("prune --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "nothing to remove: all 3 archives are kept\n") == fake.out);
    cr_expect_eq(store.commits, 0);
}

Test(cmd_prune, the_environment_holds_rules_too)
{
    fake.env[0] = "BACKPROOF_KEEP_LAST=2";
    cr_expect_eq(run("prune --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "removed 1 of 3 archives, kept 2\n") == fake.out, "%s", fake.out);
}

/* ---- behind a backup ---- */

Test(cmd_prune, a_backup_prunes_when_it_has_worked)
{
    cr_expect_eq(run("backup --prune --keep-last 2 --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "backed up 2024-01-18T14-30-45Z: ") == fake.out, "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "\nremoved 2 of 4 archives, kept 2\n"), "%s", fake.out);
    cr_expect_eq(store.commits, 2);
    source.copy_result = BP_EUNAVAILABLE;
    fclock.now_ms += 86400000;
    cr_expect_neq(run("backup --prune --keep-last 1 --backup-repo /x"), 0);
    cr_expect_eq(store.commits, 2, "a backup that failed removes nothing");
}

Test(cmd_prune, a_backup_and_its_pruning_are_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    int64_t removed = 0;
    struct bp_err err;

    cr_expect_eq(run("backup --prune --keep-last 1 --backup-repo /x --format json"), 0, "%s",
                 fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-18T14-30-45Z");
    cr_expect(bp_json_get_int(bp_json_get(json, "prune"), "removed", &removed) && removed == 3);
}

/* The second commit of a run is refused. */
static void refuse_the_next(void *ctx)
{
    (void)ctx;
    if (store.commits > 0)
        store.commit_result = BP_EAUTH;
}

Test(cmd_prune, a_backup_is_safe_when_pruning_fails)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    store.on_commit = refuse_the_next;
    cr_expect_eq(run("backup --prune --keep-last 1 --backup-repo /x"),
                 bp_code_exit_status(BP_EAUTH));
    cr_expect(strstr(fake.out, "backed up 2024-01-18T14-30-45Z: ") == fake.out, "%s", fake.out);
    cr_expect_not_null(strstr(fake.err, "error: the backup 2024-01-18T14-30-45Z is safe, but old "
                                        "archives were not removed: the server refused\n"),
                       "%s", fake.err);
    store.commits = 0;
    store.commit_result = BP_OK;
    fclock.now_ms += 86400000;
    cr_expect_eq(run("backup --prune --keep-last 1 --backup-repo /x --format json"),
                 bp_code_exit_status(BP_EAUTH));
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-19T14-30-45Z");
    cr_expect_not_null(
        strstr(bp_json_get_text(bp_json_get(json, "prune"), "error"), "the server refused"));
}

Test(cmd_prune, a_skipped_backup_removes_nothing)
{
    source.locked = true;
    cr_expect_eq(run("backup --prune --keep-last 1 --if-locked skip --backup-repo /x"), 0, "%s",
                 fake.err);
    cr_expect_str_eq(fake.out, "skipped: another backup to 'main' is running\n");
    cr_expect_eq(store.commits, 0);
}

Test(cmd_prune, a_dry_backup_counts_the_archive_that_it_would_make)
{
    cr_expect_eq(run("backup --prune --keep-last 2 --backup-repo /x --dry-run"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "would have removed 2 of 4 archives, kept 2\n"), "%s",
                       fake.out);
    cr_expect_eq(store.commits, 0);
}

Test(cmd_prune, a_backup_does_not_pass_over_rules_that_it_was_not_told_to_use)
{
    cr_expect_eq(run("backup --keep-last 1 --backup-repo /x"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: --keep-last has no meaning for a backup that "
                               "removes nothing; hint: add --prune\n");
    cr_expect_eq(run("backup --squash --backup-repo /x"), 2);
    cr_expect_eq(run("backup --explain --backup-repo /x"), 2);
    cr_expect_eq(store.commits, 0);
    fake.env[0] = "BACKPROOF_PRUNE=false";
    cr_expect_eq(run("backup --keep-last 1 --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_eq(store.commits, 1, "the backup alone");
}
