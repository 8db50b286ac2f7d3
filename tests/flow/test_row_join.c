#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/mem.h"
#include "flow/row_join.h"

static char *dir;
static struct bp_row_join *join;
static struct bp_row_join_result result;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &dir, &err), BP_OK, "%s", err.msg);
}

static void tear_down(void)
{
    bp_row_join_result_free(&result);
    bp_row_join_freep(&join);
    bp_tempdir_removep(&dir);
}

TestSuite(row_join, .init = set_up, .fini = tear_down);

static void begin(int64_t rows, size_t keep)
{
    const struct bp_row_join_options options = {.temp_parent = dir, .rows = rows, .keep = keep};

    cr_assert_eq(bp_row_join_new(&options, &join, &err), BP_OK, "%s", err.msg);
}

static enum bp_code add(enum bp_row_pile pile, const char *key, const char *content,
                        uint32_t offset)
{
    const struct bp_joined_row row = {.pile = pile,
                                      .place = {.file = pile, .offset = offset},
                                      .key = {key, strlen(key)},
                                      .content = {content, strlen(content)}};

    return bp_row_join_add(join, &row, &err);
}

static void add_old(const char *key, const char *content, uint32_t offset)
{
    cr_assert_eq(add(BP_PILE_OLD, key, content, offset), BP_OK, "%s", err.msg);
}

static void add_now(const char *key, const char *content, uint32_t offset)
{
    cr_assert_eq(add(BP_PILE_NOW, key, content, offset), BP_OK, "%s", err.msg);
}

static void run(void)
{
    cr_assert_eq(bp_row_join_run(join, NULL, &result, &err), BP_OK, "%s", err.msg);
}

static void expect_counts(int64_t added, int64_t removed, int64_t changed)
{
    cr_expect_eq(result.counts[BP_ROW_ADDED], added, "%ld added",
                 (long)result.counts[BP_ROW_ADDED]);
    cr_expect_eq(result.counts[BP_ROW_REMOVED], removed, "%ld removed",
                 (long)result.counts[BP_ROW_REMOVED]);
    cr_expect_eq(result.counts[BP_ROW_CHANGED], changed, "%ld changed",
                 (long)result.counts[BP_ROW_CHANGED]);
}

static size_t files_in(const char *folder)
{
    DIR *open = opendir(folder);
    size_t count = 0;

    cr_assert_not_null(open, "%s", folder);
    for (const struct dirent *e = readdir(open); e != NULL; e = readdir(open))
        count += e->d_name[0] != '.';
    (void)closedir(open);
    return count;
}

Test(row_join, tells_added_removed_and_changed_rows_by_key)
{
    begin(100, 10);
    add_old("1", "1 same", 0);
    add_old("2", "2 old", 10);
    add_old("3", "3 goes", 20);
    add_now("4", "4 comes", 0);
    add_now("2", "2 new", 10);
    add_now("1", "1 same", 20);
    run();
    expect_counts(1, 1, 1);
    cr_assert_eq(result.first[BP_ROW_CHANGED].count, 1);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].old.offset, 10);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].now.offset, 10);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].now.file, BP_PILE_NOW);
    cr_expect_eq(result.first[BP_ROW_REMOVED].at[0].old.offset, 20);
    cr_expect_eq(result.first[BP_ROW_ADDED].at[0].now.offset, 0);
}

Test(row_join, rows_without_a_key_are_counted_as_often_as_they_are)
{
    begin(100, 10);
    for (uint32_t i = 0; i < 5; i++)
        add_old("x", "x", i);
    for (uint32_t i = 0; i < 3; i++)
        add_now("x", "x", i);
    add_now("y", "y", 3);
    add_now("y", "y", 4);
    run();
    expect_counts(2, 2, 0);
    cr_expect_eq(result.first[BP_ROW_ADDED].count, 2);
}

/* A mask may have made all keys the same. */
Test(row_join, rows_of_one_key_are_paired_as_long_as_both_piles_have_some)
{
    begin(100, 10);
    add_old("k", "same", 0);
    add_old("k", "a", 1);
    add_old("k", "b", 2);
    add_old("k", "b", 3);
    add_now("k", "c", 0);
    add_now("k", "same", 1);
    run();
    expect_counts(0, 2, 1);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].old.offset, 1);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].now.offset, 0);
}

Test(row_join, keeps_the_first_of_each_kind_in_their_order)
{
    begin(100, 3);
    for (uint32_t i = 0; i < 50; i++) {
        char key[16];

        (void)snprintf(key, sizeof(key), "%u", i * 37 % 50);
        add_now(key, key, i * 37 % 50);
    }
    run();
    expect_counts(50, 0, 0);
    cr_assert_eq(result.first[BP_ROW_ADDED].count, 3);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(result.first[BP_ROW_ADDED].at[i].now.offset, i);
}

Test(row_join, none_is_kept_when_none_is_asked_for)
{
    begin(100, 0);
    add_now("1", "1", 0);
    run();
    expect_counts(1, 0, 0);
    cr_expect_eq(result.first[BP_ROW_ADDED].count, 0);
}

/* More rows than a bucket's buffer holds, in several buckets; the piles are in another order. */
Test(row_join, compares_many_rows_on_disk)
{
    enum { MANY = 60000 };

    begin(900000, 2);
    for (uint32_t i = 0; i < MANY; i++) {
        char key[16];
        char content[32];

        (void)snprintf(key, sizeof(key), "%u", i);
        (void)snprintf(content, sizeof(content), "%u %d", i, i % 1000 == 7);
        if (i % 10000 != 1)
            add_old(key, content, i);
        (void)snprintf(key, sizeof(key), "%u", MANY - i);
        (void)snprintf(content, sizeof(content), "%u 0", MANY - i);
        add_now(key, content, i);
    }
    run();
    /* 0 is only in the old pile; 60000 and the six that were passed over only in the new one. */
    expect_counts(7, 1, MANY / 1000);
    cr_expect_eq(result.first[BP_ROW_CHANGED].count, 2);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[0].old.offset, 7);
    cr_expect_eq(result.first[BP_ROW_CHANGED].at[1].old.offset, 1007);
}

Test(row_join, leaves_no_file_behind)
{
    begin(100, 1);
    add_old("1", "1", 0);
    cr_expect_eq(files_in(dir), 1, "its private folder");
    run();
    bp_row_join_freep(&join);
    cr_expect_eq(files_in(dir), 0);
}

Test(row_join, without_rows_there_is_no_difference)
{
    begin(0, 5);
    run();
    expect_counts(0, 0, 0);
}

Test(row_join, says_that_the_folder_cannot_be_used)
{
    const struct bp_row_join_options options = {.temp_parent = "/nowhere", .rows = 1};

    cr_expect_eq(bp_row_join_new(&options, &join, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "cannot make a temporary folder in '/nowhere'"));
    cr_expect_null(join);
}

Test(row_join, says_that_the_disk_is_full)
{
    const struct rlimit small = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    enum bp_code rc = BP_OK;

    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    begin(100, 1);
    for (uint32_t i = 0; i < 1000 && rc == BP_OK; i++)
        rc = add(BP_PILE_OLD, "k", "c", i);
    cr_expect_eq(rc, BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "cannot write to the temporary folder"), "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "hint: set TMPDIR"), "%s", err.msg);
}

Test(row_join, ends_when_it_is_asked_to)
{
    struct bp_stop stop = {0};

    cr_assert_eq(bp_stop_open(&stop, &err), BP_OK);
    begin(100, 1);
    add_old("1", "1", 0);
    bp_stop_ask(&stop);
    cr_expect_eq(bp_row_join_run(join, &stop, &result, &err), BP_ESTOPPED);
    bp_stop_close(&stop);
}
