#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "flow/archive_check.h"
#include "support/fake_archive.h"
#include "support/fake_clock.h"

#define FOLDER "backups/latest/latest_2024-01-15T14-30-45Z"

static struct fake_clock fclock;
static struct fake_store store;
static struct bp_out out;
static struct bp_catalog catalog;
static struct bp_archive_check check;
static struct bp_archive_checked checked;
static struct bp_err err;

static void set_up(void)
{
    static const char *const rows[] = {"1\tx\n2\ty\n", "3\tz\n", NULL};

    fclock = fake_clock_new();
    store = fake_store();
    out = (struct bp_out){.out = stdout, .err = stderr, .level = BP_LEVEL_QUIET};
    struct fake_archive archive = fake_archive(&store, FOLDER);
    fake_archive_file(&archive, "roles.sql", "-- roles\n");
    fake_archive_file(&archive, "database/pre-data.sql", "-- pre\n");
    fake_archive_table(&archive, "users", "id, name", "-- users\n", rows);
    fake_archive_end(&archive);
    cr_assert_eq(bp_catalog_load(&store.base, &catalog, &err), BP_OK);
    cr_assert_eq(bp_catalog_describe(&store.base, &catalog.at[0], &err), BP_OK, "%s", err.msg);
    check = (struct bp_archive_check){.store = &store.base,
                                      .entry = &catalog.at[0],
                                      .clock = &fclock.base,
                                      .out = &out,
                                      .workers = 3};
}

static void tear_down(void)
{
    bp_archive_checked_free(&checked);
    bp_catalog_free(&catalog);
    fake_store_release(&store);
}

TestSuite(archive_check, .init = set_up, .fini = tear_down);

static enum bp_code run(void)
{
    bp_archive_checked_free(&checked);
    return bp_archive_check(&check, &checked, &err);
}

Test(archive_check, an_archive_as_it_was_written_is_right)
{
    cr_assert_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(checked.files, 5);
    cr_expect_eq(checked.bytes,
                 catalog.at[0].manifest.files[0].bytes + catalog.at[0].manifest.files[1].bytes +
                     catalog.at[0].manifest.files[2].bytes + catalog.at[0].manifest.files[3].bytes +
                     catalog.at[0].manifest.files[4].bytes);
    cr_expect_eq(checked.findings.count, 0);
}

Test(archive_check, every_wrong_file_is_named_and_the_first_is_the_error)
{
    fake_store_put(&store, FOLDER "/roles.sql", "-- rules\n");
    fake_store_put(&store, FOLDER "/public/tables/users/data/00002.sql", "");
    cr_assert_eq(run(), BP_EINTEGRITY);
    cr_assert_eq(checked.findings.count, 2);
    cr_expect(strstr(err.msg, checked.findings.at[0]) != NULL);
    cr_expect(strstr(checked.findings.at[1], "'roles.sql' is wrong") != NULL);
    cr_expect(strstr(checked.findings.at[0], "'public/tables/users/data/00002.sql' is wrong") !=
              NULL);
    cr_expect_eq(checked.files, 3);
}

Test(archive_check, a_missing_file_is_named)
{
    bp_free(catalog.at[0].manifest.files[0].path);
    catalog.at[0].manifest.files[0].path = bp_strdup("database/aaa.sql");
    cr_assert_eq(run(), BP_EINTEGRITY);
    cr_expect(strstr(err.msg, "lacks the file 'database/aaa.sql'") != NULL, "%s", err.msg);
}

Test(archive_check, what_the_manifest_does_not_list_is_named)
{
    fake_store_put(&store, FOLDER "/extra.sql", "DROP DATABASE x;");
    fake_store_put(&store, FOLDER "/public/tables/users/data/99999.sql", "1");
    fake_store_put(&store, FOLDER "/other/tables/t/data.sql", "1");
    cr_assert_eq(run(), BP_EINTEGRITY);
    cr_assert_eq(checked.findings.count, 3);
    cr_expect_str_eq(checked.findings.at[0], "archive '2024-01-15T14-30-45Z' holds 'extra.sql', "
                                             "which its manifest does not list");
    cr_expect(strstr(checked.findings.at[1], "'other'") != NULL);
    cr_expect(strstr(checked.findings.at[2], "'public/tables/users/data/99999.sql'") != NULL);
}

Test(archive_check, a_signature_is_no_extra_file)
{
    fake_store_put(&store, FOLDER "/manifest.json.minisig", "untrusted comment: x\n");
    cr_expect_eq(run(), BP_OK, "%s", err.msg);
}

Test(archive_check, a_name_with_control_characters_stays_on_one_line)
{
    fake_store_put(&store, FOLDER "/a\nb", "");
    cr_assert_eq(run(), BP_EINTEGRITY);
    cr_expect(strstr(err.msg, "'a b'") != NULL, "%s", err.msg);
}

Test(archive_check, a_store_that_fails_is_no_damage)
{
    store.unreadable = "roles.sql";
    cr_expect_eq(run(), BP_EFAILED);
    cr_expect(strstr(err.msg, "no space left") != NULL, "%s", err.msg);
}

Test(archive_check, many_findings_are_counted)
{
    for (int i = 0; i < 130; i++) {
        BP_AUTO(bp_freep) char *path = bp_format(FOLDER "/x%d", i);

        fake_store_put(&store, path, "");
    }
    cr_assert_eq(run(), BP_EINTEGRITY);
    cr_assert_eq(checked.findings.count, 101);
    cr_expect_str_eq(checked.findings.at[100], "and 30 more like these");
}

/* Says of the second file of the manifest that it is wrong. */
static enum bp_code look(void *ctx, size_t number, const struct bp_buf *text, struct bp_err *err_)
{
    (void)text;
    if (number == 1)
        return bp_fail(err_, *(enum bp_code *)ctx, "not like this");
    return BP_OK;
}

Test(archive_check, whoever_looks_may_find_more)
{
    enum bp_code says = BP_EINTEGRITY;

    check.look = look;
    check.ctx = &says;
    cr_expect_eq(run(), BP_EINTEGRITY);
    cr_expect_str_eq(err.msg, "not like this");
    cr_expect_eq(checked.files, 5);
    says = BP_EFAILED;
    cr_expect_eq(run(), BP_EFAILED);
}

Test(archive_check, a_sealed_archive_is_checked_by_both_of_its_lists)
{
    struct bp_catalog_entry *entry = &catalog.at[0];
    const struct bp_identities identities = {0};
    struct bp_manifest_file *file = bp_manifest_add_file(&entry->outer, "manifest.private", 4);

    memcpy(file->sha256, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 65);
    fake_store_put(&store, FOLDER "/manifest.private", "test");
    for (size_t i = 0; i < entry->manifest.file_count; i++)
        (void)bp_manifest_add_file(&entry->outer, entry->manifest.files[i].path, 1);
    entry->identities = &identities;
    cr_expect_eq(run(), BP_OK, "%s", err.msg);
    cr_expect_eq(checked.files, 6);
    fake_store_put(&store, FOLDER "/manifest.private", "text");
    cr_expect_eq(run(), BP_EINTEGRITY);
    cr_expect(strstr(err.msg, "manifest.private") != NULL, "%s", err.msg);
    bp_manifest_free(&entry->outer);
}
