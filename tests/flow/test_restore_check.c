#include <criterion/criterion.h>
#include <string.h>

#include "flow/restore_internal.h"
#include "flow/test_restore_world.h"

static const struct fake_source_table tables[] = {
    {"public", "small", 3, 30}, {"public", "large", 20, 40}, {NULL, NULL, 0, 0}};

static struct restore_world w;

static void set_up(void)
{
    restore_world_open(&w, tables);
}

static void tear_down(void)
{
    cr_expect_str_eq(bp_buf_str(&w.target.log), "", "the target was touched");
    restore_world_close(&w);
}

TestSuite(restore_check, .init = set_up, .fini = tear_down);

static enum bp_code check(void)
{
    BP_AUTO(bp_catalog_free) struct bp_catalog catalog = {0};
    struct bp_catalog_entry *entry = NULL;

    cr_assert_eq(bp_catalog_open(&w.store.base, "main", &catalog, &w.err), BP_OK);
    cr_assert_eq(bp_catalog_find(&catalog, "latest", &entry, &w.err), BP_OK);
    cr_assert_eq(bp_catalog_unseal(&w.store.base, entry, &w.job.opener, &w.err), BP_OK);
    return bp_restore_check_files(&w.job, entry, &w.err);
}

Test(restore_check, takes_an_archive_whose_files_are_right)
{
    cr_expect_eq(check(), BP_OK, "%s", w.err.msg);
}

Test(restore_check, names_the_file_whose_content_is_another)
{
    fake_store_put(&w.store, WORLD_ARCHIVE "public/tables/large/data.sql", "COPY");
    cr_expect_eq(check(), BP_EINTEGRITY);
    cr_expect_not_null(strstr(w.err.msg, "the checksum of 'public/tables/large/data.sql' is wrong"),
                       "%s", w.err.msg);
}

Test(restore_check, names_a_file_that_cannot_be_read)
{
    w.store.unreadable = "small/data.sql";
    cr_expect_eq(check(), BP_EFAILED);
    cr_expect_not_null(strstr(w.err.msg, "small/data.sql"), "%s", w.err.msg);
}

Test(restore_check, ends_when_asked_to)
{
    struct bp_stop stop = {.signal = 15, .fd = -1};

    w.clock.base.stop = &stop;
    cr_expect_eq(check(), BP_ESTOPPED);
    w.clock.base.stop = NULL;
}
