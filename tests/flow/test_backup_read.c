#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "test_backup_world.h"

enum { FOR_EVER_MS = 3600 * 1000 };

/* Large enough for several files, in slices. */
static const struct fake_source_table many[] = {{"public", "large", 600, 50000, 6, NULL, 0},
                                                {"public", "small", 5, 40, 1, NULL, 0},
                                                {"app", "empty", 0, 40, 3, NULL, 0},
                                                {"app", "b", 100, 40, 4, NULL, 0},
                                                {NULL, NULL, 0, 0, 0, NULL, 0}};

TestSuite(backup_read, .init = backup_set_up, .fini = backup_tear_down, .timeout = 60);

static const struct bp_manifest_table *table_of(const char *name)
{
    const struct bp_manifest_table *found = NULL;

    for (size_t i = 0; i < bw.manifest.table_count; i++) {
        if (strcmp(bw.manifest.tables[i].name, name) == 0)
            found = &bw.manifest.tables[i];
    }
    cr_assert_not_null(found, "the manifest does not know table %s", name);
    return found;
}

/* ---- the manifest ---- */

Test(backup_read, the_archive_is_the_same_for_any_number_of_connections)
{
    static const size_t jobs[] = {1, 2, 3, 8, 0};
    BP_AUTO(bp_freep) char *wanted = NULL;

    bw.source.tables = many;
    bw.source.large_object_lines = 7;
    bw.source.dump_bytes = 100;
    bw.job.schema_dumps = true;
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        fake_store_release(&bw.store);
        bw.job.jobs = jobs[i];
        backup_manifest();
        cr_expect_str_eq(bw.result.id, "2024-01-15T14-30-45Z");
        if (wanted == NULL)
            wanted = bp_strdup(backup_file("manifest.json"));
        cr_expect_str_eq(backup_file("manifest.json"), wanted, "%zu connections", jobs[i]);
    }
}

Test(backup_read, the_files_are_listed_in_the_order_of_their_paths)
{
    static const char *const paths[] = {".gitattributes",
                                        "RESTORE.md",
                                        "app/tables/empty/data.sql",
                                        "app/tables/empty/schema.sql",
                                        "database/large-objects/data.sql",
                                        "database/post-data.sql",
                                        "database/pre-data.sql",
                                        "database/refresh.sql",
                                        "database/sequences.sql",
                                        "public/public.dump",
                                        "public/tables/users/data.sql",
                                        "public/tables/users/schema.sql",
                                        "restore.sh",
                                        "roles.sql"};

    bw.source.large_object_lines = 1;
    bw.source.dump_bytes = 1;
    bw.job.schema_dumps = true;
    bw.job.jobs = 4;
    backup_manifest();
    cr_assert_eq(bw.manifest.file_count, sizeof(paths) / sizeof(paths[0]));
    for (size_t i = 0; i < bw.manifest.file_count; i++)
        cr_expect_str_eq(bw.manifest.files[i].path, paths[i]);
}

Test(backup_read, the_checksum_of_a_table_is_that_of_the_checksums_of_its_files)
{
    const struct bp_manifest_table *table = NULL;
    BP_AUTO(bp_buf_free) struct bp_buf sums = {0};
    char wanted[BP_SHA256_HEX_SIZE];

    bw.source.tables = many;
    bw.job.jobs = 3;
    backup_manifest();
    table = table_of("large");
    cr_expect_gt(table->files.count, 2);
    for (size_t i = 0; i < table->files.count; i++) {
        BP_AUTO(bp_freep)
        char *path = bp_format("public/tables/large/data/%05zu.sql", i + 1);

        cr_expect_str_eq(table->files.at[i], path);
        bp_buf_printf(&sums, "%s\n", backup_listed(path)->sha256);
    }
    bp_sha256_hex(bp_buf_str(&sums), sums.len, wanted);
    cr_expect_str_eq(table->sha256, wanted);
    cr_expect_eq(table->rows, 600);
    cr_expect_eq(table->bytes, 600 * 50000);
}

Test(backup_read, the_checksum_of_a_file_is_that_of_its_bytes)
{
    const char *text = NULL;
    char wanted[BP_SHA256_HEX_SIZE];

    backup_manifest();
    text = backup_file("public/tables/users/data.sql");
    bp_sha256_hex(text, strlen(text), wanted);
    cr_expect_str_eq(backup_listed("public/tables/users/data.sql")->sha256, wanted);
    cr_expect_eq(backup_listed("public/tables/users/data.sql")->bytes, strlen(text));
}

Test(backup_read, the_manifest_tells_what_was_asked_for)
{
    struct bp_scope scope = {0};
    struct bp_list *const given[] = {
        &scope.schemas,        &scope.exclude_schemas,    &scope.tables,
        &scope.exclude_tables, &scope.exclude_table_data, &scope.masks};
    const struct bp_manifest_options *got = &bw.manifest.options;
    const struct bp_list *const told[] = {
        &got->schemas,        &got->exclude_schemas,    &got->tables,
        &got->exclude_tables, &got->exclude_table_data, &got->masks};

    for (size_t i = 0; i < 6; i++)
        bp_list_addf(given[i], "pattern%zu", i);
    bw.job.scope = &scope;
    bw.job.schema_dumps = true;
    bw.source.dump_bytes = 1;
    backup_manifest();
    cr_expect(got->schema_dumps);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(told[i]->count, 1);
        cr_expect_str_eq(told[i]->at[0], given[i]->at[0]);
        bp_list_free(given[i]);
    }
}

Test(backup_read, the_manifest_of_everything_tells_of_no_options)
{
    backup_manifest();
    cr_expect_null(strstr(backup_file("manifest.json"), "schema_dumps"));
    cr_expect_eq(bw.manifest.options.schemas.count, 0);
    cr_expect_eq(bw.manifest.options.masks.count, 0);
}

/* ---- dumps of schemas ---- */

Test(backup_read, a_dump_of_each_schema_is_added_when_asked_for)
{
    bw.source.dump_bytes = 1000;
    bw.job.schema_dumps = true;
    backup_manifest();
    cr_assert_not_null(backup_file("public/public.dump"));
    cr_expect_eq(strlen(backup_file("public/public.dump")), 1000);
    cr_expect_eq(backup_listed("public/public.dump")->bytes, 1000);
}

Test(backup_read, without_being_asked_for_there_is_no_dump)
{
    bw.source.dump_bytes = 1000;
    backup_manifest();
    cr_expect_null(backup_file("public/public.dump"));
}

Test(backup_read, a_dump_without_a_byte_is_a_failure)
{
    bw.job.schema_dumps = true;
    cr_expect_eq(backup_run(), BP_EFAILED);
    cr_expect_str_eq(bw.err.msg, "the dump of schema 'public' has no byte");
    cr_expect_eq(bw.store.commits, 0);
}

/* ---- connections ---- */

Test(backup_read, fewer_connections_than_asked_for_read_everything)
{
    bw.source.tables = many;
    bw.source.most_readers = 1;
    bw.job.jobs = 4;
    backup_listen();
    backup_manifest();
    cr_expect_eq(bw.manifest.table_count, 4);
    cr_expect_eq(bw.result.rows, 705);
    cr_expect_not_null(strstr(bw.printed, "read with 1 of 4 connections: too many connections\n"),
                       "%s", bw.printed);
}

Test(backup_read, all_connections_are_told_of_by_no_word)
{
    bw.job.jobs = 4;
    backup_listen();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_null(strstr(bw.printed, "instead of"), "%s", bw.printed);
}

Test(backup_read, a_table_that_somebody_waits_to_change_is_read_by_the_holder_of_the_locks)
{
    bw.source.tables = many;
    bw.source.awaited = "large";
    bw.job.jobs = 4;
    backup_manifest();
    cr_expect_eq(table_of("large")->rows, 600);
    cr_expect_eq(bw.result.rows, 705);
}

Test(backup_read, locks_that_were_lost_before_the_end_are_a_failure)
{
    bw.source.confirm_result = BP_EUNAVAILABLE;
    cr_expect_eq(backup_run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(bw.err.msg, "the session that holds the locks is gone");
    cr_expect_eq(bw.store.commits, 0);
}

/* ---- failures ---- */

static enum bp_code fail_in_the_middle(const struct fake_row *row, struct bp_err *e)
{
    if (row->number == 300)
        return bp_fail(e, BP_EUNAVAILABLE, "the connection was lost");
    return BP_OK;
}

Test(backup_read, one_reader_that_fails_ends_all)
{
    bw.source.tables = many;
    bw.source.on_row = fail_in_the_middle;
    bw.job.jobs = 4;
    cr_expect_eq(backup_run(), BP_EUNAVAILABLE);
    cr_expect_str_eq(bw.err.msg, "table 'public.large': the connection was lost");
    cr_expect_eq(bw.store.staged_count, 0);
}

Test(backup_read, a_full_disk_is_told)
{
    bw.store.put_result = BP_EFAILED;
    bw.job.jobs = 2;
    cr_expect_eq(backup_run(), BP_EFAILED);
    cr_expect_not_null(strstr(bw.err.msg, "the disk is full"), "%s", bw.err.msg);
}

/* ---- what is said meanwhile ---- */

/* Time passes once somebody reads. */
static void pass_while_reading(struct fake_clock *self)
{
    if (atomic_load(&bw.source.readers_asked) > 0)
        self->now_ms += 4000;
}

Test(backup_read, tells_rows_rate_and_the_time_that_is_left)
{
    static const struct fake_source_table large_on_disk[] = {
        {"public", "users", 3000, 30, 0, NULL, 900000000}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    const char *line = NULL;

    bw.source.tables = large_on_disk;
    bw.clock.on_look = pass_while_reading;
    backup_listen();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    for (const char *p = bw.printed; (p = strstr(p, "backing up: ")) != NULL; p++)
        line = p;
    cr_assert_not_null(line, "%s", bw.printed);
    cr_expect(bp_text_starts_with(line, "backing up: 3,000 rows, 87.9 KiB, "), "%s", line);
    cr_expect_not_null(strstr(line, "/s, about "), "%s", line);
    cr_expect_not_null(strstr(line, " left\r"), "the line is removed: %s", line);
}

Test(backup_read, without_a_passed_moment_there_is_no_rate)
{
    backup_listen();
    cr_assert_eq(backup_run(), BP_OK, "%s", bw.err.msg);
    cr_expect_not_null(strstr(bw.printed, "backing up: 3 rows, 90 B\r"), "%s", bw.printed);
}

static enum bp_code wait_for_ever(const struct fake_row *row, struct bp_err *e)
{
    return bp_clock_sleep(row->clock, FOR_EVER_MS, e);
}

Test(backup_read, the_end_of_the_time_ends_every_reader)
{
    struct bp_stop limited = bp_stop_limited(NULL, 50);

    bw.clock.base.stop = &limited;
    bw.source.tables = many;
    bw.source.on_row = wait_for_ever;
    bw.job.jobs = 4;
    cr_expect_eq(backup_run(), BP_ETIMEOUT);
    cr_expect_str_eq(bw.err.msg, "while reading: the time limit of 50 ms is over");
    cr_expect_eq(bw.store.commits, 0);
}

static atomic_int stuck; /* a reader waits in a table */
static int looks;        /* since then */

static enum bp_code get_stuck(const struct fake_row *row, struct bp_err *e)
{
    atomic_store(&stuck, 1);
    return bp_clock_sleep(row->clock, FOR_EVER_MS, e);
}

/* The caller's thread looks at the time after it has named what is read. At the first look the
 * reader may have come in between. */
static void ask_at_second_look(struct fake_clock *self)
{
    (void)self;
    if (atomic_load(&stuck) != 0 && ++looks == 2)
        bp_stop_ask(&bw.stop);
}

Test(backup_read, a_stop_tells_which_table_was_being_read)
{
    backup_with_stop();
    bw.source.on_row = get_stuck;
    bw.clock.on_look = ask_at_second_look;
    bw.job.jobs = 2;
    cr_expect_eq(backup_run(), BP_ESTOPPED);
    cr_expect_str_eq(bw.err.msg, "while reading table 'public.users': stopped by SIGTERM");
    cr_expect_eq(bw.store.commits, 0);
}
