#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "store/store.h"

static struct bp_err err;

static void expect_patch(const char *old, const char *now, const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf before = {0};
    BP_AUTO(bp_buf_free) struct bp_buf after = {0};
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};

    bp_buf_puts(&before, old != NULL ? old : "");
    bp_buf_puts(&after, now != NULL ? now : "");
    cr_assert_eq(bp_store_patch("a%20b/t.sql", old != NULL ? &before : NULL,
                                now != NULL ? &after : NULL, &got, &err),
                 BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&got), wanted);
}

Test(git_patch, shows_what_changed_as_git_does)
{
    expect_patch("a\nb\nc\n", "a\nB\nc\n",
                 "diff --git a/a%20b/t.sql b/a%20b/t.sql\nindex de98044..7be73ce 100644\n"
                 "--- a/a%20b/t.sql\n+++ b/a%20b/t.sql\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
}

Test(git_patch, shows_a_file_that_came_or_went)
{
    expect_patch(NULL, "a\n",
                 "diff --git a/a%20b/t.sql b/a%20b/t.sql\nnew file mode 100644\n"
                 "index 0000000..7898192\n--- /dev/null\n+++ b/a%20b/t.sql\n@@ -0,0 +1 @@\n+a\n");
    expect_patch("a\n", NULL,
                 "diff --git a/a%20b/t.sql b/a%20b/t.sql\ndeleted file mode 100644\n"
                 "index 7898192..0000000\n--- a/a%20b/t.sql\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
}

Test(git_patch, shows_nothing_of_what_is_the_same)
{
    expect_patch("a\n", "a\n", "");
    expect_patch("", "", "");
}

Test(git_patch, text_is_text_whatever_is_in_it)
{
    BP_AUTO(bp_buf_free) struct bp_buf before = {0};
    BP_AUTO(bp_buf_free) struct bp_buf after = {0};
    BP_AUTO(bp_buf_free) struct bp_buf got = {0};

    bp_buf_add(&before, "a\0b\n", 4);
    bp_buf_add(&after, "a\0c\n", 4);
    cr_assert_eq(bp_store_patch("t", &before, &after, &got, &err), BP_OK, "%s", err.msg);
    cr_expect_not_null(strstr(bp_buf_str(&got), "@@ -1 +1 @@\n-a"));
}
