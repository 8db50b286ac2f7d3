#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "gha/append.h"

static char *folder;
static char *path;
static struct bp_err err;

static void set_up(void)
{
    cr_assert_eq(bp_tempdir_new("/tmp", &folder, &err), BP_OK, "%s", err.msg);
    path = bp_format("%s/file", folder);
}

static void tear_down(void)
{
    bp_freep(&path);
    bp_tempdir_removep(&folder);
}

TestSuite(append, .init = set_up, .fini = tear_down);

static void expect_content(const char *wanted)
{
    BP_AUTO(bp_buf_free) struct bp_buf text = {0};

    cr_assert_eq(bp_file_read(path, 1000, &text, &err), BP_OK, "%s", err.msg);
    cr_expect_str_eq(bp_buf_str(&text), wanted, "it holds '%s'", bp_buf_str(&text));
}

Test(append, keeps_what_is_there)
{
    cr_assert_eq(bp_file_write(path, "a=1\n", 4, &err), BP_OK);
    cr_assert_eq(bp_gha_append("X", path, "b=2\n", &err), BP_OK, "%s", err.msg);
    cr_assert_eq(bp_gha_append("X", path, "c=3\n", &err), BP_OK, "%s", err.msg);
    expect_content("a=1\nb=2\nc=3\n");
}

/* Else "a=1" would become another value, and what is added no output at all. */
Test(append, ends_a_line_that_somebody_left_open)
{
    cr_assert_eq(bp_file_write(path, "a=1", 3, &err), BP_OK);
    cr_assert_eq(bp_gha_append("X", path, "b=2\n", &err), BP_OK, "%s", err.msg);
    expect_content("a=1\nb=2\n");
}

Test(append, an_empty_file_or_none_begins_with_the_text)
{
    cr_assert_eq(bp_gha_append("X", path, "", &err), BP_OK, "%s", err.msg);
    expect_content("");
    cr_assert_eq(bp_gha_append("X", path, "b=2\n", &err), BP_OK, "%s", err.msg);
    expect_content("b=2\n");
}

Test(append, what_is_no_file_takes_the_text_as_well)
{
    cr_expect_eq(bp_gha_append("X", "/dev/null", "b=2\n", &err), BP_OK, "%s", err.msg);
}

Test(append, names_the_file_and_the_reason)
{
    BP_AUTO(bp_freep) char *inside = bp_format("%s/none/file", folder);
    BP_AUTO(bp_freep)
    char *wanted = bp_format("cannot open '%s' (GITHUB_OUTPUT): No such file or directory", inside);

    cr_expect_eq(bp_gha_append("GITHUB_OUTPUT", inside, "b=2\n", &err), BP_EFAILED);
    cr_expect_str_eq(err.msg, wanted);
    cr_expect_eq(bp_gha_append("GITHUB_OUTPUT", "/dev/full", "b=2\n", &err), BP_EFAILED);
    cr_expect_str_eq(err.msg,
                     "cannot write to '/dev/full' (GITHUB_OUTPUT): No space left on device");
}
