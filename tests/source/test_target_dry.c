#include <criterion/criterion.h>

#include "support/fake_source.h"

Test(target_dry, looks_and_counts_but_changes_nothing)
{
    struct fake_target inner = fake_target();
    struct bp_target *dry = bp_target_dry_new(&inner.base);
    const struct bp_writer_want want = {.encoding = "UTF8", .preamble = ""};
    struct bp_writer *writer = NULL;
    BP_AUTO(bp_list_free) struct bp_list some = {0};
    struct bp_target_info info;
    struct bp_err err;
    int64_t count = 0;
    int64_t rows = 0;

    inner.contents = 2;
    cr_expect_eq(dry->ops->open(dry, &info, &err), BP_OK);
    cr_expect_str_eq(info.name, "new");
    cr_expect_eq(dry->ops->contents(dry, &some, &count, &err), BP_OK);
    cr_expect_eq(count, 2);
    cr_assert_eq(dry->ops->writer(dry, &want, &writer, &err), BP_OK);
    cr_expect_eq(writer->ops->begin(writer, true, &err), BP_OK);
    cr_expect_eq(writer->ops->clean(writer, &err), BP_OK);
    cr_expect_eq(writer->ops->run(writer, "DROP TABLE t;", "x", &err), BP_OK);
    cr_expect_eq(writer->ops->copy_begin(writer, "COPY t FROM stdin;", &err), BP_OK);
    cr_expect_eq(writer->ops->copy_put(writer, "1\n2\n", 4, &err), BP_OK);
    cr_expect_eq(writer->ops->copy_put(writer, "3\n", 2, &err), BP_OK);
    cr_expect_eq(writer->ops->copy_put(writer, "", 0, &err), BP_OK);
    cr_expect_eq(writer->ops->copy_end(writer, &rows, &err), BP_OK);
    cr_expect_eq(rows, 3);
    cr_expect_eq(writer->ops->commit(writer, &err), BP_OK);
    cr_expect_str_eq(bp_buf_str(&inner.log), "");
    cr_expect_not(inner.committed);
    bp_writer_freep(&writer);
    bp_target_freep(&dry);
    fake_target_release(&inner);
}
