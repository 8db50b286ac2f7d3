#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/chunk.h"
#include "base/mem.h"
#include "flow/stage.h"
#include "support/fake_store.h"

static struct fake_store store;
static struct bp_manifest manifest;
static struct bp_stage stage;
static struct bp_stage_files files;
static struct bp_lines lines;
static struct bp_err err;

static void set_up(void)
{
    store = fake_store();
    stage = (struct bp_stage){.store = &store.base, .manifest = &manifest};
    lines = (struct bp_lines){
        .store = &store.base, .head = "COPY t FROM stdin;\n", .tail = "\\.\n", .files = &files};
}

static void tear_down(void)
{
    bp_lines_free(&lines);
    bp_stage_files_free(&files);
    bp_manifest_free(&manifest);
    fake_store_release(&store);
}

TestSuite(stage, .init = set_up, .fini = tear_down);

static enum bp_code add_rows(int rows, size_t row_len)
{
    BP_AUTO(bp_freep) char *row = bp_alloc(row_len + 24, 1);
    enum bp_code rc = BP_OK;

    for (int i = 0; i < rows && rc == BP_OK; i++) {
        memset(row, 'x', row_len);
        row[snprintf(row, 20, "%d", i)] = '\t';
        row[row_len - 1] = '\n';
        rc = bp_lines_add(&lines, row, row_len, &err);
    }
    return rc;
}

Test(stage, few_lines_are_one_file)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    cr_assert_eq(add_rows(100, 50), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    cr_expect_eq(files.lines, 100);
    cr_expect_eq(files.bytes, 5000);
    cr_assert_eq(bp_stage_files(&stage, "public/tables/t/data", ".sql", &files, &paths, &err),
                 BP_OK);
    cr_assert_eq(paths.count, 1u);
    cr_expect_str_eq(paths.at[0], "public/tables/t/data.sql");
    cr_expect_eq(manifest.files[0].bytes, 5000 + 22);
}

Test(stage, many_lines_are_numbered_files_each_a_statement_of_its_own)
{
    BP_AUTO(bp_list_free) struct bp_list paths = {0};
    size_t bytes = 0;

    cr_assert_eq(add_rows(20000, 1000), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    cr_assert_eq(bp_stage_files(&stage, "t", ".sql", &files, &paths, &err), BP_OK);
    cr_assert_gt(paths.count, 1u);
    cr_expect_str_eq(paths.at[0], "t/00001.sql");
    cr_expect_eq(manifest.file_count, paths.count);
    for (size_t i = 0; i < store.staged_count; i++) {
        const struct fake_file *file = &store.staged[i];

        cr_expect_eq(strncmp(file->data, "COPY t FROM stdin;\n", 19), 0);
        cr_expect_str_eq(file->data + file->len - 3, "\\.\n");
        cr_expect_leq(file->len, (size_t)BP_CHUNK_MAX + 2000);
        bytes += file->len - 22;
    }
    cr_expect_eq(bytes, 20000000u, "%zu bytes", bytes);
}

Test(stage, without_lines_there_is_a_file_only_when_asked_for)
{
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    cr_expect_eq(files.count, 0u);
    cr_assert_eq(bp_lines_end(&lines, true, &err), BP_OK);
    cr_assert_eq(files.count, 1u);
    cr_expect_str_eq(store.blobs[0].data, "COPY t FROM stdin;\n\\.\n");
}

Test(stage, a_row_that_no_git_server_takes_is_an_error)
{
    cr_assert_eq(add_rows(1, (size_t)100 << 20), BP_OK);
    cr_expect_eq(bp_lines_end(&lines, false, &err), BP_EFAILED);
    cr_expect_not_null(strstr(err.msg, "a single row is that large"), "%s", err.msg);
}

Test(stage, a_full_disk_is_told)
{
    store.put_result = BP_EFAILED;
    cr_assert_eq(add_rows(1, 100), BP_OK);
    cr_expect_eq(bp_lines_end(&lines, false, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "the disk is full");
}

Test(stage, bytes_are_cut_into_files_that_a_git_server_takes)
{
    BP_AUTO(bp_freep) char *piece = bp_alloc(1 << 20, 1);
    BP_AUTO(bp_list_free) struct bp_list paths = {0};

    lines.head = "";
    lines.tail = "";
    for (int i = 0; i < 70; i++) {
        memset(piece, i, 1 << 20);
        cr_assert_eq(bp_lines_add_bytes(&lines, piece, 1 << 20, &err), BP_OK);
    }
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    cr_assert_eq(bp_stage_files(&stage, "public/public.dump", "", &files, &paths, &err), BP_OK);
    cr_assert_eq(paths.count, 3u);
    cr_expect_str_eq(paths.at[2], "public/public.dump/00003");
    cr_expect_eq(manifest.files[0].bytes, 32 << 20);
    cr_expect_eq(manifest.files[2].bytes, 6 << 20);
}

Test(stage, files_are_joined_in_order)
{
    struct bp_stage_files more = {0};

    cr_assert_eq(add_rows(1, 100), BP_OK);
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    lines.files = &more;
    cr_assert_eq(add_rows(2, 50), BP_OK);
    cr_assert_eq(bp_lines_end(&lines, false, &err), BP_OK);
    bp_stage_files_join(&files, &more);
    cr_assert_eq(files.count, 2u);
    cr_expect_eq(files.at[0].bytes, 122);
    cr_expect_eq(files.lines, 3);
    cr_expect_eq(files.bytes, 200);
    cr_expect_eq(more.count, 0u);
}

Test(stage, a_text_has_its_checksum_in_the_manifest)
{
    cr_assert_eq(bp_stage_text(&stage, "roles.sql", "", 0, &err), BP_OK);
    cr_expect_str_eq(manifest.files[0].sha256,
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(stage, a_text_that_no_git_server_takes_is_an_error_with_a_hint_of_its_own)
{
    size_t len = (size_t)95 << 20;
    BP_AUTO(bp_freep) char *text = bp_alloc(len + 1, 1);

    memset(text, 'x', len + 1);
    cr_expect_eq(bp_stage_text(&stage, "database/pre-data.sql", text, len + 1, &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, "'database/pre-data.sql': a file would have 99614721 bytes, and a "
                              "Git server refuses files of 100 MiB; hint: back the schemas up "
                              "apart, with --schema and a --backup-branch for each");
    cr_expect_eq(bp_stage_text(&stage, "database/pre-data.sql", text, len, &err), BP_OK, "%s",
                 err.msg);
}
