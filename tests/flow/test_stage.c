#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "archive/chunk.h"
#include "base/mem.h"
#include "flow/stage.h"
#include "support/fake_source.h"
#include "support/fake_store.h"

static struct fake_store store;
static struct bp_manifest manifest;
static struct bp_out out;
static struct bp_stage stage;
static struct bp_err err;

static void set_up(void)
{
    store = fake_store();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    stage = (struct bp_stage){.store = &store.base, .manifest = &manifest, .out = &out};
}

static void tear_down(void)
{
    bp_manifest_free(&manifest);
    fake_store_release(&store);
}

TestSuite(stage, .init = set_up, .fini = tear_down);

static enum bp_code stage_table(int64_t rows, size_t row_len)
{
    struct fake_source_table tables[] = {{"public", "t", rows, row_len}, {NULL, NULL, 0, 0}};
    struct fake_source source = fake_source(tables);
    struct bp_source_info info = {0};
    struct bp_tables found = {0};
    enum bp_code rc = BP_OK;

    cr_assert_eq(source.base.ops->snapshot(&source.base, &info, &found, &err), BP_OK);
    rc = bp_stage_table(&stage, &source.base, &found.at[0], &err);
    bp_source_info_free(&info);
    bp_tables_free(&found);
    return rc;
}

Test(stage, a_small_table_is_one_file)
{
    cr_assert_eq(stage_table(100, 50), BP_OK, "%s", err.msg);
    cr_assert_eq(manifest.tables[0].files.count, 1u);
    cr_expect_str_eq(manifest.tables[0].files.at[0], "public/tables/t/data.sql");
    cr_expect_eq(manifest.tables[0].rows, 100);
    cr_expect_eq(manifest.tables[0].bytes, 5000);
}

Test(stage, a_large_table_is_numbered_files_each_a_statement_of_its_own)
{
    size_t bytes = 0;

    cr_assert_eq(stage_table(20000, 1000), BP_OK, "%s", err.msg);
    cr_assert_gt(manifest.tables[0].files.count, 1u);
    cr_expect_str_eq(manifest.tables[0].files.at[0], "public/tables/t/data/00001.sql");
    cr_expect_eq(manifest.file_count, manifest.tables[0].files.count);
    for (size_t i = 0; i < store.staged_count; i++) {
        const struct fake_file *file = &store.staged[i];

        cr_expect_eq(strncmp(file->data, "COPY \"public\".\"t\" (\"id\") FROM stdin;\n", 37), 0);
        cr_expect_str_eq(file->data + file->len - 3, "\\.\n");
        cr_expect_leq(file->len, (size_t)BP_CHUNK_MAX + 2000);
        bytes += file->len - strlen("COPY \"public\".\"t\" (\"id\") FROM stdin;\n\\.\n");
    }
    cr_expect_eq(bytes, 20000000u, "%zu bytes", bytes);
}

Test(stage, an_empty_table_keeps_its_file)
{
    cr_assert_eq(stage_table(0, 50), BP_OK, "%s", err.msg);
    cr_expect_eq(manifest.tables[0].files.count, 1u);
    cr_expect_str_eq(manifest.tables[0].sha256,
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(stage, a_row_that_no_git_server_takes_is_an_error_that_names_the_table)
{
    cr_expect_eq(stage_table(1, (size_t)100 << 20), BP_EFAILED);
    cr_expect(strstr(err.msg, "table 'public.t': 'public/tables/t/data.sql' would have") != NULL,
              "%s", err.msg);
}

Test(stage, large_objects_have_files_only_when_there_are_any)
{
    struct fake_source source = fake_source(NULL);
    int64_t count = -1;

    cr_assert_eq(bp_stage_large_objects(&stage, &source.base, &count, &err), BP_OK);
    cr_expect_eq(count, 0);
    cr_expect_eq(store.staged_count, 0u);
    source.large_object_lines = 3;
    cr_assert_eq(bp_stage_large_objects(&stage, &source.base, &count, &err), BP_OK);
    cr_expect_eq(store.staged_count, 1u);
    cr_expect_str_eq(store.staged[0].path, "database/large-objects/data.sql");
    cr_expect_eq(stage.rows, 0, "statements are no rows");
}
