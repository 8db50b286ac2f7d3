#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "flow/mark.h"
#include "support/fake_clock.h"
#include "support/fake_store.h"

static struct fake_clock fclock;
static struct fake_store store;
static struct bp_out out;
static struct bp_mark_job job;
static struct bp_mark_result result;
static struct bp_err err;

static void set_up(void)
{
    fclock = fake_clock_new();
    store = fake_store();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    job = (struct bp_mark_job){.store = &store.base,
                               .clock = &fclock.base,
                               .out = &out,
                               .branch = "main",
                               .archive = "latest"};
    fake_store_put(&store, "backups/archive/2024-01-14T08-16-02Z--o-r--push--1234567/x", "x");
    fake_store_put(&store, "backups/latest/latest_2024-01-15T14-30-45Z/x", "x");
    fake_store_put(&store, "README.md", "hello");
}

static void tear_down(void)
{
    fake_store_release(&store);
}

TestSuite(mark, .init = set_up, .fini = tear_down);

static enum bp_code mark(const char *archive, const char *reason, bool undo)
{
    job.archive = archive;
    job.reason = reason;
    job.undo = undo;
    return bp_flow_mark(&job, &result, &err);
}

static const char *file(void)
{
    const char *text = fake_store_get(&store, "backups/keep");

    return text != NULL ? text : "(none)";
}

Test(mark, writes_one_line_in_one_commit)
{
    cr_assert_eq(mark("latest", " before the migration ", false), BP_OK, "%s", err.msg);
    cr_expect(result.changed);
    cr_expect_str_eq(result.id, "2024-01-15T14-30-45Z");
    cr_expect_str_eq(result.commit, "c0ffee1");
    cr_expect_str_eq(store.message, "keep: marked 2024-01-15T14-30-45Z, before the migration\n");
    cr_expect_str_eq(file(),
                     "# Archives that are never removed, one in each line: its id and why.\n"
                     "2024-01-15T14-30-45Z  before the migration\n");
    cr_expect_eq(fake_store_count(&store, ""), 4u, "nothing else changed");
}

Test(mark, finds_an_archive_by_the_beginning_of_its_id)
{
    cr_assert_eq(mark("2024-01-14", NULL, false), BP_OK, "%s", err.msg);
    cr_expect_str_eq(result.id, "2024-01-14T08-16-02Z");
    cr_expect_eq(mark("2024-01", NULL, false), BP_EUSAGE);
    cr_expect_eq(mark("2023", NULL, false), BP_ENOTFOUND);
}

Test(mark, what_is_marked_already_makes_no_commit)
{
    cr_assert_eq(mark("latest", "why", false), BP_OK, "%s", err.msg);
    cr_assert_eq(mark("latest", NULL, false), BP_OK, "%s", err.msg);
    cr_expect_not(result.changed);
    cr_expect_str_eq(result.reason, "why");
    cr_assert_eq(mark("latest", "why", false), BP_OK, "%s", err.msg);
    cr_expect_eq(store.commits, 1);
    cr_assert_eq(mark("latest", "another reason", false), BP_OK, "%s", err.msg);
    cr_expect(result.changed);
    cr_expect_eq(store.commits, 2);
}

Test(mark, undo_takes_the_line_away_and_leaves_the_others)
{
    fake_store_put(&store, "backups/keep",
                   "# ours\n2024-01-15T14-30-45Z a\n\n2024-01-14T08-16-02Z b\n");
    cr_assert_eq(mark("latest", NULL, true), BP_OK, "%s", err.msg);
    cr_expect_str_eq(file(), "# ours\n\n2024-01-14T08-16-02Z b\n");
    cr_expect_str_eq(store.message, "keep: unmarked 2024-01-15T14-30-45Z\n");
    cr_assert_eq(mark("latest", NULL, true), BP_OK, "%s", err.msg);
    cr_expect_not(result.changed);
    cr_expect_eq(store.commits, 1);
}

Test(mark, undo_knows_an_archive_that_is_gone_by_its_whole_id)
{
    fake_store_put(&store, "backups/keep", "2020-01-01T00-00-00Z old\n");
    cr_expect_eq(mark("2020-01-01", NULL, true), BP_ENOTFOUND);
    cr_assert_eq(mark("2020-01-01T00-00-00Z", NULL, true), BP_OK, "%s", err.msg);
    cr_expect_str_eq(file(), "(none)");
}

Test(mark, an_empty_file_is_no_trouble)
{
    fake_store_put(&store, "backups/keep", "");
    cr_assert_eq(mark("latest", NULL, false), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(file(), "\n2024-01-15T14-30-45Z\n"));
    cr_expect_eq(fake_store_count(&store, "backups/keep"), 1u);
}

Test(mark, a_file_that_cannot_be_read_is_not_overwritten)
{
    fake_store_put(&store, "backups/keep", "2024-01-15T14-30-45Z a\nlatest b\n");
    cr_expect_eq(mark("latest", NULL, false), BP_EUSAGE);
    cr_expect_eq(strncmp(err.msg, "line 2 of backups/keep: 'latest' is no", 38), 0, "%s", err.msg);
    cr_expect_eq(store.commits, 0);
}

Test(mark, a_reason_is_one_line)
{
    char longest[BP_KEEP_REASON_LIMIT + 2];

    cr_expect_eq(mark("latest", "a\nb", false), BP_EUSAGE);
    cr_expect_eq(mark("latest", "\xff", false), BP_EUSAGE);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    cr_expect_eq(mark("latest", longest, false), BP_EUSAGE);
    cr_expect_eq(store.opens, 0);
    longest[sizeof(longest) - 2] = '\0';
    cr_expect_eq(mark("latest", longest, false), BP_OK, "%s", err.msg);
}

static void somebody_marks(void *ctx)
{
    (void)ctx;
    store.on_commit = NULL;
    fake_store_put(&store, "backups/keep", "2024-01-14T08-16-02Z theirs\n");
}

Test(mark, after_a_lost_race_the_others_line_is_there_too)
{
    store.lost_races = 1;
    store.on_commit = somebody_marks;
    cr_assert_eq(mark("latest", "ours", false), BP_OK, "%s", err.msg);
    cr_expect_str_eq(file(), "2024-01-14T08-16-02Z theirs\n2024-01-15T14-30-45Z  ours\n");
    cr_expect_eq(store.refreshes, 1);
}

Test(mark, names_a_branch_that_is_not_there)
{
    store.missing = true;
    cr_expect_eq(mark("latest", NULL, false), BP_ENOTFOUND);
    cr_expect_eq(strncmp(err.msg, "the backup repository has no branch 'main'", 42), 0, "%s",
                 err.msg);
}
