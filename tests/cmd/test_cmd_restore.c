#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fake_app.h"
#include "support/fake_clock.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static const struct fake_source_table tables[] = {{"public", "users", 3, 30}, {NULL, NULL, 0, 0}};

static struct fake_clock fclock;
static struct fake_store store;
static struct fake_target target;
static struct fake_app fake;

static void set_up(void)
{
    struct fake_source source = fake_source(tables);

    fclock = fake_clock_new();
    store = fake_store();
    target = fake_target();
    fake = fake_app(&fclock.base);
    fake.app.source = &source.base;
    fake.app.store = &store.base;
    cr_assert_eq(fake_app_run(&fake, "backup --backup-repo /x"), 0, "%s", fake.err);
}

static void tear_down(void)
{
    fake_app_release(&fake);
    fake_store_release(&store);
    fake_target_release(&target);
}

TestSuite(cmd_restore, .init = set_up, .fini = tear_down);

static int run(const char *line)
{
    fake.app.store = &store.base;
    fake.app.target = &target.base;
    return fake_app_run(&fake, line);
}

/* With a person at a terminal who types this. */
static int run_answering(const char *answer)
{
    char text[16];
    int status = 0;

    (void)snprintf(text, sizeof(text), "%s", answer);
    fake.app.in = fmemopen(text, strlen(text), "r");
    fake.app.in_terminal = true;
    status = run("restore latest --backup-repo /x --clean");
    (void)fclose(fake.app.in);
    return status;
}

Test(cmd_restore, says_what_was_restored)
{
    cr_expect_eq(run("restore latest --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(strstr(fake.out, "restored 2024-01-15T14-30-45Z into 'new': 1 tables, 3 rows in ") ==
                  fake.out,
              "%s", fake.out);
    cr_expect(target.committed);
}

Test(cmd_restore, asks_at_a_terminal)
{
    target.contents = 2;
    cr_expect_eq(run_answering("n\n"), 2);
    cr_expect_not_null(strstr(fake.err, "Replace all 2 objects in database 'new' at here with "
                                        "archive 2024-01-15T14-30-45Z? [y/N] "));
    cr_expect_eq(run_answering("\n"), 2);
    cr_expect_not(target.committed);
    cr_expect_eq(run_answering("yes\n"), 0, "%s", fake.err);
    cr_expect(target.committed);
}

Test(cmd_restore, never_asks_elsewhere)
{
    target.contents = 2;
    cr_expect_eq(run("restore latest --backup-repo /x --clean"), 2);
    cr_expect_not_null(strstr(fake.err, "hint: --yes confirms outside a terminal"));
    cr_expect_eq(run("restore latest --backup-repo /x --clean --yes"), 0);
}

Test(cmd_restore, a_dry_run_changes_nothing)
{
    target.contents = 2;
    cr_expect_eq(run("restore latest --backup-repo /x --clean --dry-run"), 0, "%s", fake.err);
    cr_expect_not(target.committed);
    cr_expect_not_null(strstr(fake.out, "would load:\n  \"public\".\"users\": 3 rows, 90 B\n"),
                       "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "would replace:\n  table public.t0\n"), "%s", fake.out);
    cr_expect_not_null(strstr(fake.out, "\nwould restore "), "%s", fake.out);
}

Test(cmd_restore, needs_an_archive_and_takes_one)
{
    cr_expect_eq(run("restore --backup-repo /x"), 2);
    cr_expect_str_eq(fake.err,
                     "backproof: error: restore needs ID or --at; hint: 'latest' is the newest "
                     "archive\n");
    cr_expect_eq(run("restore a b --backup-repo /x"), 2);
    cr_expect_eq(run("restore latest --at 2024-01-15T12:00Z --backup-repo /x"), 2);
    cr_expect_not_null(strstr(fake.err, "ID and --at exclude each other"), "%s", fake.err);
    cr_expect_eq(run("restore latest --clean --resume --backup-repo /x"), 2);
    cr_expect_not_null(strstr(fake.err, "--resume and --clean exclude each other"));
    cr_expect_eq(run("restore latest --jobs 65 --backup-repo /x"), 2);
    cr_expect_not_null(strstr(fake.err, "at most 64"), "%s", fake.err);
}

Test(cmd_restore, refuses_a_password_on_the_command_line)
{
    cr_expect_eq(run("restore latest --backup-repo /x --to postgresql://u:hunter22@h/d"), 2);
    cr_expect_str_eq(fake.err, "backproof: error: the password in --to would show in the process "
                               "list; set BACKPROOF_TARGET_URL instead\n");
}

Test(cmd_restore, takes_the_archive_of_a_time)
{
    cr_expect_eq(run("restore --at 2034-01-15T12:00Z --backup-repo /x"), 0, "%s", fake.err);
    cr_expect(target.committed);
    cr_expect_eq(run("restore --at 2004-01-15T12:00Z --backup-repo /x"), 4);
}

Test(cmd_restore, lists_what_failed_and_ends_with_1)
{
    target.refuses = "\"users\"";
    cr_expect_eq(run("restore latest --backup-repo /x --continue-on-error"), 1);
    cr_expect_not_null(strstr(fake.out, "failed:\n  table 'public.users': "), "%s", fake.out);
    cr_expect_not_null(strstr(fake.err, "1 objects of archive 2024-01-15T14-30-45Z could not be"),
                       "%s", fake.err);
}
