#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
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

/* The value of an output in the file of a runner; "" when it is there and empty. */
static const char *output(const char *text, const char *name, char *value, size_t size)
{
    BP_AUTO(bp_freep) char *head = bp_format("%s<<", name);
    const char *at = strstr(text, head);

    cr_assert_not_null(at, "%s: %s", name, text);
    at = strchr(at, '\n') + 1;
    (void)snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
    return value;
}

Test(cmd_backup, tells_a_runner_what_was_made)
{
    char path[] = "/tmp/bp-outputs-XXXXXX";
    BP_AUTO(bp_freep) char *env = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    struct bp_err err;
    char value[100];
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    (void)close(fd);
    env = bp_format("GITHUB_OUTPUT=%s", path);
    fake.env[0] = env;
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_assert_eq(bp_file_read(path, 10000, &text, &err), BP_OK);
    cr_expect_str_eq(output(text.data, "id", value, sizeof(value)), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(output(text.data, "commit", value, sizeof(value)), "c0ffee1");
    cr_expect_str_eq(output(text.data, "path", value, sizeof(value)),
                     "backups/latest/latest_2024-01-15T14-30-45Z");
    cr_expect_str_eq(output(text.data, "rows", value, sizeof(value)), "3");
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(run("backup --backup-repo /x --dry-run"), 0, "what cannot be told fails nothing");
}

Test(cmd_backup, prints_one_json_object)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    cr_expect_eq(run("backup --backup-repo /x --format json"), 0);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_str_eq(bp_json_get_text(json, "id"), "2024-01-15T14-30-45Z");
    cr_expect_str_eq(bp_json_get_text(json, "commit"), "c0ffee1");
    cr_expect_str_eq(bp_json_get_text(json, "store_full_at"), "");
    cr_expect_eq(bp_json_count(json), 14u);
}

/* ---- how large the branch is ---- */

static void tell_size(void)
{
    (void)snprintf(store.message, sizeof(store.message),
                   "x\n\nStore: 200000000 bytes, 100000000 at 2024-01-05T14-30-45Z\n");
}

Test(cmd_backup, says_how_large_the_branch_is_and_when_it_is_full)
{
    tell_size();
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_not_null(strstr(fake.out, "\n  holds   about 190.7 MiB and grows by about 9.5 MiB a "
                                        "day: 5 GiB in about 17 months\n"),
                       "%s", fake.out);
}

Test(cmd_backup, says_nothing_of_a_size_that_is_unknown)
{
    cr_expect_eq(run("backup --backup-repo /x"), 0, "%s", fake.err);
    cr_expect_null(strstr(fake.out, "holds"), "%s", fake.out);
}

Test(cmd_backup, the_size_is_in_the_json)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;
    int64_t bytes = 0;

    tell_size();
    cr_expect_eq(run("backup --backup-repo /x --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect(bp_json_get_int(json, "store_bytes", &bytes));
    cr_expect_eq(bytes, 200000000);
    cr_expect(bp_json_get_int(json, "pushed_bytes", &bytes));
    cr_expect_eq(bytes, 0, "this store counts nothing");
    cr_expect_str_eq(bp_json_get_text(json, "store_full_at"), "2025-06-15T11:24:51Z");
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

/* ---- the time limit ---- */

static enum bp_code wait_for_ever(const struct fake_row *row, struct bp_err *err)
{
    return bp_clock_sleep(row->clock, 3600 * 1000, err);
}

Test(cmd_backup, ends_when_the_time_is_over_and_tells_how_to_allow_more)
{
    source.on_row = wait_for_ever;
    cr_expect_eq(run("backup --backup-repo /x --timeout 50ms"), bp_code_exit_status(BP_ETIMEOUT));
    cr_expect_str_eq(fake.err,
                     "snapshot of 'shop' (PostgreSQL 15.8), 1 tables locked\n"
                     "backproof: error: while reading: the time limit of 50 ms is over; hint: see "
                     "what takes so long, or allow more with --timeout\n");
    cr_expect_str_empty(fake.out);
    cr_expect_eq(store.commits, 0);
    cr_expect_null(fclock.base.stop, "the limit was that of the backup");
}

Test(cmd_backup, a_limit_that_is_not_reached_changes_nothing)
{
    cr_expect_eq(run("backup --backup-repo /x --timeout 10d"), 0, "%s", fake.err);
    cr_expect_eq(store.commits, 1);
    cr_expect_null(fclock.base.stop);
}

/* What the limit is without the option. */
static int64_t limit_seen;

static enum bp_code see_limit(const struct fake_row *row, struct bp_err *err)
{
    (void)row;
    (void)err;
    limit_seen = fclock.base.stop != NULL ? fclock.base.stop->limit_ms : 0;
    return BP_OK;
}

Test(cmd_backup, takes_half_an_hour_at_most_unless_told_otherwise)
{
    source.on_row = see_limit;
    cr_expect_eq(run("backup --backup-repo /x --jobs 1"), 0, "%s", fake.err);
    cr_expect_eq(limit_seen, 30 * 60 * 1000);
    cr_expect_eq(run("backup --backup-repo /x --jobs 1 --timeout 2h"), 0, "%s", fake.err);
    cr_expect_eq(limit_seen, 2 * 3600 * 1000);
}

Test(cmd_backup, a_hint_of_the_source_is_not_followed_by_another_one)
{
    source.lock_result = BP_ETIMEOUT;
    cr_expect_eq(run("backup --backup-repo /x"), bp_code_exit_status(BP_ETIMEOUT));
    cr_expect_str_eq(
        fake.err,
        "backproof: error: while connecting to the database, or waiting for another backup of it: no end of the "
        "wait; hint: see what takes so long, or allow more with --timeout\n");
}

/* ---- options that do not go together ---- */

Test(cmd_backup, refuses_dumps_that_would_hold_what_a_mask_hides)
{
    cr_expect_eq(run("backup --backup-repo /x --schema-dumps --mask users.email=null"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: --schema-dumps would hold the values that --mask "
                               "hides; hint: use one of them\n");
    cr_expect_eq(store.opens, 0);
    cr_expect_eq(atomic_load(&source.readers_asked), 0);
}

Test(cmd_backup, refuses_more_connections_than_a_server_would_bear)
{
    cr_expect_eq(run("backup --backup-repo /x --jobs 65"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: --jobs takes at most 64\n");
    cr_expect_eq(run("backup --backup-repo /x --jobs 64"), 0, "%s", fake.err);
}

Test(cmd_backup, gives_what_it_was_told_to_the_backup)
{
    source.dump_bytes = 5;
    cr_expect_eq(run("backup --backup-repo /x --schema-dumps --schema public --exclude-table old"),
                 0, "%s", fake.err);
    cr_expect_not_null(fake_store_get(&store, "backups/current/public/public.dump"));
    cr_expect_not_null(
        strstr(fake_store_get(&store, "backups/current/manifest.json"), "\"exclude_tables\""));
}

/* ---- another backup runs ---- */

Test(cmd_backup, says_that_it_was_skipped_and_why)
{
    source.locked = true;
    cr_expect_eq(run("backup --backup-repo /x --if-locked skip"), 0, "%s", fake.err);
    cr_expect_str_eq(fake.out, "skipped: another backup to 'main' is running\n");
    cr_expect_eq(store.commits, 0);
}

Test(cmd_backup, a_skipped_one_is_json_too)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    source.locked = true;
    cr_expect_eq(run("backup --backup-repo /x --if-locked skip --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect(bp_json_get_bool(json, "skipped", false));
    cr_expect_str_eq(bp_json_get_text(json, "reason"), "another backup to 'main' is running");
    cr_expect_eq(bp_json_count(json), 15u);
}

Test(cmd_backup, one_that_was_not_skipped_says_so_in_json)
{
    BP_AUTO(bp_json_freep) struct bp_json *json = NULL;
    struct bp_err err;

    cr_expect_eq(run("backup --backup-repo /x --format json"), 0, "%s", fake.err);
    cr_assert_eq(bp_json_parse(fake.out, strlen(fake.out), &json, &err), BP_OK, "%s", fake.out);
    cr_expect_not(bp_json_get_bool(json, "skipped", true));
    cr_expect_null(bp_json_get(json, "reason"));
}

Test(cmd_backup, fails_when_another_one_runs_and_that_is_wanted)
{
    source.locked = true;
    cr_expect_eq(run("backup --backup-repo /x --if-locked fail"), bp_code_exit_status(BP_ELOCKED));
    cr_expect_str_eq(fake.err, "backproof: error: another backup to 'main' is running\n");
    cr_expect_eq(run("backup --backup-repo /x"), 0, "by default it waits: %s", fake.err);
}

Test(cmd_backup, an_empty_database_is_taken_only_when_allowed)
{
    static const struct fake_source_table empty[] = {{"public", "users", 0, 30, 0, NULL, 0},
                                                     {NULL, NULL, 0, 0, 0, NULL, 0}};

    source.tables = empty;
    cr_expect_eq(run("backup --backup-repo /x"), 1);
    cr_expect_not_null(strstr(fake.err, "--allow-empty accepts it"), "%s", fake.err);
    cr_expect_eq(run("backup --backup-repo /x --allow-empty"), 0, "%s", fake.err);
}
