#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/backup_internal.h"
#include "test_backup_world.h"

TestSuite(backup_limits, .init = backup_set_up, .fini = backup_tear_down, .timeout = 60);

static const int64_t day_ms = INT64_C(86400000);

/* The store of a real driver: what is put takes room. */
static int64_t held_blobs(struct bp_store *base)
{
    struct fake_store *self = (struct fake_store *)base;

    return self->held + (int64_t)self->blob_count * 1000;
}

static void count_blobs(void)
{
    static struct bp_store_ops ops;

    ops = *bw.store.base.ops;
    ops.held = held_blobs;
    bw.store.base.ops = &ops;
}

static struct bp_growth written(void)
{
    struct bp_growth g;

    bp_growth_read(bw.store.message, &g);
    return g;
}

/* ---- what the message tells the next backup ---- */

Test(backup_limits, the_first_backup_begins_the_count)
{
    struct bp_growth g;

    count_blobs();
    bw.store.missing = true;
    bw.store.held = 77;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    g = written();
    cr_expect_eq(g.bytes, (int64_t)bw.store.blob_count * 1000, "%s", bw.store.message);
    cr_expect_eq(g.began_bytes, g.bytes);
    cr_expect_eq(g.began_ms, INT64_C(1705329045000));
    cr_expect_not(g.at_least);
    cr_expect_eq(bw.result.pushed_bytes, g.bytes);
    cr_expect_eq(bw.result.growth.bytes, g.bytes);
    cr_expect_eq(bw.result.full_ms, 0);
}

Test(backup_limits, adds_to_what_the_tip_tells)
{
    struct bp_growth g;

    count_blobs();
    (void)snprintf(bw.store.message, sizeof(bw.store.message),
                   "x\n\nStore: 5000000 bytes, 4000000 at 2024-01-05T14-30-45Z\n");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    g = written();
    cr_expect_eq(g.bytes, 5000000 + bw.result.pushed_bytes);
    cr_expect_eq(g.began_bytes, 4000000);
    cr_expect_not(g.at_least);
    cr_expect_gt(bw.result.full_ms, bw.clock.wall_start_ms);
}

Test(backup_limits, of_an_older_branch_it_knows_the_least)
{
    struct bp_growth g;

    count_blobs();
    (void)snprintf(bw.store.message, sizeof(bw.store.message), "made by hand\n");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    g = written();
    cr_expect(g.at_least);
    cr_expect_eq(g.bytes, bw.result.pushed_bytes);
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    g = written();
    cr_expect(g.at_least, "and the next one still does");
}

Test(backup_limits, a_store_that_keeps_nothing_is_not_counted)
{
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_null(strstr(bw.store.message, "Store:"), "%s", bw.store.message);
    cr_expect_eq(bw.result.pushed_bytes, 0);
    (void)snprintf(bw.store.message, sizeof(bw.store.message),
                   "x\n\nStore: 50 bytes, 40 at 2024-01-05T14-30-45Z\n");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.store.message, "\nStore: 50 bytes, 40 at 2024-01-05T14-30-45Z\n"),
                       "%s", bw.store.message);
}

/* Somebody else's backup is the tip now. */
static void win_race(void *ctx)
{
    (void)ctx;
    (void)snprintf(bw.store.message, sizeof(bw.store.message),
                   "x\n\nStore: 6000000 bytes, 4000000 at 2024-01-05T14-30-45Z\n");
}

Test(backup_limits, a_push_that_is_tried_again_counts_once)
{
    int64_t alone = 0;

    count_blobs();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    alone = bw.result.pushed_bytes;
    backup_tear_down();
    backup_set_up();
    count_blobs();
    bw.store.lost_races = 3;
    bw.store.on_commit = win_race;
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_eq(bw.result.pushed_bytes, alone);
    cr_expect_eq(written().bytes, 6000000 + alone, "on top of what the other one tells");
}

/* ---- warnings ---- */

Test(backup_limits, says_when_the_branch_will_be_full)
{
    backup_listen();
    count_blobs();
    bw.clock.wall_start_ms = INT64_C(1705329045000);
    (void)snprintf(bw.store.message, sizeof(bw.store.message),
                   "Store: 3000000000 bytes, 2000000000 at 2024-01-05T14-30-45Z\n");
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.printed, "warning: the branch holds about 2.8 GiB and grows by "
                                          "about 95.4 MiB a day: 5 GiB in about 23 days; "),
                       "%s", bw.printed);
    cr_expect_eq((bw.result.full_ms - bw.clock.wall_start_ms) / day_ms, 23);
}

Test(backup_limits, a_branch_with_room_is_not_spoken_of)
{
    backup_listen();
    count_blobs();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_null(strstr(bw.printed, "warning"), "%s", bw.printed);
}

static struct bp_backup with_files(const int64_t *sizes, size_t count)
{
    struct bp_backup b = {.job = &bw.job};

    for (size_t i = 0; i < count; i++) {
        BP_AUTO(bp_freep) char *path = bp_format("public/tables/t%zu/data.sql", i);

        (void)bp_manifest_add_file(&b.manifest, path, sizes[i]);
    }
    return b;
}

Test(backup_limits, names_some_of_the_files_that_servers_dislike)
{
    static const int64_t sizes[] = {50 << 20, 60 << 20, 1, 51 << 20, 70 << 20, 80 << 20, 90 << 20};
    struct bp_backup b = with_files(sizes, sizeof(sizes) / sizeof(sizes[0]));

    backup_listen();
    bp_backup_warn(&b, &bw.result);
    (void)fflush(bw.out.err);
    cr_expect_null(strstr(bw.printed, "/t0/"), "50 MiB is no warning: %s", bw.printed);
    cr_expect_not_null(strstr(bw.printed, "warning: 'public/tables/t1/data.sql' has 60.0 MiB: "),
                       "%s", bw.printed);
    cr_expect_not_null(strstr(bw.printed, "/t3/"));
    cr_expect_not_null(strstr(bw.printed, "/t4/"));
    cr_expect_null(strstr(bw.printed, "/t5/"), "%s", bw.printed);
    cr_expect_not_null(strstr(bw.printed, "warning: 2 more files have more than 50 MiB\n"), "%s",
                       bw.printed);
    bp_manifest_free(&b.manifest);
}

Test(backup_limits, the_hint_fits_the_file)
{
    struct bp_backup b = {.job = &bw.job, .described = 51 << 20};

    backup_listen();
    (void)bp_manifest_add_file(&b.manifest, "public/tables/data/data/00001.sql", 52 << 20);
    bp_backup_warn(&b, &bw.result);
    (void)fflush(bw.out.err);
    cr_expect_not_null(strstr(bw.printed, "'manifest.json' has 51.0 MiB: GitHub warns of files "
                                          "above 50 MiB, and one above 95 MiB stops a backup; "
                                          "hint: back the schemas up apart, "),
                       "%s", bw.printed);
    cr_expect_not_null(strstr(bw.printed, "00001.sql' has 52.0 MiB: GitHub warns of files above 50 "
                                          "MiB, and one above 95 MiB stops a backup; hint: a "
                                          "single row is that large, "),
                       "%s", bw.printed);
    bp_manifest_free(&b.manifest);
}

Test(backup_limits, warns_of_many_archives)
{
    struct bp_backup b = {.job = &bw.job, .archives = 2500};

    backup_listen();
    bp_backup_warn(&b, &bw.result);
    (void)fflush(bw.out.err);
    cr_expect_not_null(strstr(bw.printed, "warning: the branch holds 2,500 archives, "), "%s",
                       bw.printed);
}

Test(backup_limits, a_manifest_that_no_server_takes_is_refused)
{
    struct bp_backup b = {.job = &bw.job, .described = 95 << 20};

    b.manifest.table_count = 7;
    cr_expect_eq(bp_backup_check_manifest(&b, &bw.err), BP_OK);
    b.described++;
    cr_expect_eq(bp_backup_check_manifest(&b, &bw.err), BP_EFAILED);
    cr_expect_not_null(strstr(bw.err.msg, "manifest.json would have 99614721 bytes for 7 tables in "
                                          "0 files, and a Git server refuses files of 100 MiB; "
                                          "hint: "),
                       "%s", bw.err.msg);
}
