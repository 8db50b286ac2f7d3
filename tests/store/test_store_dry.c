#include <criterion/criterion.h>
#include <string.h>

#include "support/fake_store.h"

Test(store_dry, reads_through_and_keeps_nothing)
{
    struct fake_store inner = fake_store();
    struct bp_store *dry = bp_store_dry_new(&inner.base);
    const struct bp_edit edit = {.kind = BP_EDIT_STAGED, .to = "backups/latest/x"};
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};
    BP_AUTO(bp_list_free) struct bp_list names = {0};
    struct bp_store_commit commit = {.id = "before"};
    struct bp_blob blob = {0};
    struct bp_err err;

    fake_store_put(&inner, "a/b.txt", "hello");
    cr_expect_eq(dry->ops->open(dry, &err), BP_OK);
    cr_expect_eq(inner.opens, 1);
    cr_expect(dry->ops->exists(dry));
    cr_expect_eq(dry->ops->list(dry, "a", &names, &err), BP_OK);
    cr_expect_eq(names.count, 1u);
    cr_expect_eq(dry->ops->read(dry, "a/b.txt", 100, &text, &err), BP_OK);
    cr_expect_str_eq(bp_buf_str(&text), "hello");
    cr_expect_eq(dry->ops->put(dry, "{}", 2, &blob, &err), BP_OK);
    cr_expect_eq(strlen(blob.id), 64u, "the real store tells what it would be called");
    cr_expect_eq(inner.blob_count, 0u);
    cr_expect_eq(dry->ops->stage(dry, "manifest.json", &blob, false, &err), BP_OK);
    cr_expect_eq(dry->ops->commit(dry, &edit, 1, "message", &commit, &err), BP_OK);
    cr_expect_str_eq(commit.id, "", "there is no commit to name");
    cr_expect_eq(inner.commits, 0);
    cr_expect_eq(inner.staged_count, 0u);
    bp_store_freep(&dry);
    fake_store_release(&inner);
}
