#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "flow/archive_file.h"
#include "support/fake_store.h"

static struct fake_store store;
static struct bp_catalog_entry entry;
static struct bp_err err;
static char path[] = "f";
static char missing[] = "missing";

static void set_up(void)
{
    store = fake_store();
    (void)snprintf(entry.path, sizeof(entry.path), "a");
    fake_store_put(&store, "a/f", "abc");
}

static void tear_down(void)
{
    fake_store_release(&store);
}

TestSuite(archive_file, .init = set_up, .fini = tear_down);

/* What the manifest says of a/f: "abc". */
static struct bp_manifest_file described(void)
{
    return (struct bp_manifest_file){
        .path = path,
        .bytes = 3,
        .sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
}

static enum bp_code read_file(const struct bp_manifest_file *file, struct bp_buf *out)
{
    return bp_archive_file_read(&store.base, &entry, file, out, &err);
}

Test(archive_file, a_file_that_is_as_the_manifest_says_is_read)
{
    const struct bp_manifest_file file = described();
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    bp_buf_puts(&out, "from before");
    cr_assert_eq(read_file(&file, &out), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&out), "abc");
}

Test(archive_file, another_content_another_size_and_nothing_at_all_are_damage)
{
    struct bp_manifest_file file = described();
    BP_AUTO(bp_buf_free) struct bp_buf out = {0};

    file.sha256[0] = 'c';
    cr_expect_eq(read_file(&file, &out), BP_EINTEGRITY, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "'f'"), "%s", err.msg);
    file = described();
    file.bytes = 2;
    cr_expect_eq(read_file(&file, &out), BP_EINTEGRITY, "%s", err.msg);
    file = described();
    file.path = missing;
    cr_expect_eq(read_file(&file, &out), BP_EINTEGRITY, "%s", err.msg);
    cr_expect_not_null(strstr(err.msg, "missing"), "%s", err.msg);
}
